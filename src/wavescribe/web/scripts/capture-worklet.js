// Runs on the audio thread: mixes the channels to one and posts blocks of some tens of milliseconds.

const BLOCK_SECONDS = 0.05;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(sampleRate * BLOCK_SECONDS));
    this.filled = 0;
  }

  process([channels]) {
    if (channels.length) this._take(channels);
    return true;
  }

  _take(channels) {
    for (let index = 0; index < channels[0].length; index += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[index];
      this.block[this.filled] = sum / channels.length;
      this.filled += 1;
      if (this.filled === this.block.length) this._post();
    }
  }

  _post() {
    const full = this.block;
    this.block = new Float32Array(full.length);
    this.filled = 0;
    this.port.postMessage(full, [full.buffer]);
  }
}

registerProcessor("capture", Capture);
