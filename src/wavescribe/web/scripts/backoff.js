// How long to wait before the next try.

const FIRST_SECONDS = 0.25;
const LONGEST_SECONDS = 4;

/** Seconds before try number `attempt` (from 0): doubling up to a bound, and never the same for everybody. */
export function waitBefore(attempt, chance = Math.random()) {
  const longest = Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** attempt);
  return longest * (0.6 + 0.4 * chance);
}
