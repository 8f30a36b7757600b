// The strip: each dyad's warmth from the first to the last sentence; a dyad's name is also the switch that filters by it.

import { $, el, svg } from "./dom.js";
import { ICON, count, dyadName, warmth } from "./words.js";

const FEW = 5; // lanes at first
const HEIGHT = 46;
const y = (value) => HEIGHT / 2 - value * (HEIGHT / 2 - 9);
let expanded = false;

/**
 * Draw the strip.
 * @param {{sentences: number[][], readings: object[]}} article
 * @param {{chosen: Set<string>, none: boolean, onChoose: function(string), onSentence: function(number)}} options
 */
export function showStrip(article, options) {
  const lanes = lanesOf(article.readings, options.none);
  const few = expanded ? lanes : lanes.filter((lane, at) => at < FEW || options.chosen.has(lane.dyad));
  const focused = document.activeElement?.dataset?.dyad;
  $("strip").replaceChildren(...few.map((lane) => row(lane, article, options)));
  $("strip").append(ends(article));
  if (focused) $("strip").querySelector(`[data-dyad="${CSS.escape(focused)}"]`)?.focus();
  const more = $("more-dyads");
  more.hidden = lanes.length <= FEW;
  more.textContent = expanded ? "Fewer pairs" : `All ${lanes.length} pairs`;
  more.setAttribute("aria-expanded", String(expanded));
  more.onclick = () => {
    expanded = !expanded;
    showStrip(article, options);
  };
}

/** The dyads that the article speaks of most come first. */
export function lanesOf(readings, none = false) {
  const kept = readings.filter((reading) => none || reading.tone !== "none");
  const lanes = [...Map.groupBy(kept, (reading) => reading.dyad)].map(([dyad, all]) => {
    const related = all.filter((reading) => reading.tone !== "none");
    const mean = related.length ? related.reduce((sum, reading) => sum + reading.warmth, 0) / related.length : null;
    return { dyad, all, related, mean };
  });
  return lanes.sort((a, b) => b.related.length - a.related.length || a.dyad.localeCompare(b.dyad));
}

/** Where along the strip a sentence stands, 0..1. */
export function placesOf(sentences) {
  return new Map(sentences.map(([start], at) => [start, (at + 0.5) / sentences.length]));
}

function row(lane, article, { chosen, onChoose, onSentence }) {
  const pressed = chosen.has(lane.dyad);
  const told = `${count(lane.related.length, "sentence")}, mean ${warmth(lane.mean)}`;
  const button = el(
    "button",
    { type: "button", class: "lane-name", "data-dyad": lane.dyad, "aria-pressed": String(pressed), onclick: () => onChoose(lane.dyad) },
    el("span", { class: "dyad" }, dyadName(lane.dyad)),
    el("span", { class: "hint" }, told),
  );
  const dimmed = chosen.size > 0 && !pressed;
  return el("div", { class: dimmed ? "lane dimmed" : "lane" }, button, chart(lane, article, onSentence));
}

function chart(lane, article, onSentence) {
  const places = placesOf(article.sentences);
  const x = (reading) => `${(places.get(reading.start) * 100).toFixed(2)}%`;
  const points = lane.related;
  const small = article.sentences.length > 45;
  const told = points.map((reading) => `${reading.tone} ${warmth(reading.warmth)}`).join(", ");
  const node = svg("svg", {
    class: "lane-chart", height: HEIGHT, role: "img", "aria-label": `${dyadName(lane.dyad)}, from first to last sentence: ${told || "no relationship"}`,
  }); // prettier-ignore
  node.append(svg("line", { class: "zero", x1: 0, x2: "100%", y1: y(0), y2: y(0) }));
  points.slice(1).forEach((reading, at) => {
    const before = points[at];
    node.append(svg("line", { class: "course", x1: x(before), y1: y(before.warmth), x2: x(reading), y2: y(reading.warmth) }));
  });
  for (const reading of points) {
    const size = small ? 11 : 16;
    const dot = svg("svg", { class: "dot", x: x(reading), y: y(reading.warmth), "data-tone": reading.tone, overflow: "visible" });
    dot.append(svg("circle", { r: size / 2 + 1 }));
    dot.append(svg("path", { d: ICON[reading.tone], transform: `scale(${(size - 5) / 16}) translate(-8 -8)` }));
    dot.append(svg("title", {}, `${reading.tone}, ${warmth(reading.warmth)}`));
    dot.addEventListener("click", () => onSentence(reading.start));
    node.append(dot);
  }
  return node;
}

function ends(article) {
  return el(
    "div",
    { class: "lane ends hint", "aria-hidden": "true" },
    el("span"),
    el("span", {}, el("span", {}, "first sentence"), el("span", {}, `last of ${article.sentences.length}`)),
  );
}
