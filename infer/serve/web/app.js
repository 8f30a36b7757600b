// Starts the page: the tabs, the model's names, both panels.

import { getModel } from "./api.js";
import { startArticle } from "./article.js";
import { $, complain } from "./dom.js";
import { startSeries } from "./series.js";
import { startTabs } from "./tabs.js";
import { TONES, learnNames } from "./words.js";

let asked = null;

/** What the server says of its model, asked for until it is known. */
function model() {
  asked ??= getModel().then(
    (about) => {
      learnNames(about);
      if (!TONES.every((tone) => tone in about.warmth)) {
        throw new Error("This server's model answers a codebook of its own; the page shows the shipped tones only. Ask the API.");
      }
      $("model").textContent = `Model ${about.name} ${about.version}, codebook ${about.codebook}`;
      return about;
    },
    (error) => {
      asked = null;
      throw error;
    },
  );
  return asked;
}

startTabs(document.querySelector('[role="tablist"]'));
startArticle(model);
startSeries(model);
model().catch((error) => complain($("article-error"), error.message));
