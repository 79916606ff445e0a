/**
 * A service that leaves a shard, for another or for good: what was counted of it under its former configuration stays what
 * the rule says (config/src/proof/rule/evaluate.ts), and is told, whatever comes late.
 */
import { sha256 } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { evaluate } from '@highwater/config/proof/rule/evaluate.ts';
import { dayOfMinute, MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { openLedger } from '../answers/ledger.ts';
import { uptimeOf } from '../answers/uptime.ts';
import { followedShards, namesEver } from '../rebuild/shards.ts';
import { signerOf, signerOfKey } from '../signer.ts';
import { type MemoryStore, memoryStore } from '../testing/memory-store.ts';
import {
  blobs,
  clockAt,
  commit,
  declare,
  FIRST,
  keys,
  operator,
  seed,
  smallConfig,
} from '../testing/small-house.ts';
import { LOG_SHARD, shardNameOf, watch } from '../watched.ts';
import { slotOfByte } from './byte.ts';
import { decodeDay } from './day.ts';
import { openSlots, type Slots } from './slots.ts';

/** Minutes that are played; the service leaves in the middle of them, and of windows of all lengths but the shortest. */
const LENGTH = 26;
const LEFT = FIRST + 11;
const LAST = FIRST + LENGTH - 1;
const views = ['slots', 'totals', 'latency', 'latency-days', 'heads'] as const;

let store: MemoryStore;
let now: number;
const clock = clockAt(() => now);

beforeEach(() => {
  store = memoryStore();
});

const without = (id: string, config: Config): Config => ({
  ...config,
  services: config.services.filter((service) => service.id !== id),
  monitors: config.monitors.filter(({ service }) => service !== id),
});

/** The service `web` as one of the chain. */
const chained = (config: Config): Config => ({
  ...config,
  services: config.services.map((each) => (each.id === 'web' ? { ...each, chain: 'devnet' } : each)),
  monitors: config.monitors.map((each) => (each.service === 'web' ? { ...each, chain: 'devnet' } : each)),
});

const oftener = (config: Config): Config => ({
  ...config,
  monitors: config.monitors.map((each) => ({ ...each, intervalMs: 30_000 })),
});

function linesIn(config: Config, probe: number, minute: number): string[] {
  const end = (minute + 1) * MINUTE_MS;
  return config.monitors.flatMap(({ id, intervalMs }) => {
    const phase = phaseMs(seed, id, keys[probe]?.name ?? '', intervalMs, sha256);
    const lines: string[] = [];
    for (let at = nextDueAt(minute * MINUTE_MS - 1, phase, intervalMs); at < end;) {
      lines.push(`${id} ${at} ${minute % 5 === 3 ? 'fail 5 target.connect.refused' : 'ok 100 - h=70'}`);
      at = nextDueAt(at, phase, intervalMs);
    }
    return lines;
  });
}

async function say(config: Config, hash: string, probe: number, minute: number): Promise<void> {
  const lines = linesIn(config, probe, minute);
  if (lines.length > 0) await commit(store, hash, { probe, epoch: 0, number: minute, lines });
}

/** What the rule says of every subject, by minute and plane, from all that was committed. */
async function ruled(): Promise<Record<string, string>> {
  const bodies = new Map<string, string>();
  const leaves = await store.read(LOG_SHARD, async (tx) => {
    const commits = await tx.commitsFrom(0, 10_000);
    for (const { index } of commits) {
      for (const { hash, text } of (await tx.heldBodies(index)) ?? []) bodies.set(hash, text);
    }
    return commits.map(({ index, note, hash, body }) => {
      if (body !== undefined) bodies.set(encodeBase64(sha256(utf8(body))), body);
      const parsed = parseNote(note);
      if ('error' in parsed) throw new Error(parsed.error);
      const own = keys.find(({ vkey }) => signerOfKey(vkey) === signerOf(note)) ?? operator;
      return { index, key: own.vkey, hash, text: parsed.text };
    });
  });
  const told = evaluate({ leaves, bodies }, { first: FIRST, last: LAST }, sha256);
  const slots: Record<string, string> = {};
  for (const [subject, result] of [...told.services, ...told.nodes, ...told.monitors]) {
    for (const [i, slot] of result.slots.entries()) if (slot) slots[`${subject} ${i}`] = slot.state;
  }
  return slots;
}

/** What the blocks say, all shards together: two that hold the same minute would be told as two. */
async function counted(slots: Slots): Promise<Record<string, string>> {
  const told: Record<string, string> = {};
  for (const shard of await namesEver(store)) {
    const rows = await slots.blocks(shard, 'slots', dayOfMinute(FIRST), dayOfMinute(LAST));
    for (const { period, subject, block } of rows) {
      for (const [i, byte] of (decodeDay(block).get('')?.slots ?? []).entries()) {
        const minute = period * MINUTES_PER_DAY + i;
        const slot = slotOfByte(byte);
        if (slot === undefined || minute < FIRST || minute > LAST) continue;
        const place = `${subject} ${minute - FIRST}`;
        told[place] = place in told ? `${told[place]}, and in ${shard} ${slot.state}` : slot.state;
      }
    }
  }
  return told;
}

async function blocksOf(slots: Slots, shard: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const view of views) {
    for (const { period, subject, block } of await slots.blocks(shard, view, 0, 1_000_000)) {
      all[`${view} ${period} ${subject}`] = Buffer.from(block).toString('hex');
    }
  }
  return all;
}

describe.each<[string, (config: Config) => Config, (config: Config) => Config]>([
  ['that is taken out', (config) => config, (config) => without('web', config)],
  ['that is the last of its chain', (config) => config, (config) => without('rpc', config)],
  ['that is taken out of its chain', chained, (config) => without('web', config)],
  ['that leaves its chain', chained, (config) => config],
  ['that joins a chain', (config) => config, chained],
  ['that leaves its chain and is asked more often', chained, oftener],
  ['that joins a chain and is asked more often', (config) => config, (config) => chained(oftener(config))],
])('a service %s', (_, first, second) => {
  it.each([30_000, 120_000, 600_000, 1_200_000].flatMap((everyMs) => [0, 1].map((late) => [everyMs, late])))(
    'is what the rule says, and made again the same: asked every %i ms, late batches %i',
    async (everyMs = 0, late = 0) => {
      const base = smallConfig((id) => (id.startsWith('web') ? everyMs : 30_000));
      const [former, latter] = [first(base), second(base)];
      const hash = await declare(store, former);
      let [config, ran] = [former, hash];
      let slots = openSlots(watch(former), store, blobs, clock);
      for (let minute = FIRST; minute <= LAST; minute += 1) {
        if (minute === LEFT) {
          ran = await declare(store, latter, LEFT);
          config = latter;
          await slots.flush();
          slots = openSlots(watch(latter), store, blobs, clock);
        }
        // One probe's batches come at once but for some, which come late; so do all of the other's before the change.
        if (late === 0 || minute % 4 !== 2) await say(config, ran, 0, minute);
        if (late === 0 || minute >= LEFT) await say(config, ran, 1, minute);
        now = (minute + 1) * MINUTE_MS + 20_000;
        await slots.beat();
        if (minute % 3 === 0) await slots.flush();
      }
      now = (LAST + 40) * MINUTE_MS;
      await slots.beat();
      for (let minute = FIRST; late > 0 && minute <= LAST; minute += 1) {
        const isFormer = minute < LEFT;
        if (minute % 4 === 2) await say(isFormer ? former : latter, isFormer ? hash : ran, 0, minute);
        if (isFormer) await say(former, hash, 1, minute);
      }
      await slots.beat();
      await slots.flush();
      expect(await counted(slots)).toEqual(await ruled());
      const followed = await followedShards(store, await namesEver(store));
      const shards = [former, latter].flatMap((each) => each.services.map(shardNameOf));
      expect(followed.map(({ shard }) => shard)).toEqual([...new Set(shards)].sort());
      for (const { shard } of followed) {
        const again = openSlots(watch(latter), store.copy(), blobs, clock, undefined, { only: shard });
        await again.beat();
        expect(await blocksOf(again, shard)).toEqual(await blocksOf(slots, shard));
      }
    },
  );

  it('is told of all of its minutes', async () => {
    const base = smallConfig(() => 30_000);
    const [former, latter] = [first(base), second(base)];
    const hash = await declare(store, former);
    for (const minute of [FIRST, FIRST + 1, FIRST + 2]) {
      for (const probe of [0, 1]) await say(former, hash, probe, minute);
    }
    const ran = await declare(store, latter, FIRST + 3);
    for (const probe of [0, 1]) await say(latter, ran, probe, FIRST + 4);
    now = (FIRST + 30) * MINUTE_MS;
    const slots = openSlots(watch(latter), store, blobs, clock);
    await slots.beat();
    const parts = { watched: watch(latter), ledger: openLedger(slots), clock };
    const told = Object.entries(await ruled());
    for (const subject of ['web/main', 'rpc/a']) {
      const up = told.filter(([place, state]) => place.startsWith(`${subject} `) && state === 'up').length;
      expect(up).toBeGreaterThan(1);
      for (const period of ['24h', '7d']) {
        expect((await uptimeOf(parts, { subject, range: { period } }))?.totals.up).toBe(up);
      }
    }
  });
});
