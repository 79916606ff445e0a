import { expect, it } from 'vitest';
import { silence } from './silence.ts';

const limit = 120_000;
const opened = silence({ askingSince: 0 }, limit, limit);
if (opened?.type !== 'opened') throw new Error('not opened');
const open = opened.incident;

it.each([
  ['not yet', { askingSince: 0 }, limit - 1, undefined],
  ['it never answered', { askingSince: 0 }, limit, 'opened'],
  ['counted from its last answer', { askingSince: 0, answeredAt: 60_000 }, limit, undefined],
  ['silent since its last answer', { askingSince: 0, answeredAt: 60_000 }, 60_000 + limit, 'opened'],
  ['told once', { askingSince: 0, open }, 10 * limit, undefined],
  ['an answer from before is none', { askingSince: 0, answeredAt: limit, open }, 2 * limit, undefined],
  ['it answers again', { askingSince: 0, answeredAt: limit + 1, open }, 2 * limit, 'resolved'],
  ['after a restart it is not taken for back', { askingSince: 5 * limit, open }, 9 * limit, undefined],
] as const)('%s', (_, hearing, now, expected) => {
  expect(silence(hearing, limit, now)?.type).toBe(expected);
});

it('is an incident of its own since the last answer, and the recovery is the same one', () => {
  expect(open).toMatchObject({ impact: 'major', phase: 'investigating', startedAt: 0, services: [] });
  const back = silence({ askingSince: 0, answeredAt: limit + 5, open }, limit, limit + 9);
  expect(back?.incident).toMatchObject({
    id: open.id,
    key: open.key,
    phase: 'resolved',
    resolvedAt: limit + 5,
  });
});
