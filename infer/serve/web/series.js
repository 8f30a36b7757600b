// The second tab: a file of dated articles goes in; a series for each dyad comes out.

import { patiently, postBatch, postSeries } from "./api.js";
import { chartPicture, showChart } from "./chart.js";
import { readCorpus } from "./corpus.js";
import { $, announce, complain, el } from "./dom.js";
import { saveCsv, saveJson, savePng } from "./export.js";
import { showTable } from "./figures.js";
import { count, dyadName, longDate } from "./words.js";

const MOST = 6; // dyads that a chart can show and an eye can follow
const AT_ONCE = 16; // articles a request, and
const CHARACTERS = 100_000; // of them together: an answer is soon there, and progress is seen
const BYTES = 300; // of a reading as it is sent to be summed up, at most

let corpus = null; // {articles, skipped}
let read = null; // {of: corpus, done, readings, failed}: another period needs no second reading
let series = []; // rows of every dyad
let period = "";
let chosen = []; // dyads shown, in the order of their styles
let running = null;

export function startSeries(model) {
  $("file").addEventListener("change", () => $("file").files[0] && take($("file").files[0]));
  $("series-example").addEventListener("click", async () => {
    const url = new URL("./dispatches.jsonl", import.meta.url);
    const file = new File([await (await fetch(url)).blob()], "the example");
    $("file").value = "";
    if (await take(file)) draw(model);
  });
  $("series-form").addEventListener("submit", (event) => {
    event.preventDefault();
    draw(model);
  });
  $("period").addEventListener("change", () => read?.of === corpus && series.length && draw(model));
  $("stop").addEventListener("click", () => running?.abort());
  $("series").addEventListener("shown", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  $("series-json").addEventListener("click", () => saveJson(shownRows(), "series"));
  $("series-csv").addEventListener("click", () => saveCsv(shownRows(), "series"));
  $("series-png").addEventListener("click", () => savePng(chartPicture(`${$("chart-title").textContent}; 95 % intervals over documents; hollow: fewer than five.`), "series"));
}

async function take(file) {
  complain($("series-error"), "");
  corpus = null;
  $("file-found").hidden = true;
  try {
    corpus = await readCorpus(file);
  } catch (error) {
    complain($("series-error"), error.message);
    return false;
  }
  const days = corpus.articles.map((article) => article.date).sort();
  const skipped = corpus.skipped ? `; ${count(corpus.skipped, "row")} without text left out` : "";
  $("file-found").textContent = `${count(corpus.articles.length, "article")}, ${longDate(days[0])} to ${longDate(days.at(-1))}${skipped}`;
  $("file-found").hidden = false;
  return true;
}

async function draw(model) {
  if (!corpus) return complain($("series-error"), "There is no file yet: choose one, or open the example.");
  complain($("series-error"), "");
  running?.abort();
  const mine = (running = new AbortController());
  const of = corpus;
  busy(true);
  try {
    const { limits } = await model();
    if (read?.of !== of) read = { of, done: 0, readings: [], failed: [] };
    await readOn(read, Math.min(AT_ONCE, limits.items), mine.signal);
    if (!read.readings.length) throw new Error("No sentence of these articles presents a relationship of two states: there is nothing to draw.");
    const rows = await sumUp(read.readings, Math.min(limits.readings, limits.body / BYTES), mine.signal);
    if (mine.signal.aborted) return;
    receive(rows);
    if (read.failed.length) complain($("series-error"), `${count(read.failed.length, "article")} left out. ${read.failed[0]}`);
    announce(`Series of ${count(new Set(series.map((row) => row.dyad)).size, "pair")} of states.`);
  } catch (error) {
    if (error.name === "AbortError") announce("Stopped.");
    else complain($("series-error"), error.message);
  } finally {
    if (running === mine) busy(false);
  }
}

/** Label the articles that are left, in parts, and keep of the readings what a series counts; a stop loses nothing. */
async function readOn(state, most, signal) {
  const { articles } = state.of;
  while (state.done < articles.length) {
    progress(state.done, articles.length);
    const part = partOf(articles, state.done, most);
    const items = part.map(({ id, date, text, title }) => ({ id, date, text, ...(title && { title }) }));
    const { results } = await patiently(() => postBatch({ items }, signal), signal);
    results.forEach((result, nth) => {
      const number = state.done + nth;
      if (result.error) return state.failed.push(`Article ${number + 1}: ${result.error}`);
      const { date, source } = part[nth];
      for (const { dyad, tone, warmth, direction } of result.readings) {
        state.readings.push({ id: String(number), date, dyad, tone, warmth, direction, ...(source && { source }) });
      }
    });
    state.done += part.length;
  }
  progress(state.done, articles.length);
  if (state.failed.length === articles.length) throw new Error(state.failed[0]);
}

/** The next articles, so few and so short that an answer is soon there. */
function partOf(articles, from, most) {
  let to = from;
  for (let length = 0; to < articles.length && to - from < most; to++) {
    length += articles[to].text.length;
    if (length > CHARACTERS && to > from) break;
  }
  return articles.slice(from, to);
}

/** A series is of one dyad: dyads are summed up in as many requests as the server's limits ask for. */
async function sumUp(readings, most, signal) {
  const parts = [[]];
  for (const some of Map.groupBy(readings, (reading) => reading.dyad).values()) {
    const last = parts.at(-1);
    if (last.length && last.length + some.length > most) parts.push(some);
    else parts[parts.length - 1] = last.concat(some);
  }
  const rows = [];
  for (const part of parts) {
    const answer = await patiently(() => postSeries({ readings: part, period: $("period").value }, signal), signal);
    rows.push(...answer.series);
  }
  return rows;
}

function receive(rows) {
  series = rows;
  period = $("period").value;
  const dyads = ranked().map(([dyad]) => dyad);
  chosen = chosen.filter((dyad) => dyads.includes(dyad));
  if (!chosen.length) chosen = dyads.slice(0, 2);
  $("series-result").hidden = false;
  show();
}

/** Dyads and how many sentences speak of them, the most first. */
function ranked() {
  const sums = new Map();
  for (const row of series) sums.set(row.dyad, (sums.get(row.dyad) ?? 0) + row.sentences);
  return [...sums].sort((a, b) => b[1] - a[1]);
}

const shownRows = () => series.filter((row) => chosen.includes(row.dyad));

function show() {
  if (!series.length || $("series").hidden) return;
  const rows = shownRows();
  $("chart-title").textContent = `Mean warmth by ${period}`;
  showChips();
  showChart(rows, chosen, period);
  showTable(rows, period);
}

function showChips() {
  const focused = document.activeElement?.dataset?.dyad;
  const chips = ranked().map(([dyad, sentences]) => {
    const at = chosen.indexOf(dyad);
    const full = at < 0 && chosen.length >= MOST;
    const key = at < 0 ? null : el("span", { class: "key", "data-line": at + 1, "aria-hidden": "true" });
    const onclick = () => toggle(dyad);
    return el("button", { type: "button", class: "chip", "data-dyad": dyad, "aria-pressed": String(at >= 0), disabled: full, onclick }, key, dyadName(dyad), el("small", {}, sentences.toLocaleString("en")));
  });
  $("chart-dyads").replaceChildren(...chips);
  if (focused) $("chart-dyads").querySelector(`[data-dyad="${CSS.escape(focused)}"]`)?.focus();
}

function toggle(dyad) {
  if (!chosen.includes(dyad)) chosen = [...chosen, dyad];
  else if (chosen.length > 1) chosen = chosen.filter((other) => other !== dyad);
  show();
}

function progress(done, all) {
  $("progress").hidden = false;
  $("progress-bar").value = done / all;
  $("progress-text").textContent = `${done.toLocaleString("en")} of ${count(all, "article")} read`;
}

function busy(on) {
  $("draw").disabled = on;
  $("stop").hidden = !on;
  if (!on) $("progress").hidden = true;
  else announce("Reading the articles …");
}
