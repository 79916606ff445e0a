/** What is kept of a shard must be enough: one that is loaded before each look decides as one that never was. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey } from '@highwater/config/keys.ts';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../decide/types.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { regions, testHouse } from '../testing/config.ts';
import { watch } from '../watched.ts';
import { judgeShard } from './judge.ts';
import { keptShard, loadShard, newShard, saveShard, type Shard } from './shard.ts';

const { config: house } = testHouse();
// Two probes in each region: where they differ, what the region said before decides.
const second = house.probes.map((probe) => {
  const id = `${probe.region}-2`;
  return { ...probe, id, key: generateSigningKey(id).vkey };
});
const config = { ...house, probes: [...house.probes, ...second] };
const watched = watch(config);
const name = 'chain:devnet';
const services = watched.shards.get(name) ?? [];
const monitors = config.monitors.filter((monitor) => watched.shardOf.get(monitor.service) === name);

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highwater-shard-'));
  store = openSqliteStore(folder);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const turn = fc.record({
  afterMs: fc.constantFrom(300, 1_000, 4_000, 9_000),
  said: fc.array(
    fc.record({
      monitor: fc.nat(2),
      region: fc.constantFrom(...regions),
      which: fc.constantFrom(1, 2),
      outcome: fc.constantFrom('ok' as const, 'fail' as const, 'degraded' as const),
      behind: fc.constantFrom(0, 7, -12),
    }),
    { maxLength: 16 },
  ),
});

function answersAt(now: number, said: typeof turn extends fc.Arbitrary<infer T> ? T : never): Answer[] {
  return said.said.map(({ monitor, region, which, outcome, behind }, i) => ({
    monitor: monitors[monitor]?.id ?? '',
    probe: `${region}-${which}`,
    region,
    dueAt: now - 12 + i,
    receivedAt: now,
    outcome,
    latencyTenths: 10 + i,
    recheck: false,
    ...(outcome === 'ok' ? {} : { fault: 'target.connect.refused' as const, detail: `try ${i}` }),
    ...(monitors[monitor]?.kind === 'head' && outcome !== 'fail'
      ? {
          height: Math.floor(now / 1_000) - behind,
          genesis: 'aaaaaaaa',
          blockAt: 900 * (Math.floor(now / 1_000) - behind),
          checkpoint: { height: 16 * Math.floor(now / 16_000), id: behind === 7 ? 'bbbbbbbb' : 'aaaaaaaa' },
        }
      : {}),
  }));
}

const all = (shard: Shard) =>
  [shard.monitors, shard.nodes, shard.services, shard.chains].map((rows) =>
    [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)),
  );

describe('a shard that is loaded before each look', () => {
  it('decides as one that never was', async () => {
    let flipped = 0;
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 15 }), async (turns) => {
        run += 1;
        const held = newShard(`held ${run}`);
        let now = 1_000_000_000;
        for (const said of turns) {
          now += said.afterMs;
          const loaded = newShard(`loaded ${run}`);
          await loadShard(store, loaded);
          const [one, other] = [held, loaded].map((shard) => {
            const occasion = { answers: answersAt(now, said), woken: 'all' } as const;
            return judgeShard(watched, services, { ...shard, name }, occasion, 0, now);
          });
          expect(other).toEqual(one);
          expect(all(loaded)).toEqual(all(held));
          await store.transact(loaded.name, (tx) => saveShard(tx, loaded));
          keptShard(held);
          flipped += one?.length ?? 0;
        }
      }),
      { numRuns: 60 },
    );
    expect(flipped).toBeGreaterThan(100);
  });
});
