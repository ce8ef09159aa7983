// Words as subtitles need them: what may stand on a line of its own, how wide it is, and from when to when.

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const UNSPACED = /^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\u{20000}-\u{3ffff}]/u;
const LAST_SECONDS = 2; // of a word whose end is not known

/** Columns that a text takes: full-width characters take two, combining ones none. */
export function columns(text) {
  return [...text].reduce((sum, character) => sum + (/\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1), 0);
}

/**
 * The chunks of a turn, in order, none empty.
 * @returns {{text: string, spaced: boolean, start: number, end: number, width: number}[]} times in milliseconds
 */
export function chunksOf(turn) {
  const found = [];
  for (const word of filled(turn).flatMap(apart)) {
    const text = word.text.trim();
    if (!text) continue;
    const chunk = { text, spaced: /^\s/.test(word.text), start: ms(word.start), end: ms(word.end), width: columns(text) };
    if (found.length && clings(chunk)) join(found.at(-1), chunk);
    else found.push(chunk);
  }
  return found;
}

const ms = (seconds) => Math.round(seconds * 1000);

/** The turn's words, each with times: those without share the time to the next that has some. */
function filled(turn) {
  const words = turn.words.map((word) => ({ ...word }));
  let last = turn.start ?? 0;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at].start === null) spread(words, at, last, turn.end);
    last = Math.max(last, words[at].end);
  }
  return words;
}

function spread(words, from, start, turnEnd) {
  const next = words.findIndex((word, index) => index > from && word.start !== null);
  const to = next < 0 ? words.length : next;
  const run = words.slice(from, to);
  const end = Math.max(start, next < 0 ? turnEnd ?? start + LAST_SECONDS : words[next].start);
  const letters = run.reduce((sum, { text }) => sum + text.length, 0) || 1;
  let at = start;
  for (const word of run) {
    word.start = at;
    at += ((end - start) * word.text.length) / letters;
    word.end = at;
  }
}

/** A stretch of a script without spaces may break behind each of its characters, any other at its spaces. */
function apart(word) {
  const parts = [...word.text.matchAll(/\s*\S+/g)].flatMap(([part]) => (UNSPACED.test(part.trim()) ? part.match(/\s*\S/gu) : [part]));
  const step = (word.end - word.start) / Math.max(1, parts.length);
  return parts.map((text, index) => ({ text, start: word.start + index * step, end: word.start + (index + 1) * step }));
}

/** Whether a chunk may not begin a line: marks, and punctuation that closes. */
function clings({ text, spaced }) {
  return !spaced && !UNSPACED.test(text) ? !/^[\p{L}\p{N}\p{Ps}\p{Pi}]/u.test(text) || !/[\p{L}\p{N}]/u.test(text) : false;
}

function join(chunk, more) {
  chunk.text += more.text;
  chunk.width += more.width;
  chunk.end = Math.max(chunk.end, more.end);
}
