/** A log in a folder of its own, with a clock that tests set, and what its files must be, worked out the plain way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@highwater/config/keys.ts';
import { concat, encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHash, leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { bundlePath, encodeBundle, tilePath } from '@highwater/config/proof/tiles.ts';
import { rootOfLeaves } from '@highwater/config/proof/tree.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import type { Blobs } from '../store/blobs/blobs.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { memoryBlobs } from '../testing/memory-blobs.ts';
import { LOG_SHARD } from '../watched.ts';
import type { Log } from './log.ts';
import { openLog } from './open.ts';

export const ORIGIN = 'test.example/log';
/** The first moment of a year, ms. */
export const newYear = (year: number): number => Date.UTC(year, 0, 1);

export interface Bench {
  readonly folder: string;
  readonly keysDir: string;
  readonly files: Map<string, Uint8Array>;
  readonly blobs: Blobs;
  readonly store: Store;
  readonly alarms: Alarm[];
  readonly clearedKeys: string[];
  /** ms. */
  now: number;
  /** Adds commits at `now`, numbered on; returns the index of the first. */
  commit(count: number, note?: (index: number) => string): Promise<number>;
  open(parts?: { blobs?: Blobs; store?: Store }): Promise<Log>;
  /** Opens the store again, as a restart does; `lost` empties it first. */
  restart(lost?: 'lost'): Promise<void>;
  close(): Promise<void>;
}

export const noteOf = (index: number): string => `highwater/test/v1\n${index}\n\n— a ${index}\n`;

export async function bench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'highwater-log-'));
  const files = new Map<string, Uint8Array>();
  let store = openSqliteStore(join(folder, 'store'));
  const self: Bench = {
    folder,
    keysDir: join(folder, 'keys'),
    files,
    blobs: memoryBlobs(files),
    get store() {
      return store;
    },
    alarms: [],
    clearedKeys: [],
    now: newYear(2026) + 1_000,
    commit: (count, note = noteOf) =>
      store.transact(LOG_SHARD, async (tx) => {
        const first = await tx.commitSize();
        for (let index = first; index < first + count; index += 1) {
          const text = note(index);
          await tx.addCommit({ kind: 'probe', at: self.now, note: text, hash: leafHashOfNote(text, sha256) });
        }
        return first;
      }),
    open: (parts = {}) =>
      openLog({
        origin: ORIGIN,
        store: parts.store ?? store,
        blobs: parts.blobs ?? self.blobs,
        keysDir: self.keysDir,
        clock: { now: () => self.now, monotonic: () => performance.now() },
        log: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
        alarm: (alarm) => void self.alarms.push(alarm),
        cleared: (key) => void self.clearedKeys.push(key),
      }),
    async restart(lost) {
      await store[Symbol.asyncDispose]();
      if (lost !== undefined) rmSync(join(folder, 'store'), { recursive: true });
      store = openSqliteStore(join(folder, 'store'));
    },
    async close() {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
  return self;
}

/** Merges until nothing is left; returns how often something was published. */
export async function mergeAll(log: Log): Promise<number> {
  let published = 0;
  while (await log.beat()) published += 1;
  return published;
}

/** Every tile and bundle of a log of these entries, by path: hashes by hashes and slices of 256, no tree code of ours. */
export function filesOf(entries: readonly string[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const bytes = entries.map((entry) => utf8(entry));
  for (let i = 0; i < bytes.length; i += 256) {
    const part = bytes.slice(i, i + 256);
    files.set(bundlePath(i / 256, part.length), encodeBundle(part));
  }
  let hashes = bytes.map((entry) => leafHash(entry, sha256));
  for (let level = 0; hashes.length > 0; level += 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < hashes.length; i += 256) {
      const part = hashes.slice(i, i + 256);
      files.set(tilePath({ level, index: i / 256, width: part.length }), concat(...part));
      if (part.length === 256) above.push(rootOfLeaves(part, sha256));
    }
    hashes = above;
  }
  return files;
}

export const rootOf = (entries: readonly string[]): string =>
  encodeBase64(
    rootOfLeaves(
      entries.map((entry) => leafHash(utf8(entry), sha256)),
      sha256,
    ),
  );
