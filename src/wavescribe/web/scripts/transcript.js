// The captions as data: turns of words with their times. Built from events alone; knows no page and no network.

const PREFIX = "conversation.item.input_audio_transcription";

/**
 * @typedef {{text: string, start: number|null, end: number|null}} Word text with the space before it; seconds
 * @typedef {{id: string, start: number|null, end: number|null, words: Word[], draft: string, language: string,
 *   state: "open"|"done"|"failed"}} Turn
 */

/** Split settled text into words with the times that the server gave; text keeps every character. */
export function timedWords(delta, given, originSeconds = 0) {
  const words = [];
  let at = 0;
  for (const { word, start, end } of given ?? []) {
    const found = delta.indexOf(word, at);
    if (found < 0 || !word) continue;
    words.push({ text: delta.slice(at, found + word.length), start: start + originSeconds, end: end + originSeconds });
    at = found + word.length;
  }
  if (at < delta.length) words.push({ text: delta.slice(at), start: null, end: null });
  return words;
}

export class Transcript {
  constructor() {
    /** @type {Turn[]} */
    this.turns = [];
    this.byId = new Map();
  }

  get isEmpty() {
    return !this.turns.some((turn) => turn.words.length || turn.draft);
  }

  /** Seconds up to which all text is settled; turns settle in their order. */
  get settledSeconds() {
    const open = this.turns.find((turn) => turn.state === "open");
    if (open) return open.words.at(-1)?.end ?? open.start ?? 0;
    return Math.max(0, ...this.turns.map((turn) => turn.end ?? 0));
  }

  /**
   * Take an event of the realtime protocol.
   * @param {object} event
   * @param {number} originSeconds where the event's session begins on this timeline
   * @returns {Turn|null} the turn that changed
   */
  apply(event, originSeconds = 0) {
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        return this._change(event, (turn) => {
          turn.start ??= originSeconds + event.audio_start_ms / 1000;
        });
      case "input_audio_buffer.speech_stopped":
        return this._change(event, (turn) => {
          turn.end = originSeconds + event.audio_end_ms / 1000;
        });
      case `${PREFIX}.delta`:
        return this._change(event, (turn) => settle(turn, event, originSeconds));
      case `${PREFIX}.text`:
        return this._change(event, (turn) => {
          turn.draft = event.stash;
          turn.language = event.language ?? turn.language;
        });
      case `${PREFIX}.completed`:
        return this._change(event, (turn) => this._complete(turn, event, originSeconds));
      case `${PREFIX}.failed`:
        return this._change(event, (turn) => close(turn, "failed"));
      default:
        return null;
    }
  }

  /** The session is gone and its open turns with it: what is settled stays, drafts go. */
  closeOpenTurns() {
    const open = this.turns.filter((turn) => turn.state === "open");
    open.forEach((turn) => {
      close(turn, "done");
      if (!turn.words.length) this._remove(turn);
    });
    return open;
  }

  /** Add words that belong to no session, as those of a file. */
  extend(id, words, language = "") {
    const turn = this._turn(id);
    turn.words.push(...words);
    turn.start ??= words[0]?.start ?? null;
    turn.end = words.at(-1)?.end ?? turn.end;
    turn.language = language || turn.language;
    return turn;
  }

  _complete(turn, { transcript, languages, words }, originSeconds) {
    turn.language = languages?.[0]?.code ?? turn.language;
    if (!turn.words.length && transcript) turn.words = timedWords(transcript, words, originSeconds);
    close(turn, "done");
    if (!turn.words.length) this._remove(turn);
  }

  _change({ item_id: id }, change) {
    const turn = this._turn(id);
    change(turn);
    return turn;
  }

  _turn(id) {
    if (!this.byId.has(id)) {
      const turn = { id, start: null, end: null, words: [], draft: "", language: "", state: "open" };
      this.byId.set(id, turn);
      this.turns.push(turn);
    }
    return this.byId.get(id);
  }

  _remove(turn) {
    turn.removed = true;
    this.byId.delete(turn.id);
    this.turns = this.turns.filter((other) => other !== turn);
  }
}

function settle(turn, { delta, words }, originSeconds) {
  const settled = timedWords(delta, words, originSeconds);
  turn.words.push(...settled);
  turn.start ??= settled[0]?.start ?? null;
  // The next draft comes right after; until then nothing may stand there twice.
  turn.draft = turn.draft.startsWith(delta) ? turn.draft.slice(delta.length) : "";
}

function close(turn, state) {
  turn.state = state;
  turn.draft = "";
  turn.end ??= turn.words.at(-1)?.end ?? turn.start;
}

/** A turn's settled text. */
export function textOf(turn) {
  return turn.words.map((word) => word.text).join("").trim();
}
