/**
 * Follows the collector's monthly reports. A report of a revision never changes, so each is fetched once and kept on disk
 * with its Markdown and CSV, and the list with them: they are read here while the collector is dead.
 */
import { mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMonth } from '@highwater/config/proof/rule/period.ts';
import { MAX_REPORT_BYTES, parseReport, type Report } from '@highwater/config/report/report.ts';
import { reportList, type PublishedReport, type ReportList } from '@highwater/config/wire-reports.ts';
import type { Logger } from 'pino';
import type { FrameReports } from '../frame.ts';
import { askCollector, reason, type CollectorAddress } from './ask.ts';
import { keepFile } from './kept-file.ts';

export interface ReportsOptions extends CollectorAddress {
  readonly dataDir: string;
  readonly log: Logger;
  /** Between two looks at the list; default 15,000. */
  readonly reportsEveryMs?: number;
  /** Of all that is kept; default MAX_KEPT_BYTES. */
  readonly keptBytes?: number;
}

/** Forms of a report that are kept. */
export const keptForms = ['json', 'md', 'csv'] as const;
export type KeptForm = (typeof keptForms)[number];

export interface HeldReport {
  readonly month: string;
  readonly revision: number;
  /** Of its files; each is there whole. */
  readonly bytes: Readonly<Record<KeptForm, number>>;
}

export interface Reports {
  /** For a frame; another object when something changed. */
  shown(): FrameReports;
  held(month: string): HeldReport | undefined;
  fileOf(held: HeldReport, form: KeptForm): string;
  /** Counts changes. */
  version(): number;
  /** Resolves when following has ended. */
  readonly stopped: Promise<void>;
}

const DEADLINE_MS = 10_000;
const FILE_DEADLINE_MS = 120_000;
/** Some hundred months with some hundred services each. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
/** Newest first; older ones are neither listed nor kept. */
export const MAX_MONTHS = 240;
/** Months beyond it are read from the collector alone. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024 * 1024;
const maxBytesOf: Readonly<Record<KeptForm, number>> = {
  json: MAX_REPORT_BYTES,
  md: MAX_TEXT_BYTES,
  csv: MAX_TEXT_BYTES,
};

/** Loads what is on disk, then follows until the signal is aborted. Never throws for the collector's faults. */
export async function followReports(options: ReportsOptions, signal: AbortSignal): Promise<Reports> {
  const { log } = options;
  const dir = join(options.dataDir, 'site', 'reports');
  const listFile = join(dir, 'list.json');
  await mkdir(dir, { recursive: true });
  const held = new Map((await load(dir)).map((one) => [one.month, one]));
  let list = await loadList(listFile, log);
  let isAnswered = false;
  let etag: string | undefined;
  let version = 0;
  let isLost = false;
  let shown: FrameReports = show();

  function show(): FrameReports {
    const known = new Map(held);
    return {
      list,
      isAnswered,
      revisionOf: (month) => known.get(month)?.revision,
      async read(month) {
        const one = known.get(month);
        return one && readHeld(join(dir, nameOf(one, 'json')), one, log);
      },
    };
  }
  function change(): void {
    shown = show();
    version += 1;
  }

  async function look(): Promise<void> {
    const limits = { deadlineMs: DEADLINE_MS, maxBytes: MAX_LIST_BYTES };
    const answer = await askCollector(options, { path: '/v1/reports', etag, ...limits, signal });
    // A collector of before this one has no reports; what was published stays.
    if (answer !== 'same' && answer !== 'absent') {
      const next = withKept(readList(answer.text), list);
      const isNew = JSON.stringify({ ...next, at: 0 }) !== JSON.stringify({ ...list, at: 0 });
      list = next;
      if (isNew || !isAnswered) {
        isAnswered = true;
        change();
        await keepFile(listFile, JSON.stringify(next));
      }
      etag = answer.etag;
    }
    for (const one of newestOf(list)) {
      if (signal.aborted) return;
      const here = held.get(one.month);
      if (here === undefined || here.revision < one.revision) await fetchOne(one);
    }
  }

  async function fetchOne({ month, revision }: PublishedReport): Promise<void> {
    const texts: Partial<Record<KeptForm, string>> = {};
    let bytes = [...held.values()].reduce((sum, one) => sum + (one.month === month ? 0 : sizeOf(one)), 0);
    const sizes = { json: 0, md: 0, csv: 0 };
    for (const form of keptForms) {
      const path = `/v1/reports/${month}/report.${form}?revision=${revision}`;
      const limits = { deadlineMs: FILE_DEADLINE_MS, maxBytes: maxBytesOf[form] };
      const answer = await askCollector(options, { path, etag: undefined, ...limits, signal });
      if (answer === 'same' || answer === 'absent') throw new Error(`the collector has no ${path}`);
      sizes[form] = answer.bytes;
      bytes += answer.bytes;
      texts[form] = answer.text;
    }
    // The newest are fetched first, so what has no room are the oldest.
    if (bytes > (options.keptBytes ?? MAX_KEPT_BYTES)) return;
    check(texts.json ?? '', month, revision);
    const one: HeldReport = { month, revision, bytes: sizes };
    // The report last: with it, the others are there.
    for (const form of keptForms.toReversed())
      await keepFile(join(dir, nameOf(one, form)), texts[form] ?? '');
    const before = held.get(month);
    held.set(month, one);
    change();
    log.info({ event: 'report.kept', month, revision }, 'report kept');
    if (before) for (const form of keptForms) await rm(join(dir, nameOf(before, form)), { force: true });
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await look();
        isLost = false;
      } catch (error) {
        // Told once, until it was well again.
        if (!signal.aborted && !isLost)
          log.warn({ event: 'reports.lost', error: reason(error) }, 'reports not received');
        isLost = true;
        etag = undefined;
      }
      await sleep(options.reportsEveryMs ?? 15_000, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    shown: () => shown,
    held: (month) => held.get(month),
    fileOf: (one, form) => join(dir, nameOf(one, form)),
    version: () => version,
    stopped: run(),
  };
}

/** Of each month the newest revision, newest month first. */
export function newestOf(list: ReportList | undefined): readonly PublishedReport[] {
  const newest = new Map<string, PublishedReport>();
  for (const one of list?.reports ?? [])
    if ((newest.get(one.month)?.revision ?? 0) < one.revision) newest.set(one.month, one);
  return [...newest.values()].sort(byMonth);
}

function byMonth(a: PublishedReport, b: PublishedReport): number {
  return a.month < b.month ? 1 : a.month > b.month ? -1 : b.revision - a.revision;
}

/** Throws for what is no list. */
function readList(text: string): ReportList {
  return bounded(reportList.parse(JSON.parse(text)));
}

function bounded(list: ReportList): ReportList {
  const named = list.reports.filter(({ month }) => parseMonth(month) !== undefined).sort(byMonth);
  const months = new Set([...new Set(named.map(({ month }) => month))].slice(0, MAX_MONTHS));
  return { ...list, reports: named.filter(({ month }) => months.has(month)) };
}

/** What was published once stays, also when a collector that was made anew does not know it. */
function withKept(next: ReportList, before: ReportList | undefined): ReportList {
  const known = new Set(next.reports.map(({ month, revision }) => `${month} ${revision}`));
  const kept = (before?.reports ?? []).filter(({ month, revision }) => !known.has(`${month} ${revision}`));
  return bounded({ ...next, reports: [...next.reports, ...kept] });
}

function check(text: string, month: string, revision: number): Report {
  const read = parseReport(text);
  if ('error' in read) throw new Error(`the report of ${month} is none: ${read.error}`);
  if (read.month !== month || read.revision !== revision)
    throw new Error(
      `for the report of ${month}, revision ${revision}, there is one of ${read.month}, revision ${read.revision}`,
    );
  return read;
}

function nameOf({ month, revision }: Pick<HeldReport, 'month' | 'revision'>, form: KeptForm): string {
  return `${month}.${revision}.${form}`;
}

function sizeOf({ bytes }: HeldReport): number {
  return bytes.json + bytes.md + bytes.csv;
}

/** The newest revision of each month of which all forms are here; what is of none is taken away. */
async function load(dir: string): Promise<readonly HeldReport[]> {
  const names = await readdir(dir);
  const newest = new Map<string, number>();
  for (const name of names) {
    const [, month = '', revision = ''] = /^([0-9]{4}-[0-9]{2})\.([1-9][0-9]{0,8})\.json$/.exec(name) ?? [];
    if (parseMonth(month) !== undefined)
      newest.set(month, Math.max(Number(revision), newest.get(month) ?? 0));
  }
  const found: HeldReport[] = [];
  const isOf = new Set(['list.json']);
  for (const [month, revision] of newest) {
    const bytes = { json: -1, md: -1, csv: -1 };
    for (const form of keptForms) {
      const name = nameOf({ month, revision }, form);
      isOf.add(name);
      bytes[form] = await sizeWithin(join(dir, name), maxBytesOf[form]);
    }
    if (Math.min(...Object.values(bytes)) >= 0) found.push({ month, revision, bytes });
  }
  for (const name of names) if (!isOf.has(name)) await rm(join(dir, name), { force: true });
  return found;
}

/** -1 where it is not there, or too large. */
async function sizeWithin(file: string, maxBytes: number): Promise<number> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    return size <= maxBytes ? size : -1;
  } catch {
    return -1;
  }
}

async function readHeld(file: string, one: HeldReport, log: Logger): Promise<Report | undefined> {
  try {
    return check(await readFile(file, 'utf8'), one.month, one.revision);
  } catch (error) {
    log.warn({ event: 'report.unreadable', file, error: reason(error) }, 'kept report is not readable');
    return undefined;
  }
}

async function loadList(file: string, log: Logger): Promise<ReportList | undefined> {
  try {
    if ((await sizeWithin(file, MAX_LIST_BYTES)) < 0) return undefined;
    return readList(await readFile(file, 'utf8'));
  } catch (error) {
    log.warn({ event: 'reports.unreadable', file, error: reason(error) }, 'kept list is not readable');
    return undefined;
  }
}
