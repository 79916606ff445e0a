/**
 * The log's writer is killed, and told by the kernel that its disk fails, at each step of a merge. Whatever the moment:
 * each leaf that was acknowledged is in the tree after the next start, every file fits every other, and nothing that was
 * ever signed is contradicted.
 *
 *   npm run test:long -- faults/log        HIGHWATER_LOG_KILLS=200, HIGHWATER_LOG_STEPS=1 (every step; 3: each third),
 *                                          HIGHWATER_SEED=N to repeat a run. Needs strace.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { openWriter } from './log-writer.ts';
import { readPlainLog, yearsOf } from './plain-log.ts';
import { randomFrom } from './random.ts';

const kills = Number(process.env['HIGHWATER_LOG_KILLS'] ?? 200);
const everyNth = Number(process.env['HIGHWATER_LOG_STEPS'] ?? 1);
const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_007);
const writer = fileURLToPath(new URL('./log-writer.ts', import.meta.url));
/** What changes a disk. `write` of files, sockets and pipes alike: some of those steps are none of the disk's. */
const calls = ['write', 'pwrite64', 'fsync', 'fdatasync', 'rename', 'link', 'unlink', 'mkdir', 'ftruncate'];
// One thread for files, so that the steps of a merge come in one order.
const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };

const made: string[] = [];
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-log-'));
  made.push(dir);
  return dir;
}
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

const hashesIn = (text: string): string[] =>
  text
    .split('\n')
    .flatMap((line) => (line.startsWith('acknowledged ') && line.length === 57 ? [line.slice(13)] : []));

/** Merges what is there, as a start does, and reads all of it the plain way. */
async function recovered(data: string): Promise<{ leaves: Set<string>; signed: readonly string[] }> {
  const { store, merge, log } = await openWriter(data);
  try {
    await merge();
    expect(log.status().refused).toBeUndefined();
    expect(log.status().pending).toBe(0);
  } finally {
    await store[Symbol.asyncDispose]();
  }
  const logs = yearsOf(data).map((year) => readPlainLog(data, year));
  return {
    leaves: new Set(logs.flatMap((each) => each.leaves)),
    signed: logs.flatMap((each) => each.signed),
  };
}

it(`${kills} kills at random moments: nothing acknowledged is missing, nothing is forked (seed ${seed})`, async () => {
  console.log(
    `seed ${seed}: HIGHWATER_SEED=${seed} HIGHWATER_LOG_KILLS=${kills} npm run test:long -- faults/log`,
  );
  const random = randomFrom(seed);
  const data = folder();
  const acknowledged = new Set<string>();
  const signed = new Set<string>();
  for (let round = 0; round < kills; round += 1) {
    const child = spawn(process.execPath, [writer, data, 'run'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(child, 'exit');
    const lines = createInterface({ input: child.stdout });
    const closed = once(lines, 'close');
    const ready = Promise.withResolvers<void>();
    lines.on('line', (line) => {
      if (line === 'ready') ready.resolve();
      for (const hash of hashesIn(`${line}\n`)) acknowledged.add(hash);
    });
    await Promise.race([ready.promise, gone]);
    setTimeout(() => child.kill('SIGKILL'), random() * 500);
    const [, signal] = (await gone) as [number | null, string | null];
    await closed;
    expect(signal).toBe('SIGKILL');
    // Each state as it was left is read, before anything mends it.
    for (const year of yearsOf(data)) for (const each of readPlainLog(data, year).signed) signed.add(each);
  }
  const after = await recovered(data);
  expect([...acknowledged].filter((hash) => !after.leaves.has(hash))).toEqual([]);
  expect([...signed].filter((each) => !after.signed.includes(each))).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(kills);
  console.log(
    `${kills} kills: ${acknowledged.size} leaves acknowledged, ${after.signed.length} checkpoints signed`,
  );
});

/** A log of 250 entries that is published, and 20 leaves after it: its merge fills a bundle and begins the next. */
async function template(): Promise<{ data: string; acknowledged: string[] }> {
  const data = folder();
  const first = spawnSync(process.execPath, [writer, data, 'commit', '250'], { encoding: 'utf8' });
  await recovered(data);
  const second = spawnSync(process.execPath, [writer, data, 'commit', '20'], { encoding: 'utf8' });
  return { data, acknowledged: hashesIn(first.stdout + second.stdout) };
}

function traced(data: string, options: readonly string[]): { status: number | null; signal: string | null } {
  const { status, signal, error } = spawnSync(
    'strace',
    ['-f', '-qq', ...options, process.execPath, writer, data, 'merge'],
    { env, stdio: 'ignore', timeout: 60_000 },
  );
  if (error) throw error;
  return { status, signal };
}

/** How often each call is made by the thread that makes it most often: what `when=` counts. */
function countCalls(from: string): Map<string, number> {
  const data = join(folder(), 'data');
  cpSync(from, data, { recursive: true });
  const trace = join(folder(), 'trace');
  traced(data, ['-e', `trace=${calls.join(',')}`, '-o', trace]);
  const byThread = new Map<string, number>();
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const [, thread = '', call = ''] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (call !== '') byThread.set(`${call} ${thread}`, (byThread.get(`${call} ${thread}`) ?? 0) + 1);
  }
  const most = new Map<string, number>();
  for (const [key, count] of byThread) {
    const [call = ''] = key.split(' ');
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return most;
}

it(`SIGKILL and EIO at ${everyNth === 1 ? 'each step' : `one step in ${everyNth}`} of a merge`, async () => {
  if (spawnSync('strace', ['-V']).error !== undefined) {
    if (process.env['CI']) throw new Error('faults/log: strace is missing; apt-get install strace');
    console.log('faults/log: skipped, strace is missing (apt-get install strace)');
    return;
  }
  const { data: from, acknowledged } = await template();
  expect(acknowledged).toHaveLength(270);
  const steps = [...countCalls(from)].flatMap(([call, count]) =>
    Array.from({ length: count }, (_, i) =>
      [`${call}:signal=KILL`, `${call}:error=EIO`].map((what) => `${what}:when=${i + 1}`),
    ).flat(),
  );
  expect(steps.length).toBeGreaterThan(60);
  let [run, failed] = [0, 0];
  const random = randomFrom(seed);
  for (const step of steps) {
    if (random() * everyNth >= 1) continue;
    const data = join(folder(), 'data');
    cpSync(from, data, { recursive: true });
    const [call = ''] = step.split(':');
    const { status, signal } = traced(data, [
      '-e',
      `trace=${call}`,
      '-e',
      `inject=${step}`,
      '-o',
      '/dev/null',
    ]);
    run += 1;
    if (status !== 0 || signal !== null) failed += 1;
    // As it was left: what is published fits, whatever else lies there.
    for (const year of yearsOf(data))
      expect([step, readPlainLog(data, year).size]).toEqual([step, expect.any(Number)]);
    const after = await recovered(data);
    expect([step, acknowledged.filter((hash) => !after.leaves.has(hash))]).toEqual([step, []]);
    expect([step, after.leaves.size]).toEqual([step, 270]);
    rmSync(data, { recursive: true });
  }
  console.log(`${run} of ${steps.length} steps, ${failed} of them ended the merge`);
  // Were most of them no steps of the merge, this would prove nothing.
  expect(failed).toBeGreaterThan(run / 3);
});
