/**
 * Follows the numbers and charts of every public service, each at most once a minute, and keeps the last good ones on
 * disk, so that the pages of services answer while the collector is dead.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import {
  publicNodeCharts,
  type PublicServiceDetail,
  publicServiceShell,
  publicSubject,
} from '@highwater/config/public-detail.ts';
import type { PublicSnapshot } from '@highwater/config/public.ts';
import type { Logger } from 'pino';
import { askCollector, reason, type CollectorAddress } from './ask.ts';
import { keepFile } from './kept-file.ts';

export interface DetailOptions extends CollectorAddress {
  readonly dataDir: string;
  readonly log: Logger;
  /** Between two looks for what is due; default 1,000. */
  readonly everyMs?: number;
  /** Between two looks at one service; default 60,000. */
  readonly detailEveryMs?: number;
}

export interface Details {
  /** By service id; another map when one of them changed. */
  all(): ReadonlyMap<string, PublicServiceDetail>;
  /** Counts changes. */
  version(): number;
  /** Resolves when following has ended; what was received is on disk then. */
  readonly stopped: Promise<void>;
}

const AT_ONCE = 2;
const DEADLINE_MS = 10_000;
/** One service's: some hundred nodes with all their checks, and ten times that. */
export const MAX_DETAIL_BYTES = 16 * 1024 * 1024;
/** Of all services together; those beyond it are not kept. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
/** As ids in the configuration are, so that none leads to another address. */
const idPattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;

interface Known {
  detail: PublicServiceDetail;
  bytes: number;
  /** Of the text that it was read from: the same again is no news, and is not read again. */
  digest: string;
}

/** When a service was last asked for, by the monotonic clock, and what came with the answer. */
interface Asked {
  at: number;
  etag?: string | undefined;
  isLost: boolean;
}

/**
 * Loads what is on disk, then follows the services that the snapshot names until the signal is aborted. Never throws for
 * the collector's faults.
 */
export async function followDetails(
  options: DetailOptions,
  snapshot: () => PublicSnapshot | undefined,
  signal: AbortSignal,
): Promise<Details> {
  const { log } = options;
  const dir = join(options.dataDir, 'site', 'details');
  await mkdir(dir, { recursive: true });
  const known = new Map((await load(dir, log)).map((one) => [one.detail.service, one]));
  const asked = new Map<string, Asked>();
  let shown: ReadonlyMap<string, PublicServiceDetail> = new Map();
  let version = 0;

  function change(): void {
    shown = new Map([...known].map(([service, { detail }]) => [service, detail]));
    version += 1;
  }
  change();

  async function lookAt(service: string): Promise<void> {
    const before = asked.get(service);
    const now: Asked = { at: performance.now(), etag: before?.etag, isLost: false };
    asked.set(service, now);
    try {
      const path = `/v1/services/${service}`;
      const limits = { deadlineMs: DEADLINE_MS, maxBytes: MAX_DETAIL_BYTES };
      const answer = await askCollector(options, { path, etag: before?.etag, ...limits, signal });
      if (answer === 'same') return;
      if (answer === 'absent') return await forget([service]);
      const digest = digestOf(answer.text);
      if (known.get(service)?.digest === digest) return;
      const detail = await readDetail(answer.text);
      if (detail.service !== service) throw new Error(`the collector answered for ${detail.service}`);
      if (heldBytes(known, service) + answer.bytes > MAX_HELD_BYTES)
        throw new Error(`all services together have more than ${MAX_HELD_BYTES} bytes`);
      known.set(service, { detail, bytes: answer.bytes, digest });
      change();
      await keepFile(join(dir, fileOf(service)), answer.text);
      now.etag = answer.etag;
    } catch (error) {
      now.isLost = true;
      // Told once, until it was well again.
      if (signal.aborted || before?.isLost) return;
      log.warn({ event: 'detail.lost', service, error: reason(error) }, 'numbers of a service not received');
    }
  }

  /** Of memory and disk. */
  async function forget(services: readonly string[]): Promise<void> {
    const gone = services.filter((service) => known.delete(service));
    for (const service of gone) await rm(join(dir, fileOf(service)), { force: true });
    if (gone.length > 0) change();
  }

  async function round(): Promise<void> {
    const now = snapshot();
    if (now === undefined) return;
    const services = now.services.map(({ id }) => id).filter((id) => idPattern.test(id));
    // What the snapshot names no more may be private now.
    const named = new Set(services);
    await forget([...known.keys()].filter((service) => !named.has(service)));
    for (const service of asked.keys()) if (!named.has(service)) asked.delete(service);
    const dueBefore = performance.now() - (options.detailEveryMs ?? 60_000);
    const due = services
      .filter((service) => (asked.get(service)?.at ?? -Infinity) <= dueBefore)
      .sort((a, b) => (asked.get(a)?.at ?? -Infinity) - (asked.get(b)?.at ?? -Infinity));
    const next = due.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const service of next) {
          if (signal.aborted) return;
          await lookAt(service);
        }
      }),
    );
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await round().catch((error: unknown) => {
        log.warn(
          { event: 'detail.failed', error: reason(error) },
          'numbers of services could not be followed',
        );
      });
      await sleep(options.everyMs ?? 1_000, undefined, { signal }).catch(() => undefined);
    }
  }

  return { all: () => shown, version: () => version, stopped: run() };
}

/** Pieces are checked for so long before a page gets its turn. */
const CHECKED_AT_ONCE_MS = 10;

async function readEach<T>(pieces: readonly unknown[], read: (piece: unknown) => T): Promise<T[]> {
  const all: T[] = [];
  let begunAt = performance.now();
  for (const piece of pieces) {
    all.push(read(piece));
    if (performance.now() - begunAt < CHECKED_AT_ONCE_MS) continue;
    await setImmediate();
    begunAt = performance.now();
  }
  return all;
}

/** Rejects for what is no detail. */
async function readDetail(text: string): Promise<PublicServiceDetail> {
  const shell = publicServiceShell.parse(JSON.parse(text));
  await setImmediate();
  const subjects = await readEach(shell.numbers.subjects, (piece) => publicSubject.parse(piece));
  const nodes = await readEach(shell.charts.nodes, (piece) => publicNodeCharts.parse(piece));
  return { ...shell, numbers: { ...shell.numbers, subjects }, charts: { ...shell.charts, nodes } };
}

/** A name that no id can bend. */
function fileOf(service: string): string {
  return `${digestOf(service).slice(0, 32)}.json`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function heldBytes(known: ReadonlyMap<string, Known>, but: string): number {
  return [...known].reduce((sum, [service, { bytes }]) => sum + (service === but ? 0 : bytes), 0);
}

/** What is readable of what was kept, within the limits; the rest is as if it had never come. */
async function load(dir: string, log: Logger): Promise<readonly Known[]> {
  const found: Known[] = [];
  let bytes = 0;
  for (const name of (await readdir(dir)).filter((name) => name.endsWith('.json')).sort()) {
    const file = join(dir, name);
    try {
      const text = await readBounded(file);
      const detail = await readDetail(text);
      if (fileOf(detail.service) !== name) throw new Error(`it is of ${detail.service}`);
      bytes += text.length;
      if (bytes > MAX_HELD_BYTES) throw new Error(`all together have more than ${MAX_HELD_BYTES} bytes`);
      found.push({ detail, bytes: text.length, digest: digestOf(text) });
    } catch (error) {
      log.warn({ event: 'detail.unreadable', file, error: reason(error) }, 'kept numbers are not readable');
    }
  }
  return found;
}

async function readBounded(file: string): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  if (size > MAX_DETAIL_BYTES) throw new Error(`it is larger than ${MAX_DETAIL_BYTES} bytes`);
  return handle.readFile('utf8');
}
