/** What lives as long as the process, whatever is configured: the store, keys, clocks, counters, and who waits for what. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadOrMakeSigningKey, type SigningKey } from '@highwater/config/keys.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import type { Logger } from 'pino';
import { clearAlarm, raiseAlarm } from './alarms.ts';
import { type Bell, bell } from './bell.ts';
import { type Metrics, openMetrics } from './http/metrics.ts';
import type { Turns } from './ingest/batches.ts';
import { type Budget, type Budgeted, openBudget } from './ingest/budget.ts';
import { type HeardBook, openHeard } from './ingest/heard.ts';
import { openOverspent } from './ingest/overspent.ts';
import { keepProjections } from './ingest/bodies.ts';
import { makeBodySalt } from './ingest/salts.ts';
import { type Assignments, openAssignments } from './leaves/assignments.ts';
import { type Maintenances, openMaintenances } from './leaves/maintenance.ts';
import type { Hearing } from './live/stories.ts';
import { type Hold, openHold } from './log/hold.ts';
import type { Log } from './log/log.ts';
import { openLog } from './log/open.ts';
import { damagedPack } from './bodies/damaged-pack.ts';
import { packedIn } from './bodies/packed.ts';
import { readPacksApart } from './bodies/reading-thread.ts';
import { damagedBlock } from './slots/damaged-block.ts';
import { onDamagedBlock } from './slots/readable.ts';
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
  /**
   * Frames came; batches were committed; events went into the feed; assignments, or what is to be looked at, changed;
   * a checkpoint was published.
   */
  readonly bells: Readonly<Record<'arrived' | 'committed' | 'fed' | 'assigned' | 'published', Bell>>;
  /** Batches of one probe follow each other, also where one began under the configuration before. */
  readonly turns: Turns;
  /** What each probe has left to bring: no new configuration fills it up. */
  readonly budget: Budget;
  /** To be told of each frame or batch that was refused for it. */
  readonly overspent: (probe: string, lacking: Budgeted) => void;
  readonly hearing: Hearing;
  /** When each probe was last heard. */
  readonly heard: HeardBook;
  readonly maintenances: Maintenances;
  /** One tree over all that was committed, whatever is configured. */
  readonly publishedLog: Log;
  /** Until it is over the log signs nothing. */
  readonly hold: Hold;
  readonly assignments: Assignments;
  /** What a person has to look at, kept and told; nobody waits for it. */
  readonly alarms: { readonly raise: (alarm: Alarm) => void; readonly clear: (key: string) => void };
}

/** What is made once and never changes. */
async function firstStart(store: Store, now: Instant) {
  await store.transact(LOG_SHARD, makeBodySalt);
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
  const folder = join(dataDir, 'collector', 'blobs');
  const blobs = folderBlobs(folder);
  await keepProjections(blobs, store);
  const { key } = loadOrMakeSigningKey(join(dataDir, 'keys', 'operator.key'), origin);
  const bells = { arrived: bell(), committed: bell(), fed: bell(), assigned: bell(), published: bell() };
  const maintenances = await openMaintenances(store, clock, { key, origin }, () => {
    bells.committed.ring();
    bells.arrived.ring();
  });
  const told = (work: Promise<unknown>): void =>
    void work.then(
      () => bells.arrived.ring(),
      (error: unknown) => log.error({ err: error }, 'alarm-not-kept'),
    );
  const alarms: Lasting['alarms'] = {
    raise: (alarm) => told(raiseAlarm(store, clock, alarm)),
    clear: (alarmKey) => told(clearAlarm(store, clock, alarmKey)),
  };
  let damagedPacks = 0;
  packedIn(store, blobs, {
    reader: readPacksApart(folder),
    damaged({ service, day, blob }, says) {
      log.error({ service, day, pack: blob, because: says }, 'pack-damaged');
      damagedPacks += 1;
      told(raiseAlarm(store, clock, damagedPack({ service, day, blob }, says), true));
    },
  });
  onDamagedBlock(store, (damaged) => {
    log.error(damaged, 'block-damaged');
    told(raiseAlarm(store, clock, damagedBlock(damaged), true));
  });
  const publishedLog = await openLog({
    origin,
    store,
    blobs,
    keysDir: join(dataDir, 'keys'),
    clock,
    log,
    alarm: alarms.raise,
    cleared: alarms.clear,
  });
  const first = await firstStart(store, clock.now());
  return {
    store,
    blobs,
    key,
    origin,
    ...first,
    clock,
    log,
    metrics: openMetrics(store, clock, publishedLog, () => damagedPacks),
    bells,
    turns: new Map(),
    budget: openBudget(),
    overspent: openOverspent(clock, (alarm) => told(raiseAlarm(store, clock, alarm, true))),
    hearing: {},
    heard: await openHeard(store),
    maintenances,
    alarms,
    publishedLog,
    hold: openHold(),
    assignments: openAssignments(store, key, first.seed, () => publishedLog.keys),
  };
}
