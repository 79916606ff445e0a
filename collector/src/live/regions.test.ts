/** What is told of regions, from frames and batches as they come, with a clock that the test moves. */
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { regions as regionIds, testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player } from '../testing/player.ts';
import { watch } from '../watched.ts';
import { arrivedIn, saidIn } from './answers.ts';
import { judgeShard } from './judge.ts';
import { openRegions, type Regions, tallies } from './regions.ts';
import { newShard, type Shard } from './shard.ts';

const { config, keys } = testHouse(10_000);
const watched = watch(config);
const start = 29_000_000 * MINUTE_MS;
let now = start;
const clock = { now: () => now, monotonic: () => now };
let folder: string;
let store: Store;
let shards: Map<string, Shard>;
let regions: Regions;
let players: Record<string, ReturnType<typeof player>>;

beforeEach(async () => {
  now = start;
  folder = newDataDir();
  store = openSqliteStore(folder);
  shards = new Map([...watched.shards.keys()].map((name) => [name, newShard(name)]));
  regions = await openRegions(watched, store, clock);
  players = Object.fromEntries(regionIds.map((id) => [id, player(config.origin, keys[id])]));
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

type Says = (region: string, monitor: string) => string;
const well: Says = () => 'ok 12 -';

/** Rounds of ten seconds in which each probe says something of each monitor, by its own clock. */
async function rounds(
  count: number,
  says: Says,
  aheadMs: (region: string) => number = () => 0,
): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    now += 10_000;
    for (const region of regionIds) {
      const dueAt = now + aheadMs(region) - 500;
      const lines = config.monitors.map(({ id }) => `${id} ${dueAt} ${says(region, id)}`);
      const note = players[region]?.frame(lines) ?? '';
      const frame = { pos: 1, probe: `${region}-1`, epoch: 0, frame: 0, receivedAt: now, note };
      const { answers, troubles } = saidIn(watched, arrivedIn(frame));
      for (const [name, shard] of shards) {
        const isOurs = ({ monitor }: { readonly monitor: string }) =>
          watched.shardOf.get(watched.monitors.get(monitor)?.service ?? '') === name;
        const occasion = {
          answers: answers.filter(isOurs),
          troubles: troubles.filter(isOurs),
          woken: new Set<string>(),
        };
        judgeShard(watched, watched.shards.get(name) ?? [], shard, occasion, start, now);
      }
    }
    await regions.beat(shards.values());
  }
}
const told = () => regionIds.map((id) => regions.ofRegion(id)?.state ?? 'well').join(' ');
const statuses = () =>
  [...shards.values()].flatMap((shard) => [...shard.services.entries()].map(([, row]) => row.verdict.status));

describe('a region is unwell', () => {
  it('offline while its controls fail, and well again a minute after they answer; no outage is raised', async () => {
    await rounds(3, well);
    expect(told()).toBe('well well well');
    const since = now + 10_000;
    const cut: Says = (region) => (region === 'eu' ? 'fail 0 probe.control.failed' : 'ok 12 -');
    await rounds(6, cut);
    expect(told()).toBe('offline well well');
    expect(regions.ofRegion('eu')).toEqual({
      state: 'offline',
      since,
      because: 'its probe is offline; its answers do not count',
    });
    expect(regions.ofProbe('eu-1')?.state).toBe('offline');
    expect(new Set(statuses())).toEqual(new Set(['up']));
    await rounds(5, well);
    expect(told()).toBe('offline well well');
    await rounds(3, well);
    expect(told()).toBe('well well well');
  });

  it('offline in part while its controls fail and some of its checks still answer, on loopback', async () => {
    await rounds(3, well);
    const one = config.monitors[0]?.id;
    const cut: Says = (region, id) =>
      region === 'eu' && id === one ? 'fail 0 probe.control.failed' : 'ok 12 -';
    await rounds(6, cut);
    expect(told()).toBe('offline well well');
    expect(regions.ofRegion('eu')?.because).toBe(
      `the controls of its probe fail; 1 of ${config.monitors.length} checks does not count`,
    );
    await rounds(8, well);
    expect(told()).toBe('well well well');
  });

  it('apart where it has no controls and sees alone what the others do not', async () => {
    await rounds(3, well);
    const cut: Says = (region) => (region === 'eu' ? 'fail 0 target.connect.timeout' : 'ok 12 -');
    await rounds(8, cut);
    expect(told()).toBe('apart well well');
    expect(regions.ofRegion('eu')?.because).toBe(
      'it sees 4 of 4 nodes as down that the other regions see up',
    );
    expect(new Set(statuses())).toEqual(new Set(['up']));
  });

  it('not when what it sees is what all see', async () => {
    await rounds(3, well);
    await rounds(8, () => 'fail 0 target.connect.refused');
    expect(told()).toBe('well well well');
    expect(new Set(statuses())).toEqual(new Set(['down']));
  });

  it('by a clock that is an hour ahead, at the first round; when that is right again its answers count at once', async () => {
    await rounds(3, well);
    // What it would say of heads with such a clock must raise nothing, whoever agrees with it.
    const old: Says = (region) => (region === 'eu' ? 'ok 12 -' : 'fail 0 target.head.old');
    await rounds(8, old, (region) => (region === 'eu' ? 0 : 3_600_000));
    expect(told()).toBe('well clock clock');
    expect(statuses()).not.toContain('down');
    await rounds(9, well);
    expect(told()).toBe('well well well');
    expect(new Set(statuses())).toEqual(new Set(['up']));
  });

  it('but not by lines at addresses that are slow: that says nothing of the probe', async () => {
    await rounds(9, (region) => (region === 'sg' ? 'skipped 0 probe.schedule.busy' : 'ok 12 -'));
    expect(told()).toBe('well well well');
  });

  it.each([
    ['the bound of its batches', 3_600_000, 0],
    ['a batch that is refused as ahead', 3, 60],
    ['a clock that is not compared', -1, 0],
  ])('by %s', async (_, boundMs, aheadMinutes) => {
    await rounds(3, well);
    const minute = Math.floor(now / MINUTE_MS) + aheadMinutes;
    const batch = players['us']?.batch({ config: ZERO_HASH, minute, only: () => false, boundMs }).batch;
    if (batch === undefined) throw new Error('no player');
    regions.closed(batch);
    await rounds(4, well);
    expect(told()).toBe('well clock well');
    // The same one again, later, is no news.
    now += 11 * MINUTE_MS;
    regions.closed(batch);
    await rounds(9, well);
    expect(told()).toBe('well well well');
  });

  it('by what is fresh alone: the last word of a probe that has long said nothing more is none', async () => {
    await rounds(1, (region) => (region === 'eu' ? 'fail 0 probe.control.failed' : 'ok 12 -'));
    const ofEu = (at: number) => tallies(watched, shards.values(), at).get('eu-1');
    const count = config.monitors.length;
    const freshMs = Math.max(...[...watched.policies.values()].map((policy) => policy.freshMs));
    expect(ofEu(now)).toMatchObject({ words: count, offline: { count } });
    expect(ofEu(now + freshMs - 1)).toMatchObject({ words: count, offline: { count } });
    expect(ofEu(now + freshMs)).toMatchObject({ words: 0, offline: { count: 0 } });
  });

  it('and is so after a restart of the collector', async () => {
    const cut: Says = (region) => (region === 'sg' ? 'skipped 0 probe.loop.suspended' : 'ok 12 -');
    await rounds(6, cut);
    const before = regions.ofRegion('sg');
    expect(before?.state).toBe('late');
    regions = await openRegions(watched, store, clock);
    expect(regions.ofRegion('sg')).toEqual(before);
    await rounds(1, cut);
    expect(regions.ofRegion('sg')?.since).toBe(before?.since);
  });
});
