// A live session that outlives its connections: what was not heard is sent again, what was not read is read again.

import { waitBefore } from "./backoff.js";
import { SAMPLE_RATE, toBase64 } from "./pcm.js";
import { RealtimeConnection } from "./realtime-connection.js";

const PACKET = SAMPLE_RATE / 10;
const MOST_WAITING_BYTES = 256 * 1024; // on their way out; the rest waits in the recording
const PUMP_MILLISECONDS = 50;
const FINISH_SECONDS = 60; // without a sign of the last text after the end
const [EXPIRED, RESTARTING] = [1001, 1012]; // close codes of sessions that cannot be resumed
const BRIEF_MILLISECONDS = 3_000; // a connection that is lost sooner is not tried again at once
const SHORTEST_COMMIT = SAMPLE_RATE / 10;
const PASSING = new Set(["server-unreachable", "server-full", "server-stopping", "server-failed"]);

export class LiveSession {
  /**
   * @param {object} parts
   * @param {import("./access.js").Access} parts.access
   * @param {import("./recording.js").Recording} parts.recording
   * @param {object} parts.configuration the session as `POST /v1/realtime/client_secrets` takes it
   * @param {() => number} parts.heardUpTo seconds of the recording whose text is settled, for a session that is lost
   * @param {object} parts.listener `onEvent(event, originSeconds)`, `onOffline(why)`, `onOnline(how, lostSeconds)`,
   *   `onRenewed()`, `onGap(seconds)`, `onFailed(error)`
   */
  constructor({ access, recording, configuration, heardUpTo, listener }) {
    Object.assign(this, { access, recording, configuration, heardUpTo, listener });
    this.origin = recording.end; // the sample of the recording where the server's session begins
    this.cursor = recording.end; // the next sample to send
    this.id = null;
    this.lastEvent = null;
    this.connection = null;
    this.commitAt = null; // where a turn is to end once the sound before it is sent
    this.gap = 0; // seconds that were lost since it was last told
    this.ending = false;
    this.over = false;
    this.wake = () => {};
    this._hurry = () => this.wake();
    this._drop = () => this.connection?.abandon();
  }

  /** Open the session; rejects with a Trouble when the server does not take it. */
  async start() {
    await this._connect();
    addEventListener("online", this._hurry);
    addEventListener("offline", this._drop);
  }

  /** Send what the recording has and the server does not, as fast as the connection takes it. */
  pump() {
    const connection = this.connection;
    if (!connection) return;
    this._skipForgotten();
    while (this.cursor < this.recording.end && connection.waiting < MOST_WAITING_BYTES) {
      const packet = this.recording.slice(this.cursor, this.cursor + PACKET);
      connection.send("input_audio_buffer.append", { audio: toBase64(packet) });
      this.cursor += packet.length;
      this._goesOn();
    }
    this._commitPause();
    if (this.cursor < this.recording.end) this._pumpLater();
    else if (this.ending) this._commit();
  }

  /** End the open turn, so that its text settles, and go on. */
  commit() {
    this.commitAt = this.recording.end;
    this.pump();
  }

  /** A commit that is wanted goes after the sound before it. */
  _commitPause() {
    if (this.commitAt === null || this.cursor < this.commitAt) return;
    this.commitAt = null;
    if (this.cursor - this.origin >= SHORTEST_COMMIT) {
      this.connection.send("input_audio_buffer.commit", { event_id: "pause" });
    }
  }

  /** Send the rest, wait for the last text, and close; false when it did not come in time. */
  async finish() {
    this.ending = true;
    const through = await new Promise((resolve) => {
      this.finished = () => resolve(true);
      this.gaveUp = () => resolve(false);
      this._goesOn();
      this.pump();
    });
    this.abort();
    return through;
  }

  /** Something moved: a server that is behind may take long for all of it, but not for a part. */
  _goesOn() {
    clearTimeout(this.patience);
    if (this.ending && !this.over) this.patience = setTimeout(() => this.gaveUp(), FINISH_SECONDS * 1000);
  }

  /** Close at once; text that is on its way is not waited for. */
  abort() {
    this.over = true;
    clearTimeout(this.patience);
    this.connection?.close();
    this.connection = null;
    this.wake();
    this.finished?.();
    removeEventListener("online", this._hurry);
    removeEventListener("offline", this._drop);
  }

  async _connect() {
    const secret = await this.access.secret(this.configuration);
    const connection = new RealtimeConnection(this._query(), secret, {
      onEvent: (event) => this._receive(event),
      onLost: (closed) => this._lost(closed),
    });
    const greeting = await connection.greeting.catch((error) => {
      if (error.kind === "server-unreachable") this.access.dropSecret(); // a refused secret looks like that, too
      throw error;
    });
    if (this.over) {
      connection.close();
      return;
    }
    this._greeted(greeting);
    this.connection = connection;
    this.since = Date.now();
    this.committed = false;
    this.pump();
  }

  _query() {
    if (!this.id) return new URLSearchParams({ intent: "transcription", resume: "true" });
    return new URLSearchParams({ session_id: this.id, after: this.lastEvent });
  }

  _greeted(greeting) {
    if (greeting.type === "session.resumed") {
      this.cursor = this.origin + Math.round((greeting.audio_received_ms * SAMPLE_RATE) / 1000);
      return;
    }
    this.id = greeting.session.id;
    this.lastEvent = greeting.event_id;
    this.open = new Set(); // items that were committed and whose text is not complete
    this.stops = new Map(); // where their speech stopped, in milliseconds of the session
  }

  _receive(event) {
    this.lastEvent = event.event_id;
    this._goesOn();
    if (event.type === "input_audio_buffer.committed") this.open.add(event.item_id);
    if (event.type === "input_audio_buffer.speech_stopped") this.stops.set(event.item_id, event.audio_end_ms);
    this.listener.onEvent(event, this.origin / SAMPLE_RATE);
    if (/transcription\.(completed|failed)$/.test(event.type)) {
      this.open.delete(event.item_id);
      this.stops.delete(event.item_id);
    }
    if (this.committed) this._endWhenThrough(event);
  }

  /** The last commit is answered by its `committed`, or by an error where nothing was left to commit. */
  _endWhenThrough(event) {
    if (event.error?.event_id === "end" || this._isLastCommit(event)) this.answered = true;
    if (this.answered && !this.open.size) this.finished();
  }

  /** The server's own commits come after speech that stopped before the end of the sound. */
  _isLastCommit({ type, item_id: id }) {
    if (type !== "input_audio_buffer.committed") return false;
    const sent = ((this.cursor - this.origin) / SAMPLE_RATE) * 1000;
    return !this.stops.has(id) || this.stops.get(id) >= sent - 20;
  }

  _commit() {
    if (this.committed) return;
    this.committed = true;
    this.answered = false;
    this.connection.send("input_audio_buffer.commit", { event_id: "end" });
  }

  _pumpLater() {
    clearTimeout(this.pumping);
    this.pumping = setTimeout(() => this.pump(), PUMP_MILLISECONDS);
  }

  /** Sound that the recording has forgotten before it could be sent is a gap; later times stay right. */
  _skipForgotten() {
    const lost = this.recording.start - this.cursor;
    if (lost <= 0) return;
    this.cursor += lost;
    this.origin += lost;
    this._tellGap(lost / SAMPLE_RATE);
  }

  _tellGap(seconds) {
    this.gap += seconds;
    this.listener.onGap(this.gap);
  }

  async _lost({ code }) {
    this.connection = null;
    if (this.over) return;
    if (code === EXPIRED || code === RESTARTING) this._startOver();
    this.listener.onOffline();
    try {
      await this._reconnect();
    } catch (error) {
      this.abort();
      this.listener.onFailed(error);
    }
  }

  async _reconnect() {
    let how = this.id ? "resumed" : "renewed";
    for (let attempt = Date.now() - this.since < BRIEF_MILLISECONDS ? 1 : 0; !this.over; attempt += 1) {
      if (attempt) await this._waitOrWake(waitBefore(attempt - 1));
      if (this.over) return;
      try {
        await this._connect();
        if (!this.over) this.listener.onOnline(how, this.gap);
        this.gap = 0;
        return;
      } catch (error) {
        if (error.kind === "session-lost") {
          this._startOver();
          how = "renewed";
        } else if (!PASSING.has(error.kind)) throw error;
        else this.listener.onOffline(error.kind);
      }
    }
  }

  /** The server's session is gone: a new one hears again what was heard and not settled. */
  _startOver() {
    this.id = null;
    const from = Math.max(Math.round(this.heardUpTo() * SAMPLE_RATE), this.origin);
    this.origin = Math.max(from, this.recording.start);
    this.cursor = this.origin;
    this.listener.onRenewed();
    if (this.origin > from) this._tellGap((this.origin - from) / SAMPLE_RATE);
  }

  _waitOrWake(seconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, seconds * 1000);
    });
  }
}

/** The session that the page asks for. */
export function sessionConfiguration(language) {
  return {
    type: "transcription",
    audio: {
      input: {
        format: { type: "audio/pcm", rate: SAMPLE_RATE },
        transcription: language ? { language } : {},
        turn_detection: { type: "server_vad" },
      },
    },
    include: ["item.input_audio_transcription.draft", "item.input_audio_transcription.words"],
  };
}

