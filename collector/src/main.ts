/** The collector: opens what it keeps, declares what it watches, listens, and follows up on what arrives. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import type { Running } from '@highwater/config/running.ts';
import type { Secret } from '@highwater/config/secrets.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import { aborted, openGeneration } from './generation.ts';
import { openDoor } from './http/door.ts';
import { withOpenapi } from './http/openapi.ts';
import { listen } from './http/server.ts';
import { loadOrMakeToken } from './http/token.ts';
import { openLasting } from './lasting.ts';
import { assignAll } from './leaves/assignments.ts';
import { declareLeaves } from './leaves/leaves.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { watch } from './watched.ts';

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

async function work(options: CollectorOptions, store: Store, signal: AbortSignal): Promise<Running> {
  const { config, dataDir, host, port, log } = options;
  const clock = options.clock ?? systemClock;
  const token = loadOrMakeToken(join(dataDir, 'token'), host, options.token);
  const watched = watch(config);
  const lasting = await openLasting({ dataDir, origin: config.origin, store, clock, log });
  const { key, seed, salt } = lasting;
  const projection = formatProjection(projectConfig(config, { seed, salt }, sha256));
  const configHash = await declareLeaves(store, lasting.blobs, watched, key, projection, clock.now());
  const generation = await openGeneration(lasting, { watched, configHash });
  await assignAll(store, config, key, configHash, seed);

  const door = openDoor();
  door.open({ routes: withOpenapi(generation.routes), signal: generation.signal });
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
  generation.start();
  log.info({ url, origin: config.origin, monitors: watched.monitors.size }, 'collector-listening');

  const drain = async (): Promise<void> => {
    await aborted(signal);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await Promise.all([closed, generation.end()]);
    clearTimeout(late);
    await store[Symbol.asyncDispose]();
    log.info('collector-stopped');
  };
  return { url, stopped: drain() };
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
