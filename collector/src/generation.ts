/**
 * What lives as long as one configuration: what is known of its monitors, the calls that answer for it, the loops that
 * follow up on what arrives. All of it is made from the store, so that the next one goes on where this one ended.
 */
import type { Logger } from 'pino';
import { acknowledge, carryAcknowledgements } from './answers/acknowledge.ts';
import { openBudgets } from './answers/budgets.ts';
import { openCharts } from './answers/charts.ts';
import { openHistory } from './answers/history.ts';
import { openDetails } from './answers/detail.ts';
import { openLedger } from './answers/ledger.ts';
import { numbersOf } from './answers/numbers.ts';
import { proofsFor } from './answers/proofs.ts';
import { makeSnapshot } from './answers/snapshot.ts';
import { keepSnapshots } from './answers/snapshot-keeper.ts';
import { isRegionOf, uptimeOf } from './answers/uptime.ts';
import { openBodies } from './bodies/bodies.ts';
import { openContradictions } from './contradictions.ts';
import { annotationRoutes } from './http/annotation-calls.ts';
import { detailRoutes } from './http/detail-calls.ts';
import { logRoutes } from './http/log-calls.ts';
import { maintenanceRoutes } from './http/maintenance-calls.ts';
import { probeRoutes } from './http/probe-calls.ts';
import { readerRoutes } from './http/reader-calls.ts';
import type { Route } from './http/routes.ts';
import { batchIngest } from './ingest/batches.ts';
import { frameIngest } from './ingest/frames.ts';
import { openQuota } from './ingest/quota.ts';
import { openRecentLines } from './ingest/recent-lines.ts';
import { shownServices } from './ingest/shown.ts';
import type { Lasting } from './lasting.ts';
import { openLive } from './live/heart.ts';
import { openLooks } from './live/looks.ts';
import { openRecent } from './live/recent.ts';
import { openRegions } from './live/regions.ts';
import { allIncidents, heardProbes, openStories } from './live/stories.ts';
import { policyText } from './log/witness-policy.ts';
import { openWitnesses, sourceOf } from './log/witnesses.ts';
import { loops, pace } from './loops.ts';
import { dropOldFrames } from './retention.ts';
import { openSlots } from './slots/slots.ts';
import type { Watched } from './watched.ts';

/**
 * Frames are judged at most so often, ms: one that comes alone at once, of many those that came meanwhile together,
 * so that the cost of judging is bounded by time and not by how many send.
 */
const BEAT_EVERY_MS = 100;

/** A configuration whose leaf is in the log. */
export interface Declared {
  readonly watched: Watched;
  /** Leaf hash of the configuration, base64. */
  readonly configHash: string;
}

export interface Generation extends Declared {
  readonly routes: readonly Route[];
  /** Aborts when it ends: held calls answer with what there is. */
  readonly signal: AbortSignal;
  /** Its witnesses were asked what they know, or are not there to answer; pending until it is started. */
  readonly heard: Promise<void>;
  /** Starts to follow up on what arrives. */
  start(): void;
  /** Follows up no more; its calls go on. Resolves when none of its loops runs any more. Never rejects. */
  rest(): Promise<void>;
  /** Aborts its signal, and rests. */
  end(): Promise<void>;
}

/** Reads from the store what is known, and judges it anew. Writes nothing into the log. */
export async function openGeneration(lasting: Lasting, declared: Declared): Promise<Generation> {
  const { store, blobs, clock, log, metrics, startedAt, bells, maintenances, publishedLog } = lasting;
  const { watched, configHash } = declared;
  const { arrived, committed, fed, assigned } = bells;
  const [resting, ending] = [new AbortController(), new AbortController()];
  const { signal } = resting;
  metrics.watch(watched);
  // What was not followed up before is in the store: all shards are looked at once.
  const flipped = new Set(watched.shards.keys());
  const looks = openLooks({
    watched,
    clock,
    seed: lasting.seed,
    asked: () => assigned.ring(),
    notAsked: (because, count) => metrics.notAsked(because, count),
  });
  const recent = openRecent();
  const live = await openLive({
    watched,
    store,
    clock,
    startedAt,
    recent,
    maintained: maintenances.cover,
    flipped: (shard) => flipped.add(shard),
    turned: (shard, turns) => looks.turned(shard, turns),
  });
  const regions = await openRegions(watched, store, clock);
  const stories = openStories(
    watched,
    store,
    clock,
    log,
    flipped,
    lasting.hearing,
    lasting.heard,
    maintenances.cover,
  );
  const bodies = openBodies(store, blobs);
  const slots = openSlots(watched, store, blobs, clock, signal);
  const contradictions = openContradictions(watched, store, clock);
  const counting = { watched, ledger: openLedger(slots), clock };
  const history = openHistory(watched, slots, counting.ledger);
  const budgets = openBudgets(counting, slots);
  const snapshots = await keepSnapshots(
    async () =>
      makeSnapshot({
        watched,
        live,
        history: await history.read(clock.now()),
        budgets: await budgets.read(clock.now()),
        incidents: await allIncidents(store),
        maintenance: maintenances.all(),
        heard: await heardProbes(store, lasting.heard),
        regions,
        startedAt,
        now: clock.now(),
      }),
    clock,
  );
  const details = openDetails({
    watched,
    slots,
    clock,
    startedAt,
    numbersOf: (service) => numbersOf(counting, service),
    chartsOf: openCharts({ watched, slots, clock }),
  });
  const witnesses = await openWitnesses({
    config: watched.config,
    log: publishedLog,
    store,
    clock,
    logger: log,
    signal,
    alarm: lasting.alarms.raise,
    cleared: lasting.alarms.clear,
    count: (witness, error) => metrics.witnesses.failed(witness, error),
  });
  const quota = openQuota(watched, lasting.budget, clock, (probe, lacking) => {
    metrics.overBudget(probe, lacking);
    lasting.overspent(probe, lacking);
  });
  const recentLines = openRecentLines();
  const frames = frameIngest(
    watched,
    store,
    clock,
    (probe, observed, frame) => {
      metrics.ingested(probe, observed);
      recent.add(frame);
      arrived.ring();
    },
    quota,
    recentLines,
    lasting.heard,
  );
  const shown = await shownServices(store, watched.config);
  const batches = batchIngest(
    watched,
    store,
    clock,
    {
      committed: () => committed.ring(),
      closed: (batch) => regions.closed(batch),
      conflict(probe, epoch, number) {
        metrics.conflict(probe);
        log.error({ probe, epoch, number }, 'batch-conflict');
        committed.ring();
      },
    },
    lasting.turns,
    (service) => shown.has(service),
    quota,
    recentLines.of,
  );
  const signing = { key: lasting.key, origin: lasting.origin };
  const acknowledging = {
    store,
    clock,
    signing,
    salt: lasting.salt,
    shown: new Set(watched.config.services.filter((s) => s.visibility === 'public').map(({ id }) => id)),
  };
  const routes = [
    ...probeRoutes({
      watched,
      store,
      clock,
      frames,
      batches,
      operatorKey: lasting.key.vkey,
      assigned,
      shown(probe, checkpoint) {
        const looked =
          checkpoint === undefined ? Promise.resolve() : publishedLog.shown(checkpoint, `probe ${probe}`);
        void looked.then(
          () => lasting.hold.asked(probe),
          (error: unknown) => log.error({ err: error, probe }, 'checkpoint-not-looked-at'),
        );
      },
      proofs: (question) => proofsFor(publishedLog, store, question),
      look(probe) {
        const ids = looks.take(probe);
        metrics.asked(probe, ids.length);
        return ids;
      },
    }),
    ...logRoutes({
      log: publishedLog,
      blobs,
      bodies,
      shown,
      operatorKey: lasting.key.vkey,
      policy: () =>
        publishedLog.keys.length === 0 ? undefined : policyText(watched.config, publishedLog.keys),
    }),
    ...maintenanceRoutes({
      watched,
      clock,
      maintenances,
      unsigned: () => publishedLog.status().refused?.because,
    }),
    ...detailRoutes({
      watched,
      details,
      clock,
      uptimeOf: (question) => uptimeOf(counting, question),
      isRegionOf: (subject, region) => isRegionOf(counting, subject, region),
    }),
    ...annotationRoutes({ store, clock, signing, committed: () => committed.ring() }),
    ...readerRoutes({
      watched,
      store,
      clock,
      live,
      slots,
      bodies,
      snapshots,
      configHash,
      fed,
      due: arrived,
      async acknowledge(id, by) {
        const done = await acknowledge(acknowledging, id, by);
        committed.ring();
        return done;
      },
      regions,
      heard: lasting.heard,
      logStatus: () => ({ ...publishedLog.status(), ...witnesses.status() }),
      metrics: () => metrics.text(live, regions, witnesses),
    }),
  ];

  const paced = pace(BEAT_EVERY_MS, signal);
  const turns = {
    ...witnesses.turns,
    async published() {
      const seen = bells.published.rung();
      witnesses.published();
      await bells.published.next(seen, 60_000, signal);
    },
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
    async acknowledged() {
      const seen = committed.rung();
      if ((await carryAcknowledgements(store, clock)) > 0) arrived.ring();
      await committed.next(seen, 5_000, signal);
    },
    async slots() {
      const seen = committed.rung();
      if (await slots.beat()) snapshots.changed();
      // The slots have taken in what was committed.
      await contradictions.beat();
      if (!slots.owes()) await committed.next(seen, 5_000, signal);
    },
  };
  const sweep = async (): Promise<void> => {
    const dropped = await dropOldFrames(watched, store, live.position(), clock);
    if (dropped > 0) log.info({ dropped }, 'frames-dropped');
  };

  let running: Promise<unknown> = Promise.resolve();
  const rest = async (): Promise<void> => {
    resting.abort();
    await running;
    // What can't be saved is made again from the frames.
    await live.rest().catch((error: unknown) => log.error({ err: error }, 'live-not-saved'));
    // What is not written is made again from the log.
    await slots.flush().catch((error: unknown) => log.error({ err: error }, 'views-not-saved'));
  };
  return {
    ...declared,
    routes,
    signal: ending.signal,
    heard: witnesses.heard,
    start() {
      publishedLog.heedOnly((watched.config.witnesses?.list ?? []).map(({ id }) => sourceOf(id)));
      running = Promise.all([loops(turns, log, signal), hourly(sweep, log, signal)]);
    },
    rest,
    async end() {
      ending.abort();
      await rest();
    },
  };
}

/** node-cron pokes; what is to be done is read from the store. Resolves when the signal has aborted and nothing runs. */
const hourly = (task: () => Promise<void>, log: Logger, signal: AbortSignal): Promise<void> =>
  poked('7 * * * *', task, log, signal);

/** The same, when a cron expression says. */
export async function poked(
  when: string,
  task: () => Promise<void>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { schedule } = await import('node-cron');
  let last: Promise<void> = Promise.resolve();
  const job = schedule(when, () => {
    last = task().catch((error: unknown) => log.error({ err: error }, 'sweep-failed'));
  });
  await aborted(signal);
  await job.stop();
  await last;
}

/** Resolves when the signal has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
