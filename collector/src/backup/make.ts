/**
 * Makes a backup while the collector runs, from another process: the store as it is at one moment, then what it names
 * (immutable, so it may be linked), then keys and configuration; the manifest last, so that a backup that was stopped
 * halfway is the one before. Into a folder with a backup only what is new is copied.
 */
import { realpathSync } from 'node:fs';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { loadSigningKey, openCheckpoint, parseVerifier } from '@highwater/config/keys.ts';
import type { Clock } from '@highwater/config/time.ts';
import { blobOf, checkpointBlob, readTile } from '../log/files.ts';
import { readYears } from '../log/sequence.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { isCode, writeDurably } from '../store/blobs/durable.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { lockFolder } from '../store/sqlite/open.ts';
import { damageOf, snapshotDatabase } from '../store/sqlite/snapshot.ts';
import { readCopy } from '../store/sqlite/sqlite-store.ts';
import type { CheckpointRow } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { copyAlerts } from './alerts-store.ts';
import {
  bodiesAndPacksIn,
  bodyPlace,
  copyReports,
  copyDurably,
  Folders,
  hashOfFile,
  linkOrCopy,
  makeFolders,
  makePrivate,
  namesIn,
  sizeOf,
  syncFile,
} from './files.ts';
import { type BackedFile, FORMAT, type Manifest, MANIFEST } from './manifest.ts';
import { BackupProblem } from './problem.ts';
import { pathsAt, wrongTiles } from './tiles.ts';

export interface BackupParts {
  readonly dataDir: string;
  /** New, or with a backup in it. */
  readonly dir: string;
  readonly configFile: string | undefined;
  readonly withKeys: boolean;
  readonly clock: Clock;
  /** What is being done, and how far it has come, for people. */
  readonly progress: (says: string) => void;
}

export interface Made extends Manifest {
  /** Bodies that were not there before. */
  readonly added: number;
  /** Whether they share their bytes with the data folder: a disk that fails takes both. */
  readonly linked: boolean;
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
    return dirname(path) === path ? path : join(realOf(dirname(path)), basename(path));
  }
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

async function refuseBadFolders({ dataDir, dir }: BackupParts): Promise<void> {
  if ((await sizeOf(join(dataDir, 'collector', 'store.db'))) === undefined) {
    throw new BackupProblem(
      'usage',
      `${dataDir} has no collector's store`,
      'name the data folder with --data',
    );
  }
  const [to, from] = [realOf(resolve(dir)), realOf(resolve(dataDir))];
  if (isWithin(to, from) || isWithin(from, to)) {
    throw new BackupProblem(
      'usage',
      `${dir} and the data folder ${dataDir} lie in one another`,
      'name a folder elsewhere, on another disk at best',
    );
  }
  const names = (await namesIn(dir)).filter((name) => !name.startsWith('.'));
  if (names.length > 0 && !names.includes(MANIFEST) && !names.every((name) => OURS.includes(name))) {
    throw new BackupProblem('usage', `${dir} is not empty and not a backup`, 'name a new folder');
  }
}

/** What one that was stopped before its manifest leaves. */
const OURS = ['collector', 'alerts', 'keys', 'config.yaml'];

/** The tiles of one log as they were signed, and its checkpoint. */
async function copyLog(
  from: Blobs,
  fromRoot: string,
  to: Blobs,
  toRoot: string,
  row: CheckpointRow,
  key: string,
) {
  const folders = new Folders();
  for (const path of pathsAt(row.size)) {
    const name = blobOf(row.year, path);
    await folders.ensure(dirname(join(toRoot, name)));
    try {
      await linkOrCopy(join(fromRoot, name), join(toRoot, name));
    } catch (error) {
      if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      // The log has grown since, and the partial tile is gone: it is a part of the full one.
      const bytes = await readTile(from, row.year, path);
      if (bytes === undefined) {
        throw new BackupProblem('no', `${name} is not in the data folder`, 'look at highwater log status', {
          cause: error,
        });
      }
      await to.putIfAbsent(name, bytes);
    }
  }
  await folders.sync();
  // The published one has the witnesses' lines; it may be of a later size by now.
  const published = await from.get(checkpointBlob(row.year));
  const text = published === undefined ? row.note : Buffer.from(published).toString('utf8');
  const opened = openCheckpoint(text, parseVerifier(key));
  const isSame = !('error' in opened) && opened.checkpoint.size === row.size;
  await to.replace(checkpointBlob(row.year), Buffer.from(isSame ? text : row.note));
}

async function copyBodies(from: string, to: string, progress: BackupParts['progress']) {
  const folders = new Folders();
  const sum = { count: 0, bytes: 0, added: 0, linked: false };
  for await (const name of bodiesAndPacksIn(from)) {
    const place = bodyPlace(name);
    await folders.ensure(dirname(join(to, place)));
    try {
      const how = await linkOrCopy(join(from, place), join(to, place));
      sum.added += how === 'there' ? 0 : 1;
      sum.linked ||= how === 'linked';
    } catch (error) {
      // Let go by retention in this moment.
      if (isCode(error, 'ENOENT')) continue;
      throw error;
    }
    sum.count += 1;
    sum.bytes += (await sizeOf(join(to, place))) ?? 0;
    if (sum.count % 10_000 === 0) progress(`bodies: ${sum.count}`);
  }
  await folders.sync();
  return sum;
}

async function fileAt(dir: string, path: string): Promise<BackedFile> {
  const full = join(dir, path);
  return { path, bytes: (await sizeOf(full)) ?? 0, sha256: await hashOfFile(full) };
}

async function copyKeys({ dataDir, dir, withKeys }: BackupParts): Promise<string[]> {
  const to = join(dir, 'keys');
  if (!withKeys) {
    await rm(to, { recursive: true, force: true });
    return [];
  }
  await mkdir(to, { recursive: true, mode: 0o700 });
  await chmod(to, 0o700);
  const names = (await namesIn(join(dataDir, 'keys'))).filter((name) => /^[^.].*\.key$/.test(name));
  for (const name of names) await copyDurably(join(dataDir, 'keys', name), join(to, name));
  if ((await sizeOf(join(dataDir, 'token'))) !== undefined) {
    await copyDurably(join(dataDir, 'token'), join(to, 'token'));
    names.push('token');
  }
  return names;
}

async function work(parts: BackupParts): Promise<Made> {
  const { dataDir, dir, progress } = parts;
  const at = parts.clock.now();
  const [fromRoot, toRoot] = [join(dataDir, 'collector', 'blobs'), join(dir, 'collector', 'blobs')];
  const [from, to] = [folderBlobs(fromRoot), folderBlobs(toRoot)];
  await mkdir(toRoot, { recursive: true, mode: 0o700 });
  const store = join('collector', `store-${at}.db`);
  await snapshotDatabase(join(dataDir, 'collector', 'store.db'), join(dir, store), (share) =>
    progress(`store: ${Math.floor(share * 100)} %`),
  );
  await chmod(join(dir, store), 0o600);
  await syncFile(join(dir, store));
  const damage = damageOf(join(dir, store));
  if (damage !== undefined) {
    throw new BackupProblem('no', `the store is damaged: ${damage}`, 'restore it from an older backup');
  }
  const held = await readCopy(join(dir, store), LOG_SHARD, async (tx) => {
    const years = await readYears(tx);
    const rows = await Promise.all(
      years.map(async (log) => ({ log, row: await tx.lastCheckpoint(log.year) })),
    );
    return { rows, commits: await tx.commitSize() };
  });
  for (const { log, row } of held.rows) {
    if (row === undefined) continue;
    progress(`log of ${log.year}: ${row.size} entries`);
    await copyLog(from, fromRoot, to, toRoot, row, log.vkey);
  }
  const last = held.rows.findLast(({ row }) => row !== undefined)?.row;
  const wrong = last && (await wrongTiles(to, last.year, last.size, last.root));
  if (last !== undefined && wrong !== undefined) {
    throw new BackupProblem('no', `log/${last.year}: ${wrong}`, 'look at highwater log status and the disk');
  }
  progress('bodies');
  const { added, linked, ...bodies } = await copyBodies(fromRoot, toRoot, progress);
  progress('reports');
  await copyReports(join(dataDir, 'collector', 'reports'), join(dir, 'collector', 'reports'));
  const alerts = await copyAlerts(dataDir, dir, at);
  const keys = await copyKeys(parts);
  if (parts.configFile !== undefined) {
    await writeDurably(join(dir, 'config.yaml'), await readFile(parts.configFile));
  }
  const operator = loadSigningKey(join(dataDir, 'keys', 'operator.key'));
  const manifest: Manifest = {
    format: FORMAT,
    at,
    origin: operator.name,
    commits: held.commits,
    logs: held.rows.map(({ log, row }) => ({
      year: log.year,
      key: log.vkey,
      size: row?.size ?? 0,
      ...(row === undefined ? {} : { root: row.root }),
    })),
    store: await fileAt(dir, store),
    ...(alerts === undefined ? {} : { alerts: await fileAt(dir, alerts) }),
    ...(parts.configFile === undefined ? {} : { config: await fileAt(dir, 'config.yaml') }),
    keys,
    bodies,
  };
  await writeDurably(join(dir, MANIFEST), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  await dropOlder(dir, manifest);
  return { ...manifest, added, linked };
}

/** Copies of databases that the manifest no longer names. */
async function dropOlder(dir: string, { store, alerts }: Manifest): Promise<void> {
  for (const folder of ['collector', 'alerts']) {
    for (const name of await namesIn(join(dir, folder))) {
      const path = join(folder, name);
      const isCopy = /^(store|alerts)-\d+\.db(-wal|-shm|-journal)?$/.test(name);
      if (isCopy && path !== store.path && path !== alerts?.path) await rm(join(dir, path), { force: true });
    }
  }
}

/** Rejects with BackupProblem when it can't be made; what was there before stays a backup. */
export async function makeBackup(parts: BackupParts): Promise<Made> {
  await refuseBadFolders(parts);
  const lockFile = join(parts.dir, '.lock.db');
  try {
    makeFolders(parts.dir);
    makePrivate(lockFile);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new BackupProblem(
      'usage',
      `${parts.dir} can not be made or written (${code})`,
      'name another folder',
      {
        cause: error,
      },
    );
  }
  let lock;
  try {
    lock = lockFolder(lockFile);
  } catch (error) {
    throw new BackupProblem('no', `another backup into ${parts.dir} is being made`, 'wait for it', {
      cause: error,
    });
  }
  try {
    return await work(parts);
  } catch (error) {
    const isFull =
      isCode(error, 'ENOSPC', 'EDQUOT', 'SQLITE_FULL') ||
      (error instanceof Error && error.name === 'DiskFullError');
    if (!isFull) throw error;
    throw new BackupProblem(
      'no',
      `no room left at ${parts.dir}`,
      'make room there, or name a folder on another disk; what was backed up there before is as it was',
      { cause: error },
    );
  } finally {
    lock.close();
  }
}
