// Reads a file of dated articles: CSV and its kin, JSON lines, a JSON array.

import { guess } from "./columns.js";

const LARGEST = 100e6; // bytes; a browser's memory is not for corpora: `detente score` is
const DATE = /^\d{4}(-\d{2}(-\d{2})?)?/;

/**
 * Read a file.
 * @param {File} file
 * @returns {Promise<{articles: object[], skipped: number, columns: object}>} articles as the API takes them
 * @throws {Error} a line that says what is wrong, where, and what to do
 */
export async function readCorpus(file) {
  if (file.size > LARGEST) {
    throw new Error(`${file.name} has ${Math.round(file.size / 1e6)} MB, and this page takes up to ${LARGEST / 1e6}; use \`detente score\`.`);
  }
  const text = decode(file.name, await file.arrayBuffer());
  if (!text.trim()) throw new Error(`${file.name} is empty.`);
  const json = /^\s*[[{]/.test(text);
  const rows = json ? fromJson(text) : fromCsv(text);
  if (!rows.length) throw new Error(`${file.name} holds no articles.`);
  return toArticles(rows);
}

function decode(name, bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${name} is not text in UTF-8; save it as “CSV UTF-8” or the like.`);
  }
}

function fromCsv(text) {
  const { data, errors, meta } = Papa.parse(text, { header: true, skipEmptyLines: "greedy" });
  const bad = errors.find((error) => error.type === "Quotes" || error.code === "TooManyFields");
  const row = (bad?.row ?? 0) + (bad?.type === "Quotes" ? 1 : 2); // only of broken quotes Papa Parse counts the header too
  if (bad) throw new Error(`Row ${row}: ${bad.message.replace(/\.$/, "")}. Is a cell with commas or quotes not quoted?`);
  guess(meta.fields ?? []); // a file of one column is no reason to speak of delimiters
  return data;
}

function fromJson(text) {
  if (text.trimStart().startsWith("[")) {
    const rows = parseJson(text, "The file");
    return rows.map((row, at) => object(row, `Item ${at + 1}`));
  }
  const lines = text.split(/\r?\n/).map((line, at) => [line, `Line ${at + 1}`]);
  return lines.filter(([line]) => line.trim()).map(([line, place]) => object(parseJson(line, place), place));
}

function parseJson(text, place) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${place} is not JSON; write one article a line, as {"date": "2021-03-10", "text": "…"}.`);
  }
}

function object(row, place) {
  if (row && typeof row === "object" && !Array.isArray(row)) return row;
  throw new Error(`${place} is not an object such as {"date": "2021-03-10", "text": "…"}.`);
}

function toArticles(rows) {
  const columns = guess([...new Set(rows.slice(0, 1000).flatMap((row) => Object.keys(row)))]);
  const articles = [];
  rows.forEach((row, at) => {
    const text = string(row[columns.text]);
    if (!text) return;
    const date = string(row[columns.date]).slice(0, 10);
    if (!DATE.test(date)) {
      const given = string(row[columns.date]);
      throw new Error(`Article ${at + 1}: ${given ? `“${given}” is not a date` : "no date"}; write it as 2021-03-10, 2021-03 or 2021.`);
    }
    const rest = ["title", "source"].map((what) => [what, string(row[columns[what]])]).filter(([, value]) => value);
    articles.push({ id: string(row[columns.id]) || String(at + 1), date, text, ...Object.fromEntries(rest) });
  });
  if (!articles.length) throw new Error(`The column ${columns.text} is empty in every row.`);
  return { articles, skipped: rows.length - articles.length, columns };
}

function string(value) {
  if (value === null || value === undefined || typeof value === "object") return "";
  const text = String(value).trim();
  return text.toWellFormed?.() ?? text;
}
