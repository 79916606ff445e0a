/**
 * What checking a month's report costs whoever checks it: 100 monitors of 25 services, 5 probes, 30 s, all of which the fixed
 * generator makes anew (HIGHWATER_BENCH_DAYS has it make fewer days). The real command runs on one core, against inflating
 * and hashing the same archive, which nobody can do without. The first run is told too: nobody checks a report twice.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { packFolder } from '../fixtures/month/archive.ts';
import { serviceId } from '../fixtures/month/config.ts';
import { generateMonth } from '../fixtures/month/generate.ts';
import { reportMonth } from '../fixtures/month/report.ts';
import { type Bench, cpuOf, type Figure, rounded } from './bench.ts';
import { benchFolder } from './folder.ts';

const launcher = fileURLToPath(new URL('../../bin/highwater', import.meta.url));
const TASKSET = '/usr/bin/taskset';
const LOOK_MS = 50;
const KIB = 1_024;
const AGAINST = 'inflating and hashing the archive';

interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

/** On one core where the system lets one choose it. */
async function verify(where: string, ...flags: string[]): Promise<Cost> {
  const command = [process.execPath, launcher, 'verify', where, ...flags];
  const [program = '', ...args] = existsSync(TASKSET) ? [TASKSET, '-c', '0', ...command] : command;
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let [cpu, peakMb] = [0, 0];
  const look = setInterval(() => {
    try {
      cpu = cpuOf(child.pid ?? 0);
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakMb = (Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? 0) * KIB) / 1e6 || peakMb;
    } catch {
      // It has ended since.
    }
  }, LOOK_MS);
  const code = await ended;
  clearInterval(look);
  if (code !== 0) throw new Error(`verify ended with ${code}: ${said.slice(-2_000)}`);
  return { seconds: (performance.now() - startedAt) / 1_000, cpuSeconds: cpu / 1e6, peakMb };
}

/** Seconds. */
async function raw(archive: string): Promise<number> {
  const startedAt = performance.now();
  await pipeline(createReadStream(archive), createGunzip({ chunkSize: 1 << 20 }), createHash('sha256'));
  return (performance.now() - startedAt) / 1_000;
}

export const bench: Bench = async function* (only) {
  using folder = benchFolder();
  const days = Number(process.env['HIGHWATER_BENCH_DAYS'] ?? 31);
  const path = join(folder.path, 'month');
  const generated = generateMonth(path, { days });
  const all = await reportMonth(path, generated);
  const archive = join(folder.path, 'month.tar.gz');
  await packFolder(path, all, archive, generated.month);
  if (only === undefined || only.startsWith('verify-month')) {
    rmSync(path, { recursive: true });
    const limit = await raw(archive);
    yield* figures('verify-month', await verify(archive), limit, only);
    if (only !== undefined) return;
  }
  if (only === undefined || only.startsWith('verify-one-monitor')) {
    const limit = await raw(archive);
    const one = await verify(archive, '--monitor', serviceId(5));
    yield* figures('verify-one-monitor', one, limit, only);
  }
};

function* figures(
  name: string,
  cost: Cost,
  limit: number,
  only: string | undefined,
): Generator<Figure, void> {
  const rows: [string, number, string][] = [
    ['seconds', cost.seconds, 's'],
    ['cpu-seconds', cost.cpuSeconds, 's CPU'],
    ['peak-mb', cost.peakMb, 'MB'],
  ];
  for (const [what, value, unit] of rows) {
    if (only !== undefined && only !== `${name}-${what}`) continue;
    const ratio = what === 'peak-mb' ? value / 1_000 : value / limit;
    const against = what === 'peak-mb' ? '1 GB' : AGAINST;
    const figure = { bench: 'report', case: `${name}-${what}`, against };
    yield { ...figure, ratio: rounded(ratio), value: rounded(value), unit, runs: 1 };
  }
}
