import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { bodiesOf, bodyRefs, formatBatchText } from '@highwater/config/proof/batch.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { openPacked } from '../bodies/packed.ts';
import { makeBodySalt, readSalts } from '../ingest/salts.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { cutCommits } from '../store/sqlite/snapshot.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Shown, Store } from '../store/store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { nameServices } from '../testing/named-services.ts';
import { LOG_SHARD } from '../watched.ts';
import { MAX_PARTS, packDays } from './pack-days.ts';
import { openPacking, packingPort, removeUnnamed } from './packing.ts';

const DAY = 20_000;
const noon = DAY * 86_400_000 + 43_200_000;
/** Of the next day: when all of DAY may be packed. */
const later = noon + 86_400_000;
const key = generateSigningKey('eu-1');
const log = pino({ level: 'silent' });

let folder: string;
let store: Store;
let blobs: Blobs;
let sent: Map<string, string>;
let number: number;

beforeEach(async () => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  blobs = folderBlobs(join(folder, 'blobs'));
  sent = new Map();
  number = 0;
  await store.transact(LOG_SHARD, makeBodySalt);
  await nameServices(store, ['open', 'shut', 'mine']);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

const shownAs = (service: string): Shown =>
  service === 'open' ? 'public' : service === 'shut' ? 'salted' : 'private';

/** A batch of three services, one of them salted, one private; committed at `at`. */
async function commitBatch(at: number, under: number = number): Promise<void> {
  const saltOf = await store.read(LOG_SHARD, readSalts);
  const minute = Math.floor(noon / 60_000) + under;
  const bodies = bodiesOf(
    ['open', 'shut', 'mine'].flatMap((service) =>
      ['a', 'b'].map(
        (node) => `${service}/${node}/http ${minute * 60_000 + 7} ok ${100 + number} - late=${1 + under}`,
      ),
    ),
  );
  const salt = saltOf('shut') ?? new Uint8Array();
  const refs = bodyRefs(bodies, sha256, new Map([['shut', salt]]));
  const text = formatBatchText({
    origin: 'example.com/log',
    probe: 'eu-1',
    epoch: 0,
    number: under,
    prev: ZERO_HASH,
    minutes: { first: minute, last: minute },
    config: ZERO_HASH,
    clock: { boundMs: 1, ageS: 0 },
    tip: { size: 0, root: encodeBase64(emptyRoot(sha256)) },
    gaps: [],
    bodies: refs,
  });
  const note = key.sign(text);
  number += 1;
  await store.transact(LOG_SHARD, async (tx) => {
    const index = await tx.addCommit({
      kind: 'batch',
      at,
      note,
      hash: leafHashOfNote(note, sha256),
      batch: { probe: 'eu-1', epoch: 0, number: under, minutes: { first: minute, last: minute } },
    });
    await tx.addBodies(
      index,
      refs.map(({ service, hash }) => ({
        service,
        hash,
        shown: shownAs(service),
        text: bodies.get(service) ?? '',
      })),
    );
  });
  for (const { service, hash } of refs) sent.set(hash, `${service} ${bodies.get(service) ?? ''}`);
}

/** Every body that was sent is given back, byte for byte, as what it was shown. */
async function expectAll(): Promise<void> {
  const bodies = openBodies(
    store,
    blobs,
    openPacked((work) => store.read(LOG_SHARD, work), blobs),
  );
  for (const [hash, whole] of sent) {
    const found = await bodies.read(hash);
    const service = whole.slice(0, 4);
    expect(`${service} ${found?.text ?? 'none'}`).toBe(whole);
    expect(found?.shown).toBe(shownAs(service));
  }
}

const held = (): Promise<readonly number[]> => store.read(LOG_SHARD, (tx) => tx.heldBefore(DAY + 9, 999));
const parts = async (service: string): Promise<number[]> =>
  (await store.read(LOG_SHARD, (tx) => tx.packs(service, DAY))).map(({ part }) => part);
const clock = { now: () => later, monotonic: () => later };
const noFigures = () => ({
  objects: 0,
  lines: 0,
  bytes: 0,
  bodyBytes: 0,
  failed: 0,
  droppedPacks: 0,
  droppedBlocks: 0,
});
const packing = (figures = noFigures()) => openPacking(folder, store, blobs, clock, log, figures);

/** In this thread, with a port that breaks at its `breaksAt`th call. */
async function packUntil(breaksAt: number): Promise<void> {
  const figures = noFigures();
  const whole = packingPort(store, clock, log, figures);
  let calls = 0;
  const counted = async (work: () => Promise<void>): Promise<void> => {
    calls += 1;
    if (calls === breaksAt) throw new Error('killed');
    await work();
  };
  await store.read(LOG_SHARD, async () => undefined);
  const read = <T>(work: Parameters<typeof store.read<T>>[1]): Promise<T> => store.read(LOG_SHARD, work);
  const tx = {
    heldBefore: (day: number, limit: number) => read((r) => r.heldBefore(day, limit)),
    commitsFrom: (index: number, limit: number) => read((r) => r.commitsFrom(index, limit)),
    heldBodies: (index: number, isWanted?: (service: string) => boolean) =>
      read((r) => r.heldBodies(index, isWanted)),
    leaves: () => read((r) => r.leaves()),
    packs: (service: string, day: number) => read((r) => r.packs(service, day)),
  } as Parameters<typeof packDays>[0]['tx'];
  await removeUnnamed(store, blobs, later);
  await packDays({
    tx,
    blobs,
    packed: openPacked(read, blobs),
    now: later,
    port: {
      writing: (...args) => counted(() => whole.writing(...args)),
      written: (...args) => counted(() => whole.written(...args)),
      packed: (...args) => counted(() => whole.packed(...args)),
      placed: (...args) => counted(() => whole.placed(...args)),
      walked: (...args) => counted(() => whole.walked(...args)),
      failed: (...args) => counted(() => whole.failed(...args)),
    },
  });
}

const files = (): string[] =>
  existsSync(join(folder, 'blobs', 'packed'))
    ? readdirSync(join(folder, 'blobs', 'packed'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
    : [];

describe('bodies of a day that is over', () => {
  it('are packed by a thread, given back byte for byte, and held no more', async () => {
    for (let i = 0; i < 60; i += 1) await commitBatch(noon);
    await commitBatch(later - 10);
    const figures = noFigures();
    expect(await packing(figures).turn()).toBe(true);
    expect([await parts('open'), await parts('shut'), await parts('mine')]).toEqual([[0], [0], [0]]);
    // What came just now waits for its like.
    expect(await held()).toEqual([61]);
    expect(figures).toMatchObject({ objects: 3, lines: 360, failed: 0 });
    await expectAll();
  });

  it('that is not over for six hours stay held', async () => {
    await commitBatch(noon);
    const early = { now: () => (DAY + 1) * 86_400_000 + 6 * 3_600_000 - 1, monotonic: () => 0 };
    const figures = noFigures();
    await openPacking(folder, store, blobs, early, log, figures).turn();
    expect([figures.objects, await held()]).toEqual([0, [1]]);
  });

  it('that came late are other parts, until many become one', async () => {
    for (let i = 0; i < MAX_PARTS; i += 1) {
      await commitBatch(noon);
      await packUntil(Number.POSITIVE_INFINITY);
    }
    expect(await parts('open')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await commitBatch(noon);
    await packUntil(Number.POSITIVE_INFINITY);
    expect(await parts('open')).toEqual([8]);
    // Those that were replaced stay for a day, for who is reading them.
    expect(files().length).toBe(3 * (MAX_PARTS + 1));
    await removeUnnamed(store, blobs, later + 86_400_000);
    expect(files().length).toBe(3);
    expect(await held()).toEqual([]);
    await expectAll();
  });

  it('two batches under one number are told apart by what they commit to', async () => {
    await commitBatch(noon, 5);
    await commitBatch(noon, 5);
    await packing().turn();
    expect(await held()).toEqual([]);
    expect(sent.size).toBe(6);
    await expectAll();
  });

  it('are lost and doubled by no break, wherever it comes', async () => {
    for (let breaksAt = 1; breaksAt <= 8; breaksAt += 1) {
      for (let i = 0; i < 3; i += 1) await commitBatch(noon);
      await packUntil(breaksAt).catch((error: unknown) => expect(String(error)).toMatch(/killed/));
      await expectAll();
      // What comes meanwhile is in the object that is written then, under the name of the one that was left.
      await commitBatch(noon);
      await packUntil(Number.POSITIVE_INFINITY);
      await expectAll();
      expect(await held()).toEqual([]);
      for (const service of ['open', 'shut', 'mine']) {
        const commits = (await store.read(LOG_SHARD, (tx) => tx.packs(service, DAY))).flatMap(
          (row) => row.commits,
        );
        expect([...commits].sort((a, b) => a - b)).toEqual(Array.from({ length: number }, (_, i) => i + 1));
      }
      await removeUnnamed(store, blobs, later + 86_400_000);
      const rows = (await store.read(LOG_SHARD, (tx) => tx.packsBefore(DAY + 1, 99))).length;
      expect(files().length).toBe(rows);
    }
  });

  it('of a pack that is damaged are missing, and never others', async () => {
    for (let i = 0; i < 20; i += 1) await commitBatch(noon);
    await packing().turn();
    const [row] = await store.read(LOG_SHARD, (tx) => tx.packs('open', DAY));
    const path = join(folder, 'blobs', row?.blob ?? '');
    const bytes = Buffer.from((await blobs.get(row?.blob ?? '')) ?? []);
    for (const at of [3, 40, bytes.length - 5]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      const bodies = openBodies(
        store,
        blobs,
        openPacked((work) => store.read(LOG_SHARD, work), blobs),
      );
      for (const [hash, whole] of sent) {
        const text = (await bodies.read(hash))?.text;
        expect([undefined, whole.slice(5)]).toContain(text);
      }
    }
  });

  it('whose commits were cut are not given for those that came in their place', async () => {
    for (let i = 0; i < 6; i += 1) await commitBatch(noon);
    await packing().turn();
    await store[Symbol.asyncDispose]();
    cutCommits(join(folder, 'store.db'), 5);
    store = openSqliteStore(folder);
    for (const [hash] of [...sent].slice(-6)) sent.delete(hash);
    expect(sent.size).toBe(12);
    // Other batches under the numbers of those that were cut.
    number = 40;
    await commitBatch(noon, 4);
    await commitBatch(noon, 5);
    const [commit] = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(5, 1));
    expect(commit === undefined ? undefined : batchOf(commit)?.number).toBe(4);
    await expectAll();
    await packing().turn();
    expect(await held()).toEqual([]);
    await expectAll();
  });
});
