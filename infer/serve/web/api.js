// The server's answers, or one clear line about why there is none.

import { askKey } from "./key.js";

let key = ""; // kept here only: it is gone when the page is

/** An answer that is an error; its message is fit to be shown. */
export class ApiError extends Error {
  constructor(message, status = 0, wait = 1) {
    super(message);
    this.status = status; // of HTTP; 0 if there was no answer
    this.wait = wait; // seconds, until one may ask again
  }
}

export const getModel = () => call("GET", "v1/model");
export const postLabel = (body, signal) => call("POST", "v1/label", body, signal);
export const postBatch = (body, signal) => call("POST", "v1/batch", body, signal);
export const postSeries = (body, signal) => call("POST", "v1/series", body, signal);

/** Ask again while the server is busy with others; what it says in the end, good or bad, is passed on. */
export async function patiently(ask, signal) {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (error.status !== 429 || tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * error.wait));
      signal?.throwIfAborted();
    }
  }
}

async function call(method, path, body, signal) {
  for (;;) {
    const response = await send(method, path, body, signal);
    if (response.status !== 401) return answer(response);
    const given = await askKey(key ? "The server did not accept this key." : "");
    if (!given) throw new ApiError("The server asks for an API key; without one it answers nothing.", 401);
    key = given;
  }
}

async function send(method, path, body, signal) {
  const headers = { Accept: "application/json" };
  if (key) headers["X-API-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const request = { method, headers, signal, credentials: "omit", cache: "no-store" };
  try {
    return await fetch(new URL(path, document.baseURI), { ...request, body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The server cannot be reached. Is `detente serve` still running?");
  }
}

async function answer(response) {
  const told = await response.json().catch(() => null);
  if (response.ok && told) return told;
  const reason = typeof told?.error === "string" ? told.error : `the server answered ${response.status} ${response.statusText}`;
  throw new ApiError(sentence(reason), response.status, Number(response.headers.get("Retry-After")) || 1);
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
