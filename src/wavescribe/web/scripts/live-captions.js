// Live captions from a sound that is captured: from Start to the last word after Stop.

import { Capture } from "./capture.js";
import { byId } from "./element.js";
import { languageName } from "./languages.js";
import { LiveSession, sessionConfiguration } from "./live-session.js";
import { clearTrouble, hush, tell, tellTrouble } from "./notices.js";
import { show, state } from "./page-state.js";
import { Trouble } from "./trouble.js";
import { keepAwake } from "./wake-lock.js";

const WAITING = {
  "server-full": "The server is full. Your sound is kept; trying again…",
  "server-stopping": "The server is restarting. Your sound is kept; trying again…",
};
const OFFLINE = "The connection is lost. Your sound is kept; reconnecting…";
const ONLINE = {
  resumed: "Connected again: the captions go on where they were.",
  renewed: "Connected again, in a new session. What was not settled is heard once more.",
};

const lostSound = (seconds) => `${Math.ceil(seconds)} seconds were lost: the connection was away for too long.`;

const SILENT = new Set(["cancelled", "key-missing"]); // the reader's own wish

export class LiveCaptions {
  /** @param {{access, recording, transcript, view, meters}} parts of the page */
  constructor(parts) {
    Object.assign(this, parts);
  }

  /**
   * @param {() => Promise<MediaStream>} openSound asks for the microphone or a tab
   * @param {string} language its code, or "" to detect it
   */
  async start(openSound, language) {
    clearTrouble();
    show("connecting");
    const cancelled = new Promise((_, refuse) => {
      this.cancel = () => refuse(new Trouble("cancelled"));
    });
    try {
      await Promise.race([this._begin(openSound, language), cancelled]);
    } catch (error) {
      this.over = true;
      this.session?.abort();
      await this._close();
      if (!SILENT.has(error.kind)) tellTrouble(error);
    }
  }

  async _begin(openSound, language) {
    if (openSound.needsGesture) await this._takeSound(openSound);
    tell("Connecting…", { lasting: true });
    this.configuration = sessionConfiguration(language);
    this.access.dropSecret(); // the server may be another one by now
    await this.access.secret(this.configuration);
    if (!this.over && !this.stream) await this._takeSound(openSound);
    if (this.over) await this._stopCapture();
    else await this._open();
  }

  async _takeSound(openSound) {
    tell("Waiting for the sound…", { lasting: true });
    this.stream = await openSound();
  }

  /** The sound is kept from its first moment; what was heard while the session opens is sent once it is open. */
  async _open() {
    this.session = this._session();
    this.capture = new Capture(
      this.stream,
      (pcm) => this._hear(pcm),
      () => this._soundEnded(),
      (interrupted) => this._soundInterrupted(interrupted),
    );
    await this.capture.start();
    await this.session.start();
    if (this.over) return;
    hush();
    keepAwake(true);
    this.view.follow();
    show("live");
  }

  pause() {
    const paused = state() === "live";
    this.capture.pause(paused);
    if (paused) this.session.commit();
    this.meters.silence();
    byId("pause").textContent = paused ? "Resume" : "Pause";
    show(paused ? "paused" : "live");
  }

  /** Stop, and wait for the last words; a second time they are not waited for. */
  async stop() {
    if (state() === "connecting") this.cancel();
    else if (state() === "finishing") this.session.abort();
    else await this._finish();
  }

  async _finish() {
    byId("stop").textContent = "Stop now";
    show("finishing");
    tell("Finishing the last words…", { lasting: true });
    await this._stopCapture();
    const through = await this.session.finish();
    await this._close();
    if (!through) tellTrouble(new Trouble("last-words-lost"));
  }

  _session() {
    return new LiveSession({
      access: this.access,
      recording: this.recording,
      configuration: this.configuration,
      heardUpTo: () => this.transcript.settledSeconds,
      listener: {
        onEvent: (event, origin) => this._take(event, origin),
        onOffline: (why) => tell(WAITING[why] ?? OFFLINE, { lasting: true }),
        onOnline: (how, lost) => tell(lost ? `${ONLINE[how]} ${lostSound(lost)}` : `${ONLINE[how]} Nothing was lost.`),
        onRenewed: () => this.transcript.closeOpenTurns().forEach((turn) => this.view.update(turn)),
        onGap: (seconds) => tell(lostSound(seconds)),
        onFailed: (error) => this._fail(error),
      },
    });
  }

  _hear(pcm) {
    this.recording.append(pcm);
    this.session.pump();
    this.meters.hear(pcm, this.recording.seconds);
  }

  _take(event, origin) {
    const turn = this.transcript.apply(event, origin);
    if (!turn) return;
    this.view.update(turn);
    if (turn.language) byId("heard-language").textContent = languageName(turn.language);
    const end = event.type.endsWith(".delta") ? turn.words.at(-1)?.end : null;
    if (end) this.meters.settle(Math.max(0, this.recording.seconds - end));
  }

  _soundInterrupted(interrupted) {
    if (state() !== "live" || interrupted === Boolean(this.interrupted)) return;
    this.interrupted = interrupted;
    if (interrupted) tell("The system has muted the sound. Captions go on when it gives it back.", { lasting: true });
    else hush();
  }

  async _soundEnded() {
    if (state() !== "live" && state() !== "paused") return;
    await this.stop();
    tellTrouble(new Trouble("capture-lost"));
  }

  async _fail(error) {
    await this._close();
    tellTrouble(error);
  }

  async _stopCapture() {
    await this.capture?.stop();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.capture = null;
    this.stream = null;
    this.meters.silence();
  }

  async _close() {
    await this._stopCapture();
    this.transcript.closeOpenTurns().forEach((turn) => this.view.update(turn));
    byId("pause").textContent = "Pause";
    byId("stop").textContent = "Stop";
    this.meters.forgetDelays();
    keepAwake(false);
    hush();
    show("idle");
  }
}
