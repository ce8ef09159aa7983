// The microphone's or a shared tab's sound as blocks of 16-bit samples at 24 kHz.

import { SAMPLE_RATE, toPcm16 } from "./pcm.js";
import { Resampler } from "./resampler.js";
import { Trouble } from "./trouble.js";

const REFUSALS = {
  NotAllowedError: "microphone-blocked",
  SecurityError: "microphone-blocked",
  NotFoundError: "microphone-missing",
  OverconstrainedError: "microphone-missing",
  NotReadableError: "microphone-busy",
  AbortError: "microphone-busy",
};

/** Ask for the microphone. */
export async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) throw new Trouble("insecure-page");
  const wanted = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: wanted });
  } catch (error) {
    throw new Trouble(REFUSALS[error.name] ?? "microphone-busy", error.message);
  }
}

/** Ask for a tab to share; its picture is not used, but browsers offer sound only beside one. */
export async function openTab() {
  if (!navigator.mediaDevices) throw new Trouble("insecure-page");
  if (!navigator.mediaDevices.getDisplayMedia) throw new Trouble("sharing-unsupported");
  const stream = await navigator.mediaDevices
    .getDisplayMedia({ video: true, audio: { suppressLocalAudioPlayback: false }, systemAudio: "include" })
    .catch((error) => {
      throw new Trouble("sharing-refused", error.message);
    });
  if (stream.getAudioTracks().length) return stream;
  stream.getTracks().forEach((track) => track.stop());
  throw new Trouble("sharing-silent");
}

openTab.needsGesture = true; // browsers offer tabs only right after a press

export class Capture {
  /**
   * @param {MediaStream} stream of the microphone or the tab; it is stopped with the capture
   * @param {(pcm: Int16Array) => void} onSound called with each block
   * @param {() => void} onEnded called when the sound ends by itself
   * @param {(interrupted: boolean) => void} onInterrupted called when the system takes the sound away for a while, as
   *   in a telephone call, and when it gives it back
   */
  constructor(stream, onSound, onEnded, onInterrupted) {
    this.stream = stream;
    this.onSound = onSound;
    this.onInterrupted = onInterrupted;
    this.paused = false;
    stream.getTracks().forEach((track) => track.addEventListener("ended", onEnded));
    stream.getAudioTracks().forEach((track) => {
      track.addEventListener("mute", () => onInterrupted(true));
      track.addEventListener("unmute", () => onInterrupted(false));
    });
  }

  async start() {
    const source = this._connect();
    await this.context.audioWorklet.addModule(new URL("capture-worklet.js", import.meta.url));
    this.node = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    const resampler = new Resampler(this.context.sampleRate, SAMPLE_RATE);
    this.node.port.onmessage = ({ data }) => {
      if (!this.paused) this.onSound(toPcm16(resampler.push(data)));
    };
    source.connect(this.node);
    await this.context.resume();
    this.context.addEventListener("statechange", () => this._follow(this.context.state));
  }

  /** A context that the system has stopped is started again; where that has to wait, it is told. */
  _follow(state) {
    if (state === "closed") return;
    this.onInterrupted(state !== "running");
    if (state !== "running") this.context.resume().catch(() => {}); // it is tried again with the next change
  }

  /** Nothing is heard while paused; the browser shows the microphone as muted. */
  pause(paused) {
    this.paused = paused;
    this.stream.getAudioTracks().forEach((track) => {
      track.enabled = !paused;
    });
  }

  async stop() {
    this.paused = true;
    this.stream.getTracks().forEach((track) => track.stop());
    await this.context?.close();
  }

  /** The browser's own conversion to 24 kHz where it has one, else its own rate, which is converted here. */
  _connect() {
    const sound = new MediaStream(this.stream.getAudioTracks());
    this.context = new AudioContext({ sampleRate: SAMPLE_RATE });
    try {
      return this.context.createMediaStreamSource(sound);
    } catch (error) {
      if (error.name !== "NotSupportedError") throw error;
      this.context.close();
      this.context = new AudioContext();
      return this.context.createMediaStreamSource(sound);
    }
  }
}
