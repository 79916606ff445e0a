/** What lives as long as the process, whatever is configured: the store, keys, clocks, counters, and who waits for what. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadOrMakeSigningKey, type SigningKey } from '@highwater/config/keys.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import { type Bell, bell } from './bell.ts';
import { type Metrics, openMetrics } from './http/metrics.ts';
import type { Turns } from './ingest/batches.ts';
import { keepProjections } from './ingest/bodies.ts';
import { type Maintenances, openMaintenances } from './leaves/maintenance.ts';
import type { Hearing } from './live/stories.ts';
import type { Blobs } from './store/blobs/blobs.ts';
import { folderBlobs } from './store/blobs/folder.ts';
import type { Store } from './store/store.ts';
import { LOG_SHARD } from './watched.ts';

export interface Lasting {
  readonly store: Store;
  readonly blobs: Blobs;
  /** The operator's: signs leaves and assignments. */
  readonly key: SigningKey;
  /** Of the log without the year: fixed at first start. */
  readonly origin: string;
  /** Seed of the due times, salt of the projection, and the first start: made once. */
  readonly seed: string;
  readonly salt: string;
  readonly startedAt: Instant;
  readonly clock: Clock;
  readonly log: Logger;
  /** Its counters go on from one configuration to the next. */
  readonly metrics: Metrics;
  /** Frames came; batches were committed; events went into the feed; assignments, or what is to be looked at, changed. */
  readonly bells: Readonly<Record<'arrived' | 'committed' | 'fed' | 'assigned', Bell>>;
  /** Batches of one probe follow each other, also where one began under the configuration before. */
  readonly turns: Turns;
  readonly hearing: Hearing;
  readonly maintenances: Maintenances;
}

/** What is made once and never changes. */
async function firstStart(store: Store, now: Instant) {
  return store.transact(LOG_SHARD, async (tx) => ({
    seed: await tx.initMeta('seed', randomBytes(16).toString('hex')),
    salt: await tx.initMeta('salt', randomBytes(16).toString('hex')),
    startedAt: Number(await tx.initMeta('startedAt', String(now))),
  }));
}

export interface LastingOptions {
  /** Holds keys/ and collector/. */
  readonly dataDir: string;
  readonly origin: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Throws KeyError where the operator's key is another log's. */
export async function openLasting({ dataDir, origin, store, clock, log }: LastingOptions): Promise<Lasting> {
  const blobs = folderBlobs(join(dataDir, 'collector', 'blobs'));
  await keepProjections(blobs, store);
  const { key } = loadOrMakeSigningKey(join(dataDir, 'keys', 'operator.key'), origin);
  const bells = { arrived: bell(), committed: bell(), fed: bell(), assigned: bell() };
  const maintenances = await openMaintenances(store, clock, { key, origin }, () => {
    bells.committed.ring();
    bells.arrived.ring();
  });
  return {
    store,
    blobs,
    key,
    origin,
    ...(await firstStart(store, clock.now())),
    clock,
    log,
    metrics: openMetrics(store, clock),
    bells,
    turns: new Map(),
    hearing: {},
    maintenances,
  };
}
