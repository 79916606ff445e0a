/** The thread that asks for 90 days while frames are taken in, and tells how long each question took. */
import { parentPort, workerData } from 'node:worker_threads';
import { openLedger } from '../../collector/src/answers/ledger.ts';
import { totalsOf } from '../../collector/src/answers/totals.ts';
import { readCopy } from '../../collector/src/store/sqlite/sqlite-store.ts';
import { median } from './bench.ts';
import { openRaw } from './storage-ninety-raw.ts';

export interface Asked {
  readonly file: string;
  readonly raw: string;
  /** Of the collector. */
  readonly url: string;
  readonly monitors: readonly string[];
  /** UTC day numbers. */
  readonly first: number;
  readonly last: number;
}

/** Medians, ms. */
export interface Times {
  readonly one: number;
  readonly rawOne: number;
  readonly rawRows: number;
  readonly page: number;
  /** CPU of this thread. */
  readonly pageCpu: number;
  readonly hourlyPage: number;
  readonly http: number;
  readonly health: number;
  readonly runs: number;
  readonly pageRuns: number;
  readonly httpRuns: number;
}

const RUNS = 200;
const PAGE_RUNS = 15;
const HTTP_RUNS = 30;
const RAW_RUNS = 5;

const { file, raw: rawFile, url, monitors, first, last } = workerData as Asked;

interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

/** For these monitors with a connection that has read nothing, its opening not counted. */
async function ask(subjects: readonly string[]): Promise<Cost> {
  // All are of one service each; its shard is named after it.
  const shards = Map.groupBy(subjects, (subject) => `service:${subject.slice(0, subject.indexOf('/'))}`);
  let ms = 0;
  let cpuMs = 0;
  for (const [shard, own] of shards) {
    await readCopy(file, shard, async (tx) => {
      const ledger = openLedger({
        shardsOf: async () => [shard],
        closed: async () => undefined,
        blocks: (_, view, from, to, subject) => tx.blocks(view, from, to, subject),
      });
      const [from, cpu] = [performance.now(), process.threadCpuUsage()];
      for (const [subject, { days }] of await totalsOf(ledger, [shard], own, { first, last })) {
        if (days.length !== last - first + 1) throw new Error(`${subject}: ${days.length} days`);
      }
      ms += performance.now() - from;
      const { user, system } = process.threadCpuUsage(cpu);
      cpuMs += (user + system) / 1_000;
    });
  }
  return { ms, cpuMs };
}

async function timed(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

async function times(count: number, each: (i: number) => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < count; i += 1) all.push(await each(i));
  return median(all);
}

async function get(path: string): Promise<void> {
  const answer = await fetch(url + path);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
}

const monitorAt = (i: number): string => monitors[i % monitors.length] ?? '';
const raw = openRaw(rawFile);
const pages: Cost[] = [];
const told: Times = {
  one: await times(RUNS, async (i) => (await ask([monitorAt(i)])).ms),
  rawOne: await times(RAW_RUNS, () => timed(() => raw.one())),
  rawRows: raw.rows,
  page: await times(PAGE_RUNS, async () => {
    const cost = await ask(monitors);
    pages.push(cost);
    return cost.ms;
  }),
  pageCpu: median(pages.map(({ cpuMs }) => cpuMs)),
  hourlyPage: await times(RAW_RUNS, () => timed(() => raw.page())),
  http: await times(HTTP_RUNS, (i) =>
    timed(() => get(`/v1/uptime?subject=${encodeURIComponent(monitorAt(i))}&period=90d`)),
  ),
  health: await times(HTTP_RUNS, () => timed(() => get('/healthz'))),
  runs: RUNS,
  pageRuns: PAGE_RUNS,
  httpRuns: HTTP_RUNS,
};
raw.close();
parentPort?.postMessage(told);
