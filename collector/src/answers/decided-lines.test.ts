import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { formatProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { append } from '../leaves/leaves.ts';
import { keepGround } from '../slots/ground.ts';
import { openSlots } from '../slots/slots.ts';
import { type MemoryStore, memoryStore } from '../testing/memory-store.ts';
import {
  blobs,
  clockAt,
  commit,
  declare,
  FIRST,
  keys,
  NOW,
  operator,
  seed,
  type Sent,
  smallConfig,
} from '../testing/small-house.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { type Decided, decidedLines, wasMonitor, withFrames } from './decided-lines.ts';

const ID = 'web/main/http';
/** Not around midnight: a batch is of one day. */
const MINUTE = FIRST + 3;
const every = (ms: number) => smallConfig(() => ms);
const own = every(30_000);
let store: MemoryStore;
let hash: string;
let number: number;

beforeEach(async () => {
  store = memoryStore();
  hash = await declare(store, own);
  number = 0;
});

/** The nth due time of a probe in the minute. */
function due(probe: number, n = 0, minute = MINUTE): number {
  const phase = phaseMs(seed, ID, keys[probe]?.name ?? '', 30_000, sha256);
  return nextDueAt(minute * MINUTE_MS - 1, phase, 30_000) + n * 30_000;
}

const send = (lines: readonly string[], more: Partial<Sent> = {}): Promise<void> =>
  commit(store, hash, {
    probe: 0,
    epoch: 0,
    number: number++,
    lines: lines.toSorted(),
    ...more,
  });

async function decided(minute = MINUTE, horizon = NOW / MINUTE_MS): Promise<Decided | undefined> {
  const ground = await keepGround(store).advance();
  return decidedLines({ store, bodies: openBodies(store, blobs), ground, monitor: ID, minute, horizon });
}

/** Each line's outcome with its batch, and why it does not count. */
async function told(): Promise<string[]> {
  const { lines } = (await decided()) ?? { lines: [] };
  return lines.map(({ probe, batch, line, counts, because }) => {
    const said = `${probe} ${batch?.epoch}.${batch?.number} ${line.split(' ')[2] ?? ''}`;
    return counts === true ? said : `${said}: ${because ?? ''}`;
  });
}

it('all lines of the window and no others, by when they were due, with where their batch lies', async () => {
  await send([
    `${ID} ${due(0, -1)} ok 1 -`,
    `${ID} ${due(0)} ok 2 -`,
    `${ID} ${due(0, 1)} fail 3 target.http.status`,
  ]);
  await send([`${ID} ${due(0, 2)} ok 4 -`, `rpc/a/head ${due(0)} ok 5 - h=70`, `${ID}s ${due(0)} ok 5 -`]);
  await send([`${ID} ${due(1)} ok 6 -`], { probe: 1 });
  const { lines, about } = (await decided()) ?? {};
  expect(about).toEqual({ first: MINUTE, last: MINUTE, gone: 0, more: 0 });
  expect(new Set(lines?.map(({ line }) => line))).toEqual(
    new Set([
      `${ID} ${due(0)} ok 2 -`,
      `${ID} ${due(0, 1)} fail 3 target.http.status`,
      `${ID} ${due(1)} ok 6 -`,
    ]),
  );
  const times = lines?.map(({ line }) => Number(line.split(' ')[1])) ?? [];
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(lines?.every(({ counts, region }) => counts === true && region !== '')).toBe(true);
  expect(lines?.find(({ probe }) => probe === keys[1]?.name)).toMatchObject({
    region: 'us',
    receivedAt: NOW,
    batch: { epoch: 0, number: 2 },
  });
});

it('a batch that came after others counts, and of two with a line for one time the earlier one', async () => {
  await send([`${ID} ${due(0)} ok 1 -`], { number: 8 });
  await send([`${ID} ${due(0)} fail 1 target.http.status`, `${ID} ${due(0, 1)} ok 1 -`], { number: 5 });
  expect(await told()).toEqual([
    'eu-1 0.5 fail',
    'eu-1 0.8 ok: batch 0.5 has a line for the same time, which came first',
    'eu-1 0.5 ok',
  ]);
});

it('a recheck takes nothing from the line that was due', async () => {
  await send([`${ID} ${due(0)} fail 1 target.http.status re=1`], { number: 1 });
  await send([`${ID} ${due(0)} ok 1 -`], { number: 2 });
  expect(await told()).toEqual([
    'eu-1 0.1 fail: it is a recheck, which confirms what was seen and is counted nowhere',
    'eu-1 0.2 ok',
  ]);
});

it.each([
  ['skipped 0 target.http.refused', 'it was skipped, which says nothing of the target'],
  ['fail 0 probe.control.failed', "the fault is the probe's own, and says nothing of the target"],
  ['ok 1 - late=15001', 'it was asked 15001 ms late, and half of the interval of 30000 ms is the most'],
])('%s does not count: %s', async (line, because) => {
  await send([`${ID} ${due(0)} ${line}`]);
  expect(await told()).toEqual([`eu-1 0.0 ${line.split(' ')[0] ?? ''}: ${because}`]);
});

it('a line at a time at which nothing was due, two lines of one batch for one time', async () => {
  await send([`${ID} ${due(0) + 1} ok 1 -`, `${ID} ${due(0)} ok 1 -`, `${ID} ${due(0)} ok 2 -`]);
  const torn = 'eu-1 0.0 ok: its batch has two lines for the same time, and neither is believed';
  expect(await told()).toEqual([torn, torn, 'eu-1 0.0 ok: nothing was due at that time']);
});

describe('a key', () => {
  it('that was revoked before the window does not speak in it; a batch of before that came later is as nothing', async () => {
    await send([`${ID} ${due(0)} ok 1 -`]);
    const { origin } = own;
    const [eu] = own.probes;
    if (eu === undefined) throw new Error('no probe');
    const { id: probe, region, key, operator: runBy } = eu;
    const from = MINUTE + 1;
    const text = formatProbeLeaf({ origin, act: 'revoke', probe, region, key, operator: runBy, from });
    await store.transact(LOG_SHARD, (tx) => append(tx, { key: operator, at: NOW }, 'probe', text));
    await send([`${ID} ${due(0, 1)} ok 1 -`]);
    const later = 'eu-1 0.1 ok: its key was not enrolled where the batch lies in the log';
    expect(await told()).toEqual(['eu-1 0.0 ok', later]);
    const after = (await decided(MINUTE + 1))?.lines;
    expect(after).toEqual([]);
    await send([`${ID} ${due(0, 0, MINUTE + 2)} ok 1 -`]);
    expect((await decided(MINUTE + 2))?.lines.map(({ because }) => because)).toEqual([
      'its key was not enrolled in the first minute of the window',
    ]);
  });
  it('that nobody configured has no say', async () => {
    await send([`${ID} ${due(0)} ok 1 -`], { signer: generateSigningKey('eu-1') });
    expect(await told()).toEqual([
      'eu-1 0.0 ok: its key is none of the probes of the configuration in force',
    ]);
  });
  it('that contradicts itself has none from there on', async () => {
    await send([`${ID} ${due(0)} ok 1 -`], { number: 3 });
    await send([`${ID} ${due(0, 1)} ok 1 -`], { number: 4 });
    await send([`${ID} ${due(0, 1)} ok 1 -`], { number: 4, ageS: 9 });
    const twice =
      'eu-1 0.4 ok: its key signed two batches under one number, and from there on nothing of that epoch counts';
    expect(await told()).toEqual(['eu-1 0.3 ok', twice, twice]);
  });
});

it('bodies that are gone are told, and what others said is', async () => {
  await send([`${ID} ${due(0)} ok 1 -`]);
  await send([`${ID} ${due(1)} ok 1 -`], { probe: 1 });
  const first = (await store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 1_000))).find(
    ({ kind }) => kind === 'batch',
  );
  await store.transact(LOG_SHARD, (tx) => tx.addBodies(first?.index ?? -1, []));
  expect((await decided())?.about.gone).toBe(1);
  expect(await told()).toEqual(['us-1 0.1 ok']);
});

it('nothing is decided of a window that goes on, or of a time without the monitor', async () => {
  expect(await decided(MINUTE, MINUTE - 1)).toBeUndefined();
  expect((await decided(MINUTE, MINUTE))?.lines).toEqual([]);
  expect(await decided(FIRST - 100)).toBeUndefined();
  const ground = await keepGround(store).advance();
  expect([ID, 'web/main/none'].map((id) => wasMonitor(ground, id))).toEqual([true, false]);
});

it('of a probe that says very much not all is shown', async () => {
  await send(Array.from({ length: 150 }, (_, i) => `${ID} ${MINUTE * MINUTE_MS + i} ok 1 -`));
  const { lines, about } = (await decided()) ?? {};
  expect([lines?.length, about?.more]).toEqual([100, 50]);
});

it('counts what the slots count', async () => {
  const outcomes = ['ok 1 -', 'fail 2 target.http.status', 'ok 3 - late=20000', 'skipped 0 probe.loop.late'];
  for (let minute = MINUTE; minute < FIRST + 10; minute += 1) {
    for (const probe of [0, 1]) {
      const said = [0, 1].map(
        (n) => `${ID} ${due(probe, n, minute)} ${outcomes[(minute + probe * n) % 4] ?? ''}`,
      );
      await send(said, { probe });
    }
  }
  const slots = openSlots(
    watch(own),
    store,
    blobs,
    clockAt(() => NOW),
  );
  const states = new Set<string>();
  for (let minute = MINUTE; minute < FIRST + 10; minute += 1) {
    const slot = await slots.monitorSlot(ID, minute);
    const counted = (await decided(minute))?.lines.filter(({ counts }) => counts === true) ?? [];
    for (const region of ['eu', 'us']) {
      const said = counted.filter((line) => line.region === region).map(({ line }) => line.split(' ')[2]);
      const state = said.length === 0 ? 'none' : said.includes('fail') ? 'down' : 'up';
      states.add(state);
      expect(slot?.because).toContain(`${region}: ${state}`);
    }
    expect(slot?.quorum).toEqual({ needed: 2, regions: 3 });
  }
  expect(states.size).toBe(3);
});

it('frames add details, and lines that are in no batch yet', async () => {
  await send([`${ID} ${due(0)} fail 1 target.http.status`]);
  const found = await decided();
  if (found === undefined) throw new Error('nothing was decided');
  const frame = { probe: 'eu-1', region: 'eu', receivedAt: NOW };
  const ofFrames = [
    { ...frame, line: `${ID} ${due(0)} fail 1 target.http.status`, detail: '503' },
    { ...frame, line: `${ID} ${due(0, 1)} ok 1 -` },
    { ...frame, line: `${ID} ${due(0, 2)} ok 1 -` },
  ];
  expect(withFrames(found, ofFrames)).toMatchObject([
    { detail: '503', counts: true },
    { line: `${ID} ${due(0, 1)} ok 1 -`, counts: false, because: 'it is in no batch of the log so far' },
  ]);
  const isGone = { ...found, about: { ...found.about, gone: 1 } };
  expect(withFrames(isGone, ofFrames)).toHaveLength(1);
});
