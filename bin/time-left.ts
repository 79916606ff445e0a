/** About how long something still takes, by how long it took so far. */

/** Too early to tell before so much time. */
const SOON_MS = 2_000;

/** @param now ms of a clock that never steps back; the time counts from the call of this function on */
export function timeLeft(now: () => number): (done: number, all: number) => string {
  const startedAt = now();
  return (done, all) => {
    const tookMs = now() - startedAt;
    if (tookMs < SOON_MS || done <= 0 || done >= all) return '';
    const seconds = Math.ceil(((tookMs / done) * (all - done)) / 1_000);
    if (seconds < 120) return `, about ${seconds} s left`;
    return `, about ${Math.ceil(seconds / 60)} min left`;
  };
}
