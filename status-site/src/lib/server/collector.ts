/**
 * Follows the collector's public snapshot over HTTP, and keeps the last good one on disk, so that the page answers
 * while everything else is dead.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicSnapshot, type PublicSnapshot } from '@highwater/config/public.ts';
import type { Logger } from 'pino';
import type { Frame } from '../frame.ts';
import { askCollector, reason } from './ask.ts';
import { keepFile } from './kept-file.ts';

export interface CollectorOptions {
  readonly collectorUrl: string;
  readonly token?: string;
  readonly dataDir: string;
  readonly log: Logger;
  readonly siteUrl?: string;
  /** Between two looks; default 1,000. */
  readonly everyMs?: number;
}

/** What is known now, and how to hear of changes. */
export interface Follower {
  frame(): Frame;
  /** Counts snapshots and outages: two frames with the same number differ in `now` alone. */
  version(): number;
  /** Resolves when following has ended and the last snapshot is on disk. */
  readonly stopped: Promise<void>;
}

const MAX_BYTES = 64 * 1024 * 1024;
const DEADLINE_MS = 5_000;
const SLOWEST_MS = 5_000;
const SAVE_EVERY_MS = 5_000;

interface Known {
  snapshot: PublicSnapshot;
  receivedAt: number;
}

/** Loads what is on disk, then follows until the signal is aborted. Never throws for the collector's faults. */
export async function follow(options: CollectorOptions, signal: AbortSignal): Promise<Follower> {
  const dir = join(options.dataDir, 'site');
  const file = join(dir, 'snapshot.json');
  await mkdir(dir, { recursive: true });
  const { log } = options;
  let known = await load(file, log);
  let etag: string | undefined;
  let lostAt: number | undefined;
  let version = 0;
  let saved = { at: 0, version: 0 };

  async function lookOnce(): Promise<void> {
    const answer = await look(options, etag, signal);
    if (answer) {
      etag = answer.etag;
      known = { snapshot: answer.snapshot, receivedAt: Date.now() };
      version += 1;
    }
    if (lostAt !== undefined) {
      log.info({ event: 'collector.found', afterMs: Date.now() - lostAt }, 'collector found');
      lostAt = undefined;
      version += 1;
    }
  }

  async function keep(atOnce: boolean): Promise<void> {
    if (!known || saved.version === version) return;
    if (!atOnce && Date.now() - saved.at < SAVE_EVERY_MS) return;
    const now = { at: Date.now(), version };
    await keepFile(file, JSON.stringify(known.snapshot));
    saved = now;
  }

  async function run(): Promise<void> {
    const every = options.everyMs ?? 1_000;
    let waitMs = every;
    while (!signal.aborted) {
      try {
        await lookOnce();
        waitMs = every;
      } catch (error) {
        if (signal.aborted) break;
        if (lostAt === undefined) {
          lostAt = Date.now();
          version += 1;
          log.warn(
            { event: 'collector.lost', url: options.collectorUrl, error: reason(error) },
            'collector lost',
          );
        }
        waitMs = Math.min(SLOWEST_MS, waitMs * 2);
      }
      await keep(false).catch((error: unknown) => {
        log.warn({ event: 'snapshot.unsaved', file, error: reason(error) }, 'snapshot could not be saved');
      });
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
    await keep(true).catch((error: unknown) => {
      log.warn({ event: 'snapshot.unsaved', file, error: reason(error) }, 'snapshot could not be saved');
    });
  }

  const stopped = run();
  return {
    frame: () => ({
      now: Date.now(),
      ...(known ?? {}),
      ...(lostAt === undefined ? {} : { lostAt }),
      ...(options.siteUrl === undefined ? {} : { siteUrl: options.siteUrl }),
    }),
    version: () => version,
    stopped,
  };
}

/** One look. Undefined when nothing changed (304). Throws when the collector is gone or answers nonsense. */
async function look(
  options: CollectorOptions,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<{ snapshot: PublicSnapshot; etag: string | undefined } | undefined> {
  const ask = { path: '/v1/snapshot', etag, deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES, signal };
  const answer = await askCollector(options, ask);
  if (answer === 'absent') throw new Error('the collector has no snapshot: is it a collector?');
  if (answer === 'same') return undefined;
  return { snapshot: publicSnapshot.parse(JSON.parse(answer.text)), etag: answer.etag };
}

async function load(file: string, log: Logger): Promise<Known | undefined> {
  try {
    const snapshot = publicSnapshot.parse(JSON.parse(await readFile(file, 'utf8')));
    return { snapshot, receivedAt: Math.min((await stat(file)).mtimeMs, Date.now()) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn({ event: 'snapshot.unreadable', file, error: reason(error) }, 'kept snapshot is not readable');
    return undefined;
  }
}
