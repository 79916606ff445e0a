import { expect, it } from 'vitest';
import type { Monitor } from '@highwater/config/model.ts';
import { crowded } from './crowded.ts';

const monitor = (more: Partial<Monitor> = {}): Monitor => ({
  id: 's/n/c',
  service: 's',
  node: 'n',
  check: 'c',
  kind: 'http',
  intervalMs: 30_000,
  timeoutMs: 10_000,
  confirm: { fall: 2, rise: 2, recheckAfterMs: 1_000 },
  regions: ['eu', 'us'],
  counts: true,
  settings: {},
  target: { url: 'https://pool.example/a', headers: {}, allowPrivate: false },
  ...more,
});
const at = (count: number, more: Partial<Monitor> = {}) => Array.from({ length: count }, () => monitor(more));
const elsewhere = { settings: { port: 8545 } };

it.each([
  ['as many as there is time for', at(6), []],
  ['as many in tenths', at(20, { timeoutMs: 3_000 }), []],
  ['one more', at(7), ['pool.example:443']],
  ['the others at another port', [...at(6), ...at(6, elsewhere)], []],
  ['the others in another region', [...at(4, { regions: ['eu'] }), ...at(4, { regions: ['us'] })], []],
  ['each at longer intervals', at(7, { intervalMs: 60_000 }), []],
])('%s', (_, monitors, places) => {
  const told = crowded(monitors);
  expect(told.map((line) => line.split(': ')[1])).toEqual(places);
});

it('says how many there would be at once, and what to do', () => {
  expect(crowded(at(8))).toEqual([
    'warning: pool.example:443: when it hangs its checks need 2.7 at once (the sum of timeout / every), and at most 2 ' +
      'ask one address and port: the others are skipped; fewer monitors, shorter timeouts or longer intervals for it',
  ]);
});
