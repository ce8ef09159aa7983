// What the page tells: notices that pass, and troubles that stay until they are read.

import { byId, element } from "./element.js";
import { explain } from "./messages.js";

const PASSING_MILLISECONDS = 8000;

let passing = 0;

/** Say something; it stays when it is a state that lasts. */
export function tell(text, { lasting = false } = {}) {
  clearTimeout(passing);
  if (byId("notice").textContent !== text) byId("notice").textContent = text; // said once, not at every try
  if (!lasting) passing = setTimeout(hush, PASSING_MILLISECONDS);
}

export function hush() {
  byId("notice").replaceChildren();
}

/** Say what went wrong, in words that help. */
export function tellTrouble(error) {
  const { title, text, detail } = explain(error);
  const said = element("div", "", {}, [element("strong", "", {}, [title]), text]);
  if (detail) said.append(element("small", "", {}, [detail]));
  const button = element("button", "dismiss", { type: "button", onclick: clearTrouble, ariaLabel: "Dismiss" }, ["✕"]);
  byId("trouble").replaceChildren(said, button);
}

export function clearTrouble() {
  byId("trouble").replaceChildren();
}
