/** What changes minutes that were counted and written, what must not, and what comes again after a restart. */
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { formatMaintLeaf, formatProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { beforeEach, expect, it } from 'vitest';
import { append } from '../leaves/leaves.ts';
import { type MemoryStore, memoryStore } from '../testing/memory-store.ts';
import {
  blobs,
  blocksOf,
  clockAt,
  commit,
  config,
  declare,
  FIRST,
  keys,
  LENGTH,
  linesOf,
  NOW,
  operator,
  seed,
  smallConfig,
  watched,
} from '../testing/small-house.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { slotOfByte } from './byte.ts';
import { decodeDay } from './day.ts';
import { openSlots, type Slots } from './slots.ts';

const LAST = FIRST + LENGTH - 1;
let store: MemoryStore;
let configHash: string;
let now: number;
const clock = clockAt(() => now);
const opened = (): Slots => openSlots(watched, store, blobs, clock);

beforeEach(async () => {
  store = memoryStore();
  configHash = await declare(store);
  now = NOW;
});

/** A batch a minute of the first probe: the others' regions have reached nothing, so that leaves may go back. */
async function sayAll(): Promise<void> {
  for (const [minute, lines] of Map.groupBy(linesOf([0, 1, 2]), (line) => line.minute)) {
    const own = lines.filter(({ probe }) => probe === 0).map(({ text }) => text);
    await commit(store, configHash, { probe: 0, epoch: 0, number: minute, lines: own });
  }
}

async function leaf(kind: 'maint' | 'probe', text: string): Promise<void> {
  await store.transact(LOG_SHARD, (tx) => append(tx, { key: operator, at: now }, kind, text));
}

/** What those who read the same log from its beginning have. */
const afresh = async (): Promise<Record<string, string>> => {
  const slots = openSlots(watched, store.copy(), blobs, clock);
  await slots.beat();
  return blocksOf(slots);
};

async function slotOf(slots: Slots, subject: string, minute: number, plane = '') {
  const shard = watched.shardOf.get(subject.split('/')[0] ?? '') ?? '';
  const block = await slots.block(shard, 'slots', Math.floor(minute / MINUTES_PER_DAY), subject);
  const byte = block && decodeDay(block).get(plane)?.slots[minute % MINUTES_PER_DAY];
  return slotOfByte(byte ?? 0);
}

it('a maintenance and a revocation that go back are laid over what was counted', async () => {
  await sayAll();
  const slots = opened();
  await slots.beat();
  await slots.flush();
  const { origin } = config;
  expect(await slotOf(slots, 'rpc/a/head', FIRST + 2, 'eu')).toMatchObject({
    state: 'up',
    maintenance: false,
  });
  await leaf(
    'maint',
    formatMaintLeaf({ act: 'declare', origin, from: FIRST + 2, last: FIRST + 3, subjects: ['rpc/a'] }),
  );
  await slots.beat();
  const covered = [FIRST + 1, FIRST + 2, FIRST + 3, LAST].map((minute) =>
    slotOf(slots, 'rpc/a', minute, 'eu'),
  );
  expect((await Promise.all(covered)).map((slot) => slot?.maintenance)).toEqual([false, true, true, false]);
  expect(await blocksOf(slots)).toEqual(await afresh());

  const [eu] = config.probes;
  if (eu === undefined) throw new Error('no probe');
  const { id: probe, region, key, operator: runBy } = eu;
  await leaf(
    'probe',
    formatProbeLeaf({ origin, act: 'revoke', probe, region, key, operator: runBy, from: LAST }),
  );
  // Whoever starts anew judges it from what was written.
  await slots.flush();
  const again = opened();
  await again.beat();
  expect(await slotOf(again, 'rpc/a/head', LAST, 'eu')).toBeUndefined();
  expect(await slotOf(again, 'rpc/a/head', LAST - 1, 'eu')).toMatchObject({ state: 'up' });
  expect(await blocksOf(again)).toEqual(await afresh());
});

it('a service that a configuration takes back to its first minute has no blocks of slots left', async () => {
  await sayAll();
  const slots = opened();
  await slots.beat();
  await slots.flush();
  const of = async (own: Slots): Promise<string[]> =>
    Object.keys(await blocksOf(own)).filter((place) => / web/.test(place) && /^(slots|totals) /.test(place));
  expect((await of(slots)).length).toBeGreaterThan(2);
  const without = {
    ...config,
    services: config.services.filter(({ id }) => id !== 'web'),
    monitors: config.monitors.filter(({ service }) => service !== 'web'),
  };
  await declare(store, without, FIRST);
  await slots.beat();
  expect(await of(slots)).toEqual([]);
  expect(await blocksOf(slots)).toEqual(await afresh());
  await slots.flush();
  expect(await of(opened())).toEqual([]);
});

it('what cannot be read again stays as it was counted', async () => {
  await sayAll();
  const slots = opened();
  await slots.beat();
  await slots.flush();
  const before = await blocksOf(slots);
  for (const { index } of await store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 1_000))) {
    await store.transact(LOG_SHARD, (tx) => tx.addBodies(index, []));
  }
  const { origin } = config;
  await leaf(
    'maint',
    formatMaintLeaf({ act: 'declare', origin, from: FIRST, last: LAST, subjects: ['rpc'] }),
  );
  const again = opened();
  await again.beat();
  expect(await blocksOf(again)).toEqual(before);
});

it('ids that a key makes up, and keys that nobody configured, make no subjects', async () => {
  const at = (FIRST + 1) * MINUTE_MS;
  const made = Array.from({ length: 50 }, (_, i) => `rpc/n${10 + i}/head ${at} ok 100 - h=7`);
  const lines = [`rpc/a/head ${at} ok 100 - h=70`, ...made, `rpc/zzz/zzz ${at} ok 1 - m.eth_call=4`];
  await commit(store, configHash, { probe: 0, epoch: 0, number: 0, lines });
  const signer = generateSigningKey('eu-1');
  await commit(store, configHash, { probe: 0, epoch: 0, number: 1, lines, signer });
  const slots = opened();
  await slots.beat();
  const subjects = new Set(Object.keys(await blocksOf(slots)).map((place) => place.split(' ')[2]));
  const known = new Set(
    config.monitors.flatMap(({ id, service, node }) => [service, `${service}/${node}`, id]),
  );
  expect([...subjects].filter((subject) => !known.has(subject ?? ''))).toEqual([]);
  expect(Object.keys(await blocksOf(slots))).toContain(`latency ${Math.floor((FIRST + 1) / 60)} rpc/a eu`);
  // Of one that is configured later nothing is taken up of before.
  const more = { ...config, monitors: config.monitors.map((m) => ({ ...m })) };
  const [model] = more.monitors;
  if (model === undefined) throw new Error('no monitor');
  await declare(store, {
    ...more,
    monitors: [...more.monitors, { ...model, node: 'b', check: 'zzz', id: 'rpc/b/zzz' }],
  });
  const blocks = await blocksOf(slots);
  await slots.beat();
  const lineViews = (all: Record<string, string>) =>
    Object.entries(all).filter(([place]) => !/^(slots|totals) /.test(place));
  expect(lineViews(await blocksOf(slots))).toEqual(lineViews(blocks));
});

it('windows of a day go on after a restart, and a late line is judged with all of its day', async () => {
  const daily = smallConfig(() => 86_400_000);
  const start = FIRST + 2;
  const play = async (isRestarted: boolean): Promise<Record<string, string>> => {
    store = memoryStore();
    configHash = await declare(store, daily, start);
    now = (start + 5) * MINUTE_MS;
    let slots = openSlots(watch(daily), store, blobs, clock);
    const say = async (probe: number, isLate: boolean): Promise<void> => {
      const { name } = keys[probe] ?? { name: '' };
      for (const [number, { id, intervalMs }] of daily.monitors.entries()) {
        const phase = phaseMs(seed, id, name, intervalMs, sha256);
        const at = nextDueAt(start * MINUTE_MS - 1, phase, intervalMs);
        if (!isLate) now = Math.max(now, at + 2 * MINUTE_MS);
        await commit(store, configHash, { probe, epoch: 0, number, lines: [`${id} ${at} ok 100 - h=70`] });
        if (isRestarted) {
          await slots.flush();
          slots = openSlots(watch(daily), store, blobs, clock);
        }
        await slots.beat();
      }
    };
    await say(0, false);
    now = (start + MINUTES_PER_DAY + 20) * MINUTE_MS;
    await say(1, true);
    expect(await slotOf(slots, 'web/main/http', start + 7)).toMatchObject({ state: 'up' });
    return blocksOf(slots);
  };
  const plain = await play(false);
  expect(await play(true)).toEqual(plain);
  const fresh = openSlots(watch(daily), store.copy(), blobs, clock);
  await fresh.beat();
  expect(await blocksOf(fresh)).toEqual(plain);
});
