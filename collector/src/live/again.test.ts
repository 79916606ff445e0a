/** Frames that were taken in and not saved are taken in again after a kill, and come to what they came to before. */
import type { Flip } from '@highwater/config/domain.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { regions, testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player } from '../testing/player.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { type Live, openLive } from './heart.ts';
import { cursorOf } from './shard.ts';

const { config, keys } = testHouse(4_000);
const watched = watch(config);

// Without troubles of probes: they are not kept, since the next line tells them again. Blocks come as configured: how
// long they take is learned again in other steps.
const turn = fc.record({
  afterMs: fc.constantFrom(300, 1_000, 4_000, 12_000),
  isKilled: fc.boolean(),
  frames: fc.array(
    fc.record({
      region: fc.constantFrom(...regions),
      lines: fc.array(
        fc.record({
          monitor: fc.constantFrom(...config.monitors),
          outcome: fc.constantFrom('ok', 'ok', 'ok', 'degraded', 'fail', 'fail'),
          behind: fc.constantFrom(0, 0, 0, 7, -12),
          fork: fc.constantFrom('aaaaaaaa', 'aaaaaaaa', 'aaaaaaaa', 'bbbbbbbb'),
        }),
        { maxLength: 8 },
      ),
    }),
    { maxLength: 4 },
  ),
});
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;

function textOf({ monitor, outcome, behind, fork }: Turn['frames'][number]['lines'][number], now: number) {
  const beginning = `${monitor.id} ${now - 20}`;
  const height = Math.floor(now / 1_000) - behind;
  const head =
    monitor.kind === 'head' && outcome !== 'fail'
      ? ` bt=${height * 1_000} cp=${16 * Math.floor(height / 16)}.${fork} g=aaaaaaaa h=${height}`
      : '';
  const fault = outcome === 'ok' ? '-' : 'target.http.status';
  return `${beginning} ${outcome} 12 ${fault}${head}`;
}

/** A store with what follows its frames. */
async function follower(clock: { readonly now: () => number; readonly monotonic: () => number }) {
  const dataDir = newDataDir();
  const store = openSqliteStore(dataDir);
  const open = (): Promise<Live> =>
    openLive({ watched, store, clock, startedAt: 0, flipped: () => undefined, turned: () => undefined });
  let live = await open();
  return {
    store,
    get live() {
      return live;
    },
    async again() {
      live = await open();
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      dropDataDir(dataDir);
    },
  };
}

/** All flips, without their places: those of one look come in any order. */
async function flipsOf(store: Store): Promise<readonly Flip[]> {
  const shards = [...watched.shards.keys()];
  const all = await Promise.all(shards.map((name) => store.read(name, (tx) => tx.flipsAfter(0, 10_000))));
  return all
    .flat()
    .map(({ seq: _, ...flip }) => flip)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** All that is told, and all that later judgements depend on. */
const known = (live: Live): unknown =>
  [...live.shards.values()].map(({ monitors, nodes, services, chains }) => ({
    monitors: [...monitors.entries()]
      .map(([id, { streaks, judgement, verdict }]) => [id, streaks, judgement, verdict] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    nodes: [...nodes.entries()]
      .map(
        ([id, { judgement, verdict, beside }]) =>
          [id, judgement, verdict, beside?.standing?.verdict] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    services: [...services.entries()]
      .map(
        ([id, { judgement, verdict, component }]) =>
          [id, judgement, verdict, component.word, component.noDataSince] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    chains: [...chains.entries()].map(([, { verdict, isStalled, forks }]) => [verdict, isStalled, forks]),
  }));

describe('a collector that is killed between saves', () => {
  it('gives the same flips and knows the same as one that never was', async () => {
    let [flipped, again] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 20 }), async (turns) => {
        let now = 1_800_000_000_000;
        const clock = { now: () => now, monotonic: () => now };
        await using whole = await follower(clock);
        await using killed = await follower(clock);
        const players = Object.fromEntries(regions.map((id) => [id, player(config.origin, keys[id])]));
        let frame = 0;
        for (const { afterMs, isKilled, frames } of turns) {
          now += afterMs;
          for (const { region, lines } of frames) {
            const note = players[region]?.frame(lines.map((line) => textOf(line, now))) ?? '';
            frame += 1;
            const row = { probe: `${region}-1`, epoch: 0, frame, receivedAt: now, note };
            for (const { store } of [whole, killed])
              await store.transact(LOG_SHARD, (tx) => tx.addFrame(row));
          }
          await whole.live.beat();
          for (const shard of killed.live.shards.values()) again += cursorOf(shard) - shard.savedCursor;
          await (isKilled ? killed.again() : killed.live.beat());
          expect(known(killed.live)).toEqual(known(whole.live));
          expect(await flipsOf(killed.store)).toEqual(await flipsOf(whole.store));
        }
        flipped += (await flipsOf(whole.store)).length;
      }),
      { numRuns: Number(process.env['RUNS'] ?? 15), endOnFailure: process.env['RUNS'] !== undefined },
    );
    expect(flipped).toBeGreaterThan(30);
    // It was in memory alone, so it was really taken in again.
    expect(again).toBeGreaterThan(10);
  }, 60_000);
});

it('what need not be saved at once is saved after five minutes, after 2,000 frames, and at rest', async () => {
  let now = 1_800_000_000_000;
  await using one = await follower({ now: () => now, monotonic: () => now });
  const eu = player(config.origin, keys.eu);
  let frame = 0;
  /** A quiet second: what it says changes nothing but when it was said. */
  const come = async (count: number): Promise<number> => {
    now += 1_000;
    await one.store.transact(LOG_SHARD, async (tx) => {
      for (let i = 0; i < count; i += 1) {
        frame += 1;
        const note = eu.frame(i === 0 ? [`web/main/http ${now} ok 12 -`] : []);
        await tx.addFrame({ probe: 'eu-1', epoch: 0, frame, receivedAt: now, note });
      }
    });
    let more = true;
    while (more) ({ more } = await one.live.beat());
    return one.live.position();
  };
  await come(1);
  await one.live.rest();
  expect(one.live.position()).toBe(1);
  expect(await come(2)).toBe(1);
  for (let second = 3; second < 300; second += 1) await come(1);
  const before = one.live.position();
  now += 2_000;
  expect([before, await come(1)]).toEqual([1, frame]);
  expect(await come(1_990)).toBe(frame - 1_990);
  expect(await come(10)).toBe(frame);
});
