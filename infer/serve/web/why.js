// Why a sentence is read as it is: the words that weigh, and labelled sentences that read like it. Asked for when wanted.

import { announce, complain, el } from "./dom.js";
import { pieces } from "./text.js";
import { count, dyadName, percent, toneLabel } from "./words.js";

const WAITING = "Reading the labelled examples …"; // a model does so once; then it takes a moment
let sections = 0; // each has its id

/**
 * Make the button and what it opens.
 * @param {object} reading
 * @param {{start, end, text: Text, pin: function, explain: function}} found `explain()` resolves when readings have their `why`
 */
export function whySection(reading, found) {
  const id = `why-${(sections += 1)}`;
  const waiting = el("p", { class: "hint", hidden: true }, WAITING);
  const wrong = el("p", { class: "problem", role: "alert", hidden: true });
  const reasons = el("div", { id, "data-tone": reading.tone, hidden: true });
  const button = el("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": id }, "Why?");
  const section = el("div", { class: "why" }, button, waiting, wrong, reasons);
  const wait = (on) => {
    waiting.hidden = !on;
    button.setAttribute("aria-disabled", String(on)); // not disabled: it keeps the focus
  };
  button.addEventListener("click", async () => {
    if (!waiting.hidden) return;
    found.pin();
    complain(wrong, "");
    if (!reasons.childNodes.length) {
      wait(true);
      try {
        announce(WAITING);
        await found.explain();
      } catch (error) {
        if (error.name === "AbortError") return; // another article is being read
        announce("");
        complain(wrong, error.message);
        return;
      } finally {
        wait(false);
      }
      reasons.append(...told(reading, found));
      announce(section.isConnected ? summary(reading.why) : "");
    }
    reasons.hidden = !reasons.hidden;
    button.setAttribute("aria-expanded", String(!reasons.hidden));
  });
  return section;
}

const summary = ({ spans, like }) => `${count(spans.length, "phrase")} that weigh, ${count(like.length, "labelled sentence")} that read alike.`;

function told(reading, { start, end, text }) {
  const { spans, like } = reading.why;
  const none = reading.tone === "none" ? "No relationship is read here, so no words weigh." : "No phrase weighs by itself.";
  const weights = el("ul", { class: "weights" }, ...spans.map((span) => weight(span, reading)));
  return [
    ...(spans.length
      ? [el("h4", {}, `Words that weigh for ${reading.tone}`), el("blockquote", {}, ...weighed(text, start, end, spans)), weights]
      : [el("p", {}, none)]),
    ...(like.length ? [el("h4", {}, "Read like"), el("ul", { class: "like" }, ...like.map(example))] : []),
  ];
}

/** The sentence; the more some words weigh, the thicker the line below them and the stronger their tint. */
function weighed(text, start, end, spans) {
  return pieces(start, end, spans).map((piece) => {
    const string = text.slice(piece.start, piece.end);
    if (!piece.in.length) return string;
    const mark = el("mark", {}, string);
    mark.style.setProperty("--weight", Math.max(0, piece.in[0].weight));
    return mark;
  });
}

function weight(span, reading) {
  const before = reading.probabilities[reading.tone];
  const [from, to] = [before, Math.min(1, Math.max(0, before - span.weight))].map(percent);
  return el(
    "li", {}, `without “${span.text}”: `,
    el("span", { class: "figure", "aria-hidden": "true" }, `${from} → ${to}`), el("span", { class: "unseen" }, `from ${from} to ${to}`),
  ); // prettier-ignore
}

const example = ({ sentence, dyad, tone }) =>
  el("li", {}, el("q", {}, sentence), el("span", { class: "labelled" }, `${dyadName(dyad)} `, toneLabel(tone)));
