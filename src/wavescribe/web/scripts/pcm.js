// Samples as the realtime protocol takes them: PCM of 16 bits, little-endian, as base64 text.

export const SAMPLE_RATE = 24000;

const SLICE = 8192; // arguments that one call may safely have

/** Float samples from -1 to 1 as 16-bit integers; what is louder is cut. */
export function toPcm16(samples) {
  return Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767));
}

/** 16-bit integers as float samples. */
export function toFloat(pcm) {
  return Float32Array.from(pcm, (value) => value / 32768);
}

/** 16-bit integers as base64 of their little-endian bytes, whatever the order of this machine. */
export function toBase64(pcm) {
  const bytes = new Uint8Array(pcm.length * 2);
  const view = new DataView(bytes.buffer);
  pcm.forEach((value, index) => view.setInt16(index * 2, value, true));
  let binary = "";
  for (let at = 0; at < bytes.length; at += SLICE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  }
  return btoa(binary);
}
