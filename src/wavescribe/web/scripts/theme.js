// Light or dark: the system's choice, or the reader's, which is remembered.

import { byId } from "./element.js";

const THEMES = { system: "System", light: "Light", dark: "Dark" };
const STORED = "wavescribe.theme";

/** What is remembered; browsers that keep no data of sites throw. */
function remembered() {
  try {
    const theme = localStorage.getItem(STORED);
    return theme in THEMES ? theme : "system";
  } catch {
    return "system";
  }
}

function remember(theme) {
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // It holds until the page is closed.
  }
}

function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme-label").textContent = THEMES[theme];
  byId("theme").setAttribute("aria-label", `Colours: ${THEMES[theme]}. Change`);
  byId("theme").title = `Colours: ${THEMES[theme]}`;
}

/** Apply the remembered theme, and let the button go through them. */
export function startTheme() {
  let theme = remembered();
  apply(theme);
  byId("theme").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    theme = names[(names.indexOf(theme) + 1) % names.length];
    remember(theme);
    apply(theme);
  });
}
