import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Reached, reachedBy, watchControls } from './control-watch.ts';
import type { ControlReport, Family } from './self.ts';

const report = (family: Family, failed: boolean): ControlReport => ({
  control: 'https://www.example.org',
  named: true,
  family,
  failed,
});

describe('a family is', () => {
  it.each<[string, ControlReport[], Reached]>([
    ['not known without controls', [], {}],
    ['reached', [report('4', false), report('6', false)], { 4: true, 6: true }],
    ['lost apart from the other', [report('4', false), report('6', true)], { 4: true, 6: false }],
    ['reached by one of two', [report('4', true), report('4', false)], { 4: true }],
    ['lost with the name', [report('name', true)], { 4: false, 6: false }],
    ['not lost by one name of two', [report('name', true), report('4', false)], { 4: true }],
  ])('%s', (_, reports, expected) => expect(reachedBy(reports)).toEqual(expected));
});

describe('controls are asked', () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 21, 6, 0, 10) }));
  afterEach(() => void vi.useRealTimers());

  it('once a minute at the second of the probe, though nothing failed', async () => {
    const asked: string[] = [];
    const found: Reached[] = [];
    using watch = watchControls({
      controls: {
        ask() {
          asked.push(new Date().toISOString().slice(14, 19));
          return Promise.resolve([report('4', asked.length === 2)]);
        },
      },
      phaseMs: 47_000,
      now: () => Date.now(),
      found: (reached) => found.push(reached),
    });
    await vi.advanceTimersByTimeAsync(180_000);
    expect(asked).toEqual(['00:47', '01:47', '02:47']);
    expect(found).toEqual([{ 4: true }, { 4: false }, { 4: true }]);
    watch[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(180_000);
    expect(asked).toHaveLength(3);
  });
});
