// The codebook's labels in words and signs. A tone is told by its word, its icon and its underline, never by colour alone.

import { el, svg } from "./dom.js";

/** From cold to warm, as a reader looks for them; `none` says that there is no relationship. */
export const TONES = ["frosty", "neutral", "engaging", "alliance-building"];
export const WARMTH = { frosty: -1, neutral: 0, engaging: 0.5, "alliance-building": 1 };
export const ALL_TONES = [...TONES, "none"];

/** What each tone says, in a line. */
export const MEANING = {
  frosty: "at odds: criticism, threat, sanction",
  neutral: "related, with no lean",
  engaging: "in contact or easing: talks, a deal",
  "alliance-building": "partners: treaty, aid, a joint stand",
  none: "no relationship in this sentence",
};

/** Strokes on a field of 16 by 16: snowflake, equals, arrows that meet, linked rings, an empty set. */
export const ICON = {
  frosty: "M8 1.5v13M2.4 4.75l11.2 6.5M2.4 11.25l11.2-6.5",
  neutral: "M3 6h10M3 10h10",
  engaging: "M1 8h5.5M4 5l3 3-3 3M15 8H9.5M12 5 9 8l3 3",
  "alliance-building": "M10 8a3.8 3.8 0 1 1-7.6 0a3.8 3.8 0 1 1 7.6 0M13.6 8a3.8 3.8 0 1 1-7.6 0a3.8 3.8 0 1 1 7.6 0",
  none: "M13 8a5 5 0 1 1-10 0a5 5 0 1 1 10 0M4.5 11.5l7-7",
};

/** Draw a tone's icon; the word stands beside it. */
export function icon(tone) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: ICON[tone] }));
}

const HOW = {
  name: "by name",
  demonym: "by demonym",
  capital: "by its capital",
  body: "by one of its bodies",
  leader: "by who held office",
  group: "as a member of a group",
  context: "from what was said before",
};

let states = {};

/** Take the states' names from what `GET /v1/model` answers. */
export function learnNames(model) {
  states = model.states ?? {};
}

export const stateName = (code) => states[code] ?? code;
export const how = (mention) => HOW[mention.how] ?? mention.how;

/** `CHN-USA` as China – United States. */
export const dyadName = (dyad) => dyad.split("-").map(stateName).join(" – ");

/** `CHN-USA` as CHN–USA, where there is little room. */
export const dyadCode = (dyad) => dyad.replace("-", "–");

/** Who addresses whom. */
export function direction(reading) {
  const [a, b] = reading.dyad.split("-").map(stateName);
  return { "a>b": `${a} → ${b}`, "b>a": `${b} → ${a}`, mutual: `${a} ⇄ ${b}` }[reading.direction] ?? "none";
}

/** The same for the ear. */
export function directionSpoken(reading) {
  const [a, b] = reading.dyad.split("-").map(stateName);
  return { "a>b": `${a} to ${b}`, "b>a": `${b} to ${a}`, mutual: `${a} and ${b}, mutual` }[reading.direction] ?? "none";
}

export const percent = (p) => `${Math.round(p * 100)} %`;

/** A warmth with its sign, in a minus of full width. */
export function warmth(value) {
  if (value === null || value === undefined) return "–";
  const rounded = Math.abs(value) < 0.005 ? "0" : Math.abs(value).toFixed(2);
  return rounded === "0" ? "0" : (value > 0 ? "+" : "−") + rounded;
}

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** A date as people write it; parts of a date as far as they go. */
export function longDate(iso) {
  if (!iso) return "no date";
  const [year, month, day] = iso.split("-").map(Number);
  const names = { year: "numeric", ...(month && { month: "long" }), ...(day && { day: "numeric" }) };
  return new Intl.DateTimeFormat("en-GB", { ...names, timeZone: "UTC" }).format(Date.UTC(year, (month ?? 1) - 1, day ?? 1));
}

/** A tone as a small label: icon and, where there is room, the word. */
export function toneLabel(tone, text = tone) {
  return el("span", { class: "tone", "data-tone": tone }, icon(tone), el("span", {}, text));
}
