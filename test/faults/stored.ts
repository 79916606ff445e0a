/** What a stopped collector's store has of evidence, by its own reading: for tests that kill what works on it. */
import { createHash } from 'node:crypto';
import { glob } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openBodies } from '../../collector/src/bodies/bodies.ts';
import { batchOf } from '../../collector/src/slots/batch-commit.ts';
import { folderBlobs } from '../../collector/src/store/blobs/folder.ts';
import { openSqliteStore } from '../../collector/src/store/sqlite/sqlite-store.ts';
import type { PackRow } from '../../collector/src/store/store.ts';
import { LOG_SHARD } from '../../collector/src/watched.ts';

const ALL = 2 ** 40;

export interface Stored {
  /** Of all commits and what they say, hex. */
  readonly commits: string;
  /** By hash (base64), of every body that a batch names and that can be read by its batch: SHA-256 of its text, base64. */
  readonly bodies: ReadonlyMap<string, string>;
  /** Batches whose body of a service is in more than one pack: `SERVICE INDEX`. */
  readonly doubled: readonly string[];
  /** Batches whose bodies are held. */
  readonly held: number;
  readonly packs: readonly PackRow[];
  /** Names of packed objects that no row names, and of rows without an object. */
  readonly stray: readonly string[];
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64');

export async function readStored(dataDir: string): Promise<Stored> {
  const folder = join(dataDir, 'collector');
  await using store = openSqliteStore(folder);
  const blobs = folderBlobs(join(folder, 'blobs'));
  const reader = openBodies(store, blobs);
  const read = await store.read(LOG_SHARD, async (tx) => ({
    commits: await tx.commitsFrom(0, ALL),
    held: await tx.heldBefore(ALL, ALL),
    packs: await tx.packsBefore(ALL, ALL),
  }));
  const all = createHash('sha256');
  const bodies = new Map<string, string>();
  for (const commit of read.commits) {
    all.update(`${commit.index} ${commit.hash}\n${commit.note}\n`);
    const batch = batchOf(commit);
    if (batch === undefined) continue;
    const own = await reader.ofBatch(commit, batch);
    for (const { service, hash } of batch.bodies) {
      const text = own.get(service);
      if (text !== undefined) bodies.set(hash, digestOf(text));
    }
  }
  const times = new Map<string, number>();
  for (const { service, commits } of read.packs) {
    for (const index of commits)
      times.set(`${service} ${index}`, (times.get(`${service} ${index}`) ?? 0) + 1);
  }
  const named = new Set(read.packs.map(({ blob }) => blob));
  const there = new Set<string>();
  const root = join(folder, 'blobs');
  for await (const file of glob(`${root}/**/packed/**`, { withFileTypes: true })) {
    const path = relative(root, join(file.parentPath, file.name));
    if (file.isFile()) there.add(path.slice(path.indexOf('packed/')));
  }
  return {
    commits: all.digest('hex'),
    bodies,
    doubled: [...times].filter(([, count]) => count > 1).map(([place]) => place),
    held: read.held.length,
    packs: read.packs,
    stray: [
      ...[...named].filter((name) => !there.has(name)),
      ...[...there].filter((name) => !named.has(name)),
    ],
  };
}
