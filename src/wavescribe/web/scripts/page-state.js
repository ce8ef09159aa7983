// Which of its states the page is in; elements with `data-in` show only in the states that it names.

const FIRST = "#stop, #cancel, #microphone"; // what gets the focus when the focused control goes away

/** @param {"idle"|"connecting"|"live"|"paused"|"finishing"|"file"} state */
export function show(state) {
  const focused = document.activeElement;
  document.body.dataset.state = state;
  document.querySelectorAll("[data-in]").forEach((part) => {
    part.hidden = !part.dataset.in.split(" ").includes(state);
  });
  if (focused && focused !== document.body && !focused.checkVisibility()) focusFirst();
}

export const state = () => document.body.dataset.state;

function focusFirst() {
  [...document.querySelectorAll(FIRST)].find((control) => control.checkVisibility())?.focus({ preventScroll: true });
}
