import { describe, expect, it } from 'vitest';
import { bell } from '../bell.ts';
import { cosignedEnds, cosignedWithinMs, shortageOf } from './ends.ts';
import { planOf, type ReportRow } from './states.ts';

const witness = (id: number, everyMs = 0) => ({ key: `w${id}+0000000${id}+AA==`, everyMs });
const by = (id: number): string =>
  `\u2014 w${id} ${Buffer.concat([Buffer.of(0, 0, 0, id), Buffer.alloc(72)]).toString('base64')}\n`;
const note = (size: number, ...witnesses: readonly number[]): string =>
  `example.com/log/2026\n${size}\n${Buffer.alloc(32).toString('base64')}\n\n${by(9)}${witnesses.map(by).join('')}`;
const witnessed = { quorum: 2, list: [witness(1), witness(2, 3_600_000), witness(3)] };
const never = new AbortController().signal;

describe('the end that a report counts to', () => {
  it('waits for the quorum, and no longer', async () => {
    const shown = [note(5, 1), note(6), note(6, 3), note(6, 3, 1), note(7)];
    let asked = 0;
    const log = {
      years: [{ year: 2026, key: '' }],
      checkpoint: async () => shown[Math.min(asked++, shown.length - 1)],
    };
    const ends = await cosignedEnds(log, witnessed, bell(), never, 60_000);
    expect(ends).toEqual([{ year: 2026, checkpoint: note(6, 3, 1) }]);
    expect(shortageOf(ends, witnessed)).toBeUndefined();
    expect(asked).toBe(4);
  });

  it('is the one with the most cosignatures where too few come, and says how many are short', async () => {
    const shown = [note(5, 1), note(6)];
    let asked = 0;
    const log = {
      years: [{ year: 2026, key: '' }],
      checkpoint: async () => shown[Math.min(asked++, 1)],
    };
    const ends = await cosignedEnds(log, witnessed, bell(), never, 300);
    expect(ends).toEqual([{ year: 2026, checkpoint: note(5, 1) }]);
    expect(shortageOf(ends, witnessed)).toEqual({ cosigned: 1, quorum: 2 });
    expect(shortageOf(ends, undefined)).toBeUndefined();
  });

  it('waits for those that are asked seldom too', () => {
    expect(cosignedWithinMs(witnessed)).toBe(3_690_000);
    expect(cosignedWithinMs({ list: [] })).toBe(90_000);
  });
});

describe('what is planned of a month', () => {
  const headline = { services: [], lines: [], trees: [] };
  const row = (revision: number, state: ReportRow['state']): ReportRow => ({
    month: '2026-10',
    revision,
    version: 3,
    state,
  });
  const planned = (dueAt: number, tries = 0) => ({ phase: 'planned', dueAt, tries }) as const;

  it.each<[string, readonly ReportRow[], ReturnType<typeof planOf>]>([
    ['none yet', [], { revision: 1, version: 0, state: planned(50) }],
    ['planned for then', [row(1, planned(50))], undefined],
    ['planned for another time', [row(1, planned(40))], { revision: 1, version: 3, state: planned(50) }],
    ['one that failed keeps its time', [row(1, planned(40, 2))], undefined],
    ['nothing of it is there', [row(1, { phase: 'nothing' })], undefined],
    ['lost by a restore', [row(1, { phase: 'dropped' })], { revision: 2, version: 0, state: planned(9) }],
    ['let go on purpose', [row(1, { phase: 'dropped', headline })], undefined],
    [
      'the second lost, the first let go',
      [row(1, { phase: 'dropped', headline }), row(2, { phase: 'dropped' })],
      undefined,
    ],
    ['a revision that somebody asked for', [row(1, { phase: 'dropped' }), row(2, planned(7))], undefined],
  ])('%s', (_, own, expected) => {
    expect(planOf(own, 50, 9)).toEqual(expected);
  });
});
