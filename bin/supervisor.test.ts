import { expect, it } from 'vitest';
import { retryDelayMs } from './supervisor.ts';

it.each([
  [1, 250],
  [2, 500],
  [3, 1_000],
  [7, 16_000],
  [8, 30_000],
  [1_000, 30_000],
])('the start after %i failures waits %i ms', (failures, delayMs) => {
  expect(retryDelayMs(failures)).toBe(delayMs);
});
