// How loud it is, how long it has been, and how far the text is behind the sound.

import { byId } from "./element.js";
import { clockTime } from "./format-time.js";

const QUIETEST_DECIBELS = -60;
const FALL = 0.85; // of the bar per block, so that it can be followed by eye
const SPOKEN_MILLISECONDS = 1000; // between changes of what assistive technology reads
const LATEST = 8; // words whose delays are looked at

/** Loudness from 0 to 1 on a scale of decibels, of 16-bit samples. */
export function loudness(pcm) {
  const power = pcm.reduce((sum, value) => sum + (value / 32768) ** 2, 0) / Math.max(1, pcm.length);
  const decibels = 10 * Math.log10(power + 1e-12);
  return Math.max(0, Math.min(1, 1 - decibels / QUIETEST_DECIBELS));
}

export class Meters {
  constructor() {
    this.level = 0;
    this.spokenAt = 0;
    this.delays = [];
  }

  hear(pcm, seconds) {
    this.level = Math.max(loudness(pcm), this.level * FALL);
    this.showLevel();
    byId("elapsed").textContent = clockTime(seconds);
  }

  silence() {
    this.level = 0;
    this.spokenAt = 0;
    this.showLevel();
  }

  showLevel() {
    byId("level").style.setProperty("--level", this.level.toFixed(3));
    if (Date.now() - this.spokenAt < SPOKEN_MILLISECONDS) return;
    this.spokenAt = Date.now();
    byId("level").setAttribute("aria-valuenow", Math.round(this.level * 100));
  }

  /** Words have settled so many seconds after they were spoken; the middle one of the latest is shown. */
  settle(seconds) {
    this.delays = [...this.delays, seconds].slice(-LATEST);
    const middle = this.delays.toSorted((one, other) => one - other)[Math.floor(this.delays.length / 2)];
    byId("delay").textContent = `${middle.toFixed(1)} s`;
  }

  forgetDelays() {
    this.delays = [];
    byId("delay").textContent = "–";
  }
}
