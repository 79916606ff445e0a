/** The collector: opens what it keeps, declares what it watches, listens, and follows up on what arrives. */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@highwater/config/model.ts';
import type { Running } from '@highwater/config/running.ts';
import type { Secret } from '@highwater/config/secrets.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { ConfigApplied } from '@highwater/config/wire.ts';
import type { Logger } from 'pino';
import { bell } from './bell.ts';
import { aborted } from './generation.ts';
import { configRoutes } from './http/config-call.ts';
import { openDoor } from './http/door.ts';
import { reportRoutes } from './http/report-calls.ts';
import { HttpError } from './http/reply.ts';
import { listen } from './http/server.ts';
import { loadOrMakeToken } from './http/token.ts';
import { openLasting } from './lasting.ts';
import { runLog } from './log/run.ts';
import { runKeeping } from './packing/keeping.ts';
import { reportsFolder } from './reports/folder.ts';
import { openReports } from './reports/reports.ts';
import { runReports } from './reports/run.ts';
import { reportThread } from './reports/thread.ts';
import type { JobPlaces, ReportJobs } from './reports/job.ts';
import { type Applier, type ConfigSource, openApplier } from './reload/apply.ts';
import { declare, prepare } from './reload/declare.ts';
import { openSuccession } from './reload/succession.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';

export interface CollectorOptions {
  readonly config: Config;
  /** Holds keys/, collector/ and token. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
  readonly log: Logger;
  /** In place of the file `token` in the data folder. */
  readonly token?: Secret;
  /** The system's unless a test sets it. */
  readonly clock?: Clock;
  /** Reports have a thread of their own unless a test makes them in its own. */
  readonly reportJobs?: (places: JobPlaces, signal: AbortSignal) => ReportJobs;
  /** Without it the configuration stays what it is: nothing else can be applied. */
  readonly source?: ConfigSource;
}

export interface Collector extends Running {
  /**
   * Applies what the configuration file holds now. Rejects with an Error that says what is wrong with it; the
   * configuration that runs then stays. Undefined without a source.
   */
  readonly reload?: () => Promise<ConfigApplied>;
}

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** How long held calls and running work may take to end, ms. */
const DRAIN_MS = 8_000;

async function work(options: CollectorOptions, store: Store, signal: AbortSignal): Promise<Collector> {
  const { config, dataDir, host, port, log, source } = options;
  const clock = options.clock ?? systemClock;
  const token = loadOrMakeToken(join(dataDir, 'token'), host, options.token);
  const lasting = await openLasting({ dataDir, origin: config.origin, store, clock, log });
  let applier: Applier | undefined;
  const working = (): Applier => {
    if (applier === undefined) throw new HttpError(503, 'the collector is starting', 'come again');
    return applier;
  };
  const calls =
    source === undefined
      ? []
      : configRoutes({
          apply: async (text, name) => working().apply(text, name),
          reload: async () => working().reload(),
          place: { file: source.file, data: realpathSync(dataDir), origin: config.origin },
        });
  const logEnding = new AbortController();
  const background = AbortSignal.any([signal, logEnding.signal]);
  const reportsWanted = bell();
  const reports = openReports({
    ...lasting,
    folder: reportsFolder(dataDir),
    config: () => succession.current.watched.config,
    thread: (options.reportJobs ?? reportThread)(
      { store: join(dataDir, 'collector', 'store.db'), blobs: join(dataDir, 'collector', 'blobs') },
      background,
    ),
    signal: background,
  });
  const door = openDoor([...calls, ...reportRoutes({ reports, clock, wanted: reportsWanted })]);
  const prepared = prepare(lasting, config);
  const declared = await declare(lasting, prepared);
  const succession = await openSuccession(lasting, door, { ...prepared, ...declared });
  if (source !== undefined) applier = openApplier(lasting, succession, source, signal);
  const { server, url } = await listen({
    host,
    port,
    token,
    clock,
    log,
    signal,
    get routes() {
      return door.routes();
    },
  });
  succession.start();
  const logging = runLog(
    {
      publishedLog: lasting.publishedLog,
      hold: lasting.hold,
      log,
      committed: lasting.bells.committed,
      published: lasting.bells.published,
      watched: () => succession.current.watched,
      heard: succession.heard,
      async assign() {
        await lasting.assignments.again();
        lasting.bells.assigned.ring();
      },
    },
    background,
  );
  const keeping = runKeeping(lasting, dataDir, () => succession.current.watched, background);
  const reporting = runReports(reports, reportsWanted, lasting.bells.published, log, background);
  log.info({ url, origin: config.origin, monitors: config.monitors.length }, 'collector-listening');

  const drain = async (): Promise<void> => {
    const broken = await Promise.race([
      aborted(signal),
      succession.broken.catch((error: unknown) => ({ error })),
    ]);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    logEnding.abort();
    // One that is taking over when the end comes is ended too.
    await applier?.idle();
    await Promise.all([closed, succession.end(), logging, keeping, reporting]);
    clearTimeout(late);
    await store[Symbol.asyncDispose]();
    log.info('collector-stopped');
    if (broken !== undefined) throw broken.error;
  };
  const stopped = drain();
  return { url, stopped, ...(applier === undefined ? {} : { reload: applier.reload }) };
}

/**
 * Starts the collector; resolves once it listens. Aborting `signal` drains it within 10 s.
 * Rejects with an Error that names the remedy: a port in use, a data folder in use, no token when bound wider.
 */
export async function startCollector(options: CollectorOptions, signal: AbortSignal): Promise<Collector> {
  const folder = join(options.dataDir, 'collector');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const store = openSqliteStore(folder);
  try {
    return await work(options, store, signal);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}
