/**
 * What 90 days cost to read and a month of slots to keep, in a store that holds the slots of 259 million observations (200
 * monitors, 5 regions, one each 30 s; filled by block, as the follower writes them, each day half and then whole), while a
 * real collector on that store takes in frames as fast as it can. Read by a thread of its own with a connection of its own
 * that has nothing in memory, through the ledger and the page's own sums; over HTTP, the collector is asked itself.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { encodeRuns, totalsOfRuns } from '../../collector/src/slots/day.ts';
import { monthOfDay, monthWith } from '../../collector/src/slots/month.ts';
import { openSqliteStore } from '../../collector/src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../collector/src/store/store.ts';
import { dayOfMinute, minuteOf, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { rounded, type Figure } from './bench.ts';
import { ingestWorld } from './ingest-world.ts';
import { counted, dayOfSlots, REGIONS, REQUESTS_A_MINUTE } from './slot-days.ts';
import { fillRaw } from './storage-ninety-raw.ts';
import type { Asked, Times } from './storage-ninety-reader.ts';

const DAYS = 90;
/** Of the world of `ingest`: services of 25 monitors. */
const SERVICES = Array.from({ length: 8 }, (_, s) => `s${s}`);
const monitorsOf = (service: string): string[] =>
  Array.from({ length: 25 }, (_, n) => `${service}/n${n}/http`);
const monitors = SERVICES.flatMap(monitorsOf);
/** Minutes of lines that are sent meanwhile. */
const MINUTES = Number(process.env['HIGHWATER_BENCH_MINUTES'] ?? 30);
/** The month that is spoken of: 10,000 monitors for 30 days. */
const MONITOR_DAYS = 10_000 * 30;

const cases = [
  'slots-month-mb',
  'ninety-days-one-ms',
  'ninety-days-page-ms',
  'ninety-days-page-cpu-ms',
  'ninety-days-http-ms',
] as const;

/** Bytes of the pages that blocks lie in. */
function blockBytes(file: string): number {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare<[], number>("SELECT sum(pgsize) FROM dbstat WHERE name = 'blocks'").pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

const seedOf = (monitor: number, day: number): number => monitor * 100_000 + day;

async function fillSlots(store: Store, first: number, last: number): Promise<void> {
  for (const [s, service] of SERVICES.entries()) {
    for (let day = first; day <= last; day += 1) {
      for (const minutes of [MINUTES_PER_DAY / 2, MINUTES_PER_DAY]) {
        await store.transact(`service:${service}`, async (tx) => {
          for (const [m, monitor] of monitorsOf(service).entries()) {
            const planes = dayOfSlots(seedOf(25 * s + m, day), minutes);
            await tx.putBlock('slots', day, monitor, encodeRuns(planes, true));
          }
        });
      }
    }
  }
}

async function fillTotals(store: Store, first: number, last: number): Promise<void> {
  for (const [s, service] of SERVICES.entries()) {
    const months = new Map<string, Uint8Array>();
    for (let day = first; day <= last; day += 1) {
      const month = monthOfDay(day);
      await store.transact(`service:${service}`, async (tx) => {
        for (const [m, monitor] of monitorsOf(service).entries()) {
          const planes = counted(dayOfSlots(seedOf(25 * s + m, day)));
          const totals = new Map([...planes].map(([name, runs]) => [name, totalsOfRuns(runs)] as const));
          const block = monthWith(months.get(`${month} ${monitor}`), day, totals);
          months.set(`${month} ${monitor}`, block);
          await tx.putBlock('totals', month, monitor, block);
        }
      });
    }
  }
}

async function read(asked: Asked): Promise<Times> {
  const worker = new Worker(new URL('./storage-ninety-reader.ts', import.meta.url), { workerData: asked });
  const [times] = (await once(worker, 'message')) as [Times];
  return times;
}

/** `only` names one figure, or nothing for all. */
export async function* storageNinety(only: string | undefined): AsyncIterable<Figure> {
  if (only !== undefined && !cases.some((name) => name === only)) return;
  await using world = await ingestWorld({ seed: 6, latency: 'tenths' }, MINUTES);
  await world.collector[Symbol.asyncDispose]();
  const folder = join(world.dataDir, 'collector');
  const file = join(folder, 'store.db');
  const last = dayOfMinute(minuteOf(Date.now())) - 1;
  const first = last - DAYS + 1;
  const sizes: number[] = [blockBytes(file)];
  {
    await using store = openSqliteStore(folder);
    await fillSlots(store, first, last);
    sizes.push(blockBytes(file));
    await fillTotals(store, first, last);
    sizes.push(blockBytes(file));
  }
  const [empty = 0, slots = 0, both = 0] = sizes;
  const scale = MONITOR_DAYS / (monitors.length * DAYS) / 1e6;
  const figure = (rest: Pick<Figure, 'case' | 'against' | 'ratio' | 'value' | 'unit' | 'runs'>): Figure => ({
    bench: 'storage',
    ...rest,
    ratio: rounded(rest.ratio),
    value: rounded(rest.value),
  });
  const figures: Figure[] = [
    figure({
      case: 'slots-month-mb',
      // Three numbers of a minute, of each region and of all.
      against: 'three bytes a minute and plane',
      ratio: (slots - empty) / (monitors.length * DAYS * MINUTES_PER_DAY * 3 * (REGIONS.length + 1)),
      value: (slots - empty) * scale,
      unit: 'MB for 10,000 monitors, 5 regions, 30 days, of 200 for 90',
      runs: 1,
    }),
    figure({
      case: 'slots-and-totals-month-mb',
      against: 'slots',
      ratio: (both - empty) / (slots - empty),
      value: (both - empty) * scale,
      unit: 'MB with the totals of each day',
      runs: 1,
    }),
  ];
  if (only === undefined || only === 'slots-month-mb') yield* figures;
  if (only === 'slots-month-mb') return;

  const raw = join(world.dataDir, 'raw.db');
  fillRaw(raw, { monitors: monitors.length, regions: REGIONS.length, first, days: DAYS });
  await world.restart();
  let isSending = true;
  const sending = world.send(MINUTES).finally(() => (isSending = false));
  // What is not sent when all was asked is refused, for the collector ends then.
  sending.catch(() => undefined);
  const times = await read({ file, raw, url: world.collector.url, monitors, first, last });
  if (!isSending) throw new Error('all frames were sent before the last question: send more minutes');
  const observations = monitors.length * REGIONS.length * REQUESTS_A_MINUTE * MINUTES_PER_DAY * DAYS;
  const under = `${Math.round(observations / 1e6)} million observations, while frames are taken in`;
  const asked = [
    figure({
      case: 'ninety-days-one-ms',
      against: `${times.rawRows} plain rows of this monitor alone, in SQLite`,
      ratio: times.one / times.rawOne,
      value: times.one,
      unit: `ms for 90 days and their sum, ${under}`,
      runs: times.runs,
    }),
    figure({
      case: 'ninety-days-page-ms',
      against: 'rows by hour of these monitors, in SQLite',
      ratio: times.page / times.hourlyPage,
      value: times.page,
      unit: `ms for 90 days and their sums of 200 monitors, ${under}`,
      runs: times.pageRuns,
    }),
    figure({
      case: 'ninety-days-page-cpu-ms',
      against: 'its time',
      ratio: times.pageCpu / times.page,
      value: times.pageCpu,
      unit: `ms of CPU for the same, ${under}`,
      runs: times.pageRuns,
    }),
    figure({
      case: 'ninety-days-http-ms',
      against: 'the health of the same collector',
      ratio: times.http / times.health,
      value: times.http,
      unit: `ms for GET /v1/uptime of one monitor, ${under}`,
      runs: times.httpRuns,
    }),
  ];
  for (const each of asked) if (only === undefined || only === each.case) yield each;
}
