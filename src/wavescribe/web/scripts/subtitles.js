// Words to subtitles: SubRip and WebVTT.

import { subtitleTime } from "./format-time.js";

const LINE_CHARACTERS = 42;
const LONGEST_SECONDS = 6;
const PAUSE_SECONDS = 0.8;
const LAST_SECONDS = 2; // of a cue whose end is not known

/** Cues of at most two lines, cut at pauses, at ends of sentences once a line is full, and between turns. */
export function cues(turns) {
  const found = turns.flatMap((turn) => groups(filled(turn)).map(cue)).filter(({ text }) => text);
  // A cue ends at the latest when the next one begins.
  return found.map((one, index) => ({ ...one, end: Math.max(one.start, Math.min(one.end, found[index + 1]?.start ?? one.end)) }));
}

export function srt(turns) {
  const blocks = cues(turns).map(
    ({ start, end, text }, index) => `${index + 1}\n${subtitleTime(start)} --> ${subtitleTime(end)}\n${lines(text)}\n`,
  );
  return blocks.join("\n");
}

export function vtt(turns) {
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const blocks = cues(turns).map(
    ({ start, end, text }) => `${subtitleTime(start, ".")} --> ${subtitleTime(end, ".")}\n${escape(lines(text))}\n`,
  );
  return ["WEBVTT\n", ...blocks].join("\n");
}

/** The turn's words, each with times: those without have the ones beside them. */
function filled(turn) {
  let last = turn.start ?? 0;
  return turn.words.map(({ text, start, end }) => {
    const known = { text, start: start ?? last, end: end ?? Math.max(last, turn.end ?? last + LAST_SECONDS) };
    last = known.end;
    return known;
  });
}

function groups(words) {
  const found = [];
  for (const word of words) {
    const group = found.at(-1);
    if (!group || isFull(group, word)) found.push([word]);
    else group.push(word);
  }
  return found;
}

function isFull(group, word) {
  const text = joined(group);
  const last = group.at(-1);
  if (word.start - last.end >= PAUSE_SECONDS || word.end - group[0].start > LONGEST_SECONDS) return true;
  if (text.length + word.text.length > 2 * LINE_CHARACTERS) return true;
  return text.length >= LINE_CHARACTERS && /[.!?。！？]["”’)]*$/.test(text);
}

const joined = (words) => words.map((word) => word.text).join("").trim();

function cue(words) {
  return { start: words[0].start, end: Math.max(words[0].start, words.at(-1).end), text: joined(words) };
}

/** Two lines where one would be too long, cut at the space nearest to the middle. */
function lines(text) {
  if (text.length <= LINE_CHARACTERS) return text;
  const spaces = [...text.matchAll(/\s/g)].map(({ index }) => index);
  const distance = (index) => Math.abs(index - text.length / 2);
  const cut = spaces.sort((one, other) => distance(one) - distance(other))[0];
  return cut === undefined ? text : `${text.slice(0, cut)}\n${text.slice(cut + 1)}`;
}
