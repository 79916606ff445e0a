/**
 * What the schedule of one probe carries: fresh connections, a fifth of them TLS that is verified, two in five to each of
 * two HTTP ports and one to HTTPS on as many loopback addresses as that takes, each monitor every 10 s. Cases:
 * - ten-thousand: 10,000 monitors for ten minutes (HIGHWATER_MINUTES: fewer)
 * - curve: 100, 1,000, 10,000 and 30,000 for a minute each, and where it bends (`--case curve-1000` for one of them)
 * - all-fail: all targets of 10,000 monitors go away at once, by refusing and by silence; and single failures before
 * HIGHWATER_MONITORS makes the first and the last smaller, for a machine that is busy.
 *
 * The limits are those that the project holds itself to: lateness p99 100 ms, none missed, 300 MB resident.
 */
import { type Bench, type Figure, rounded } from './bench.ts';
import { askedAt, isMissed, latenessOf, mostInTenSeconds, type Ran } from './schedule-record.ts';
import { intervalMs, type Mode, type Sample, startWorld, type World } from './schedule-world.ts';

const minutes = Number(process.env['HIGHWATER_MINUTES'] ?? 10);
const most = Number(process.env['HIGHWATER_MONITORS'] ?? 10_000);
const sizes = [100, 1_000, 10_000, 30_000];
const minuteMs = 60_000;
const phaseMs = Math.min(1, minutes) * minuteMs;
const latenessLimitMs = 100;
const residentLimitBytes = 300e6;

const figure = (name: string, against: string, ratio: number, value: number, unit: string): Figure => ({
  bench: 'schedule',
  case: name,
  against,
  ratio: rounded(ratio),
  value: rounded(value),
  unit,
  runs: 1,
});

/** Share of one core between two instants. */
function cpuShare(samples: readonly Sample[], from: number, to: number): number {
  const within = samples.filter(({ at }) => at >= from && at <= to);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || first === last) return Number.NaN;
  return (last.cpuMicroseconds - first.cpuMicroseconds) / 1_000 / (last.at - first.at);
}

/** Bytes a minute by least squares, from the end of the first minute (of the first half, in a shorter run) on. */
function slopeOf(samples: readonly Sample[], startedAt: number): number {
  const end = samples.at(-1)?.at ?? startedAt;
  const from = startedAt + Math.min(minuteMs, (end - startedAt) / 2);
  const points = samples.filter(({ at }) => at >= from);
  const meanAt = points.reduce((sum, { at }) => sum + at, 0) / points.length;
  const mean = points.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / points.length;
  let over = 0;
  let under = 0;
  for (const { at, residentBytes } of points) {
    over += (at - meanAt) * (residentBytes - mean);
    under += (at - meanAt) ** 2;
  }
  return (over / under) * minuteMs;
}

async function* steady(name: string, count: number, ms: number): AsyncIterable<Figure> {
  await using world = await startWorld(count);
  await world.pass(ms);
  const { startedAt, samples, ran } = world;
  const { p50Ms, p99Ms, maxMs } = latenessOf(ran);
  const missed = ran.filter(isMissed).length;
  const failed = ran.filter(({ outcome }) => outcome === 'fail').length;
  const inside = await world.inside();
  const first = samples.find(({ at }) => at >= startedAt + Math.min(minuteMs, ms / 2));
  const [atFirst, atEnd] = [first?.residentBytes ?? Number.NaN, samples.at(-1)?.residentBytes ?? Number.NaN];
  // The first interval is spent in getting warm.
  const cpu = cpuShare(samples, startedAt + intervalMs, Infinity);
  const perSecond = (count * 1_000) / intervalMs;
  const limit = `limit of ${latenessLimitMs} ms`;
  yield figure(`${name}-lateness-p50`, limit, p50Ms / latenessLimitMs, p50Ms, 'ms');
  yield figure(`${name}-lateness-p99`, limit, p99Ms / latenessLimitMs, p99Ms, 'ms');
  yield figure(`${name}-lateness-max`, limit, maxMs / latenessLimitMs, maxMs, 'ms');
  yield figure(`${name}-missed`, 'checks made', missed / (ran.length - missed), missed, 'due times');
  yield figure(`${name}-failed`, 'checks made', failed / (ran.length - missed), failed, 'checks');
  const memory = 'limit of 300 MB';
  yield figure(`${name}-memory-first`, memory, atFirst / residentLimitBytes, atFirst / 1e6, 'MB resident');
  yield figure(`${name}-memory-end`, memory, atEnd / residentLimitBytes, atEnd / 1e6, 'MB resident');
  const { heapBytes, externalBytes } = inside;
  yield figure(`${name}-heap`, 'memory at the end', heapBytes / atEnd, heapBytes / 1e6, 'MB of heap in use');
  yield figure(
    `${name}-external`,
    'memory at the end',
    externalBytes / atEnd,
    externalBytes / 1e6,
    'MB outside',
  );
  const slope = slopeOf(samples, startedAt);
  yield figure(`${name}-memory-slope`, 'memory at the end', slope / atEnd, slope / 1e6, 'MB a minute');
  yield figure(`${name}-cpu`, 'one core', cpu, (cpu * 1e6) / perSecond, 'us CPU per check');
  yield figure(
    `${name}-loop-p99`,
    limit,
    inside.p99Ms / latenessLimitMs,
    inside.p99Ms,
    'ms event-loop delay',
  );
  yield figure(
    `${name}-loop-max`,
    limit,
    inside.maxMs / latenessLimitMs,
    inside.maxMs,
    'ms event-loop delay',
  );
}

/** Keeps the figures that the table in docs/performance.md is made of, and passes all on. */
async function* curve(only: string | undefined): AsyncIterable<Figure> {
  const rows: string[] = [];
  let holds = 0;
  for (const size of sizes) {
    const name = `curve-${size}`;
    if (only !== undefined && only !== 'curve' && only !== name) continue;
    const of = new Map<string, Figure>();
    for await (const each of steady(name, size, phaseMs)) {
      of.set(each.case.slice(name.length + 1), each);
      yield each;
    }
    const value = (key: string) => of.get(key)?.value ?? Number.NaN;
    const held = value('lateness-p99') <= latenessLimitMs && value('missed') === 0;
    if (held) holds = size;
    const late = ['p50', 'p99', 'max'].map((key) => value(`lateness-${key}`)).join(' / ');
    const cpu = `${rounded((of.get('cpu')?.ratio ?? Number.NaN) * 100)} %, ${value('cpu')} µs`;
    rows.push(`| ${size} | ${size / 10} | ${late} | ${value('missed')} | ${cpu} | ${value('memory-end')} |`);
  }
  process.stderr.write(
    [
      '| monitors | checks/s | late p50 / p99 / max, ms | missed | CPU of one core, per check | MB |',
      ...rows,
    ].join('\n'),
  );
  process.stderr.write('\n');
  const largest = sizes.at(-1) ?? 0;
  yield figure('curve-holds', 'the largest asked', holds / largest, holds, 'monitors within the limits');
}

/** Single failures, then all targets at once. */
async function* allFail(how: Extract<Mode, 'refuse' | 'silent'>): AsyncIterable<Figure> {
  const name = how === 'refuse' ? 'all-fail-refused' : 'all-fail-silent';
  await using world = await startWorld(most);
  await world.pass(2 * intervalMs);
  if (how === 'refuse') yield await singles(world);
  const before = Date.now();
  await world.pass(phaseMs);
  await world.mode(how);
  const from = Date.now();
  await world.pass(phaseMs);
  const to = Date.now();
  // A silent check is told when its deadline is over.
  await world.pass(how === 'silent' ? intervalMs : 1_000);
  const { ran, samples } = world;
  const rateBefore = mostInTenSeconds(ran, before, from);
  const rateAfter = mostInTenSeconds(ran, from, to);
  yield figure(
    `${name}-rate`,
    'before',
    rateAfter / rateBefore,
    rateAfter / 10,
    'checks a second, most in 10 s',
  );
  const cpuBefore = cpuShare(samples, before, from);
  const cpuAfter = cpuShare(samples, from, to);
  yield figure(`${name}-cpu`, 'before', cpuAfter / cpuBefore, cpuAfter * 100, '% of one core');
  const after = ran.filter((each) => askedAt(each) >= from && askedAt(each) < to);
  const missed = after.filter(isMissed).length;
  yield figure(`${name}-missed`, 'checks made', missed / (after.length - missed), missed, 'due times');
  const { p99Ms } = latenessOf(after);
  const limit = `limit of ${latenessLimitMs} ms`;
  yield figure(`${name}-lateness-p99`, limit, p99Ms / latenessLimitMs, p99Ms, 'ms');
  const rechecks = after.filter(({ recheck }) => recheck).length;
  yield figure(`${name}-rechecks`, 'checks made', rechecks / after.length, rechecks, 'rechecks');
}

/** One connection in two hundred is cut: every one of these failures is to be asked again. */
async function singles(world: World): Promise<Figure> {
  const from = Date.now();
  await world.mode('stutter');
  await world.pass(phaseMs / 2);
  await world.mode('answer');
  const to = Date.now();
  // For the rechecks of the last ones, and so that all are settled again.
  await world.pass(2 * intervalMs);
  const within = (each: Ran) => askedAt(each) >= from && askedAt(each) < to + 2_000;
  const failed = world.ran.filter((each) => within(each) && !each.recheck && each.outcome === 'fail').length;
  const rechecks = world.ran.filter((each) => within(each) && each.recheck).length;
  return figure('all-fail-single', 'single failures', rechecks / failed, rechecks, 'rechecks');
}

export const bench: Bench = async function* (only) {
  const asked = (group: string) => only === undefined || only === group || only.startsWith(`${group}-`);
  if (asked('ten-thousand')) yield* steady('ten-thousand', most, minutes * minuteMs);
  if (asked('curve')) yield* curve(only);
  if (!asked('all-fail')) return;
  for (const how of ['refuse', 'silent'] as const) {
    if (only === undefined || only === 'all-fail' || only.includes(how)) yield* allFail(how);
  }
};
