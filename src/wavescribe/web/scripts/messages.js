// What the page says when something goes wrong: what happened, and what helps.

import { Trouble } from "./trouble.js";

export const MESSAGES = {
  "microphone-blocked": [
    "The microphone is blocked",
    "This page may not use it. Allow the microphone in the site settings beside the address bar, then start again.",
  ],
  "microphone-missing": ["No microphone was found", "Plug one in or switch it on, then start again."],
  "microphone-busy": [
    "The microphone cannot be opened",
    "Another program may be using it. Close that program, then start again.",
  ],
  "insecure-page": [
    "The browser gives no microphone to this page",
    "Browsers only do so over https, or on the machine that the server runs on. Files work here all the same.",
  ],
  "sharing-unsupported": ["This browser cannot share a tab’s sound", "Chrome or Edge on a computer can."],
  "sharing-refused": ["Nothing is shared", "Choose a tab in the browser’s dialog to caption its sound."],
  "sharing-silent": [
    "What you share has no sound",
    "Share a tab, and leave “Also share tab audio” switched on in the browser’s dialog.",
  ],
  "capture-lost": ["The sound has ended", "The microphone was unplugged or the sharing was stopped."],
  "last-words-lost": [
    "The last words did not come",
    "The server could not be reached in time. What is on the page is complete up to them.",
  ],
  "server-full": [
    "The server is full",
    "All its places for live captions are taken. Try again in a moment.",
  ],
  "files-full": ["The server is busy", "It is transcribing as many files as it can. Try again in a moment."],
  "server-unreachable": [
    "The server cannot be reached",
    "Check the network, and that the server is running, then try again.",
  ],
  "server-failed": ["The server had an error", "Try again. If it comes back, the server’s log says more."],
  "server-stopping": ["The server is restarting", "Try again in a moment."],
  "not-streaming": [
    "This server’s model takes no live sound",
    "It transcribes whole files only, and not through this page.",
  ],
  "origin-refused": ["This server does not serve this page", "Open the page at the server’s own address."],
  "key-refused": ["That key was not accepted", "Check it, and enter it again."],
  "key-missing": ["This server wants a key", "Enter it to begin."],
  "file-unreadable": [
    "This file has no sound that can be read",
    "Choose an audio or video file: mp3, m4a, wav, flac, ogg, webm, mp4 and many more.",
  ],
  "file-short": ["This file is too short", "It needs at least a tenth of a second of sound."],
  "file-long": ["This file is too long for this server", "Cut it into parts and choose them one by one."],
  "file-large": ["This file is too large for this server", "Cut it into parts, or make an mp3 of it."],
  "file-interrupted": [
    "The connection was lost while the file was transcribed",
    "What was done is below. Choose the file again to begin anew.",
  ],
  "playback-failed": ["This cannot be played here", "The browser does not know the file’s format, or the sound is gone."],
  unexpected: ["Something unexpected went wrong", "Reload the page and try again."],
};

const DETAILED = new Set(["server-failed", "file-long", "microphone-busy", "playback-failed"]);

/** The title and the text for an error, with what the server or browser said where that tells more. */
export function explain(error) {
  if (!(error instanceof Trouble)) return { title: MESSAGES.unexpected[0], text: String(error?.message ?? error) };
  const [title, text] = MESSAGES[error.kind] ?? MESSAGES.unexpected;
  return { title, text, detail: DETAILED.has(error.kind) ? error.detail : "" };
}
