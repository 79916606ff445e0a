/**
 * Makes all views again from the log and its bodies, beside those that are there, compares them byte by byte and, unless
 * it is only asked, puts right what differs: a shard and day at a time, so that whatever ends it leaves what it has put
 * right so far, and nothing else. What an ended one left beside is thrown away by the next.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@highwater/config/model.ts';
import { type Instant, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { FolderInUseError } from '../store/sqlite/open.ts';
import { openSqliteStore, OtherVersionError, readCopy } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { openBodies } from '../bodies/bodies.ts';
import { packedIn } from '../bodies/packed.ts';
import { belongsWith } from './belongs.ts';
import { besideStore } from './beside.ts';
import { type Difference, differencesIn, stretches } from './differences.ts';
import { follow } from './follow.ts';
import { notingGone } from './gone.ts';
import { RebuildProblem } from './problem.ts';
import { type FollowedShard, followedShards, namesEver } from './shards.ts';

export interface RebuildParts {
  readonly dataDir: string;
  /** What the collector runs. */
  readonly config: Config;
  readonly now: Instant;
  /** Changes nothing. */
  readonly isCheck: boolean;
  /** What is being done; commits that were followed, and how many there are, over all shards. */
  readonly progress: (done: number, all: number) => void;
}

export interface Rebuilt {
  readonly shards: number;
  /** Of the log. */
  readonly commits: number;
  /** UTC days from the first to the last minute that has slots. */
  readonly days: number;
  /** Of these, days of which bodies are gone: what is there stays. */
  readonly keptDays: number;
  /** Packs that are damaged, or not there: their days are among those that stay. */
  readonly damaged: readonly DamagedPack[];
  readonly differences: readonly Omit<Difference, 'block'>[];
}

export interface DamagedPack {
  readonly service: string;
  /** UTC day. */
  readonly day: number;
  /** The name of its object among the blobs. */
  readonly pack: string;
  readonly says: string;
}

/** The folder of the store that is made beside. */
export const scratchFolder = (dataDir: string): string => join(dataDir, 'collector', 'rebuild');

async function openMain(folder: string): Promise<Store> {
  const file = join(folder, 'store.db');
  if (!existsSync(file)) {
    throw new RebuildProblem(`${folder} has no collector's store`, 'name the data folder with --data');
  }
  try {
    // To open it would bring it up to date: then it would not be what it was.
    await readCopy(file, LOG_SHARD, async () => undefined);
    return openSqliteStore(folder);
  } catch (error) {
    if (error instanceof FolderInUseError) {
      const says = `the collector of ${folder} runs, or another rebuild`;
      throw new RebuildProblem(says, 'stop it first', { cause: error });
    }
    if (error instanceof OtherVersionError) {
      const remedy = 'start the collector of this version once, and stop it again';
      throw new RebuildProblem(error.message, remedy, { cause: error });
    }
    throw error;
  }
}

/** Texts out of packs in memory: each batch asks for a piece of each service's, in turn. */
const TEXT_BYTES = 402_653_184;

/** Shards that have followed equally far see the same log. */
function groupsOf(shards: readonly FollowedShard[]): [size: number, shards: readonly FollowedShard[]][] {
  return [...Map.groupBy(shards, ({ next }) => next)];
}

const dayOf = (minute: number): number => Math.floor(minute / MINUTES_PER_DAY);

/** Throws RebuildProblem where it can not be done; then nothing was changed. */
export async function rebuildViews(parts: RebuildParts): Promise<Rebuilt> {
  const { dataDir, config, now, isCheck, progress } = parts;
  const { slotsMs } = config.retention;
  const folder = join(dataDir, 'collector');
  const watched = watch(config);
  await using main = await openMain(folder);
  const blobsFolder = join(folder, 'blobs');
  const commits = await main.read(LOG_SHARD, (tx) => tx.commitSize());
  const shards = await followedShards(main, await namesEver(main));
  const kept = new Set<number>();
  const damaged = new Map<string, DamagedPack>();
  const all = shards.reduce((sum, { next }) => sum + next, 0);
  const differences: Omit<Difference, 'block'>[] = [];
  const first = await firstDay(main);
  const last = Math.max(first, ...shards.map(({ closed }) => dayOf(closed)));
  let done = 0;

  for (const [size, group] of groupsOf(shards)) {
    const path = scratchFolder(dataDir);
    rmSync(path, { recursive: true, force: true });
    {
      await using stack = new AsyncDisposableStack();
      stack.defer(() => rmSync(path, { recursive: true, force: true }));
      const scratch = stack.use(openSqliteStore(path));
      // What it keeps of packs in memory is read through the store that it was asked with.
      const own = folderBlobs(blobsFolder);
      for (const each of group) {
        const { shard } = each;
        const followed = (index: number): void => progress(done + Math.min(index, size), all);
        const store = besideStore(main, scratch, size, followed);
        packedIn(store, own, {
          cacheBytes: TEXT_BYTES,
          damaged: ({ service, day, blob }, says) => damaged.set(blob, { service, day, pack: blob, says }),
        });
        const gone = new Set<number>();
        const bodies = notingGone(store, openBodies(store, own), gone);
        await follow(store, own, bodies, watched, each);
        for (const day of gone) kept.add(day);
        const belongs = belongsWith(gone, { now, slotsMs });
        for (const stretch of stretches(first, last)) {
          const found = await differencesIn(shard, stretch, { now: main, made: scratch }, belongs);
          if (!isCheck && found.length > 0) await mend(main, shard, found);
          differences.push(...found.map(({ block: _, ...difference }) => difference));
        }
        done += size;
      }
    }
  }
  return {
    shards: shards.length,
    commits,
    days: shards.length === 0 ? 0 : last - first + 1,
    keptDays: [...kept].filter((day) => day <= last).length,
    damaged: [...damaged.values()].sort((a, b) => a.day - b.day || (a.pack < b.pack ? -1 : 1)),
    differences,
  };
}

/** The day of the first batch: nothing was made of what lies before. */
async function firstDay(main: Store): Promise<number> {
  const first = await main.read(LOG_SHARD, async (tx) => (await tx.leaves()).at(0));
  // A probe delivers what it held back after its enrolment, which is a leaf: no batch tells of days before.
  return Math.floor((first?.at ?? 0) / (MINUTES_PER_DAY * 60_000));
}

async function mend(main: Store, shard: string, differences: readonly Difference[]): Promise<void> {
  await main.transact(shard, async (tx) => {
    for (const { view, period, subject, block } of differences) {
      if (block === undefined) await tx.dropBlock(view, period, subject);
      else await tx.putBlock(view, period, subject, block);
    }
  });
}
