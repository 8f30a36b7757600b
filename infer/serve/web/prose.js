// The article as prose: paragraphs, headline, sentences with their tones, mentions and cues marked.

import { $, el } from "./dom.js";
import { pieces } from "./text.js";
import { dyadCode, dyadName, stateName, toneLabel } from "./words.js";

const TAGS = 2; // dyads named after a sentence for each tone; the rest is a number
let handlers = {};
let closing = false;
let shown = new Map(); // start of a sentence -> its readings

/**
 * Lay out an article.
 * @param {{text: Text, sentences: number[][], readings: object[]}} article
 * @param {object[]} readings those to be shown; mentions are marked whether or not they are
 * @param {{onActive: function, onClear: function}} told `onActive({start, end, readings, node}, pinned)`
 */
export function showProse(article, readings, told) {
  handlers = { ...told, article };
  shown = Map.groupBy(readings, (reading) => reading.start);
  const everywhere = Map.groupBy(article.readings, (reading) => reading.start);
  const paragraphs = [el("p")];
  let at = 0;
  for (const [start, end] of article.sentences) {
    const between = article.text.slice(at, start);
    if (/\n\s*\n/.test(between) && paragraphs.at(-1).childNodes.length) paragraphs.push(el("p"));
    else if (between.includes("\n") && at) paragraphs.at(-1).append(el("br"));
    else if (between) paragraphs.at(-1).append(between);
    paragraphs.at(-1).append(sentence(article, start, end, everywhere.get(start) ?? []));
    at = end;
  }
  if (isHeadline(paragraphs[0], paragraphs.length)) paragraphs[0].classList.add("headline");
  $("prose").replaceChildren(...paragraphs);
}

function isHeadline(paragraph, of) {
  const text = paragraph.querySelectorAll(".words").length === 1 && paragraph.querySelector(".words").textContent;
  return of > 1 && text && text.length < 160 && !/[.!?]["”’]?$/.test(text);
}

function sentence(article, start, end, all) {
  const readings = shown.get(start) ?? [];
  const words = el("span", { class: "words" }, ...marked(article.text, start, end, all, readings));
  if (!readings.length) return el("span", { class: "sentence", "data-start": start }, words);
  const lead = readings.reduce((best, reading) => (weight(reading) > weight(best) ? reading : best));
  const node = el(
    "span",
    {
      class: "sentence read", "data-start": start, "data-tone": lead.tone,
      role: "button", tabindex: 0, "aria-expanded": "false", "aria-controls": "details",
    }, // prettier-ignore
    words,
    tags(readings),
  );
  const tell = (pin) => select(node, { start, end, readings, node }, pin);
  node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !pinned() && tell(false));
  node.addEventListener("focus", () => closing || tell(pinnedElsewhere(node)));
  node.addEventListener("click", () => tell(true));
  node.addEventListener("keydown", (event) => keys(event, node, tell));
  return node;
}

/** The tone that colours a sentence is the surest one that is a relationship. */
const weight = (reading) => (reading.tone === "none" ? 0 : 1) + reading.probabilities[reading.tone];

function marked(text, start, end, all, readings) {
  const mentions = all.flatMap((reading) => reading.mentions.map((mention) => ({ ...mention, mark: true })));
  const cues = readings.filter((r) => r.cue).map((r) => ({ start: r.cue_start, end: r.cue_end, mark: false }));
  return pieces(start, end, [...mentions, ...cues]).map((piece) => {
    const states = new Set(piece.in.filter((span) => span.mark).map((span) => stateName(span.state)));
    const cue = piece.in.some((span) => !span.mark);
    const string = text.slice(piece.start, piece.end);
    if (!states.size && !cue) return string;
    const inner = cue ? el("span", { class: "cue" }, string) : string;
    return states.size ? el("mark", { title: [...states].join(", ") }, inner) : inner;
  });
}

function tags(readings) {
  const byTone = Map.groupBy(readings, (reading) => reading.tone);
  return el(
    "span",
    { class: "tags" },
    ...[...byTone].map(([tone, some]) => {
      const codes = some.slice(0, TAGS).map((reading) => dyadCode(reading.dyad));
      const more = some.length > TAGS ? ` +${some.length - TAGS}` : "";
      const spoken = ` (${tone}: ${some.map((reading) => dyadName(reading.dyad)).join("; ")}) `;
      const label = toneLabel(tone, codes.join(" ") + more);
      label.setAttribute("aria-hidden", "true");
      return el("span", {}, el("span", { class: "unseen" }, spoken), label);
    }),
  );
}

const pinned = () => $("prose").querySelector(".sentence.pinned");
const pinnedElsewhere = (node) => Boolean(pinned() && pinned() !== node);

function select(node, found, pin) {
  for (const other of $("prose").querySelectorAll(".active, .pinned")) {
    other.classList.remove("active", "pinned");
    other.setAttribute("aria-expanded", "false");
  }
  node.classList.add("active");
  node.classList.toggle("pinned", pin);
  node.setAttribute("aria-expanded", "true");
  if (pin) keepInView(node);
  const stay = () => node.classList.add("pinned");
  handlers.onActive({ ...found, text: handlers.article.text, close: () => close(node), pin: stay }, pin);
}

/** On a phone the details come up over the lower half. */
function keepInView(node) {
  const { bottom } = node.getBoundingClientRect();
  if (NARROW.matches && bottom > innerHeight * 0.42) scrollBy({ top: bottom - innerHeight * 0.4, behavior: scrolling() });
}

const NARROW = matchMedia("(max-width: 58rem)"); // as in prose.css and details.css
const scrolling = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

function close(node) {
  node.classList.remove("active", "pinned");
  node.setAttribute("aria-expanded", "false");
  handlers.onClear(true);
  closing = true; // the focus that comes back opens nothing
  node.focus({ preventScroll: true });
  closing = false;
}

function keys(event, node, tell) {
  const all = [...$("prose").querySelectorAll(".sentence.read")];
  const at = all.indexOf(node);
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (event.key === "Enter" || event.key === " ") {
    tell(true);
    $("details").focus({ preventScroll: true });
  } else if (event.key === "Escape") {
    close(node);
  } else if (to !== undefined) {
    all[Math.max(0, Math.min(to, all.length - 1))].focus();
  } else {
    return;
  }
  event.preventDefault();
}

/** Go to the sentence that starts at an offset, as a click on it would. */
export function activate(start) {
  const node = $("prose").querySelector(`.sentence.read[data-start="${start}"]`);
  node?.scrollIntoView({ block: NARROW.matches ? "start" : "center", behavior: scrolling() });
  node?.click();
}
