/** Runs every vector of config/testdata/rule-v1 against the reference fold; each is part of the contract. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../keys.ts';
import { type Expectation, type VectorCase, parseVectors } from '../testing/vector.ts';
import { type Series, evaluate } from './evaluate.ts';
import { printedShare, printedUptime } from './printed.ts';
import type { Slot } from './slot.ts';
import { type Counts, withMaintenance } from './totals.ts';

const folder = new URL('../../../testdata/rule-v1/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

test('there are vectors', () => {
  expect(files.length).toBeGreaterThan(20);
});

for (const file of files) {
  describe(file, () => {
    const cases = parseVectors(readFileSync(new URL(file, folder), 'utf8'), sha256);
    test('has cases', () => expect(cases.length).toBeGreaterThan(0));
    for (const vector of cases) {
      test(vector.name, () => {
        expect(vector.expectations.length).toBeGreaterThan(0);
        for (const expectation of vector.expectations) check(file, vector, expectation);
      });
    }
  });
}

function check(file: string, { evidence }: VectorCase, e: Expectation): void {
  const range = { first: e.first, last: e.last };
  const evaluation = evaluate(evidence, range, sha256);
  const at = `${file}:${e.line} ${e.what} ${e.subject}`;
  if (e.what === 'problems') {
    expect(String(evaluation.problems.length), at).toBe(e.expected);
    return;
  }
  const [subject = '', ...modes] = e.subject.split('+');
  const table = [evaluation.services, evaluation.nodes, evaluation.monitors][subject.split('/').length - 1];
  const series: Series | undefined = table?.get(subject);
  const counted = series && (modes.includes('maintenance') ? withMaintenance(series.totals) : series.totals);
  if (e.what === 'slots') {
    const slots = series?.slots ?? new Array<undefined>(e.last - e.first + 1).fill(undefined);
    expect(slots.map(showSlot).join(' '), at).toBe(expand(e.expected));
  } else if (e.what === 'totals') {
    expect(counted && showTotals(counted), at).toBe(e.expected);
  } else {
    const { incomplete, ...texts } = printedUptime(counted ?? { up: 0, down: 0, unknown: 0 });
    const share = printedShare(counted ?? { requests: 0, succeeded: 0 });
    const all = { ...texts, ...(share ? { share } : {}), ...(incomplete ? { incomplete } : {}) };
    const shown = Object.entries(all).map(([key, value]) => `${key}=${String(value).replace(' ', '')}`);
    expect(shown.join(' '), at).toBe(e.expected);
  }
}

function showSlot(slot: Slot | undefined): string {
  if (!slot) return 'none';
  const { state, cause, degraded, stalled, maintenance } = slot;
  const marks = [cause, degraded && 'degraded', stalled && 'stalled', maintenance && 'maintenance'];
  return [state, ...marks.filter(Boolean)].join(':');
}

/** `up*3 down` is `up up up down`. */
function expand(expected: string): string {
  return expected
    .split(/\s+/)
    .flatMap((word) => {
      const [slot = '', times = '1'] = word.split('*');
      return new Array<string>(Number(times)).fill(slot);
    })
    .join(' ');
}

const shownCounts = {
  up: 'up',
  down: 'down',
  unknown: 'unknown',
  stalled: 'stalled',
  degraded: 'degraded',
  unknownNoData: 'noData',
  unknownSplit: 'split',
  unknownProbe: 'probe',
  unknownClock: 'clock',
} as const;

function showTotals(
  totals: Counts & { readonly maintenance: number; readonly inMaintenance: Counts },
): string {
  const show = (counts: Counts, prefix: string): string[] =>
    Object.entries(shownCounts)
      .filter(([key]) => counts[key as keyof Counts] > 0)
      .map(([key, word]) => `${prefix}${word}=${counts[key as keyof Counts]}`);
  const maintenance = totals.maintenance > 0 ? [`maintenance=${totals.maintenance}`] : [];
  return [...show(totals, ''), ...maintenance, ...show(totals.inMaintenance, 'maintenance.')].join(' ');
}
