// Draws series with uPlot: a line, its interval, and a mark of its own for each dyad.

import { $, colour } from "./dom.js";
import { periodName } from "./figures.js";
import { WARMTH, dyadName, warmth } from "./words.js";

/** A dyad is told from the others by dashes and marks too; the colours are the theme's `--line-1` … */
const STYLES = [
  { dash: [], mark: circle },
  { dash: [8, 3], mark: polygon(4, Math.PI / 4) },
  { dash: [10, 3, 2, 3], mark: polygon(3, -Math.PI / 2) },
  { dash: [5, 2], mark: polygon(4, 0) },
  { dash: [14, 4], mark: polygon(3, Math.PI / 2) },
  { dash: [8, 3, 2, 3, 2, 3], mark: polygon(6, 0) },
];

let plot = null;
let told = { rows: new Map(), dyads: [], period: "", at: [] };

/**
 * Draw.
 * @param {object[]} rows of `detente.series`, of the dyads shown
 * @param {string[]} dyads up to six, in the order of their styles
 * @param {string} period day, week, month, quarter or year
 */
export function showChart(rows, dyads, period) {
  const at = [...new Set(rows.map((row) => row.period))].sort();
  told = { rows: new Map(rows.map((row) => [`${row.dyad} ${row.period}`, row])), dyads, period, at };
  const column = (dyad, pick) => filled(at, period).map((day) => pick(told.rows.get(`${dyad} ${day}`)) ?? null);
  told.at = filled(at, period);
  const data = [told.at.map(seconds)];
  const series = [{}];
  const bands = [];
  const drawn = new Map(); // number of the line -> how its marks are drawn
  dyads.forEach((dyad, nth) => {
    const style = { ...STYLES[nth], colour: colour(`line-${nth + 1}`) };
    const first = data.length;
    data.push(column(dyad, (row) => row?.high), column(dyad, (row) => row?.low), column(dyad, (row) => row?.warmth));
    const bare = { stroke: style.colour, points: { show: false } };
    series.push({ ...bare, width: 0 }, { ...bare, width: 0 });
    series.push({ ...bare, width: 2, dash: style.dash });
    drawn.set(first + 2, { dyad, ...style });
    bands.push({ series: [first, first + 1], fill: `${style.colour}24` });
  });
  plot?.destroy();
  plot = new uPlot(options(series, bands, drawn), data, $("chart"));
  readout(null);
}

const isoDay = (at) => new Date(at * 1000).toISOString().slice(0, 10);
const seconds = (iso) => Date.parse(`${iso.slice(0, 10)}T00:00:00Z`) / 1000;

/** Add the periods between that nobody wrote about: there the line breaks. */
function filled(at, period) {
  const steps = { day: [1, 0], week: [7, 0], month: [0, 1], quarter: [0, 3], year: [0, 12] }[period];
  const days = new Set(at.map((day) => day.slice(0, 10)));
  const all = [];
  const date = new Date(seconds(at[0]) * 1000);
  for (const last = seconds(at.at(-1)) * 1000; date.getTime() <= last && all.length < 20_000; ) {
    const iso = isoDay(date.getTime() / 1000);
    all.push(days.has(iso) ? at.find((day) => day.startsWith(iso)) : iso);
    date.setUTCDate(date.getUTCDate() + steps[0]);
    date.setUTCMonth(date.getUTCMonth() + steps[1]);
  }
  return all;
}

function options(series, bands, drawn) {
  const ink = colour("faint");
  const grid = { stroke: colour("rule"), width: 1 };
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: ink, font, grid, ticks: grid };
  const wide = $("chart").clientWidth > 640;
  const tones = { ...axis, side: 1, scale: "y", size: 120, grid: { show: false }, splits: () => Object.values(WARMTH), values: () => Object.keys(WARMTH) };
  return {
    ...size(),
    series,
    bands,
    legend: { show: false },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "UTC"),
    scales: { x: { range: (_, min, max) => pad(min, max) }, y: { range: [-1.08, 1.08] } },
    axes: [{ ...axis, grid: { show: false }, splits: dates, values: (_, splits) => splits.map((at) => periodName(isoDay(at), told.period)) }, { ...axis, size: 58, values: (_, splits) => splits.map(warmth), splits: () => [-1, -0.5, 0, 0.5, 1] }, ...(wide ? [tones] : [])],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    hooks: { setCursor: [(u) => readout(u.cursor.idx)], drawAxes: [zeroLine], drawSeries: [(u, nth) => drawn.has(nth) && marks(u, nth, drawn.get(nth))] },
  };
}

/** As many periods as have room for their names. */
function dates(u) {
  const step = Math.ceil((told.at.length * 92) / Math.max(u.bbox.width / devicePixelRatio, 92));
  return told.at.filter((_, at) => at % step === 0).map(seconds);
}

/** A single period needs room on both sides to be seen. */
function pad(min, max) {
  const room = Math.max((max - min) * 0.02, 86_400);
  return [min - room, max + room];
}

const size = () => ({ width: Math.max($("chart").clientWidth, 240), height: Math.round(Math.min(420, Math.max(260, innerHeight * 0.45))) });

function zeroLine(u) {
  const { ctx, bbox } = u;
  const y = u.valToPos(0, "y", true);
  ctx.save();
  ctx.strokeStyle = colour("faint");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** Draw a dyad's marks, hollow where few documents stand behind them; one that stands alone has its interval as a line. */
function marks(u, nth, { dyad, mark, colour: ink }) {
  const { ctx, data } = u;
  const y = (value) => u.valToPos(value, "y", true);
  ctx.save();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.strokeStyle = ink;
  ctx.setLineDash([]);
  data[nth].forEach((value, at) => {
    if (value === null) return;
    const x = u.valToPos(data[0][at], "x", true);
    const [high, low] = [data[nth - 2], data[nth - 1]];
    if (low[at] !== null && (low[at - 1] ?? null) === null && (low[at + 1] ?? null) === null) {
      ctx.stroke(new Path2D(`M${x} ${y(low[at])}V${y(high[at])}`));
    }
    const path = new Path2D();
    mark(path, x, y(value), 4.5 * devicePixelRatio);
    ctx.fillStyle = told.rows.get(`${dyad} ${told.at[at]}`)?.thin ? colour("paper") : ink;
    ctx.fill(path);
    ctx.stroke(path);
  });
  ctx.restore();
}

function circle(path, x, y, r) {
  path.arc(x, y, r, 0, 2 * Math.PI);
}

function polygon(corners, turn) {
  return (path, x, y, r) => {
    for (let nth = 0; nth < corners; nth++) {
      const angle = turn + (nth * 2 * Math.PI) / corners;
      path.lineTo(x + 1.2 * r * Math.cos(angle), y + 1.2 * r * Math.sin(angle));
    }
    path.closePath();
  };
}

/** Say what stands at a period. */
function readout(at) {
  const day = told.at[at];
  if (day === undefined || at === null) {
    $("readout").textContent = "";
    return "";
  }
  const said = told.dyads.map((dyad) => {
    const row = told.rows.get(`${dyad} ${day}`);
    return row ? `${dyadName(dyad)} ${warmth(row.warmth)} (${warmth(row.low)} to ${warmth(row.high)}; ${row.documents} documents)` : `${dyadName(dyad)}: none`;
  });
  const line = `${periodName(day, told.period)}: ${said.join(" · ")}`;
  $("readout").textContent = line;
  return line;
}

$("chart").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
  if (!step || !plot) return;
  event.preventDefault();
  const last = told.at.length - 1;
  const at = Math.max(0, Math.min(last, (plot.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
  plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: 0 });
  $("spoken").textContent = readout(at);
});

new ResizeObserver(() => plot && $("chart").clientWidth && plot.setSize(size())).observe($("chart"));

/** Draw the chart with its caption onto a canvas of its own. */
export function chartPicture(caption) {
  const source = plot.ctx.canvas;
  const scale = devicePixelRatio;
  const canvas = document.createElement("canvas");
  canvas.width = source.width + 32 * scale;
  canvas.height = source.height + (90 + 22 * told.dyads.length) * scale;
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = colour("paper");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(source, 16 * scale, 16 * scale);
  ctx.scale(scale, scale);
  ctx.font = `13px ${getComputedStyle(document.body).fontFamily}`;
  let y = source.height / scale + 40;
  told.dyads.forEach((dyad, nth) => {
    ctx.strokeStyle = ctx.fillStyle = colour(`line-${nth + 1}`);
    ctx.lineWidth = 2;
    ctx.setLineDash(STYLES[nth].dash);
    ctx.beginPath();
    ctx.moveTo(24, y - 4);
    ctx.lineTo(64, y - 4);
    ctx.stroke();
    const mark = new Path2D();
    STYLES[nth].mark(mark, 44, y - 4, 4.5);
    ctx.fill(mark);
    ctx.fillStyle = colour("ink");
    ctx.fillText(dyadName(dyad), 74, y);
    y += 22;
  });
  ctx.fillStyle = colour("faint");
  const lines = canvas.width / scale < 480 ? caption.split("; ") : [caption];
  lines.forEach((line, nth) => ctx.fillText(line, 24, y + 18 * nth));
  return canvas;
}
