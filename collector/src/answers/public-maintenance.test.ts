import { DAY_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { describe, expect, it } from 'vitest';
import type { Declared } from '../decide/maintenance.ts';
import { testHouse } from '../testing/config.ts';
import { publicMaintenance } from './public-maintenance.ts';

const { config } = testHouse();
const NOW = 1_000_000 * MINUTE_MS;
const minute = NOW / MINUTE_MS;
const one = (id: string, of: string[], over: Partial<Declared> = {}): Declared => ({
  id,
  leaf: id,
  title: 'Canary words',
  body: 'More canary words',
  of,
  from: minute + 10,
  last: minute + 19,
  declaredAt: NOW - 1_000,
  ...over,
});

describe('maintenance that the public may read', () => {
  it('is none of private services alone, and has no words that may be about them', () => {
    expect(publicMaintenance(config, [one('a', ['hidden']), one('b', ['hidden/canary-node'])], NOW)).toEqual(
      [],
    );
    const mixed = publicMaintenance(config, [one('a', ['hidden/canary-node', 'rpc/a', 'web'])], NOW);
    expect(mixed).toMatchObject([{ of: ['rpc/a', 'web'], title: 'Maintenance of Dev RPC, Site' }]);
    expect(JSON.stringify(mixed)).not.toMatch(/canary|hidden/i);
    const told = publicMaintenance(config, [one('a', ['rpc'])], NOW);
    expect(told).toMatchObject([{ title: 'Canary words', body: 'More canary words', state: 'planned' }]);
  });

  it('is in the order of its beginning; what is over stays for 90 days, the newest hundred', () => {
    const over = (ago: number): Declared =>
      one(`over${ago}`, ['rpc'], { from: minute - ago - 1, last: minute - ago - 1 });
    const old = one('old', ['rpc'], { from: 0, last: minute - (90 * DAY_MS) / MINUTE_MS - 1 });
    const gone = one('gone', ['web'], { cancelled: { at: NOW, from: minute + 1 } });
    const all = [one('next', ['rpc']), old, gone, ...Array.from({ length: 120 }, (_, ago) => over(ago))];
    const told = publicMaintenance(config, all, NOW);
    expect(told.map(({ id }) => id)).toEqual([
      ...Array.from({ length: 99 }, (_, i) => `over${98 - i}`),
      'gone',
      'next',
    ]);
    expect(told.slice(-3).map(({ state }) => state)).toEqual(['over', 'cancelled', 'planned']);
  });
});
