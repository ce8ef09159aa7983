// One WebSocket of the realtime protocol, from its handshake to its end.

import { Trouble } from "./trouble.js";

const PATIENCE_MILLISECONDS = 10_000; // for the handshake and the greeting
const QUIET_MILLISECONDS = 5_000; // without any event the server is asked for a sign of life
const NORMAL = 1000;
const LEFT_BEHIND = 4999; // a close code of ours: the other side was silent, so it does not hear it anyway

const REFUSALS = {
  too_many_sessions: "server-full",
  draining: "server-stopping",
  session_not_found: "session-lost",
  event_not_found: "session-lost",
};

export class RealtimeConnection {
  /**
   * @param {URLSearchParams} query of the session to open or to resume
   * @param {string} secret the ephemeral key
   * @param {{onEvent: (event: object) => void, onLost: (closed: {code: number}) => void}} listener told of what comes
   *   after the greeting
   */
  constructor(query, secret, listener) {
    const url = new URL(`/v1/realtime?${query}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.listener = listener;
    this.over = false;
    this.socket = new WebSocket(url, ["realtime", `openai-insecure-api-key.${secret}`]);
    this.greeting = new Promise((greet, refuse) => {
      this.greet = greet;
      this.refuse = refuse;
    });
    this.patience = setTimeout(() => this._lose(LEFT_BEHIND), PATIENCE_MILLISECONDS);
    this.socket.onmessage = ({ data }) => this._receive(JSON.parse(data));
    this.socket.onclose = ({ code }) => this._lose(code);
  }

  /** Bytes that were sent and have not left this machine. */
  get waiting() {
    return this.socket.bufferedAmount;
  }

  send(type, members = {}) {
    this.socket.send(JSON.stringify({ type, ...members }));
  }

  /** End the session: the client is through. */
  close() {
    this._end();
    this.socket.close(NORMAL);
  }

  /** Give the connection up, as when the network is known to be gone. */
  abandon() {
    this._lose(LEFT_BEHIND);
  }

  _receive(event) {
    if (this.over) return;
    this._expectLife();
    if (this.greet) this._meet(event);
    else this.listener.onEvent(event);
  }

  _meet(event) {
    if (event.type !== "error") {
      this.greet(event);
      this.greet = null;
      return;
    }
    this.refuse(new Trouble(REFUSALS[event.error.code] ?? "server-failed", event.error.message));
    this._end();
  }

  /** After some silence ask for an event that changes nothing, and without an answer give the connection up. */
  _expectLife() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      this.send("session.update", { session: { type: "transcription" } });
      this.patience = setTimeout(() => this._lose(LEFT_BEHIND), QUIET_MILLISECONDS);
    }, QUIET_MILLISECONDS);
  }

  _lose(code) {
    if (this.over) return;
    const greeted = !this.greet;
    this._end();
    this.socket.close();
    if (greeted) this.listener.onLost({ code });
    else this.refuse(new Trouble("server-unreachable"));
  }

  _end() {
    this.over = true;
    clearTimeout(this.patience);
  }
}
