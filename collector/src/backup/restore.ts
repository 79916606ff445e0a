/**
 * Restores a backup into a data folder without a store, so that its log goes on and never forks: what was published
 * after the backup is taken over first. All of it is made beside (`collector.restoring`) and put in place by one rename,
 * so that a restore that was stopped has left nothing that a collector would start with.
 */
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadSigningKey } from '@highwater/config/keys.ts';
import type { Clock } from '@highwater/config/time.ts';
import { blobOf, checkpointBlob } from '../log/files.ts';
import { isAsNamed } from '../bodies/files.ts';
import { readSalts, type SaltOf } from '../ingest/salts.ts';
import { syncFolder } from '../store/blobs/durable.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { checkBackup } from './check.ts';
import {
  bodiesAndPacksIn,
  bodyPlace,
  copyDurably,
  copyReports,
  Folders,
  hashOfFile,
  linkOrCopy,
  namesIn,
  sizeOf,
} from './files.ts';
import type { Manifest } from './manifest.ts';
import { BackupProblem } from './problem.ts';
import type { Published } from './published.ts';
import { takeOver, type TakenOver } from './take-over.ts';
import { pathsAt } from './tiles.ts';
import { refitViews } from './views.ts';

export interface RestoreParts {
  readonly dir: string;
  readonly dataDir: string;
  /** In place of the keys in the backup. */
  readonly keysDir: string | undefined;
  /** Undefined: the operator says that nobody has seen more than the backup has. */
  readonly published: ((manifest: Manifest) => Promise<Published>) | undefined;
  readonly clock: Clock;
  readonly progress: (says: string) => void;
}

export interface Restored {
  readonly manifest: Manifest;
  readonly taken: TakenOver | undefined;
  readonly commits: number;
  /** Bodies of the backup whose bytes are not those that their name says: left out. */
  readonly damaged: readonly string[];
  /** Whether the store of the alerts was put back: one that is there stays. */
  readonly alerts: boolean;
}

const WORKING = 'collector.restoring';

async function refuseInhabited(dataDir: string): Promise<void> {
  if ((await sizeOf(join(dataDir, 'collector', 'store.db'))) !== undefined) {
    throw new BackupProblem(
      'usage',
      `${dataDir} has a collector's store already`,
      'restore into an empty folder with --data; what is in this one may be newer than the backup',
    );
  }
  const left = (await namesIn(join(dataDir, 'collector'))).filter((name) => name !== 'lock.db');
  if (left.length > 0) {
    throw new BackupProblem(
      'usage',
      `${join(dataDir, 'collector')} is not empty`,
      'move it away, or name an empty folder with --data',
    );
  }
}

/** The key files to be put in place, by name; refuses where one is missing, another, or another is in the way. */
async function keysFor(
  parts: RestoreParts,
  manifest: Manifest,
): Promise<{ from: string; names: string[]; logs: Map<number, string>; operator: string }> {
  const from = parts.keysDir ?? join(parts.dir, 'keys');
  const names = (await namesIn(from)).filter((name) => name === 'token' || /^[^.].*\.key$/.test(name));
  if (!names.includes('operator.key')) {
    throw new BackupProblem(
      'usage',
      `${from} has no operator.key`,
      'name the folder that has the keys of the lost data folder with --keys',
    );
  }
  const operator = loadSigningKey(join(from, 'operator.key'));
  if (operator.name !== manifest.origin) {
    throw new BackupProblem(
      'usage',
      `${join(from, 'operator.key')} is of ${operator.name}, the backup of ${manifest.origin}`,
      'name the folder with the right keys with --keys',
    );
  }
  const logs = new Map<number, string>();
  for (const name of names) {
    const year = /^log-(\d{4})\.key$/.exec(name)?.[1];
    if (year !== undefined) logs.set(Number(year), loadSigningKey(join(from, name)).vkey);
  }
  const newest = manifest.logs.findLast(({ size }) => size > 0);
  if (newest !== undefined && logs.get(newest.year) !== newest.key) {
    throw new BackupProblem(
      'usage',
      `${from} has not the key that the log of ${newest.year} was signed with (log-${newest.year}.key)`,
      'name the folder that has it with --keys',
    );
  }
  for (const name of names) {
    const to = name === 'token' ? join(parts.dataDir, 'token') : join(parts.dataDir, 'keys', name);
    if ((await sizeOf(to)) !== undefined && (await hashOfFile(to)) !== (await hashOfFile(join(from, name)))) {
      throw new BackupProblem(
        'usage',
        `${to} is another one than in ${from}`,
        'move it away, or name an empty folder with --data',
      );
    }
  }
  return { from, names, logs, operator: operator.vkey };
}

/** What the manifest names, into the working folder; gives the bodies that are not what their names say. */
async function copyBlobs(
  from: string,
  to: string,
  manifest: Manifest,
  saltOf: SaltOf,
  progress: RestoreParts['progress'],
): Promise<string[]> {
  const folders = new Folders();
  const put = async (place: string): Promise<void> => {
    await folders.ensure(dirname(join(to, place)));
    await linkOrCopy(join(from, place), join(to, place));
  };
  for (const { year, size } of manifest.logs) {
    if (size === 0) continue;
    for (const path of pathsAt(size)) await put(blobOf(year, path));
    await copyDurably(join(from, checkpointBlob(year)), join(to, checkpointBlob(year)));
  }
  const damaged: string[] = [];
  let count = 0;
  for await (const name of bodiesAndPacksIn(from)) {
    const place = bodyPlace(name);
    if (isAsNamed(name, await readFile(join(from, place)), saltOf) === false) damaged.push(name);
    else await put(place);
    count += 1;
    if (count % 1_000 === 0) progress(`bodies: ${count} of ${manifest.bodies.count}`);
  }
  await folders.sync();
  return damaged;
}

/** As the store in a folder has them; one of an older version is brought up to this one, as its collector would. */
async function saltsIn(folder: string): Promise<SaltOf> {
  await using store = openSqliteStore(folder);
  return await store.read(LOG_SHARD, readSalts);
}

/** Nobody may have gone on writing the log meanwhile. */
async function demandQuiet(published: Published, { logs }: TakenOver): Promise<void> {
  const last = logs.at(-1);
  if (last === undefined) return;
  const now = await published.get(`${last.year}/checkpoint`, 65_536);
  const text = (bytes: string): string => bytes.slice(0, bytes.indexOf('\n\n'));
  if (now !== undefined && text(Buffer.from(now).toString('utf8')) === text(last.note)) return;
  throw new BackupProblem(
    'no',
    `the log of ${last.year} at ${published.base} is still being written`,
    'stop the collector that writes it; two on one log would sign two histories',
  );
}

async function putKeys(
  parts: RestoreParts,
  from: string,
  names: readonly string[],
  keep: ReadonlySet<number>,
): Promise<void> {
  const keys = join(parts.dataDir, 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  for (const name of names) {
    const year = /^log-(\d{4})\.key$/.exec(name)?.[1];
    // The key of a year that begins anew has signed nothing; beside a store without its row it would stop the signing.
    if (year !== undefined && !keep.has(Number(year))) continue;
    await copyDurably(join(from, name), name === 'token' ? join(parts.dataDir, 'token') : join(keys, name));
  }
  await syncFolder(keys);
}

async function putAlerts({ dir, dataDir }: RestoreParts, { alerts }: Manifest): Promise<boolean> {
  const to = join(dataDir, 'alerts', 'alerts.db');
  if (alerts === undefined || (await sizeOf(to)) !== undefined) return false;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await copyDurably(join(dir, alerts.path), to);
  await syncFolder(dirname(to));
  return true;
}

async function work(parts: RestoreParts, manifest: Manifest): Promise<Restored> {
  const { dir, dataDir, clock, progress } = parts;
  const keys = await keysFor(parts, manifest);
  const published = await parts.published?.(manifest);
  const folder = join(dataDir, WORKING);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'blobs'), { recursive: true, mode: 0o700 });
  await copyDurably(join(dir, manifest.store.path), join(folder, 'store.db'));
  const saltOf = await saltsIn(folder);
  const [from, to] = [join(dir, 'collector', 'blobs'), join(folder, 'blobs')];
  const damaged = await copyBlobs(from, to, manifest, saltOf, progress);
  progress('reports');
  await copyReports(join(dir, 'collector', 'reports'), join(folder, 'reports'), copyDurably);
  const open = (): Store => openSqliteStore(folder);
  const { taken, store } =
    published === undefined
      ? { taken: undefined, store: open() }
      : await takeOver({
          open,
          file: join(folder, 'store.db'),
          blobs: folderBlobs(join(folder, 'blobs')),
          published,
          keyOf: (year) => keys.logs.get(year),
          operatorKey: keys.operator,
          now: clock.now(),
          progress,
        });
  let commits: number;
  let years: Set<number>;
  try {
    await refitViews(store, clock.now(), taken !== undefined);
    if (published !== undefined && taken !== undefined) await demandQuiet(published, taken);
    commits = await store.read(LOG_SHARD, (tx) => tx.commitSize());
    years = new Set((await store.read(LOG_SHARD, (tx) => tx.listState('log'))).map(({ key }) => Number(key)));
  } finally {
    await store[Symbol.asyncDispose]();
  }
  await putKeys(parts, keys.from, keys.names, years);
  const alerts = await putAlerts(parts, manifest);
  await rm(join(dataDir, 'collector'), { recursive: true, force: true });
  await syncFolder(folder);
  await rename(folder, join(dataDir, 'collector'));
  await syncFolder(dataDir);
  return { manifest, taken, commits, damaged, alerts };
}

/** Rejects with BackupProblem when it can't be; then there is no store in the data folder. */
export async function restoreBackup(parts: RestoreParts): Promise<Restored> {
  await refuseInhabited(parts.dataDir);
  const manifest = await checkBackup(parts.dir, parts.progress);
  await mkdir(parts.dataDir, { recursive: true, mode: 0o700 });
  try {
    return await work(parts, manifest);
  } catch (error) {
    await rm(join(parts.dataDir, WORKING), { recursive: true, force: true });
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const isFull =
      ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code) ||
      (error instanceof Error && error.name === 'DiskFullError');
    if (!isFull) throw error;
    throw new BackupProblem(
      'no',
      `no room left at ${parts.dataDir}`,
      'make room there, or name another folder with --data',
      { cause: error },
    );
  }
}
