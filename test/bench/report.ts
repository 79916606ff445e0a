/**
 * What checking a month's report costs whoever checks it: 100 monitors of 25 services, 5 probes, 30 s, all of which the fixed
 * generator makes anew (HIGHWATER_BENCH_DAYS has it make fewer days, HIGHWATER_BENCH_MONTH names an archive that is there).
 * The real command runs on one core, against inflating and hashing the same archive, which nobody can do without; one service
 * is checked by the page in Chromium too. The first run is told: nobody checks a report twice.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { packReported } from '../fixtures/month/archive.ts';
import { serviceId } from '../fixtures/month/config.ts';
import { generateMonth } from '../fixtures/month/generate.ts';
import { type Bench, cpuOf, type Figure, rounded } from './bench.ts';
import { benchFolder } from './folder.ts';
import { piecesOf, type Published, verifyInBrowser } from './report-browser.ts';

const launcher = fileURLToPath(new URL('../../bin/highwater', import.meta.url));
const TASKSET = '/usr/bin/taskset';
const MONTH = '2026-10';
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

async function published(path: string): Promise<Published> {
  const given = process.env['HIGHWATER_BENCH_MONTH'];
  if (given !== undefined) return { archive: given, month: MONTH, pieces: await piecesOf(given) };
  const folder = join(path, 'month');
  const archive = join(path, 'month.tar.gz');
  const days = Number(process.env['HIGHWATER_BENCH_DAYS'] ?? 31);
  const { pieces } = await packReported(folder, generateMonth(folder, { month: MONTH, days }), archive);
  rmSync(folder, { recursive: true });
  return { archive, month: MONTH, pieces };
}

export const bench: Bench = async function* (only) {
  using folder = benchFolder();
  const month = await published(folder.path);
  const { archive } = month;
  const limit = await raw(archive);
  const isAsked = (name: string): boolean => only === undefined || only.startsWith(name);
  if (isAsked('verify-month')) yield* figures('verify-month', await verify(archive), limit, only);
  if (isAsked('verify-one-monitor')) {
    const one = await verify(archive, '--monitor', serviceId(5));
    yield* figures('verify-one-monitor', one, limit, only);
  }
  if (isAsked('verify-in-browser')) {
    const seconds = await verifyInBrowser(month, serviceId(5));
    yield* figures('verify-in-browser', { seconds }, limit, only);
  }
};

function* figures(
  name: string,
  cost: Partial<Cost>,
  limit: number,
  only: string | undefined,
): Generator<Figure, void> {
  const rows: [string, number | undefined, string][] = [
    ['seconds', cost.seconds, 's'],
    ['cpu-seconds', cost.cpuSeconds, 's CPU'],
    ['peak-mb', cost.peakMb, 'MB'],
  ];
  for (const [what, value, unit] of rows) {
    if (value === undefined) continue;
    if (only !== undefined && only !== `${name}-${what}`) continue;
    const ratio = what === 'peak-mb' ? value / 1_000 : value / limit;
    const against = what === 'peak-mb' ? '1 GB' : AGAINST;
    const figure = { bench: 'report', case: `${name}-${what}`, against };
    yield { ...figure, ratio: rounded(ratio), value: rounded(value), unit, runs: 1 };
  }
}
