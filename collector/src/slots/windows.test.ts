import { describe, expect, it } from 'vitest';
import { completeMinute, type MonitorWindow, type WindowFinder } from './windows.ts';

/** Windows of `length` minutes from minute 100 on; nothing was configured before. */
function windowsOf(length: number): WindowFinder {
  return {
    at(_, minute) {
      if (minute < 100) return undefined;
      const first = minute - (minute % length);
      return { first, last: first + length - 1 } as MonitorWindow;
    },
  };
}

/** Length of the windows, minute asked for, last that has closed, minute that is told of. */
const rows: [number, number, number, number][] = [
  [1, 120, 118, 118],
  [1, 118, 118, 118],
  [1, 110, 118, 110],
  [1, 900, 118, 118],
  [5, 118, 118, 114],
  [5, 119, 119, 119],
  [5, 116, 118, 114],
  [5, 111, 118, 111],
  [60, 130, 131, 119],
  // The first window goes on: the minute before it was not configured, and has no slot.
  [5, 103, 103, 99],
];

describe('the minute whose slot is told', () => {
  it.each(rows)('windows of %i, asked for %i, closed up to %i: %i', (length, minute, horizon, told) => {
    expect(completeMinute(windowsOf(length), 'm', minute, horizon)).toBe(told);
  });
});
