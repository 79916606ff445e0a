import { type UptimeAnswer, uptimeAnswer } from '@highwater/config/public-detail.ts';
import { expect, it } from 'vitest';
import { uptimeText } from './commands/uptime.ts';

const totals = { up: 900, down: 10, unknown: 0, maintenance: 0, stalled: 0, degraded: 0 };
const noUnknown = { noData: 0, split: 0, probe: 0, clock: 0 };
const counted = {
  totals,
  unknown: noUnknown,
  requests: 1_820,
  succeeded: 1_800,
  uptime: { figure: '98.9010 %', coverage: '100.0000 %', incomplete: false },
  withMaintenance: { figure: '97.0000 %', coverage: '100.0000 %', incomplete: false },
  share: '98.9010 %',
};
const answer: UptimeAnswer = uptimeAnswer.parse({
  version: 1,
  subject: 'rpc',
  firstMinute: 29_700_000,
  lastMinute: 29_701_439,
  ...counted,
  days: [{ date: '2026-06-21', ...counted }],
});

it('tells the figure with what it was counted from, and nothing that there is not', () => {
  expect(uptimeText(answer)).toBe(
    [
      'rpc, as its regions agreed, 2026-06-21 00:00:00 UTC to 2026-06-22 00:00:00 UTC',
      '  uptime    98.9010 %',
      '  coverage  100.0000 %',
      '  minutes   900 up, 10 down, 0 unknown',
      '  requests  98.9010 % of 1820 succeeded',
      '',
    ].join('\n'),
  );
});

it.each<[string, Partial<UptimeAnswer>, string]>([
  ['a region', { region: 'eu' }, 'rpc, as eu alone saw it'],
  ['a control character', { subject: 'rpc\u001b[2J' }, 'rpc\uFFFD[2J,'],
  [
    'unknown minutes by cause',
    { totals: { ...totals, unknown: 7, degraded: 3 }, unknown: { ...noUnknown, split: 5, clock: 2 } },
    '900 up (3 degraded), 10 down, 7 unknown (5 split vote, 2 clock)',
  ],
  [
    'what lies over minutes',
    { totals: { ...totals, maintenance: 4, stalled: 6 } },
    '0 unknown, 4 in maintenance, 6 with the chain stalled',
  ],
  ['the figure with maintenance', { totals: { ...totals, maintenance: 4 } }, 'with maintenance  97.0000 %'],
  ['bounds', { uptime: { ...counted.uptime, atLeast: '97 %', atMost: '99 %' } }, 'bounds    97 % to 99 %'],
  ['little coverage', { uptime: { ...counted.uptime, incomplete: true } }, '98.9010 %  incomplete'],
  [
    'too little coverage',
    { uptime: { coverage: '12.0000 %', incomplete: true } },
    'no figure: too little is known',
  ],
  ['nothing at all', { uptime: { incomplete: false } }, 'nothing was counted'],
  [
    'a budget',
    {
      budget: {
        objective: '99.9 %',
        allowedMinutes: 43,
        spentMinutes: 10,
        leftMinutes: 33,
        left: '76.7441 %',
      },
    },
    'budget    99.9 % allows 43 min: 10 spent, 33 left (76.7441 %)\n',
  ],
  [
    'a budget that is overspent, with its bounds',
    {
      budget: {
        objective: '100 %',
        allowedMinutes: 0,
        spentMinutes: 10,
        leftMinutes: -10,
        leftAtLeastMinutes: -17,
        leftAtMostMinutes: -10,
      },
    },
    '100 % allows 0 min: 10 spent, -10 left; between -17 and -10 min with what is unknown\n',
  ],
])('tells %s', (_what, over, says) => expect(uptimeText({ ...answer, ...over })).toContain(says));

const noBudgetYet = { objective: '99.9 %', allowedMinutes: 0, spentMinutes: 0, leftMinutes: 0 };

it('has a budget that allows nothing yet in words, and none where nothing was counted', () => {
  expect(uptimeText({ ...answer, budget: noBudgetYet })).toContain(
    'budget    99.9 % allows no whole minute yet, and none was down\n',
  );
  expect(
    uptimeText({ ...answer, budget: { ...noBudgetYet, leftAtLeastMinutes: -3, leftAtMostMinutes: 0 } }),
  ).toContain('none was down; between -3 and 0 min with what is unknown\n');
  expect(uptimeText({ ...answer, budget: { ...noBudgetYet, objective: '100 %' } })).toContain(
    '100 % allows no minute, and none was down\n',
  );
  expect(uptimeText({ ...answer, uptime: { incomplete: false }, budget: noBudgetYet })).not.toContain(
    'budget',
  );
});

it('has a line for each day when asked', () => {
  const lines = uptimeText(answer, true).split('\n').slice(-3);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['day', 'uptime', 'coverage', 'up', 'down', 'unknown', 'maintenance', 'stalled'],
    ['2026-06-21', '98.9010 %', '100.0000 %', '900', '10', '0', '0', '0'],
    [''],
  ]);
});
