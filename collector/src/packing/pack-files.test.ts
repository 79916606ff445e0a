/** Bodies in files, as versions before kept them and as a restore leaves them: packed, found by their hash, and gone. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { keepFileBody } from '../bodies/files.ts';
import { openPacked } from '../bodies/packed.ts';
import { makeBodySalt, readSalts } from '../ingest/salts.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { HeldBody, ReadTx, Shown, Store } from '../store/store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { nameServices } from '../testing/named-services.ts';
import { player, type Player } from '../testing/player.ts';
import { LOG_SHARD } from '../watched.ts';
import { packDays, type PackingPort } from './pack-days.ts';
import { packFiles, walkAgain } from './pack-files.ts';
import { openPacking, packingPort } from './packing.ts';

const DAY_MS = 86_400_000;
const DAY = 20_000;
/** All of DAY and the next may be packed. */
const later = (DAY + 2) * DAY_MS + DAY_MS / 2;
const clock = { now: () => later, monotonic: () => later };
const log = pino({ level: 'silent' });

let folder: string;
let store: Store;
let blobs: Blobs;
let eu: Player;
/** Texts by hash. */
let sent: Map<string, string>;

beforeEach(async () => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  blobs = folderBlobs(join(folder, 'blobs'));
  eu = player('example.com/log', generateSigningKey('eu-1'));
  sent = new Map();
  await store.transact(LOG_SHARD, makeBodySalt);
  await nameServices(store, ['open', 'shut', 'mine']);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

const read = <T>(work: (tx: ReadTx) => Promise<T>): Promise<T> => store.read(LOG_SHARD, work);
const shownAs: Readonly<Record<string, Shown>> = { open: 'public', mine: 'private', shut: 'salted' };

interface Made {
  readonly note: string;
  readonly held: readonly HeldBody[];
}

async function make(day: number, i: number): Promise<Made> {
  const at = day * DAY_MS + i * 60_000;
  eu.frame(Object.keys(shownAs).map((service) => `${service}/a/http ${at + 7} ok ${100 + i} -`));
  const salt = (await read(readSalts))('shut') ?? new Uint8Array();
  const { note, batch, bodies } = eu.batch({
    config: ZERO_HASH,
    minute: at / 60_000,
    salts: new Map([['shut', salt]]),
  });
  const held = batch.bodies.map(({ service, hash }) => {
    const text = bodies.get(service) ?? '';
    sent.set(hash, text);
    return { service, hash, shown: shownAs[service] ?? 'private', text };
  });
  return { note, held };
}

async function commit(note: string, day: number, i: number, held?: readonly HeldBody[]): Promise<void> {
  const [, , , epoch = '', number = ''] = note.split('\n').map((line) => line.split(' ').at(-1) ?? '');
  const minutes = { first: day * 1_440 + i, last: day * 1_440 + i };
  const batch = { probe: 'eu-1', epoch: Number(epoch), number: Number(number), minutes };
  await store.transact(LOG_SHARD, async (tx) => {
    const at = minutes.last * 60_000;
    const index = await tx.addCommit({
      kind: 'batch',
      at,
      note,
      hash: leafHashOfNote(note, sha256),
      batch,
    });
    if (held !== undefined) await tx.addBodies(index, held);
  });
}

/** As a version before kept it: bodies in files, and no row. */
async function commitOld(day: number, i: number): Promise<Made> {
  const made = await make(day, i);
  for (const body of made.held) await keepFileBody(blobs, body);
  await commit(made.note, day, i);
  return made;
}

const files = (): string[] =>
  readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('packed'))
    .map(({ name }) => name);

async function expectSent(): Promise<void> {
  const bodies = openBodies(store, blobs, openPacked(read, blobs));
  for (const [hash, text] of sent) {
    const service = text.slice(0, text.indexOf('/'));
    expect(await bodies.read(hash)).toEqual({ text, shown: shownAs[service] });
  }
}

async function expectAll(): Promise<void> {
  await expectSent();
  const bodies = openBodies(store, blobs, openPacked(read, blobs));
  const commits = await read((tx) => tx.commitsFrom(0, 99));
  for (const each of commits) {
    const batch = batchOf(each);
    if (batch === undefined) continue;
    const texts = await bodies.ofBatch(each, batch);
    expect(batch.bodies.map(({ service }) => texts.get(service))).toEqual(
      batch.bodies.map(({ hash }) => sent.get(hash)),
    );
  }
}

const noFigures = () => ({
  objects: 0,
  lines: 0,
  bytes: 0,
  bodyBytes: 0,
  failed: 0,
  droppedPacks: 0,
  droppedBlocks: 0,
});

/** In this thread; what changes anything breaks at its `breaksAt`th call. */
async function packUntil(breaksAt: number): Promise<void> {
  let calls = 0;
  const breaking = <T extends object>(whole: T): T =>
    new Proxy(whole, {
      get:
        (target, name) =>
        async (...args: unknown[]) => {
          const isChange = !['get', 'range'].includes(String(name));
          if (isChange) calls += 1;
          if (isChange && calls === breaksAt) throw new Error('killed');
          return (target as Record<string | symbol, (...all: unknown[]) => Promise<unknown>>)[name]?.(
            ...args,
          );
        },
    });
  const tx = new Proxy({} as ReadTx, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        read(
          (each) =>
            (each as unknown as Record<string | symbol, (...all: unknown[]) => Promise<unknown>>)[name]?.(
              ...args,
            ) as Promise<unknown>,
        ),
  });
  const port: PackingPort = breaking(packingPort(store, clock, log, noFigures()));
  const work = { tx, blobs: breaking(blobs), packed: openPacked(read, blobs), port, now: later };
  await packDays(work);
  await packFiles(work);
}

it('are packed by the thread with what is in rows, found by their hash, and no file is left', async () => {
  for (let i = 0; i < 8; i += 1) await commitOld(DAY, i);
  for (let i = 0; i < 4; i += 1) {
    const { note, held } = await make(DAY + 1, i);
    await commit(note, DAY + 1, i, held);
  }
  expect(files()).toHaveLength(24);
  const figures = noFigures();
  const packing = openPacking(folder, store, blobs, clock, log, figures);
  expect(await packing.turn()).toBe(true);
  expect(figures).toMatchObject({ objects: 6, lines: 36, failed: 0 });
  expect(files()).toEqual([]);
  await expectAll();
  // All of the log was looked at.
  expect(await packing.turn()).toBe(false);
});

it('of a day that is not over stay where they are, and so does all that follows', async () => {
  await commitOld(DAY, 0);
  await commitOld(DAY + 2, 0);
  await commitOld(DAY, 1);
  await packUntil(Infinity);
  expect(files()).toHaveLength(6);
  await expectAll();
});

it('are lost and doubled by no break, wherever it comes', async () => {
  const broken: number[] = [];
  let made = 0;
  for (const breaksAt of [1, 2, 3, 4, 6, 9, 11, 12, 13, 16, 20]) {
    sent.clear();
    await commitOld(DAY, made);
    made += 1;
    await packUntil(breaksAt).catch((error: unknown) => {
      expect(String(error)).toMatch(/killed/);
      broken.push(breaksAt);
    });
    await expectSent();
    await packUntil(Infinity);
    await expectSent();
    expect(files()).toEqual([]);
    const commits = await read(async (tx) => (await tx.packs('open', DAY)).flatMap((row) => row.commits));
    expect(commits.sort((a, b) => a - b)).toEqual(Array.from({ length: made }, (_, i) => i + 1));
  }
  // Up to the removal of the last files.
  expect(broken).toContain(16);
});

it('that two batches name are in the packs of both', async () => {
  const { held, note } = await commitOld(DAY, 1);
  const other = player('example.com/log', generateSigningKey('eu-1'), 1);
  other.frame(held.map(({ text }) => text.trimEnd()));
  const salt = (await read(readSalts))('shut') ?? new Uint8Array();
  const again = other.batch({ config: ZERO_HASH, minute: 0, salts: new Map([['shut', salt]]) });
  expect(again.note).not.toBe(note);
  await commit(again.note, DAY, 1);
  await packUntil(Infinity);
  expect(files()).toEqual([]);
  await expectAll();
});

it('that are none are left alone, whatever a batch names', async () => {
  const text = utf8('highwater/projection/v1\nof a configuration\n');
  const hash = Buffer.from(sha256(text)).toString('base64');
  await blobs.putIfAbsent(encodeHex(sha256(text)), text);
  const { note } = await make(DAY, 0);
  const named = note.replace(/^body open .*$/m, `body open 2 ${text.length} ${hash}`);
  await commit(named, DAY, 0);
  await packUntil(Infinity);
  expect(await read((tx) => tx.packs('open', DAY))).toEqual([]);
  expect(files()).toEqual([encodeHex(sha256(text))]);
});

it('that a restore put aside go although their batches came again with bodies', async () => {
  const { note, held } = await make(DAY, 0);
  await commit(note, DAY, 0, held);
  await packUntil(Infinity);
  for (const body of held) await keepFileBody(blobs, body);
  await packUntil(Infinity);
  expect(files()).toHaveLength(3);
  await store.transact(LOG_SHARD, walkAgain);
  await packUntil(Infinity);
  expect(files()).toEqual([]);
  await expectAll();
});
