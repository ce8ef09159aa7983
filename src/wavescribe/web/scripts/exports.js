// The transcript as files to download.

import { srt, vtt } from "./subtitles.js";
import { textOf } from "./transcript.js";

const round = (seconds) => (seconds === null ? null : Math.round(seconds * 1000) / 1000);

export function plainText(turns) {
  return `${turns.map(textOf).filter(Boolean).join("\n")}\n`;
}

export function json(turns, { model }) {
  const languages = [...new Set(turns.map((turn) => turn.language).filter(Boolean))];
  const rendered = turns.map((turn) => ({
    start: round(turn.start),
    end: round(turn.end),
    language: turn.language || null,
    text: textOf(turn),
    words: turn.words.map(({ text, start, end }) => ({ word: text.trim(), start: round(start), end: round(end) })),
  }));
  return `${JSON.stringify({ model, languages, text: plainText(turns).trim(), turns: rendered }, null, 2)}\n`;
}

export const FORMATS = {
  txt: { type: "text/plain", render: plainText },
  srt: { type: "application/x-subrip", render: srt },
  vtt: { type: "text/vtt", render: vtt },
  json: { type: "application/json", render: json },
};

/** Hand a file with the settled text to the browser. */
export function download(turns, format, { name, model }) {
  const { type, render } = FORMATS[format];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([render(turns, { model })], { type: `${type};charset=utf-8` }));
  link.download = `${name}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
