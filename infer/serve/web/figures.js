// The series as a table: what the chart shows, for those who would rather read it.

import { $, el } from "./dom.js";
import { dyadName, percent, warmth } from "./words.js";

const COLUMNS = [
  ["pair", (row) => dyadName(row.dyad)],
  ["warmth", (row) => warmth(row.warmth)],
  ["95 % from", (row) => warmth(row.low)],
  ["to", (row) => warmth(row.high)],
  ["sentences", (row) => row.sentences.toLocaleString("en")],
  ["documents", (row) => row.documents.toLocaleString("en")],
  ["frosty", (row) => percent(row.frosty)],
  ["neutral", (row) => percent(row.neutral)],
  ["engaging", (row) => percent(row.engaging)],
  ["alliance-building", (row) => percent(row.alliance_building)],
];

/** What a period is called. */
export function periodName(iso, period) {
  const [year, month, day] = iso.slice(0, 10).split("-").map(Number);
  const at = Date.UTC(year, month - 1, day);
  const say = (options) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }).format(at);
  if (period === "year") return String(year);
  if (period === "quarter") return `${year} Q${Math.floor((month - 1) / 3) + 1}`;
  if (period === "month") return say({ year: "numeric", month: "short" });
  return (period === "week" ? "week of " : "") + say({ year: "numeric", month: "short", day: "numeric" });
}

/** Write the rows as a table. */
export function showTable(rows, period) {
  const sorted = [...rows].sort((a, b) => a.period.localeCompare(b.period) || a.dyad.localeCompare(b.dyad));
  const body = sorted.map((row) =>
    el("tr", {}, el("th", { scope: "row" }, periodName(row.period, period)), ...COLUMNS.map(([, say]) => el("td", {}, say(row)))),
  );
  const head = el("tr", {}, ...["period", ...COLUMNS.map(([name]) => name)].map((name) => el("th", { scope: "col" }, name)));
  $("chart-table").replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}
