/** A backup of a store whose bodies lie in packs, in rows and in files: each is read again by its hash. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey, saveSigningKey, sha256 } from '@highwater/config/keys.ts';
import { leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBodies } from '../bodies/bodies.ts';
import { keepFileBody } from '../bodies/files.ts';
import { makeBodySalt } from '../ingest/salts.ts';
import { openPacking } from '../packing/packing.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { nameServices } from '../testing/named-services.ts';
import { player } from '../testing/player.ts';
import { LOG_SHARD } from '../watched.ts';
import { makeBackup } from './make.ts';
import { restoreBackup, type Restored } from './restore.ts';

const ORIGIN = 'test.example/log';
const DAY_MS = 86_400_000;
const DAY = 20_000;
const now = (DAY + 2) * DAY_MS;
const clock = { now: () => now, monotonic: () => now };
let root: string;
beforeEach(() => (root = newDataDir()));
afterEach(() => dropDataDir(root));

/** Three batches of two services whose day is packed, one of today in a row, one of today in files; texts by hash. */
async function filled(): Promise<{ texts: Map<string, string>; packs: string[] }> {
  saveSigningKey(join(root, 'first', 'keys', 'operator.key'), generateSigningKey(ORIGIN));
  const folder = join(root, 'first', 'collector');
  await using store = openSqliteStore(folder);
  const blobs = folderBlobs(join(folder, 'blobs'));
  await store.transact(LOG_SHARD, makeBodySalt);
  // The other goes into a mixed pack.
  await nameServices(store, ['web']);
  const eu = player(ORIGIN, generateSigningKey('eu-1'));
  const texts = new Map<string, string>();
  for (const [number, at] of [0, 60_000, 120_000, DAY_MS, DAY_MS + 60_000].entries()) {
    const minute = (DAY * DAY_MS + at) / 60_000;
    eu.frame(['mail', 'web'].map((service) => `${service}/main/http ${minute * 60_000} ok ${number} -`));
    const { note, batch, bodies } = eu.batch({ config: ZERO_HASH, minute });
    const held = batch.bodies.map(({ service, hash }) => ({
      service,
      hash,
      shown: service === 'web' ? ('public' as const) : ('private' as const),
      text: bodies.get(service) ?? '',
    }));
    for (const { hash, text } of held) texts.set(hash, text);
    if (number === 4) for (const body of held) await keepFileBody(blobs, body);
    await store.transact(LOG_SHARD, async (tx) => {
      const index = await tx.addCommit({
        kind: 'batch',
        at: minute * 60_000,
        note,
        hash: leafHashOfNote(note, sha256),
        batch: { probe: 'eu-1', epoch: 0, number, minutes: batch.minutes },
      });
      if (number < 4) await tx.addBodies(index, held);
    });
  }
  const figures = {
    objects: 0,
    lines: 0,
    bytes: 0,
    bodyBytes: 0,
    failed: 0,
    droppedPacks: 0,
    droppedBlocks: 0,
  };
  await openPacking(folder, store, blobs, clock, pino({ level: 'silent' }), figures).turn();
  const rows = await store.read(LOG_SHARD, (tx) => tx.packsBefore(DAY + 9, 9));
  expect(await store.read(LOG_SHARD, (tx) => tx.heldBefore(DAY + 9, 9))).toEqual([4]);
  return { texts, packs: rows.map(({ blob }) => blob) };
}

const parts = () => ({ dir: join(root, 'backup'), clock, progress: () => undefined });

const restore = (to: string): Promise<Restored> =>
  restoreBackup({ ...parts(), dataDir: join(root, to), keysDir: undefined, published: undefined });

/** Those that are read by their hash from the restored store. */
async function readIn(to: string, texts: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const folder = join(root, to, 'collector');
  await using store = openSqliteStore(folder);
  const bodies = openBodies(store, folderBlobs(join(folder, 'blobs')));
  const found = new Map<string, string>();
  for (const hash of texts.keys()) {
    const body = await bodies.read(hash);
    if (body === undefined) continue;
    expect(body.shown).toBe(body.text.startsWith('web/') ? 'public' : 'private');
    found.set(hash, body.text);
  }
  return found;
}

it('has every body, whether it lay in a pack, in a row or in a file; what is damaged is told by name and left out', async () => {
  const { texts, packs } = await filled();
  expect([texts.size, packs.length]).toEqual([10, 2]);
  const dataDir = join(root, 'first');
  const made = await makeBackup({ ...parts(), dataDir, configFile: undefined, withKeys: true });
  // Two packs and two files.
  expect(made.bodies.count).toBe(4);
  expect((await restore('second')).damaged).toEqual([]);
  expect(await readIn('second', texts)).toEqual(texts);

  const [pack = ''] = packs;
  const path = join(root, 'backup', 'collector', 'blobs', pack);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  // Not through the link: the data folder's own stays.
  rmSync(path);
  writeFileSync(path, bytes);
  expect((await restore('third')).damaged).toEqual([pack]);
  const left = await readIn('third', texts);
  expect(left.size).toBe(7);
  for (const [hash, text] of left) expect(text).toBe(texts.get(hash));
});
