// Elements are made here, and text enters the page only as text.

/**
 * Make an element.
 * @param {string} tag
 * @param {Object<string, any>} attributes `onclick` and the like are listeners; null and false are left out
 * @param {...(Node|string|null)} children strings become text nodes
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element, as `el` does. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Find what the page is known to hold. */
export const $ = (id) => document.getElementById(id);

/** Say something to everyone: it is seen, and a screen reader reads it out. */
export function announce(message) {
  $("status").textContent = message;
}

/** Show one line that says what went wrong; an empty one takes it away. */
export function complain(place, message) {
  place.textContent = message;
  place.hidden = !message;
}

/** Read a colour of the theme in use. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
