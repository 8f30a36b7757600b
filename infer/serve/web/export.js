// Saves what is shown: JSON, CSV, PNG.

import { announce } from "./dom.js";

/** Save records as JSON. */
export function saveJson(records, name) {
  save(new Blob([`${JSON.stringify(records, null, 2)}\n`], { type: "application/json" }), `${name}.json`);
}

/** Save records as CSV (RFC 4180, UTF-8 with the mark that spreadsheets look for). */
export function saveCsv(records, name) {
  save(new Blob(["\ufeff", toCsv(records)], { type: "text/csv;charset=utf-8" }), `${name}.csv`);
}

/** Save a canvas, or the promise of one, as PNG. */
export async function savePng(picture, name) {
  const canvas = await picture;
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) save(blob, `${name}.png`);
  else announce("The picture is too large for this browser; narrow the choice.");
}

/** Write records as CSV. Text from an article that a spreadsheet would take for a formula is disarmed by an apostrophe. */
export function toCsv(records) {
  if (!records.length) return "";
  const fields = Object.keys(records[0]);
  const data = records.map((record) => fields.map((field) => cell(record[field])));
  return `${Papa.unparse({ fields, data })}\r\n`;
}

const cell = (value) => (typeof value === "string" && /^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value);

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `detente-${name}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  announce(`Saved as detente-${name}.`);
}
