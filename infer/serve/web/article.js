// The first tab: an article goes in; the strip, the prose and the details of a sentence come out.

import { postLabel } from "./api.js";
import { clearDetails, showDetails } from "./details.js";
import { $, announce, complain, el } from "./dom.js";
import { saveCsv, saveJson, savePng } from "./export.js";
import { articlePicture } from "./picture.js";
import { activate, showProse } from "./prose.js";
import { showStrip } from "./strip.js";
import { Text } from "./text.js";
import { MEANING, TONES, count, longDate, toneLabel } from "./words.js";

/** What is shown: `{text, date, asked, sentences, readings}`; and the choices that narrow it. */
let article = null;
const chosen = new Set(); // dyads; none chosen means all
let running = null;
let explaining = null;

export function startArticle(model) {
  $("legend").append(...TONES.map((tone) => el("li", {}, toneLabel(tone), el("span", { class: "hint" }, MEANING[tone]))));
  offerExamples();
  $("article-form").addEventListener("submit", (event) => {
    event.preventDefault();
    read(model);
  });
  $("show-none").addEventListener("change", show);
  $("all-dyads").addEventListener("click", () => {
    chosen.clear();
    show();
    $("strip").querySelector("button")?.focus();
  });
  $("article-json").addEventListener("click", () => saveJson(shownReadings(), "readings"));
  $("article-csv").addEventListener("click", () => saveCsv(shownReadings().map(flat), "readings"));
  $("article-png").addEventListener("click", () => savePng(articlePicture(article, shownReadings()), "article"));
}

async function offerExamples() {
  const examples = await fetch(new URL("./examples.json", import.meta.url)).then((answer) => answer.json());
  $("examples").append(
    ...examples.map((example) =>
      el("button", { type: "button", class: "chip", onclick: () => open(example) }, example.name, el("small", {}, longDate(example.date))),
    ),
  );
}

function open({ text, date }) {
  $("text").value = text;
  $("date").value = date;
  $("article-form").requestSubmit();
}

async function read(model) {
  const text = $("text").value.toWellFormed?.() ?? $("text").value;
  if (!text.trim()) return refuse("There is no text yet: paste an article, or open one of the examples.");
  if ($("date").validity.badInput) return refuse("The date is not complete; finish it or clear it.");
  const date = $("date").value;
  running?.abort();
  explaining?.abort();
  const mine = (running = new AbortController());
  complain($("article-error"), "");
  busy(true);
  announce("Reading the article …");
  try {
    await model(); // the states' names
    const asked = { text, ...(date && { date }), include_none: true };
    const answer = await postLabel(asked, mine.signal);
    article = { text: new Text(text), date, asked, ...answer };
    chosen.clear();
    collapse();
    show();
    const related = answer.readings.filter((reading) => reading.tone !== "none");
    announce(`${count(answer.sentences.length, "sentence")}, ${count(related.length, "reading")}.`);
  } catch (error) {
    if (error.name === "AbortError") return;
    refuse(error.message);
  } finally {
    if (running === mine) busy(false);
  }
}

/** Have every reading of an article know why: asked for once, again only after it went wrong. */
function explain(of) {
  of.explained ??= askWhy(of).catch((error) => {
    of.explained = null;
    throw error;
  });
  return of.explained;
}

async function askWhy({ asked, readings }) {
  explaining = new AbortController();
  const answer = await postLabel({ ...asked, explain: true }, explaining.signal);
  const whys = new Map(answer.readings.map((reading) => [`${reading.start} ${reading.dyad}`, reading.why]));
  for (const reading of readings) reading.why = whys.get(`${reading.start} ${reading.dyad}`) ?? { spans: [], like: [] };
}

function refuse(message) {
  announce("");
  complain($("article-error"), message);
  $("compose").open = true;
  $("text").focus();
}

function busy(on) {
  $("label").disabled = on;
  $("label").textContent = on ? "Reading …" : "Read the article";
}

function collapse() {
  const first = article.text.string.trim().split("\n")[0];
  const short = first.length > 80 ? `${first.slice(0, 78)} …` : first;
  $("compose-title").textContent = `${short} (${longDate(article.date)})`;
  $("compose").open = false;
  $("compose").querySelector("summary").focus({ preventScroll: true });
}

function shownReadings() {
  const none = $("show-none").checked;
  return article.readings.filter(
    (reading) => (none || reading.tone !== "none") && (!chosen.size || chosen.has(reading.dyad)),
  );
}

function show() {
  if (!article) return;
  $("article-result").hidden = false;
  $("all-dyads").hidden = !chosen.size;
  const readings = shownReadings();
  showStrip(article, { chosen, none: $("show-none").checked, onChoose: choose, onSentence: activate });
  showProse(article, readings, { onActive: tell, onClear: clearDetails });
  clearDetails(article.readings.some((reading) => reading.tone !== "none"));
}

function tell(found, pinned) {
  showDetails({ ...found, explain: () => explain(article) }, pinned);
}

function choose(dyad) {
  if (!chosen.delete(dyad)) chosen.add(dyad);
  show();
  announce(chosen.size ? `Showing ${count(chosen.size, "pair")} of states.` : "Showing every pair of states.");
}

/** A reading as a row: no lists, no objects. */
function flat({ probabilities, mentions, why, ...reading }) {
  const columns = Object.entries(probabilities).map(([tone, p]) => [`p_${tone.replace("-", "_")}`, p]);
  const found = mentions.map((mention) => `${mention.text} (${mention.state}, ${mention.how})`).join("; ");
  return { ...reading, date: article.date, ...Object.fromEntries(columns), mentions: found };
}
