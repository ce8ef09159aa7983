// Plays a stretch of what was heard: of the recording, or of the file.

import { SAMPLE_RATE, toFloat } from "./pcm.js";
import { Trouble } from "./trouble.js";

const BEFORE_SECONDS = 0.1; // around a word, whose times are not exact to the sound
const AFTER_SECONDS = 0.2;

/** Plays from a Recording. */
export class RecordingSound {
  constructor(recording) {
    this.recording = recording;
  }

  /** Resolves when it was played, or stopped. */
  async play(start, end) {
    this.stop();
    const pcm = this.recording.slice(Math.round(start * SAMPLE_RATE), Math.round(end * SAMPLE_RATE));
    if (!pcm.length) throw new Trouble("playback-failed");
    this.context ??= new AudioContext();
    const buffer = this.context.createBuffer(1, pcm.length, SAMPLE_RATE);
    buffer.copyToChannel(toFloat(pcm), 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.context.destination);
    this.wanted = source;
    await this.context.resume();
    if (this.wanted !== source) return; // something else is played, or nothing
    this.source = source; // a source that has not started cannot be stopped
    source.start();
    await new Promise((resolve) => source.addEventListener("ended", resolve, { once: true }));
  }

  stop() {
    this.wanted = null;
    this.source?.stop();
    this.source = null;
  }

  close() {
    this.stop();
    this.context?.close();
  }
}

/** Plays from a File, as far as the browser knows its format. */
export class FileSound {
  constructor(file) {
    this.audio = new Audio();
    this.audio.preload = "metadata";
    this.audio.src = URL.createObjectURL(file);
  }

  /** The file's length in seconds, or null where the browser cannot tell. */
  duration() {
    return new Promise((resolve) => {
      this.audio.addEventListener("loadedmetadata", () => {
        resolve(Number.isFinite(this.audio.duration) ? this.audio.duration : null);
      });
      this.audio.addEventListener("error", () => resolve(null));
    });
  }

  async play(start, end) {
    this.stop();
    const { audio } = this;
    audio.currentTime = start;
    try {
      await audio.play();
    } catch (error) {
      if (error.name === "AbortError") return; // something else is played
      throw new Trouble("playback-failed", error.message);
    }
    await new Promise((resolve) => {
      const watch = setInterval(() => audio.currentTime >= end && audio.pause(), 20);
      audio.addEventListener("pause", () => resolve(clearInterval(watch)), { once: true });
    });
  }

  stop() {
    this.audio.pause();
  }

  close() {
    this.stop();
    URL.revokeObjectURL(this.audio.src);
  }
}

/** The stretch around a word. */
export function around({ start, end }) {
  return [Math.max(0, start - BEFORE_SECONDS), end + AFTER_SECONDS];
}
