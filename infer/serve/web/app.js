// Starts the page: the tabs, the model's names, both panels.

import { getModel } from "./api.js";
import { startArticle } from "./article.js";
import { $, complain } from "./dom.js";
import { startSeries } from "./series.js";
import { startTabs } from "./tabs.js";
import { learnNames } from "./words.js";

async function start() {
  startTabs(document.querySelector('[role="tablist"]'));
  const ready = getModel().then((model) => {
    learnNames(model);
    $("model").textContent = `Model ${model.name} ${model.version}, codebook ${model.codebook?.version ?? model.codebook ?? ""}`;
    return model;
  });
  startArticle(ready);
  startSeries(ready);
  await ready.catch((error) => complain($("article-error"), error.message));
  document.documentElement.dataset.ready = "";
}

start();
