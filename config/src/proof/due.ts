/** When a check is due (CONTRACTS "Due"): the same instants for everyone who knows the seed. */
import type { Instant } from '../time.ts';
import { type Hash, utf8 } from './bytes.ts';

/** First 8 bytes, big-endian, of SHA-256(seed LF monitor LF probe), mod the interval. `probe` is the probe's id. */
export function phaseMs(
  seed: string,
  monitor: string,
  probe: string,
  intervalMs: number,
  hash: Hash,
): number {
  const digest = hash(utf8(`${seed}\n${monitor}\n${probe}`));
  // 64 bits do not fit a Number exactly; only the remainder does.
  return Number(new DataView(digest.buffer, digest.byteOffset, 8).getBigUint64(0) % BigInt(intervalMs));
}

/** Whether a check with this phase is due at exactly this instant. */
export function isDue(at: Instant, phase: number, intervalMs: number): boolean {
  return at % intervalMs === phase;
}

/** The first due time later than `after`. */
export function nextDueAt(after: Instant, phase: number, intervalMs: number): Instant {
  const start = after - (after % intervalMs) + phase;
  return start > after ? start : start + intervalMs;
}
