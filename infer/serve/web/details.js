// What the model says of one sentence: for each dyad its tone, probabilities, warmth, direction, cue, states, and why.

import { $, el } from "./dom.js";
import { whySection } from "./why.js";
import { ALL_TONES, direction, directionSpoken, dyadName, how, percent, stateName, toneLabel, warmth } from "./words.js";

let close = null;

/**
 * Show a sentence's readings.
 * @param {{start, end, readings, text, close, pin, explain}} found
 * @param {boolean} pinned whether the user chose it, rather than passed over it
 */
export function showDetails(found, pinned) {
  close = found.close;
  const panel = $("details");
  const pin = () => {
    found.pin();
    panel.classList.add("pinned");
  };
  panel.classList.add("open");
  panel.classList.toggle("pinned", pinned);
  panel.replaceChildren(
    el("button", { type: "button", class: "close", "aria-label": "Close", onclick: found.close }, "×"),
    ...found.readings.map((reading) => card(reading, { ...found, pin })),
  );
  panel.scrollTop = 0;
}

/** Empty the panel; it then says how to fill it, if there is anything to be read. */
export function clearDetails(anything) {
  close = null;
  const panel = $("details");
  panel.classList.remove("open", "pinned");
  const line = anything
    ? "Point at a tinted sentence, or move to it with Tab and the arrow keys: here stands what the model reads in it. Enter opens it, Escape closes it."
    : "No sentence of this text names two states and presents their relationship.";
  panel.replaceChildren(el("p", { class: "hint" }, line));
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && close && !document.querySelector("dialog[open]")) close();
});

function card(reading, found) {
  const related = reading.tone !== "none";
  return el(
    "div",
    { class: "reading" },
    el("h3", {}, dyadName(reading.dyad)),
    el("p", { class: "verdict" }, toneLabel(reading.tone), ` ${percent(reading.probabilities[reading.tone])}`),
    el("ul", { class: "bars", "aria-label": "Probability of each tone" }, ...ALL_TONES.map((tone) => bar(tone, reading))),
    el(
      "dl",
      {},
      ...(related ? pair("Warmth", scale(reading.warmth)) : []),
      ...(related
        ? pair("Direction", el("span", { "aria-hidden": "true" }, direction(reading)), el("span", { class: "unseen" }, directionSpoken(reading)))
        : []),
      ...(reading.cue ? pair("Cue", el("q", {}, reading.cue)) : []),
      ...(reading.root ? pair("PLOVER", `${reading.root} (${reading.quad})`) : []),
      ...pair("States", el("ul", { class: "mentions" }, ...mentions(reading, found.text))),
    ),
    whySection(reading, found),
  );
}

const pair = (term, ...said) => [el("dt", {}, term), el("dd", {}, ...said)];

function bar(tone, reading) {
  const p = reading.probabilities[tone];
  const length = el("span", { class: "bar", "data-tone": tone, "aria-hidden": "true" });
  length.style.setProperty("--share", p);
  return el("li", { class: tone === reading.tone ? "chosen" : null }, toneLabel(tone), length, el("span", { class: "figure" }, percent(p)));
}

function scale(value) {
  const mark = el("span", { class: "needle" });
  mark.style.setProperty("--at", (value + 1) / 2);
  return el("span", { class: "warmth" }, el("span", { class: "figure" }, warmth(value)), el("span", { class: "scale", "aria-hidden": "true" }, mark));
}

function mentions(reading, text) {
  return reading.mentions.map((mention) => {
    const via = mention.via && mention.how === "leader" ? `, ${mention.via}` : "";
    return el("li", {}, el("b", {}, text.slice(mention.start, mention.end)), ` – ${stateName(mention.state)}, ${how(mention)}${via}`);
  });
}
