import { describe, expect, it } from 'vitest';
import { type Headline, type ReportRow, type ReportState, tellingOf } from './states.ts';

const headline: Headline = { services: [], lines: [], trees: [] };
const made = {
  madeAt: 1,
  leafText: 'x',
  archive: { length: 1, bytes: 1, crc32: 1 },
  headline,
} as const;
const published = {
  phase: 'published',
  madeAt: 1,
  leaf: 'x',
  bytes: 1,
  files: 1,
  headline,
  isTold: false,
} as const;
const logged = { ...made, phase: 'logged', note: 'x', leaf: 'x', index: 1 } as const;
const NOW = 1_000;
const row = (month: string, revision: number, state: ReportState): ReportRow => ({
  month,
  revision,
  version: 1,
  state,
});

describe('of a report that was published', () => {
  it.each<[string, string, ReportRow[]]>([
    ['told', 'alone', []],
    ['told', 'after an earlier month', [row('2026-08', 1, published)]],
    ['untold', 'where a later month is published', [row('2026-10', 1, published)]],
    ['untold', 'where a later month was let go', [row('2026-10', 1, { phase: 'dropped', headline })]],
    ['told', 'where a later month was lost', [row('2026-10', 1, { phase: 'dropped' })]],
    ['told', 'where a later month has nothing', [row('2026-10', 1, { phase: 'nothing' })]],
    ['wait', 'where a later month is due', [row('2026-10', 1, { phase: 'planned', dueAt: NOW, tries: 0 })]],
    [
      'told',
      'where a later month has not settled',
      [row('2026-10', 1, { phase: 'planned', dueAt: NOW + 1, tries: 0 })],
    ],
    ['told', 'where a later month failed', [row('2026-10', 1, { phase: 'planned', dueAt: NOW, tries: 1 })]],
    ['wait', 'where a later month is made', [row('2026-10', 1, { ...made, phase: 'made' })]],
    ['wait', 'where a later month is logged', [row('2026-10', 1, logged)]],
    [
      'told',
      'where a later month could not be finished',
      [row('2026-10', 1, { ...logged, failed: { tries: 1, because: 'x', retryAt: NOW } })],
    ],
  ])('revision 1 is %s %s', (telling, _, others) => {
    const own = row('2026-09', 1, published);
    const rows = [...others, own].sort((a, b) => (a.month < b.month ? -1 : 1));
    expect(tellingOf(rows, own, NOW)).toBe(telling);
  });

  it.each<[string, string, ReportState]>([
    ['told', 'what was published', published],
    ['told', 'what was let go', { phase: 'dropped', headline }],
    ['untold', 'what was lost', { phase: 'dropped' }],
  ])('a revision is %s, of an older month, of %s', (telling, _, first) => {
    const own = row('2026-09', 2, published);
    expect(tellingOf([row('2026-09', 1, first), own, row('2026-10', 1, published)], own, NOW)).toBe(telling);
  });

  it('the newest alone of a year that is made at once', () => {
    const rows = Array.from({ length: 12 }, (_, i) =>
      row(`2026-${String(i + 1).padStart(2, '0')}`, 1, published),
    );
    expect(rows.filter((own) => tellingOf(rows, own, NOW) === 'told')).toEqual([rows[11]]);
  });
});
