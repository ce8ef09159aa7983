// Times as people and subtitle files write them.

const two = (number) => String(number).padStart(2, "0");

/** Seconds as 0:07, 12:34 or 1:02:03. */
export function clockTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Seconds as 00:01:02,003 (SRT) or with another mark before the milliseconds (WebVTT: a dot). */
export function subtitleTime(seconds, mark = ",") {
  const milliseconds = Math.max(0, Math.round(seconds * 1000));
  const whole = Math.floor(milliseconds / 1000);
  const clock = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map(two).join(":");
  return `${clock}${mark}${String(milliseconds % 1000).padStart(3, "0")}`;
}
