import { expect, test } from 'vitest';
import type { PublicBudget } from '@highwater/config/public-detail.ts';
import { budgetView } from './budget.ts';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
const budget: PublicBudget = {
  objective: '99.9 %',
  period: '30d',
  allowedMinutes: 43,
  spentMinutes: 12,
  leftMinutes: 31,
  left: '72.0930 %',
  burn: [],
};

test.each([
  [{}, '12 of 43 minutes that may be down spent, 31 left (72.0930 %).', 12 / 43, false],
  [
    { spentMinutes: 50, leftMinutes: -7, left: '-16.2790 %' },
    '50 of 43 minutes that may be down spent, 7 minutes more than it has.',
    1,
    true,
  ],
  [
    { allowedMinutes: 0, spentMinutes: 0, leftMinutes: 0, left: undefined },
    'What was counted so far allows no whole minute yet, and none was down.',
    0,
    false,
  ],
  [
    { objective: '100 %', allowedMinutes: 0, spentMinutes: 0, leftMinutes: 0, left: undefined },
    'It allows no minute down, and none was.',
    0,
    false,
  ],
  [
    { allowedMinutes: 0, spentMinutes: 1, leftMinutes: -1, left: undefined },
    '1 of 0 minutes that may be down spent, 1 minute more than it has.',
    1,
    true,
  ],
])('%j', (over, text, spentShare, isOverspent) => {
  const view = budgetView({ ...budget, ...over } as PublicBudget);
  expect({ ...view, text: plain(view.text) }).toMatchObject({ text, spentShare, isOverspent, bounds: '' });
});

test('what unknown minutes leave open is said', () => {
  const view = budgetView({ ...budget, leftAtLeastMinutes: -3, leftAtMostMinutes: 31 });
  expect(plain(view.bounds)).toBe('Unknown minutes leave it open: between −3 and 31 minutes left.');
});

test('burn rates are the texts of the collector, or why there is none', () => {
  const view = budgetView({
    ...budget,
    burn: [
      { window: '1h', rate: '14.40' },
      { window: '6h', rate: '1.39', atLeast: '1.39', atMost: '4.17' },
      { window: '1d', none: 'no-data' },
      { window: '3d', none: 'no-budget' },
    ],
  });
  expect(view.burn.map((one) => plain(Object.values(one).join('|')))).toEqual([
    '1 hour|14.40 ×|',
    '6 hours|1.39 ×|between 1.39 and 4.17',
    '1 day|no data|',
    '3 days|no budget|',
  ]);
});
