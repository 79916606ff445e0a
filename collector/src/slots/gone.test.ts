/** Bodies are let go, and then something changes their past: what they came to stays, and is told as it was counted. */
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { formatMaintLeaf } from '@highwater/config/proof/leaves.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { beforeEach, expect, it } from 'vitest';
import { append } from '../leaves/leaves.ts';
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
import { LOG_SHARD, watch } from '../watched.ts';
import { slotOfByte } from './byte.ts';
import { decodeDay } from './day.ts';
import { openSlots, type Slots } from './slots.ts';

const END = FIRST + 150;
let store: MemoryStore;
let now: number;
const clock = clockAt(() => now);

beforeEach(() => {
  store = memoryStore();
});

function linesAt(config: ReturnType<typeof smallConfig>, minute: number, probe: number): string[] {
  const { name } = keys[probe] ?? { name: '' };
  return config.monitors.flatMap(({ id, intervalMs }) => {
    const at = nextDueAt(minute * MINUTE_MS - 1, phaseMs(seed, id, name, intervalMs, sha256), intervalMs);
    return at < (minute + 1) * MINUTE_MS ? [`${id} ${at} ok 100 - h=70`] : [];
  });
}

/** A follower that has counted and written all that some probes said, and what it stands on. */
async function counted(everyMs: number, probes: readonly number[]) {
  const config = smallConfig(() => everyMs);
  const hash = await declare(store, config);
  for (let minute = FIRST; minute < END; minute += 1) {
    for (const probe of probes) {
      const lines = linesAt(config, minute, probe);
      if (lines.length > 0) await commit(store, hash, { probe, epoch: 0, number: minute, lines });
    }
  }
  now = (END + 200) * MINUTE_MS;
  const open = (): Slots => openSlots(watch(config), store, blobs, clock);
  const slots = open();
  await slots.beat();
  await slots.flush();
  return { config, hash, slots, open };
}

async function letGo(isGone: (number: number) => boolean = () => true): Promise<void> {
  for (const { index, batch } of await store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 1_000))) {
    if (batch !== undefined && isGone(batch.number)) {
      await store.transact(LOG_SHARD, (tx) => tx.addBodies(index, []));
    }
  }
}

/** Of the region `eu`: nobody else has to speak. */
async function statesOf(slots: Slots, subject: string): Promise<string[]> {
  const states: string[] = [];
  for (let minute = FIRST; minute < END; minute += 1) {
    const day = Math.floor(minute / MINUTES_PER_DAY);
    const block = await slots.block('service:web', 'slots', day, subject);
    const byte = block && decodeDay(block).get('eu')?.slots[minute % MINUTES_PER_DAY];
    states.push(slotOfByte(byte ?? 0)?.state ?? 'none');
  }
  return states;
}

it.each([30_000, 600_000, 3_600_000])(
  'a leaf over more minutes than are read at once changes none of them, every %i ms',
  async (everyMs) => {
    const { config, slots, open } = await counted(everyMs, [0]);
    const before = await statesOf(slots, 'web/main');
    expect(before.filter((state) => state === 'up').length).toBeGreaterThan(100);
    await letGo();
    const { origin } = config;
    const subjects = ['rpc', 'web'];
    const text = formatMaintLeaf({ act: 'declare', origin, from: FIRST + 3, last: FIRST + 140, subjects });
    await store.transact(LOG_SHARD, (tx) => append(tx, { key: operator, at: now }, 'maint', text));
    const again = open();
    await again.beat();
    expect(await statesOf(again, 'web/main')).toEqual(before);
  },
);

it('a probe that contradicts itself takes nothing from what the other region said in windows of ten minutes', async () => {
  const { config, hash, slots, open } = await counted(600_000, [0, 1]);
  const before = await statesOf(slots, 'web/main');
  expect(before).toContain('up');
  await letGo();
  const number = [...Array(20).keys()]
    .map((i) => FIRST + 2 + i)
    .find((minute) => linesAt(config, minute, 1).length > 0);
  if (number === undefined) throw new Error('us-1 said nothing');
  await commit(store, hash, { probe: 1, epoch: 0, number, ageS: 7, lines: linesAt(config, number, 1) });
  const again = open();
  await again.beat();
  expect(await statesOf(again, 'web/main')).toEqual(before);
});

it('what became void is taken out, though a body of it is gone', async () => {
  const { hash, slots, open, config } = await counted(600_000, [0]);
  const before = await statesOf(slots, 'web/main');
  const spoken = [...Array(150).keys()].filter((i) => linesAt(config, FIRST + i, 0).length > 0);
  const gone = spoken.find((i) => i > 40) ?? 0;
  await letGo((number) => number === FIRST + gone);
  // All from its second batch on becomes void, the one that is gone too: it counts for nothing, so that nothing is missing.
  const [, second = 0] = spoken;
  const number = FIRST + second;
  await commit(store, hash, { probe: 0, epoch: 0, number, ageS: 7, lines: linesAt(config, number, 0) });
  const voided = open();
  await voided.beat();
  const after = await statesOf(voided, 'web/main');
  expect(after.slice(20).every((state) => state !== 'up')).toBe(true);
  expect(after).not.toEqual(before);
});

it('whoever asks why is told what the page says, and that nobody can make it again', async () => {
  const { open } = await counted(600_000, [0]);
  await letGo();
  const slots = open();
  const why = await slots.monitorSlot('web/main/http', FIRST + 15);
  const day = await slots.block(
    'service:web',
    'slots',
    Math.floor((FIRST + 15) / MINUTES_PER_DAY),
    'web/main/http',
  );
  const byte = day && decodeDay(day).get('')?.slots[(FIRST + 15) % MINUTES_PER_DAY];
  expect(why?.state).toBe(slotOfByte(byte ?? 0)?.state);
  expect(why?.because).toContain('let go since, or is damaged');
});
