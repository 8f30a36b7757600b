// The article as a picture: headline, strip and prose drawn onto a canvas, with the tones' icons and underlines.

import { colour } from "./dom.js";
import { lanesOf, placesOf } from "./strip.js";
import { ICON, TONES, dyadCode, dyadName, longDate, warmth } from "./words.js";

const WIDTH = 900;
const EDGE = 40;
const LANE = 44;
const LANES = 8;
const LINE = 30;
const TALLEST = 16_000; // pixels that every browser's canvas can have

/**
 * Draw an article.
 * @param {{text: Text, date: string, sentences: number[][], model: string}} article
 * @param {object[]} readings those that are shown
 * @returns {HTMLCanvasElement}
 */
export function articlePicture(article, readings) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const draw = () => {
    let y = legend(pen, EDGE);
    y = strip(pen, article, readings, y + 24);
    y = prose(pen, article, Map.groupBy(readings, (reading) => reading.start), y + 36);
    write(pen, `${longDate(article.date)}. Read by ${article.model}; a label says how a sentence presents a relationship.`, EDGE, y + 36, "faint", 13);
    return y + 60;
  };
  const height = draw(); // once to measure, once to keep
  const scale = height * 2 > TALLEST ? 1 : 2;
  canvas.width = WIDTH * scale;
  canvas.height = Math.min(height * scale, TALLEST);
  pen.scale(scale, scale);
  pen.fillStyle = colour("paper");
  pen.fillRect(0, 0, WIDTH, height);
  draw();
  if (height > TALLEST) cutOff(pen);
  return canvas;
}

/** A picture that ends before its article says so. */
function cutOff(pen) {
  pen.fillStyle = colour("paper");
  pen.fillRect(0, TALLEST - 60, WIDTH, 60);
  write(pen, "The article goes on: a picture can be no longer. Choose pairs of states, or save it as JSON or CSV.", EDGE, TALLEST - 24, "problem");
}

const SANS = "system-ui, sans-serif";
const SERIF = 'Georgia, "Liberation Serif", serif';

function write(pen, text, x, y, ink = "ink", size = 14, font = SANS) {
  pen.font = `${size}px ${font}`;
  pen.fillStyle = colour(ink);
  pen.fillText(text, x, y);
  return x + pen.measureText(text).width;
}

function sign(pen, tone, x, y, size) {
  pen.save();
  pen.translate(x - size / 2, y - size / 2);
  pen.scale(size / 16, size / 16);
  pen.strokeStyle = colour(`${tone}-ink`);
  pen.lineWidth = 1.6;
  pen.stroke(new Path2D(ICON[tone]));
  pen.restore();
}

function legend(pen, y) {
  let x = EDGE;
  for (const tone of TONES) {
    sign(pen, tone, x + 8, y, 15);
    const end = write(pen, tone, x + 22, y + 5);
    underline(pen, tone, x + 22, end, y + 11);
    x = end + 28;
  }
  return y + 14;
}

function strip(pen, article, readings, top) {
  const places = placesOf(article.sentences);
  const left = EDGE + 250;
  const x = (reading) => left + places.get(reading.start) * (WIDTH - EDGE - left);
  const lanes = lanesOf(readings);
  lanes.slice(0, LANES).forEach((lane, nth) => {
    const middle = top + (nth + 0.5) * LANE;
    const y = (reading) => middle - reading.warmth * (LANE / 2 - 9);
    write(pen, dyadName(lane.dyad), EDGE, middle - 2);
    write(pen, `mean ${warmth(lane.mean)}`, EDGE, middle + 15, "faint", 12);
    line(pen, [[left, middle], [WIDTH - EDGE, middle]], "rule"); // prettier-ignore
    line(pen, lane.related.map((reading) => [x(reading), y(reading)]), "faint");
    for (const reading of lane.related) {
      pen.beginPath();
      pen.arc(x(reading), y(reading), 8, 0, 2 * Math.PI);
      pen.fillStyle = colour(`${reading.tone}-bg`);
      pen.fill();
      sign(pen, reading.tone, x(reading), y(reading), 11);
    }
  });
  const bottom = top + Math.min(lanes.length, LANES) * LANE;
  if (lanes.length <= LANES) return bottom;
  write(pen, `and ${lanes.length - LANES} more pairs`, EDGE, bottom + 14, "faint", 12);
  return bottom + 18;
}

function line(pen, points, ink) {
  pen.strokeStyle = colour(ink);
  pen.lineWidth = 1;
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.stroke();
}

/** Set the sentences in lines, word by word; one that is read has its tint, its underline and its dyads. */
function prose(pen, article, readings, top) {
  let [x, y] = [EDGE, top];
  let at = 0;
  pen.font = `19px ${SERIF}`;
  const space = pen.measureText(" ").width;
  const put = (word, tone, size, font, last = false) => {
    pen.font = `${size}px ${font}`;
    const wide = pen.measureText(word).width;
    if (x + wide > WIDTH - EDGE && x > EDGE) [x, y] = [EDGE, y + LINE];
    if (tone) {
      pen.fillStyle = colour(`${tone}-bg`);
      pen.fillRect(x, y - 18, wide + space, 26);
    }
    write(pen, word, x, y, size < 19 ? `${tone}-ink` : "ink", size, font);
    if (tone && size === 19) underline(pen, tone, x, x + wide + (last ? 0 : space), y + 5);
    x += wide + space;
  };
  for (const [start, end] of article.sentences) {
    const breaks = at ? article.text.slice(at, start).split("\n").length - 1 : 0;
    if (breaks) [x, y] = [EDGE, y + LINE + (breaks > 1 ? 14 : 0)];
    const some = readings.get(start) ?? [];
    const lead = some.toSorted((a, b) => b.probabilities[b.tone] - a.probabilities[a.tone]).find((reading) => reading.tone !== "none");
    const words = article.text.slice(start, end).split(/\s+/);
    words.forEach((word, nth) => put(word, lead?.tone, 19, SERIF, nth === words.length - 1));
    for (const [tone, of] of Map.groupBy(some, (reading) => reading.tone)) {
      put(`${tone}:`, tone, 12, SANS);
      for (const reading of of) put(dyadCode(reading.dyad), tone, 12, SANS);
    }
    at = end;
  }
  return y;
}

function underline(pen, tone, from, to, y) {
  pen.save();
  pen.strokeStyle = colour(`${tone}-ink`);
  pen.lineWidth = 1.2;
  pen.beginPath();
  if (tone === "frosty") {
    for (let x = from; x <= to; x += 1) pen.lineTo(x, y + 1.3 * Math.sin(x * 0.9));
  } else {
    pen.setLineDash(tone === "neutral" ? [1.5, 3] : []);
    for (const below of tone === "alliance-building" ? [0, 3] : [0]) {
      pen.moveTo(from, y + below);
      pen.lineTo(to, y + below);
    }
  }
  pen.stroke();
  pen.restore();
}
