/** A slot as one byte of a day's block; 0 is a minute for which the subject was not configured, or not yet closed. */
import type { Slot, State, UnknownCause } from '@highwater/config/proof/rule/slot.ts';

const states: readonly State[] = ['up', 'down', 'unknown'];
const causes: readonly UnknownCause[] = ['no-data', 'split', 'probe', 'clock'];
const DEGRADED = 4;
const MAINTENANCE = 8;
const STALLED = 16;
/** Bits 5 and 6. */
const CAUSE_SHIFT = 5;

export function byteOf(slot: Slot): number {
  return (
    (states.indexOf(slot.state) + 1) |
    (slot.degraded ? DEGRADED : 0) |
    (slot.maintenance ? MAINTENANCE : 0) |
    (slot.stalled ? STALLED : 0) |
    (Math.max(0, causes.indexOf(slot.cause ?? 'no-data')) << CAUSE_SHIFT)
  );
}

export function slotOfByte(byte: number): Slot | undefined {
  const state = states[(byte & 3) - 1];
  if (state === undefined) return undefined;
  const cause = causes[byte >> CAUSE_SHIFT] ?? 'no-data';
  return {
    state,
    degraded: (byte & DEGRADED) !== 0,
    maintenance: (byte & MAINTENANCE) !== 0,
    stalled: (byte & STALLED) !== 0,
    ...(state === 'unknown' ? { cause } : {}),
  };
}
