/** A slot as one byte of a day's plane; 0 is a minute for which the subject was not configured, or not yet closed. */
import type { Slot, State, UnknownCause } from './slot.ts';

const states: readonly State[] = ['up', 'down', 'unknown'];
const causes: readonly UnknownCause[] = ['no-data', 'split', 'probe', 'clock'];
const DEGRADED = 4;
const MAINTENANCE = 8;
const STALLED = 16;
/** Bits 5 and 6: why it is unknown. */
const CAUSE_SHIFT = 5;
/** Bit 5 of one that is down: by an old head alone. What is stalled is found from it. */
const OLD = 1 << CAUSE_SHIFT;
const DOWN = 2;

/** There are so many bytes. */
export const BYTES = 128;

export function byteOf(slot: Slot, isOld = false): number {
  const more = isOld && slot.state === 'down' ? OLD : 0;
  return (
    (states.indexOf(slot.state) + 1) |
    (slot.degraded ? DEGRADED : 0) |
    (slot.maintenance ? MAINTENANCE : 0) |
    (slot.stalled ? STALLED : 0) |
    (Math.max(0, causes.indexOf(slot.cause ?? 'no-data')) << CAUSE_SHIFT) |
    more
  );
}

/** Of a head: down, and by its age alone. */
export function isOldByte(byte: number): boolean {
  return (byte & 3) === DOWN && (byte & OLD) !== 0;
}

export function withStalled(byte: number, isStalled: boolean): number {
  return isStalled ? byte | STALLED : byte & ~STALLED;
}

function made(byte: number): Slot | undefined {
  const state = states[(byte & 3) - 1];
  if (state === undefined) return undefined;
  const cause = causes[byte >> CAUSE_SHIFT] ?? 'no-data';
  return Object.freeze({
    state,
    degraded: (byte & DEGRADED) !== 0,
    maintenance: (byte & MAINTENANCE) !== 0,
    stalled: (byte & STALLED) !== 0,
    ...(state === 'unknown' ? { cause } : {}),
  });
}

const slots: readonly (Slot | undefined)[] = Array.from({ length: BYTES }, (_, byte) => made(byte));

/** Always the same object for a byte. */
export function slotOfByte(byte: number): Slot | undefined {
  return slots[byte];
}
