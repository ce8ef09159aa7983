// A file that is dropped anywhere on the page.

import { byId } from "./element.js";

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

/** @param {(file: File) => void} onFile */
export function startDropZone(onFile) {
  let depth = 0; // dragenter and dragleave come for every element on the way
  const mark = (change) => {
    depth = Math.max(0, change);
    byId("drop").hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => carriesFiles(event) && mark(depth + 1));
  addEventListener("dragleave", (event) => carriesFiles(event) && mark(depth - 1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(0);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  });
}
