import { expect, it } from 'vitest';
import { watchLoop } from './loop-watch.ts';

it('an event loop that stood still is noticed at once, and only between the right times', async () => {
  const watch = watchLoop(() => performance.now());
  await new Promise((done) => setTimeout(done, 120));
  const from = performance.now();
  while (performance.now() - from < 300);
  const to = performance.now();
  // Before the watch's own timer had its turn.
  expect(watch.lateBetween(from, to)).toBeGreaterThan(200);
  await new Promise((done) => setTimeout(done, 120));
  expect(watch.lateBetween(from, to)).toBeGreaterThan(200);
  // Never more than the time that passed, however busy the machine is.
  expect(watch.lateBetween(from, to)).toBeLessThan(performance.now() - from);
  expect(watch.lateBetween(from - 5_000, from - 1_000)).toBe(0);
  watch.stop();
});
