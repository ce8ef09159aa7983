// Subtitles that can be read, SubRip and WebVTT: 42 columns, two lines, at most seven seconds, no overlap.

import { subtitleTime } from "./format-time.js";
import { chunksOf } from "./subtitle-chunks.js";

const LINE_COLUMNS = 42;
const COLUMNS_A_SECOND = 17;
const [SHORTEST, LONGEST] = [833, 7000]; // milliseconds that a cue stands
const PAUSE = 800; // between words, where one cue ends
const GAP = 83; // between two cues, where the words leave as much

const ENDS_SENTENCE = /[.!?…。！？]["'”’»)\]]*$/;
const ENDS_CLAUSE = /[,;:，、；：]["'”’»)\]]*$/;

/** The cues of turns: `{start, end, lines}`, times in seconds. */
export function cues(turns) {
  const groups = turns.flatMap((turn) => grouped(chunksOf(turn)));
  const latest = Math.max(0, ...turns.map(({ end }) => Math.round((end ?? 0) * 1000)), ...groups.map((group) => group.at(-1).end));
  return placed(groups, latest).map(({ start, end, group }) => ({ start: start / 1000, end: end / 1000, lines: lines(group) }));
}

export function srt(turns) {
  // Nothing but text is allowed there, and an arrow would be read as times.
  const text = (cue) => cue.lines.join("\n").replaceAll("-->", "->");
  const blocks = cues(turns).map(
    (cue, index) => `${index + 1}\n${subtitleTime(cue.start)} --> ${subtitleTime(cue.end)}\n${text(cue)}\n`,
  );
  return blocks.join("\n");
}

export function vtt(turns) {
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const blocks = cues(turns).map(
    (cue) => `${subtitleTime(cue.start, ".")} --> ${subtitleTime(cue.end, ".")}\n${escape(cue.lines.join("\n"))}\n`,
  );
  return ["WEBVTT\n", ...blocks].join("\n");
}

/** Chunks that stand together. */
function grouped(chunks) {
  const groups = [];
  for (const chunk of chunks) {
    const group = groups.at(-1);
    if (!group || isOver(group, chunk)) groups.push([chunk]);
    else if (fits([...group, chunk])) group.push(chunk);
    else groups.push([...cutBack(group), chunk]);
  }
  return groups;
}

/** Whether a group is complete in itself: before a pause, and after a sentence that fills half a line. */
function isOver(group, next) {
  const last = group.at(-1);
  if (next.start - last.end >= PAUSE) return true;
  return ENDS_SENTENCE.test(last.text) && width(group) >= LINE_COLUMNS / 2;
}

function fits(group) {
  return group.at(-1).end - group[0].start <= LONGEST && lineCount(group) <= 2;
}

/** Take from the end of a full group what belongs to the next: what follows its last clause, if that is short. */
function cutBack(group) {
  const at = group.findLastIndex(({ text }) => ENDS_SENTENCE.test(text) || ENDS_CLAUSE.test(text)) + 1;
  return at > group.length / 2 ? group.splice(at) : [];
}

const spaced = (chunk, index) => (index && chunk.spaced ? 1 : 0);
const width = (chunks) => chunks.reduce((sum, chunk, index) => sum + chunk.width + spaced(chunk, index), 0);
const textOf = (chunks) => chunks.map((chunk, index) => (spaced(chunk, index) ? " " : "") + chunk.text).join("");

function lineCount(chunks) {
  let [count, filled] = [1, 0];
  for (const chunk of chunks) {
    const wider = filled + chunk.width + (filled && chunk.spaced ? 1 : 0);
    if (filled && wider > LINE_COLUMNS) [count, filled] = [count + 1, chunk.width];
    else filled = wider;
  }
  return count;
}

/** One line, or two that are about equally long. */
function lines(chunks) {
  if (width(chunks) <= LINE_COLUMNS || chunks.length < 2) return [textOf(chunks)];
  const cost = (cut) => Math.max(width(chunks.slice(0, cut)), width(chunks.slice(cut)));
  const cuts = chunks.slice(1).map((_, index) => index + 1);
  const best = cuts.reduce((one, other) => (cost(other) < cost(one) ? other : one));
  return [textOf(chunks.slice(0, best)), textOf(chunks.slice(best))];
}

/** From when to when each group stands: long enough to be read, as far as the next one leaves time. */
function placed(groups, latest) {
  let earliest = 0;
  const starts = groups.map((group) => {
    const start = Math.max(earliest, group[0].start);
    earliest = start + 1;
    return start;
  });
  return groups.map((group, index) => {
    const start = starts[index];
    const next = starts[index + 1] ?? Math.max(latest, start + 1);
    const wanted = Math.max(group.at(-1).end, start + SHORTEST, start + (1000 * width(group)) / COLUMNS_A_SECOND);
    const gap = index + 1 < groups.length && next - group.at(-1).end >= GAP ? GAP : 0;
    return { start, end: Math.round(Math.max(start + 1, Math.min(wanted, next - gap))), group };
  });
}
