// The dialogs: a key, and a question before captions are thrown away.

import { byId } from "./element.js";
import { explain } from "./messages.js";
import { Trouble } from "./trouble.js";

/** Open a dialog; resolves with the value that it was closed with, "" when it was dismissed. */
function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  dialog.querySelector("[data-close]").onclick = () => dialog.close("");
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

/** Ask for a key; rejects when the dialog is dismissed. */
export async function askForKey(error) {
  const input = byId("key");
  byId("key-error").textContent = error ? `${explain(error).title}. ${explain(error).text}` : "";
  const entered = (await ask(byId("key-dialog"))) === "enter";
  const key = input.value.trim();
  input.value = "";
  if (!entered || !key) throw new Trouble("key-missing");
  return key;
}

export async function askToClear() {
  return (await ask(byId("clear-dialog"))) === "clear";
}
