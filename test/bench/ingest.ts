/**
 * What one observation costs the collector, from the signed frame to counts, sketches and verdicts, FULL commits: the
 * probes' past ten minutes (HIGHWATER_BENCH_MINUTES) are sent as fast as they are acknowledged, and all of the
 * collector's CPU counts until slots and verdicts have taken them in and it has written what it held and ended; the
 * generator's does not. Against bare appends of the same lines to SQLite, in transactions of one frame, synchronous = FULL.
 * How often it waits for the disk is counted by strace in a run of its own, where that is at hand.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Process } from '../e2e/process.ts';
import { cpuMicroseconds, cpuOf, rounded, type Bench, type Figure } from './bench.ts';
import { benchFolder } from './folder.ts';
import { ingestWorld } from './ingest-world.ts';

const minutes = Number(process.env['HIGHWATER_BENCH_MINUTES'] ?? 10);
const fsyncMinutes = 2;
const lines = { seed: 6, latency: 'tenths', phases: true } as const;

/** Ends it and gives its CPU up to the end, microseconds. */
async function cpuAtEnd({ child, gone }: Process): Promise<number> {
  let isGone = false;
  void gone.then(() => (isGone = true));
  let cpu = cpuOf(child.pid ?? 0);
  child.kill('SIGTERM');
  while (!isGone) {
    await sleep(10);
    try {
      cpu = cpuOf(child.pid ?? 0);
    } catch {
      // It has ended since.
      break;
    }
  }
  return cpu;
}

/** The raw limit: the same lines appended to a rowid table, a FULL commit for each frame's worth. */
async function bareAppends(frames: readonly (readonly string[])[], dir: string): Promise<number> {
  const db = new Database(join(dir, 'bare.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('create table line (probe integer, received integer, text text) strict');
  const insert = db.prepare('insert into line values (?, ?, ?)');
  const cpu = await cpuMicroseconds(async () => {
    for (const [at, frame] of frames.entries()) {
      db.transaction(() => {
        for (const line of frame) insert.run(1, at, line);
      })();
    }
  });
  db.close();
  return cpu;
}

async function perSecond(): Promise<Figure> {
  await using world = await ingestWorld(lines, minutes);
  const before = cpuOf(world.collector.child.pid ?? 0);
  const frames = await world.send(minutes);
  await world.takenIn();
  const count = frames.reduce((sum, frame) => sum + frame.length, 0);
  const ours = ((await cpuAtEnd(world.collector)) - before) / count;
  const bare = (await bareAppends(frames, world.dataDir)) / count;
  return {
    bench: 'ingest',
    case: 'observations-per-second',
    against: 'bare SQLite appends, FULL',
    ratio: rounded(ours / bare),
    value: Math.round(1_000_000 / ours),
    unit: 'observations/s of collector CPU',
    runs: 1,
  };
}

function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Calls in the summary of `strace -c`. */
function callsIn(summary: string): number {
  const total = /^.*\btotal$/m.exec(summary)?.[0].trim().split(/\s+/) ?? [];
  return Number(total[3] ?? 0);
}

async function fsyncs(): Promise<Figure> {
  using folder = benchFolder();
  const file = join(folder.path, 'fsyncs');
  const args = ['-f', '--seccomp-bpf', '-c', '-o', file, '-e', 'trace=fsync,fdatasync,sync_file_range,msync'];
  await using world = await ingestWorld(lines, fsyncMinutes, { command: 'strace', args });
  const frames = await world.send(fsyncMinutes);
  await world.takenIn();
  const { pid } = world.collector.child;
  // The collector is the child of strace, which tells its counts when that has ended.
  process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')), 'SIGTERM');
  await world.collector.gone;
  const count = frames.reduce((sum, frame) => sum + frame.length, 0);
  const calls = callsIn(readFileSync(file, 'utf8'));
  return {
    bench: 'ingest',
    case: 'fsyncs-per-observation',
    against: 'a commit for each frame',
    ratio: rounded(calls / frames.length),
    value: rounded(calls / count),
    unit: 'fsyncs an observation',
    runs: 1,
  };
}

export const bench: Bench = async function* (only) {
  if (only === undefined || only === 'observations-per-second') yield await perSecond();
  if (only === 'fsyncs-per-observation' || (only === undefined && hasStrace())) yield await fsyncs();
};
