import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ClockState, neverCompared } from './clock.ts';
import { clockMemory, machineMonotonicMs } from './clock-memory.ts';

const state: ClockState = {
  worst: [{ monotonicMs: 1_000.5, errorMs: 3.25 }],
  last: { wallAt: 1_795_000_000_000, monotonicMs: 2_000.125 },
};
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('a restart in the same boot and epoch knows what was known', () => {
  clockMemory(dir, 'boot').save(7, state);
  expect(clockMemory(dir, 'boot').load(7)).toEqual(state);
  clockMemory(dir, 'boot').save(7, { ...state, slow: true });
  expect(clockMemory(dir, 'boot').load(7)).toEqual({ ...state, slow: true });
});

it.each([
  ['another boot', 'other', 7],
  ['another epoch', 'boot', 8],
])('%s starts anew', (_, boot, epoch) => {
  clockMemory(dir, 'boot').save(7, state);
  expect(clockMemory(dir, boot).load(epoch)).toEqual(neverCompared);
});

it.each(['', '{', '{"boot":"boot","epoch":7}', '[]'])('a torn or foreign file (%j) starts anew', (text) => {
  writeFileSync(join(dir, 'clock.json'), text);
  expect(clockMemory(dir, 'boot').load(7)).toEqual(neverCompared);
});

it('a state that was never compared is not kept', () => {
  clockMemory(dir, 'boot').save(7, neverCompared);
  expect(clockMemory(dir, 'boot').load(7)).toEqual(neverCompared);
});

it("the machine's monotonic clock is not the process's", () => {
  expect(machineMonotonicMs()).toBeGreaterThan(performance.now());
});
