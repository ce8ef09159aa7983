// A word that is clicked, or a turn: it is played and marked while it sounds.

import { tellTrouble } from "./notices.js";
import { around } from "./player.js";
import { Trouble } from "./trouble.js";

export class Playback {
  constructor() {
    this.sound = null;
    this.playing = null;
  }

  /** @param {{play: Function, stop: Function, close: Function}|null} sound what is played from now on */
  use(sound) {
    this.sound?.close();
    this.sound = sound;
  }

  word(word, span) {
    if (word.start === null) return Promise.resolve();
    return this._play(around(word), span);
  }

  turn(turn) {
    const last = turn.words.at(-1)?.end ?? turn.end;
    if (turn.start === null || last === null) return Promise.resolve();
    return this._play([turn.start, Math.max(last, turn.end ?? 0)]);
  }

  async _play([start, end], span) {
    this.playing?.classList.remove("playing");
    this.playing = span;
    span?.classList.add("playing");
    try {
      if (!this.sound) throw new Trouble("playback-failed");
      await this.sound.play(start, end);
    } catch (error) {
      tellTrouble(error);
    } finally {
      span?.classList.remove("playing");
    }
  }
}
