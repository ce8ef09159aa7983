// Streaming resampling by a windowed sinc. State is kept between blocks, so that block sizes change nothing.

const ZERO_CROSSINGS = 16;
const ROLL_OFF = 0.94; // where the filter begins to close, as a part of the lower of the two Nyquist frequencies

const TABLE_STEPS = 256; // values of the filter per input sample; between them it is a straight line

/** The value of a Hann-windowed sinc, `place` input samples from its centre. */
function kernel(place, cutoff, reach) {
  if (place >= reach) return 0;
  const angle = Math.PI * place * cutoff;
  const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
  return cutoff * sinc * 0.5 * (1 + Math.cos((Math.PI * place) / reach));
}

/** One side of the filter; the other is its mirror. */
function filterTable(cutoff, reach) {
  return Float64Array.from({ length: reach * TABLE_STEPS + 2 }, (_, at) => kernel(at / TABLE_STEPS, cutoff, reach));
}

/** Changes the rate of a stream of float samples. */
export class Resampler {
  constructor(from, to) {
    this.step = from / to;
    const cutoff = ROLL_OFF * Math.min(1, to / from);
    this.reach = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.table = filterTable(cutoff, this.reach);
    this.kept = new Float32Array(this.reach); // silence before the first sample
    this.keptFrom = -this.reach; // position in the input of the first sample that is kept
    this.written = 0; // samples that went out
  }

  /** The output that a block of input makes possible: up to the filter's reach behind its end. */
  push(block) {
    if (this.step === 1) return block;
    this._keep(block);
    const end = this.keptFrom + this.kept.length;
    const output = [];
    for (let at = this.written * this.step; at + this.reach < end; at = this.written * this.step) {
      output.push(this._sampleAt(at));
      this.written += 1;
    }
    this._forget();
    return Float32Array.from(output);
  }

  _sampleAt(position) {
    const first = Math.floor(position) - this.reach + 1;
    let sum = 0;
    for (let place = first; place < first + 2 * this.reach; place += 1) {
      sum += (this.kept[place - this.keptFrom] ?? 0) * this._weight(Math.abs(place - position));
    }
    return sum;
  }

  _weight(distance) {
    const at = distance * TABLE_STEPS;
    const below = Math.floor(at);
    return this.table[below] + (at - below) * (this.table[below + 1] - this.table[below]);
  }

  _keep(block) {
    const joined = new Float32Array(this.kept.length + block.length);
    joined.set(this.kept);
    joined.set(block, this.kept.length);
    this.kept = joined;
  }

  _forget() {
    const needed = Math.floor(this.written * this.step) - this.reach;
    const past = Math.max(0, Math.min(this.kept.length, needed - this.keptFrom));
    this.kept = this.kept.slice(past);
    this.keptFrom += past;
  }
}
