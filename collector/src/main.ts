/** The collector: opens what it keeps, declares what it watches, listens, and follows up on what arrives. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadOrMakeSigningKey, sha256 } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import type { Running } from '@highwater/config/running.ts';
import type { Secret } from '@highwater/config/secrets.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import { openHistory } from './answers/history.ts';
import { makeSnapshot } from './answers/snapshot.ts';
import { keepSnapshots } from './answers/snapshot-keeper.ts';
import { bell } from './bell.ts';
import { openMetrics } from './http/metrics.ts';
import { withOpenapi } from './http/openapi.ts';
import { probeRoutes } from './http/probe-calls.ts';
import { readerRoutes } from './http/reader-calls.ts';
import { listen } from './http/server.ts';
import { loadOrMakeToken } from './http/token.ts';
import { batchIngest } from './ingest/batches.ts';
import { frameIngest } from './ingest/frames.ts';
import { assignAll } from './leaves/assignments.ts';
import { declareLeaves } from './leaves/leaves.ts';
import { openLive } from './live/heart.ts';
import { openRegions } from './live/regions.ts';
import { openLooks } from './live/looks.ts';
import { allIncidents, heardProbes, openStories } from './live/stories.ts';
import { loops, pace } from './loops.ts';
import { dropOldFrames } from './retention.ts';
import { openSlots } from './slots/slots.ts';
import { folderBlobs } from './store/blobs/folder.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { LOG_SHARD, watch } from './watched.ts';

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
}

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** How long held calls and running work may take to end, ms. */
const DRAIN_MS = 8_000;

/**
 * Frames are judged at most so often, ms: one that comes alone at once, of many those that came meanwhile together,
 * so that the cost of judging is bounded by time and not by how many send.
 */
const BEAT_EVERY_MS = 100;

/** What is made once and never changes: the seed of due times, the salt of the projection, the first start. */
async function firstStart(store: Store, now: number) {
  return store.transact(LOG_SHARD, async (tx) => ({
    seed: await tx.initMeta('seed', randomBytes(16).toString('hex')),
    salt: await tx.initMeta('salt', randomBytes(16).toString('hex')),
    startedAt: Number(await tx.initMeta('startedAt', String(now))),
  }));
}

async function work(options: CollectorOptions, store: Store, signal: AbortSignal): Promise<Running> {
  const { config, dataDir, log } = options;
  const clock = options.clock ?? systemClock;
  const token = loadOrMakeToken(join(dataDir, 'token'), options.host, options.token);
  const watched = watch(config);
  const blobs = folderBlobs(join(dataDir, 'collector', 'blobs'));
  const { key } = loadOrMakeSigningKey(join(dataDir, 'keys', 'operator.key'), config.origin);
  const { seed, salt, startedAt } = await firstStart(store, clock.now());
  const projection = formatProjection(projectConfig(config, { seed, salt }, sha256));
  const configHash = await declareLeaves(store, watched, key, projection, clock.now());
  await assignAll(store, config, key, configHash, seed);

  const [arrived, committed, fed, assigned] = [bell(), bell(), bell(), bell()];
  const metrics = openMetrics(watched, store, clock);
  // What was not followed up before a restart is in the store: all of them are looked at once.
  const flipped = new Set(watched.shards.keys());
  const looks = openLooks({
    watched,
    clock,
    seed,
    asked: () => assigned.ring(),
    notAsked: (because, count) => metrics.notAsked(because, count),
  });
  const live = await openLive({
    watched,
    store,
    clock,
    startedAt,
    flipped: (shard) => flipped.add(shard),
    turned: (shard, turns) => looks.turned(shard, turns),
  });
  const regions = await openRegions(watched, store, clock);
  const stories = openStories(watched, store, clock, log, flipped);
  const slots = openSlots(watched, store, blobs, clock);
  const history = openHistory(watched, store, slots);
  const snapshots = await keepSnapshots(
    async () =>
      makeSnapshot({
        watched,
        live,
        history: await history.read(clock.now()),
        incidents: await allIncidents(store),
        heard: await heardProbes(store),
        regions,
        startedAt,
        now: clock.now(),
      }),
    clock,
  );

  const frames = frameIngest(watched, store, clock, (probe, observed) => {
    metrics.ingested(probe, observed);
    arrived.ring();
  });
  const batches = batchIngest(watched, store, blobs, clock, {
    committed: () => committed.ring(),
    closed: (batch) => regions.closed(batch),
    conflict(probe, epoch, number) {
      metrics.conflict(probe);
      log.error({ probe, epoch, number }, 'batch-conflict');
      committed.ring();
    },
  });
  const { server, url } = await listen({
    host: options.host,
    port: options.port,
    token,
    clock,
    log,
    signal,
    routes: withOpenapi([
      ...probeRoutes({
        watched,
        store,
        clock,
        frames,
        batches,
        operatorKey: key.vkey,
        assigned,
        look(probe) {
          const ids = looks.take(probe);
          metrics.asked(probe, ids.length);
          return ids;
        },
      }),
      ...readerRoutes({
        watched,
        store,
        clock,
        live,
        slots,
        snapshots,
        configHash,
        fed,
        due: arrived,
        regions,
        metrics: () => metrics.text(live, regions),
      }),
    ]),
  });

  const paced = pace(BEAT_EVERY_MS, signal);
  const running = loops(
    {
      async live() {
        const seen = arrived.rung();
        const { changed, more } = await live.beat();
        looks.beat();
        const told = await stories.beat();
        const turned = await regions.beat(live.shards.values());
        if (changed || turned) snapshots.changed();
        // What people are told of is on the page first.
        await snapshots.beat(told);
        if (told) fed.ring();
        if (!more) await arrived.next(seen, 250, signal);
        await paced();
      },
      async slots() {
        const seen = committed.rung();
        if (await slots.beat()) snapshots.changed();
        await committed.next(seen, 5_000, signal);
      },
    },
    log,
    signal,
  );
  const sweep = await hourly(async () => {
    const dropped = await dropOldFrames(watched, store, live.position(), clock);
    if (dropped > 0) log.info({ dropped }, 'frames-dropped');
  }, log);
  log.info({ url, origin: config.origin, monitors: watched.monitors.size }, 'collector-listening');

  const drain = async (): Promise<void> => {
    await aborted(signal);
    sweep.stop();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await Promise.all([closed, running]);
    clearTimeout(late);
    await store[Symbol.asyncDispose]();
    log.info('collector-stopped');
  };
  return { url, stopped: drain() };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** node-cron pokes; what is to be done is read from the store. */
async function hourly(task: () => Promise<void>, log: Logger): Promise<{ stop(): void }> {
  const { schedule } = await import('node-cron');
  const job = schedule('7 * * * *', () =>
    task().catch((error: unknown) => log.error({ err: error }, 'sweep-failed')),
  );
  return { stop: () => void job.stop() };
}

/**
 * Starts the collector; resolves once it listens. Aborting `signal` drains it within 10 s.
 * Rejects with an Error that names the remedy: a port in use, a data folder in use, no token when bound wider.
 */
export async function startCollector(options: CollectorOptions, signal: AbortSignal): Promise<Running> {
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
