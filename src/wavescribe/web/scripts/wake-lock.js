// Keeps the screen on while captions run; browsers take the lock away when the page is hidden.

let wanted = false;
let lock = null;

async function hold() {
  if (!wanted || document.hidden || !navigator.wakeLock) return;
  // Refused on low battery, say: the captions go on, the screen may go dark.
  lock = await navigator.wakeLock.request("screen").catch(() => null);
}

document.addEventListener("visibilitychange", hold);

export function keepAwake(on) {
  wanted = on;
  if (on) return hold();
  lock?.release();
  lock = null;
  return Promise.resolve();
}
