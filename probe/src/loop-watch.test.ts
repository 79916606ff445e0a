import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { type Suspension, systemClocks, watchLoop } from './loop-watch.ts';

it('an event loop that stood still is noticed at once, and only between the right times', async () => {
  const watch = watchLoop(systemClocks(() => performance.now()));
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
  expect(watch.stoppedBetween(from, to)).toBe(0);
  watch.stop();
});

/** What passed on each clock in one gap, ms. */
interface Gap {
  readonly mono: number;
  readonly wall: number;
  readonly computed: number;
  readonly uptime: number;
}

const minute = 60_000;
const rows: [string, Gap, number][] = [
  [
    'a process that was stopped',
    { mono: 5 * minute, wall: 5 * minute, computed: 2, uptime: 5 * minute },
    5 * minute,
  ],
  ['a machine that slept', { mono: 40, wall: 5 * minute, computed: 2, uptime: 5 * minute }, 5 * minute - 40],
  ['a clock that was set ahead', { mono: 50, wall: 60 * minute, computed: 2, uptime: 50 }, 0],
  ['a clock that was set back', { mono: 50, wall: -60 * minute, computed: 2, uptime: 50 }, 0],
  ['a loop that was busy', { mono: minute, wall: minute, computed: minute, uptime: minute }, 0],
  ['a short stall', { mono: 4_900, wall: 4_900, computed: 0, uptime: 4_900 }, 0],
  [
    'a stop during which the clock was set back an hour',
    { mono: 5 * minute, wall: -55 * minute, computed: 2, uptime: 5 * minute },
    5 * minute,
  ],
];

describe('suspended is', () => {
  it.each(rows)('%s: %o, for %i ms', (_, gap, lastedMs) => {
    const time = { mono: 1_000, wall: 1_795_000_000_000, computed: 500, uptime: 90_000_000 };
    const told: Suspension[] = [];
    const watch = watchLoop({
      monotonic: () => time.mono,
      now: () => time.wall,
      computed: () => time.computed,
      uptime: () => time.uptime,
      suspended: (suspension) => told.push(suspension),
    });
    const before = { ...time };
    time.mono += gap.mono;
    time.wall += gap.wall;
    time.computed += gap.computed;
    time.uptime += gap.uptime;
    expect(watch.stoppedBetween(before.mono, time.mono)).toBe(lastedMs);
    // A check that had ended, or one that begins now.
    expect(watch.stoppedBetween(0, before.mono)).toBe(0);
    expect(watch.stoppedBetween(time.mono, time.mono + 1_000)).toBe(0);
    expect(watch.wasStoppedAt(time.wall - 1)).toBe(lastedMs > 0 && gap.wall > 0);
    expect(watch.wasStoppedAt(before.wall - 5)).toBe(false);
    expect(told.map((each) => each.lastedMs)).toEqual(lastedMs > 0 ? [lastedMs] : []);
    watch.stop();
  });
});

it('a stop that was over when a check began is not laid to it, once somebody has looked', () => {
  let now = 0;
  const clocks = { monotonic: () => now, now: () => now, computed: () => 0, uptime: () => now };
  const watch = watchLoop(clocks);
  now = 10_000;
  watch.look();
  now = 10_080;
  expect(watch.stoppedBetween(10_000, now)).toBe(0);
  expect(watch.stoppedBetween(9_999, now)).toBe(10_000);
  watch.stop();
});

it('a real process that is stopped by a signal and goes on says so', { timeout: 30_000 }, async () => {
  const source = `
    const { systemClocks, watchLoop } = await import(${JSON.stringify(new URL('./loop-watch.ts', import.meta.url).href)});
    const clocks = systemClocks(() => performance.now());
    watchLoop({ ...clocks, suspended: ({ lastedMs }) => console.log('stopped ' + Math.round(lastedMs)) });
    setInterval(() => undefined, 1_000);
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect(await lines.next()).toMatchObject({ value: 'ready' });
    const from = performance.now();
    child.kill('SIGSTOP');
    await new Promise((done) => setTimeout(done, 5_500));
    child.kill('SIGCONT');
    const { value } = (await lines.next()) as { value: string };
    const stoppedMs = Number(/^stopped (\d+)$/.exec(value)?.[1]);
    expect(stoppedMs).toBeGreaterThanOrEqual(5_000);
    expect(stoppedMs).toBeLessThanOrEqual(performance.now() - from + 100);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
