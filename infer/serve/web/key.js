// Asks for the API key of a server that wants one.

import { $, complain } from "./dom.js";

let asking = null;

/**
 * Show the field for the key; questions asked at once share one field.
 * @param {string} problem why the last key was not enough
 * @returns {Promise<string>} the key, or empty if the user would rather not
 */
export function askKey(problem) {
  asking ??= new Promise((resolve) => {
    const dialog = $("key-dialog");
    complain($("key-error"), problem);
    $("key").value = "";
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        asking = null;
        const given = dialog.returnValue === "ok" ? $("key").value.trim() : "";
        $("key").value = "";
        resolve(given);
      },
      { once: true },
    );
    dialog.showModal();
  });
  return asking;
}
