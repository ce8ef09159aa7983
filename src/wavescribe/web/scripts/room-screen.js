// Large captions for a room: the whole screen where the browser allows it.

import { byId } from "./element.js";

/** @param {() => void} onChange called after the captions have changed their size */
export function startRoomScreen(onChange) {
  byId("room").addEventListener("click", () => enter(onChange));
  byId("leave-room").addEventListener("click", () => leave(onChange));
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && "room" in document.body.dataset) leave(onChange);
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && "room" in document.body.dataset) leave(onChange);
  });
}

function enter(onChange) {
  document.body.dataset.room = "";
  byId("leave-room").hidden = false;
  byId("leave-room").focus();
  // Refused where the browser does not want it; the captions are large all the same.
  document.documentElement.requestFullscreen?.().catch(() => {});
  onChange();
}

function leave(onChange) {
  delete document.body.dataset.room;
  byId("leave-room").hidden = true;
  byId("room").focus();
  if (document.fullscreenElement) document.exitFullscreen();
  onChange();
}
