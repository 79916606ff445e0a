/** A backup taken in the middle of a log that goes on, and what a restore makes of it and of what was published. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  generateSigningKey,
  loadSigningKey,
  saveSigningKey,
  sha256,
  type SigningKey,
} from '@highwater/config/keys.ts';
import { encodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { leafHash, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { formatProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { bundlePath, encodeBundle } from '@highwater/config/proof/tiles.ts';
import { rootOfLeaves } from '@highwater/config/proof/tree.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { keepFileBody, readFileBody } from '../bodies/files.ts';
import { heldOf } from '../bodies/held.ts';
import { makeBodySalt, readSalts } from '../ingest/salts.ts';
import { readTile } from '../log/files.ts';
import { openLog } from '../log/open.ts';
import { yearOf } from '../log/sequence.ts';
import { batchOf } from '../slots/batch-commit.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { HeldBody, Store } from '../store/store.ts';
import { player, type Player, type SignedBatch } from '../testing/player.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';
import { makeBackup } from './make.ts';
import { BackupProblem } from './problem.ts';
import type { Published } from './published.ts';
import { restoreBackup, type Restored } from './restore.ts';

const ORIGIN = 'test.example/log';
let root: string;
let now: number;
let seen = 0;
const clock = { now: () => now, monotonic: () => performance.now() };
let operator: SigningKey;
let eu: SigningKey;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'highwater-backup-'));
  now = Date.UTC(2026, 10, 21, 12);
  operator = generateSigningKey(ORIGIN);
  eu = generateSigningKey('eu-1');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Machine {
  readonly dataDir: string;
  readonly store: Store;
  commit(note: string, kind: 'batch' | 'probe', held?: readonly HeldBody[]): Promise<void>;
  /** So many batches of a probe, with their bodies. */
  batches(by: Player, count: number): Promise<string[]>;
  sign(): Promise<{ size: number; refused: string | undefined }>;
  stop(): Promise<void>;
}

/** As the ingest holds them, of a service that is public. */
const heldIn = ({ batch, bodies }: Pick<SignedBatch, 'batch' | 'bodies'>, isSalted: boolean): HeldBody[] =>
  heldOf(batch, new Map([...bodies].map(([service, text]) => [service, { text, isSalted }])), () => true);

function minutesIn(note: string): { first: number; last: number } {
  const [, first, last] = /^minutes (\d+) (\d+)$/m.exec(note) ?? [];
  return { first: Number(first), last: Number(last) };
}

async function machine(name: string): Promise<Machine> {
  const dataDir = join(root, name);
  const folder = join(dataDir, 'collector');
  mkdirSync(folder, { recursive: true });
  const keyFile = join(dataDir, 'keys', 'operator.key');
  try {
    statSync(keyFile);
  } catch {
    saveSigningKey(keyFile, operator);
  }
  const store = openSqliteStore(folder);
  const blobs = folderBlobs(join(folder, 'blobs'));
  const self: Machine = {
    dataDir,
    store,
    async commit(note, kind, held) {
      const hash = leafHashOfNote(note, sha256);
      const [, , probe = '', epoch = '', number = ''] = note
        .split('\n')
        .map((line) => line.split(' ').at(-1) ?? '');
      const batch =
        kind === 'batch'
          ? { batch: { probe, epoch: Number(epoch), number: Number(number), minutes: minutesIn(note) } }
          : {};
      await store.transact(LOG_SHARD, async (tx) => {
        const index = await tx.addCommit({ kind, at: now, note, hash, ...batch });
        if (held !== undefined) await tx.addBodies(index, held);
      });
    },
    async batches(by, count) {
      const notes: string[] = [];
      for (let i = 0; i < count; i += 1) {
        const minute = Math.floor(now / 60_000);
        seen += 1;
        by.frame([`web/main/http ${minute * 60_000 + (i % 60_000)} ok ${seen} -`]);
        const { note, batch, bodies } = by.batch({ config: ZERO_HASH, minute });
        const held = heldIn({ batch, bodies }, false);
        // In a row, and in a file from which its page serves it.
        for (const body of held) await keepFileBody(blobs, body);
        await self.commit(note, 'batch', held);
        notes.push(note);
      }
      return notes;
    },
    async sign() {
      const log = await openLog({
        origin: ORIGIN,
        store,
        blobs,
        keysDir: join(dataDir, 'keys'),
        clock,
        log: pino({ level: 'silent' }),
        alarm: () => undefined,
        cleared: () => undefined,
      });
      while (await log.beat());
      const { size, refused } = log.status();
      return { size, refused: refused?.because };
    },
    async stop() {
      await store[Symbol.asyncDispose]();
    },
  };
  return self;
}

/** The folder of a machine's blobs as a page serves it. */
function publishedBy(machineName: string): Published {
  const blobs = folderBlobs(join(root, machineName, 'collector', 'blobs'));
  return {
    base: 'https://status.example.com/log',
    async get(path) {
      const [year = '', ...rest] = path.split('/');
      if (rest[0] === 'body') return blobs.get(rest[1] ?? '');
      if (rest[0] === 'tile') return readTile(blobs, Number(year), rest.join('/'));
      return blobs.get(`log/${path}`);
    },
  };
}

const backUp = (from: Machine, withKeys = true) =>
  makeBackup({
    dataDir: from.dataDir,
    dir: join(root, 'backup'),
    configFile: undefined,
    withKeys,
    clock,
    progress: () => undefined,
  });

const restore = (to: string, published: Published | undefined, keysDir?: string): Promise<Restored> =>
  restoreBackup({
    dir: join(root, 'backup'),
    dataDir: join(root, to),
    keysDir,
    published: published && (async () => published),
    clock,
    progress: () => undefined,
  });

async function notesOf(store: Store): Promise<string[]> {
  const rows = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 100_000));
  expect(rows.map(({ index }) => index)).toEqual(rows.map((_, i) => i));
  return rows.map(({ note }) => note);
}

function enrolment(): string {
  const leaf = { origin: ORIGIN, act: 'enrol', from: Math.floor(now / 60_000), probe: 'eu-1', region: 'eu', key: eu.vkey, operator: 'Example' } as const; // prettier-ignore
  return operator.sign(formatProbeLeaf(leaf));
}

/** Enrolled, `signed` batches under a checkpoint, `open` ones under none. */
async function begun(signed: number, open: number): Promise<{ first: Machine; by: Player }> {
  const first = await machine('first');
  const by = player(ORIGIN, eu);
  await first.commit(enrolment(), 'probe');
  await first.batches(by, signed);
  await first.sign();
  await first.batches(by, open);
  return { first, by };
}

describe('a restored backup', () => {
  it.each([
    [0, 0, 0],
    [3, 2, 0],
    [3, 2, 1],
    [255, 3, 10],
  ])('of %i signed and %i open commits goes on behind %i that came later', async (signed, open, later) => {
    const { first, by } = await begun(signed, open);
    const made = await backUp(first);
    expect(made).toMatchObject({ commits: 1 + signed + open, keys: ['log-2026.key', 'operator.key'] });
    await first.batches(by, later);
    if (later > 0) await first.sign();
    const before = await notesOf(first.store);
    await first.stop();

    const restored = await restore('second', publishedBy('first'));
    expect(restored.taken).toMatchObject({ added: later, again: 0, missing: {} });
    const second = await machine('second');
    const notes = await notesOf(second.store);
    expect(notes).toEqual(before);
    await second.batches(player(ORIGIN, eu, 9), 2);
    expect(await second.sign()).toEqual({ size: before.length + 2, refused: undefined });
    // Whatever was signed by the first is the beginning of what the second has.
    const [row] = await Promise.all([second.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(2026))]);
    expect(row?.size).toBe(before.length + 2);
    const enrolled = await second.store.read(LOG_SHARD, (tx) => tx.listState('enrolled'));
    expect(enrolled.map(({ key }) => key)).toEqual(['eu-1']);
    await second.stop();
  });

  it('has the salt of private bodies, and by it those bodies; one that is damaged is left out', async () => {
    const first = await machine('first');
    await first.store.transact(LOG_SHARD, makeBodySalt);
    const salt = (await first.store.read(LOG_SHARD, readSalts))('web');
    if (salt === undefined) throw new Error('no salt');
    const by = player(ORIGIN, eu);
    const blobs = folderBlobs(join(first.dataDir, 'collector', 'blobs'));
    const made: SignedBatch[] = [];
    for (const answer of [1, 2]) {
      by.frame([`web/main/http ${now} ok ${answer} -`]);
      const batch = by.batch({ config: ZERO_HASH, minute: 0, salts: new Map([['web', salt]]) });
      made.push(batch);
      for (const body of heldIn(batch, true)) await keepFileBody(blobs, body);
    }
    const [good = '', bad = ''] = made.map(({ batch }) => batch.bodies[0]?.hash);
    await first.commit(enrolment(), 'probe');
    for (const { note } of made) await first.commit(note, 'batch');
    await first.sign();
    await backUp(first);
    await first.stop();
    const name = `private.salted.${encodeHex(Buffer.from(bad, 'base64'))}`;
    writeFileSync(join(root, 'backup', 'collector', 'blobs', 'pr', name), `web/main/http ${now} ok 3 -\n`);

    const restored = await restore('second', undefined);
    expect(restored.damaged).toEqual([name]);
    const second = await machine('second');
    expect((await second.store.read(LOG_SHARD, readSalts))('web')).toEqual(salt);
    await second.store.transact(LOG_SHARD, makeBodySalt);
    expect((await second.store.read(LOG_SHARD, readSalts))('web')).toEqual(salt);
    const kept = folderBlobs(join(second.dataDir, 'collector', 'blobs'));
    const { bytes, shown } = (await readFileBody(kept, good)) ?? {};
    expect([Buffer.from(bytes ?? []).toString(), shown]).toEqual([made[0]?.bodies.get('web'), 'salted']);
    expect(await readFileBody(kept, bad)).toBeUndefined();
    await second.stop();
  });

  it('takes what others show of the time between for the same log', async () => {
    const { first, by } = await begun(3, 1);
    await backUp(first);
    const shown: string[] = [];
    for (const count of [2, 3]) {
      await first.batches(by, count);
      await first.sign();
      shown.push((await first.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(2026)))?.note ?? '');
    }
    await first.stop();
    await restore('second', publishedBy('first'));
    const second = await machine('second');
    const blobs = folderBlobs(join(second.dataDir, 'collector', 'blobs'));
    const parts = {
      origin: ORIGIN,
      blobs,
      keysDir: join(second.dataDir, 'keys'),
      clock,
      log: pino({ level: 'silent' }),
    };
    const log = await openLog({
      ...parts,
      store: second.store,
      alarm: () => undefined,
      cleared: () => undefined,
    });
    for (const note of shown) await log.shown(note, 'probe eu-1');
    await second.batches(player(ORIGIN, eu, 9), 1);
    const published = await log.beat();
    expect({ refused: log.status().refused, published }).toEqual({ refused: undefined, published: true });
    await second.stop();
  });

  it('that differs from what was published after its last checkpoint gives way, and loses nothing', async () => {
    const { first, by } = await begun(3, 2);
    await backUp(first);
    // The machine was lost with its two open commits; an older backup went on, and only one of them came again.
    const open = (await notesOf(first.store)).slice(4);
    await first.stop();
    const other = join(root, 'other');
    await restore('other', publishedBy('first'));
    rmSync(join(root, 'first'), { recursive: true });
    const went = await machine('other');
    const both = await notesOf(went.store);
    await went.stop();
    expect(both.slice(4)).toEqual(open);
    // Its commits past the signed ones are cut by hand: that backup had none.
    const { cutCommits } = await import('../store/sqlite/snapshot.ts');
    cutCommits(join(other, 'collector', 'store.db'), 4);
    const goesOn = await machine('other');
    await goesOn.batches(player(ORIGIN, eu, 7), 1);
    await goesOn.commit(open[1] ?? '', 'batch');
    await goesOn.sign();
    const published = await notesOf(goesOn.store);
    await goesOn.stop();

    // Nothing but the rows of the backup has the bodies of what is cut.
    for (const name of readdirSync(join(root, 'backup', 'collector', 'blobs')))
      if (name.length === 2) rmSync(join(root, 'backup', 'collector', 'blobs', name), { recursive: true });
    const restored = await restore('third', publishedBy('other'));
    expect(restored.taken).toMatchObject({ added: 2, again: 1, missing: {} });
    const third = await machine('third');
    const notes = await notesOf(third.store);
    const bodies = openBodies(third.store, folderBlobs(join(third.dataDir, 'collector', 'blobs')));
    const rows = await third.store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 100));
    for (const row of rows) {
      const batch = batchOf(row);
      if (batch !== undefined) expect([...(await bodies.ofBatch(row, batch)).keys()]).toEqual(['web']);
    }
    expect(notes).toEqual([...published, open[0]]);
    expect(await third.sign()).toEqual({ size: notes.length, refused: undefined });
    await third.stop();
    expect(by.id).toBe('eu-1');
  });

  it('is refused where an older copy of the log is published than it has signed itself', async () => {
    const { first, by } = await begun(3, 0);
    const blobs = folderBlobs(join(root, 'first', 'collector', 'blobs'));
    const old = await blobs.get('log/2026/checkpoint');
    await first.batches(by, 2);
    await first.sign();
    await backUp(first);
    await first.stop();
    const right = publishedBy('first');
    const copy: Published = {
      ...right,
      get: async (path, maxBytes) => (path === '2026/checkpoint' ? old : right.get(path, maxBytes)),
      ageS: () => 86_400,
    };
    await expect(restore('second', copy)).rejects.toMatchObject({
      kind: 'no',
      message: `${right.base}/2026 has 4 entries, from a cache that has it for 86400 s, and this backup has signed 6: it is an old copy of the log`,
      remedy: expect.stringContaining('--published none') as string,
    });
    expect(() => statSync(join(root, 'second', 'collector', 'store.db'))).toThrow('ENOENT');
    expect((await restore('second', right)).taken?.logs).toMatchObject([{ checkpoint: { size: 6 } }]);
  });

  it('whose signed entries are not those that are published is refused, and nothing is left', async () => {
    const { first, by } = await begun(3, 0);
    await backUp(first);
    await first.stop();
    // Signed by the same key over other entries: what a second collector with a copy of the keys would do.
    const key = loadSigningKey(join(root, 'first', 'keys', 'log-2026.key'));
    const other = player(ORIGIN, eu, 5);
    const entries = Array.from({ length: 9 }, () => utf8(other.batch({ config: ZERO_HASH, minute: 1 }).note));
    const hashes = entries.map((entry) => leafHash(entry, sha256));
    const text = formatCheckpointText({
      origin: `${ORIGIN}/2026`,
      size: entries.length,
      root: encodeBase64(rootOfLeaves(hashes, sha256)),
    });
    const files = new Map([
      ['2026/checkpoint', utf8(key.sign(text))],
      [`2026/${bundlePath(0, entries.length)}`, encodeBundle(entries)],
    ]);
    const forked = { base: 'https://status.example.com/log', get: async (path: string) => files.get(path) };
    await expect(restore('second', forked)).rejects.toThrow(/another history/);
    expect(() => statSync(join(root, 'second', 'collector'))).toThrow();
    expect(() => statSync(join(root, 'second', 'collector.restoring'))).toThrow();
    expect(by.id).toBe('eu-1');
  });

  it('goes on over New Year, where the key of the new log is at hand', async () => {
    const { first, by } = await begun(3, 2);
    await backUp(first);
    now = Date.UTC(2027, 0, 1, 0, 5);
    await first.batches(by, 4);
    await first.sign();
    const before = await notesOf(first.store);
    await first.stop();
    await expect(restore('second', publishedBy('first'))).rejects.toThrow(
      /begun after the backup: its key is not in it/,
    );
    await restore('second', publishedBy('first'), join(root, 'first', 'keys'));
    const second = await machine('second');
    expect(await notesOf(second.store)).toEqual(before);
    await second.batches(player(ORIGIN, eu, 9), 1);
    expect(yearOf(now)).toBe(2027);
    expect(await second.sign()).toEqual({ size: 6, refused: undefined });
    await second.stop();
  });

  it('tells who follows the feed that its numbers went back', async () => {
    const { first } = await begun(1, 0);
    await backUp(first);
    await first.stop();
    await restore('second', undefined);
    const second = await machine('second');
    const row = await second.store.read(HOUSE_SHARD, (tx) => tx.getState('feed', 'history'));
    expect(row?.value).toMatch(/^[0-9a-f]{16}$/);
    await second.stop();
  });

  it.each([
    [
      'its store',
      (dir: string, made: { store: { path: string } }) => join(dir, made.store.path),
      /is not the file that was backed up/,
    ],
    ['a tile', (dir: string) => join(dir, 'collector/blobs/log/2026/tile/0/000.p/4'), /do not give the root/],
    ['a bundle', (dir: string) => join(dir, 'collector/blobs/log/2026/tile/entries/000.p/4'), /entr|bundle/],
  ])('with one byte of %s changed is refused', async (_, fileOf, says) => {
    const { first } = await begun(3, 0);
    const made = await backUp(first);
    await first.stop();
    const file = fileOf(join(root, 'backup'), made);
    const bytes = Buffer.from(readFileSync(file));
    const at = bytes.length - 9;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    rmSync(file);
    writeFileSync(file, bytes);
    await expect(restore('second', undefined)).rejects.toThrow(says);
  });

  it('refuses a folder that has a store, and keys that are missing or others', async () => {
    const { first } = await begun(1, 0);
    await backUp(first, false);
    await first.stop();
    await expect(restore('first', undefined)).rejects.toThrow(/has a collector's store already/);
    await expect(restore('second', undefined)).rejects.toThrow(/has no operator.key/);
    await restore('second', undefined, join(root, 'first', 'keys'));
    expect(statSync(join(root, 'second', 'keys', 'operator.key')).mode & 0o777).toBe(0o600);
  });
});

describe('a backup', () => {
  it('again into the same folder copies what is new, and is the newer one', async () => {
    const { first, by } = await begun(3, 0);
    expect((await backUp(first)).added).toBe(3);
    await first.batches(by, 2);
    now += 60_000;
    const second = await backUp(first);
    expect(second).toMatchObject({ added: 2, commits: 6, bodies: { count: 5 } });
    const before = await notesOf(first.store);
    await first.stop();
    await restore('second', undefined);
    const restored = await machine('second');
    expect(await notesOf(restored.store)).toEqual(before);
    await restored.stop();
  });

  it('is refused in the data folder, around it, and in a folder of something else', async () => {
    const { first } = await begun(0, 0);
    const into = (dir: string) =>
      makeBackup({
        dataDir: first.dataDir,
        dir,
        configFile: undefined,
        withKeys: true,
        clock,
        progress: () => undefined,
      });
    await expect(into(join(first.dataDir, 'deep', 'backup'))).rejects.toThrow(BackupProblem);
    await expect(into(root)).rejects.toThrow(/lie in one another/);
    mkdirSync(join(root, 'else'));
    writeFileSync(join(root, 'else', 'letter.txt'), 'x');
    await expect(into(join(root, 'else'))).rejects.toThrow(/not empty and not a backup/);
    await first.stop();
    await expect(
      makeBackup({
        dataDir: join(root, 'none'),
        dir: join(root, 'b'),
        configFile: undefined,
        withKeys: true,
        clock,
        progress: () => undefined,
      }),
    ).rejects.toThrow(/no collector's store/);
  });
});
