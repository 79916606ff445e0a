/** Bodies of services that no configuration named: one object a day, whatever names were made up, and nothing is lost. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { MIXED } from '@highwater/config/proof/packed/pack.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { keepFileBody } from '../bodies/files.ts';
import { openPacked } from '../bodies/packed.ts';
import { makeBodySalt } from '../ingest/salts.ts';
import { dropOldPacks } from '../retention/bodies.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore, readCopy } from '../store/sqlite/sqlite-store.ts';
import type { PackRow, ReadTx, Store } from '../store/store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { nameServices } from '../testing/named-services.ts';
import { player, type Player } from '../testing/player.ts';
import { LOG_SHARD } from '../watched.ts';
import { MAX_PARTS, packDays, type PackingPort } from './pack-days.ts';
import { packFiles } from './pack-files.ts';
import { openPacking, packingPort, removeUnnamed } from './packing.ts';

const DAY_MS = 86_400_000;
const DAY = 20_000;
const later = (DAY + 2) * DAY_MS;
const clock = { now: () => later, monotonic: () => later };
const log = pino({ level: 'silent' });

let folder: string;
let store: Store;
let blobs: Blobs;
let eu: Player;
/** Texts by hash. */
let sent: Map<string, string>;
let made: number;

beforeEach(async () => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  blobs = folderBlobs(join(folder, 'blobs'));
  eu = player('example.com/log', generateSigningKey('eu-1'));
  sent = new Map();
  made = 0;
  await store.transact(LOG_SHARD, makeBodySalt);
  await nameServices(store, ['open']);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

const read = <T>(work: (tx: ReadTx) => Promise<T>): Promise<T> => store.read(LOG_SHARD, work);
const packs = (): Promise<readonly PackRow[]> => read((tx) => tx.packsBefore(DAY + 9, 9_999));
const held = (): Promise<readonly number[]> => read((tx) => tx.heldBefore(DAY + 9, 9_999));
const noFigures = () => ({
  objects: 0,
  lines: 0,
  bytes: 0,
  bodyBytes: 0,
  failed: 0,
  droppedPacks: 0,
  droppedBlocks: 0,
});

/** Returns the index of its commit. In files, as versions before kept them, where that is said. */
async function commit(services: readonly string[], inFiles = false): Promise<number> {
  const minute = DAY * 1_440 + made;
  made += 1;
  eu.frame(services.map((service) => `${service}/a/http ${minute * 60_000 + 7} ok ${100 + made} -`));
  const { note, batch, bodies } = eu.batch({ config: ZERO_HASH, minute });
  const all = batch.bodies.map(({ service, hash }) => {
    const text = bodies.get(service) ?? '';
    sent.set(hash, text);
    return { service, hash, shown: 'private' as const, text };
  });
  if (inFiles) for (const body of all) await keepFileBody(blobs, body);
  return store.transact(LOG_SHARD, async (tx) => {
    const { epoch, number, minutes } = batch;
    const index = await tx.addCommit({
      kind: 'batch',
      at: minute * 60_000,
      note,
      hash: leafHashOfNote(note, sha256),
      batch: { probe: 'eu-1', epoch, number, minutes },
    });
    if (!inFiles) await tx.addBodies(index, all);
    return index;
  });
}

/** Each is found by its hash, and by its batch. */
async function expectAll(): Promise<void> {
  const bodies = openBodies(store, blobs, openPacked(read, blobs));
  for (const [hash, text] of sent) expect(await bodies.read(hash)).toEqual({ text, shown: 'private' });
  for (const each of await read((tx) => tx.commitsFrom(0, 9_999))) {
    const batch = batchOf(each);
    if (batch === undefined) continue;
    const texts = await bodies.ofBatch(each, batch);
    expect(batch.bodies.map(({ service }) => texts.get(service))).toEqual(
      batch.bodies.map(({ hash }) => sent.get(hash)),
    );
  }
}

/** In this thread; the port breaks at its `breaksAt`th call. */
async function packUntil(breaksAt = Infinity, maxBytes = 33_554_432): Promise<void> {
  let calls = 0;
  const port = new Proxy(packingPort(store, clock, log, noFigures()), {
    get:
      (target, name: keyof PackingPort) =>
      async (...args: unknown[]) => {
        calls += 1;
        if (calls === breaksAt) throw new Error('killed');
        await (target[name] as (...all: unknown[]) => Promise<void>)(...args);
      },
  });
  await removeUnnamed(store, blobs, later);
  await readCopy(join(folder, 'store.db'), LOG_SHARD, async (tx) => {
    const packed = openPacked((work) => work(tx), blobs);
    const work = { tx, blobs, packed, port, now: later, maxBytes };
    await packDays(work);
    await packFiles(work);
  });
}

const invented = (count: number): string[] => Array.from({ length: count }, (_, i) => `made-up-${made}-${i}`);

it('are one object and one row a day, however many names there are; and go with their day', async () => {
  for (let i = 0; i < 8; i += 1) await commit(['open', ...invented(50)]);
  const figures = noFigures();
  await openPacking(folder, store, blobs, clock, log, figures).turn();
  expect(figures).toMatchObject({ objects: 2, lines: 8 * 51, failed: 0 });
  expect((await packs()).map(({ service }) => service).sort()).toEqual(['open', MIXED]);
  expect(readdirSync(join(folder, 'blobs', 'packed', '2024-10-04'))).toHaveLength(2);
  expect(await held()).toEqual([]);
  await expectAll();
  const places = async (): Promise<number> => {
    let count = 0;
    for (const hash of sent.keys()) count += (await read((tx) => tx.bodyPlaces(hash))).length;
    return count;
  };
  expect(await places()).toBe(8 * 51);
  expect(await dropOldPacks(store, blobs, DAY_MS, later + 9 * DAY_MS)).toBe(2);
  expect(await places()).toBe(0);
  expect(await openBodies(store, blobs, openPacked(read, blobs)).read([...sent.keys()][0] ?? '')).toBe(
    undefined,
  );
});

it('that are named as no folder may be are packed like others', async () => {
  await commit(['open', '..', '.', '-x', '_', 'mixed', 'chain.none', `z${'z'.repeat(63)}`]);
  await openPacking(folder, store, blobs, clock, log, noFigures()).turn();
  expect((await packs()).map(({ service }) => service).sort()).toEqual(['open', MIXED]);
  expect(await held()).toEqual([]);
  await expectAll();
});

it('are those that no configuration before their batch had named, whatever names them later', async () => {
  await commit(['new']);
  await nameServices(store, ['new']);
  const index = await commit(['new', 'old']);
  await packUntil();
  const of = async (service: string) =>
    (await read((tx) => tx.packs(service, DAY))).map((row) => row.commits);
  expect(await of('new')).toEqual([[index]]);
  expect(await of(MIXED)).toEqual([[1, index]]);
  await expectAll();
});

it('are lost and doubled by no break, wherever it comes, with all of a batch in one part', async () => {
  let broken = 0;
  for (const breaksAt of [1, 2, 3, 4, 5, 6, 8, 9]) {
    for (let i = 0; i < 3; i += 1) await commit(['open', ...invented(3)], i === 2);
    // A batch has more than fits: it is a part of its own.
    await packUntil(breaksAt, 200).catch((error: unknown) => {
      expect(String(error)).toMatch(/killed/);
      broken += 1;
    });
    await expectAll();
    await packUntil(Infinity, 200);
    await expectAll();
    expect(await held()).toEqual([]);
    const commits = (await read((tx) => tx.packs(MIXED, DAY))).flatMap((row) => row.commits);
    expect(commits.sort((a, b) => a - b)).toEqual(Array.from({ length: made }, (_, i) => i + 1));
    await removeUnnamed(store, blobs, later + DAY_MS);
    for (const { blob } of await packs()) expect(await blobs.get(blob)).toBeDefined();
  }
  expect(broken).toBe(8);
});

it('that came late are other parts, until many become one that has all of them', async () => {
  for (let i = 0; i <= MAX_PARTS; i += 1) {
    await commit(invented(5));
    await packUntil();
  }
  const [row, ...others] = await read((tx) => tx.packs(MIXED, DAY));
  expect([row?.part, row?.commits.length, row?.lines, others]).toEqual([
    MAX_PARTS,
    MAX_PARTS + 1,
    (MAX_PARTS + 1) * 5,
    [],
  ]);
  await expectAll();
});

it('whose parts can not all be read are not made one', async () => {
  for (let i = 0; i < MAX_PARTS; i += 1) {
    await commit(invented(5));
    await packUntil();
  }
  const [row] = await packs();
  await blobs.remove(row?.blob ?? '');
  await commit(invented(5));
  await packUntil();
  expect(await packs()).toHaveLength(MAX_PARTS + 1);
});
