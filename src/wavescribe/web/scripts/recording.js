// The sound that was heard, as one timeline of 16-bit samples at 24 kHz. The oldest is forgotten at a bound.

import { SAMPLE_RATE } from "./pcm.js";

const BLOCK = SAMPLE_RATE; // one second

export class Recording {
  /** @param {number} longestSeconds of sound in memory; a second takes 48 kB */
  constructor(longestSeconds = 1800) {
    this.mostBlocks = longestSeconds;
    this.blocks = [];
    this.firstBlock = 0;
    this.end = 0; // samples since the beginning
  }

  /** The first sample that is still there. */
  get start() {
    return this.firstBlock * BLOCK;
  }

  get seconds() {
    return this.end / SAMPLE_RATE;
  }

  append(pcm) {
    let taken = 0;
    while (taken < pcm.length) {
      const room = BLOCK - (this.end % BLOCK);
      const part = pcm.subarray(taken, taken + room);
      if (this.end % BLOCK === 0) this._openBlock();
      this.blocks.at(-1).set(part, this.end % BLOCK);
      this.end += part.length;
      taken += part.length;
    }
  }

  /** A copy of the samples from one position to before another, as far as they are there. */
  slice(from, to) {
    const [first, last] = [Math.max(from, this.start), Math.min(to, this.end)];
    const copy = new Int16Array(Math.max(0, last - first));
    for (let at = first; at < last; ) {
      const block = this.blocks[Math.floor(at / BLOCK) - this.firstBlock];
      const part = block.subarray(at % BLOCK, Math.min(BLOCK, (at % BLOCK) + last - at));
      copy.set(part, at - first);
      at += part.length;
    }
    return copy;
  }

  _openBlock() {
    this.blocks.push(new Int16Array(BLOCK));
    if (this.blocks.length > this.mostBlocks) {
      this.blocks.shift();
      this.firstBlock += 1;
    }
  }
}
