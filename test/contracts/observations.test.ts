import { parseLine } from '@highwater/config/proof/line.ts';
import { expect, it } from 'vitest';
import { type ObservationOptions, observing } from '../bench/observations.ts';

const day = Date.UTC(2026, 10, 21);
const dues = Array.from({ length: 20_000 }, (_, i) => day + 1_234 + i * 30_000);
const linesOf = (options: Partial<ObservationOptions>): string[] => {
  const observe = observing({ seed: 1, probe: 'p0', latency: 'tenths', ...options });
  return dues.map((dueAt) => observe('s0/n0/http', dueAt));
};

const shapes: readonly Partial<ObservationOptions>[] = [
  {},
  { latency: 'ms' },
  { phases: true, methods: ['eth_call', 'eth_getLogs'] },
  { heads: false },
];

it.each(shapes)('%j: every line is one that a collector takes', (options) => {
  for (const line of linesOf(options)) expect(parseLine(line)).not.toHaveProperty('error');
});

it('latencies, lateness and failures are spread as they are said to be', () => {
  const seen = linesOf({}).map((line) => {
    const parsed = parseLine(line);
    if ('error' in parsed) throw new Error(parsed.error);
    return parsed;
  });
  const logs = seen.map(({ latencyTenths }) => Math.log(latencyTenths));
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const variance = (of: readonly number[]): number =>
    of.reduce((sum, value) => sum + (value - mean) ** 2, 0) / of.length;
  expect(Math.sqrt(variance(logs))).toBeCloseTo(0.25, 1);
  const follows = logs.slice(1).reduce((sum, value, i) => sum + (value - mean) * ((logs[i] ?? 0) - mean), 0);
  expect(follows / logs.length / variance(logs)).toBeCloseTo(0.8, 1);
  const late = seen.reduce((sum, { lateMs }) => sum + lateMs, 0) / seen.length;
  expect(late).toBeGreaterThan(2);
  expect(late).toBeLessThan(3);
  const failed = seen.filter(({ outcome }) => outcome === 'fail').length / seen.length;
  expect(failed).toBeGreaterThan(0.005);
  expect(failed).toBeLessThan(0.015);
});

it('the chain is one for all, and its heads are those of the time', () => {
  const heads = (probe: string): Map<string, string> =>
    new Map(
      linesOf({ probe }).flatMap((line) => {
        const [, bt = '', h = '', id = ''] = / bt=(\d+) h=(\d+) id=(\w+)/.exec(line) ?? [];
        return h === '' ? [] : [[h, `${bt} ${id}`] as const];
      }),
    );
  const [one, other] = [heads('p0'), heads('p1')];
  const both = [...one.keys()].filter((h) => other.has(h));
  expect(both.length).toBeGreaterThan(15_000);
  for (const h of both) expect(one.get(h)).toBe(other.get(h));
});

it('what is said of a monitor depends on its own lines alone', () => {
  const alone = linesOf({});
  const among = observing({ seed: 1, probe: 'p0', latency: 'tenths' });
  const mixed = dues.map((dueAt) => {
    among('s1/n0/http', dueAt);
    return among('s0/n0/http', dueAt);
  });
  expect(mixed).toEqual(alone);
});
