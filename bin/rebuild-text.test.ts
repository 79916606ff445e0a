import { expect, it } from 'vitest';
import { rebuiltText } from './commands/rebuild.ts';
import { periodText } from './period-text.ts';
import { timeLeft } from './time-left.ts';

it.each([
  ['slots', 20_000, '2024-10-04'],
  ['latency-days', 20_000, '2024-10-04'],
  ['heads', 0, '1970-01-01 00:00'],
  ['latency', 20_000 * 24 + 7, '2024-10-04 07:00'],
  ['totals', 2024 * 12 + 11, '2024-12'],
  ['slots', 2 ** 40, '1099511627776'],
] as const)('a period of %s: %i is %s', (view, period, text) => {
  expect(periodText(view, period)).toBe(text);
});

it('tells how long it still takes, once that can be told', () => {
  let now = 5_000;
  const left = timeLeft(() => now);
  expect(left(1, 100)).toBe('');
  now += 10_000;
  expect(left(0, 100)).toBe('');
  expect(left(10, 100)).toBe(', about 90 s left');
  expect(left(1, 100)).toBe(', about 17 min left');
  expect(left(100, 100)).toBe('');
});

it('tells what differs, and what puts it right', () => {
  const rebuilt = { shards: 1, commits: 9, days: 40, keptDays: 3, damaged: [], differences: [] };
  const one = { shard: 's', view: 'slots', period: 20_000, subject: 'web/main', found: 'missing' } as const;
  const text = (count: number, isCheck: boolean) =>
    rebuiltText({ ...rebuilt, differences: Array.from({ length: count }, () => one) }, isCheck, '/srv/hw');
  expect(text(0, true)).toEqual([
    'followed  9 commits in 1 shard, 40 days',
    'kept      3 of these days: their bodies can not be read, so they stay as they are',
    'equal     the other 37 days: every block is what the log gives, byte by byte',
  ]);
  const damaged = [
    { service: 'rpc', day: 20_000, pack: 'packed/2024-10-04/rpc/0', says: 'it ends too early' },
  ];
  expect(rebuiltText({ ...rebuilt, damaged }, true, '/srv/hw')[2]).toBe(
    'damaged   pack of rpc, 2024-10-04 (blobs/packed/2024-10-04/rpc/0): it ends too early',
  );
  expect(rebuiltText({ ...rebuilt, keptDays: 0 }, true, '/srv/hw').at(-1)).toBe(
    'equal     every block is what the log gives, byte by byte',
  );
  expect(text(1, true).slice(2)).toEqual([
    'missing   slots of 2024-10-04: web/main',
    expect.stringMatching(/^differ {4}1 blocks; .* rebuild --data \/srv\/hw puts them right$/),
  ]);
  expect(text(23, false).slice(-2)).toEqual([
    '          and 3 more (--json tells all)',
    'put right 23 blocks in /srv/hw',
  ]);
});
