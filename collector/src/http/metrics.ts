/** What Prometheus reads: names as blackbox_exporter has them where they mean the same (CONTRACTS "Metrics"). */
import type { Observation, Status } from '@highwater/config/domain.ts';
import type { Clock } from '@highwater/config/time.ts';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Answer } from '../decide/types.ts';
import { headsOf, madeAt, stateOfChain } from '../live/heads.ts';
import { budgeted, type Budgeted } from '../ingest/budget.ts';
import type { Live } from '../live/heart.ts';
import type { Log } from '../log/log.ts';
import type { Witnesses } from '../log/witnesses.ts';
import type { PackingFigures } from '../packing/packing.ts';
import type { Regions } from '../live/regions.ts';
import type { NotAsked } from '../live/looks.ts';
import type { Shard } from '../live/shard.ts';
import type { Store } from '../store/store.ts';
import { HOUSE_SHARD, type Watched } from '../watched.ts';
import { factMetrics } from './fact-metrics.ts';
import { logMetrics } from './log-metrics.ts';
import { packingMetrics } from './packing-metrics.ts';
import { type WitnessMetrics, witnessMetrics } from './witness-metrics.ts';

const statuses: readonly Status[] = ['up', 'degraded', 'down', 'unknown'];

const reasons = ['silent', 'clock', 'offline', 'late'] as const;

export interface Metrics {
  /** Shows what this configuration has. Counters go on: who takes rates must not see each new configuration as a restart. */
  watch(watched: Watched): void;
  ingested(probe: string, observations: readonly Observation[]): void;
  conflict(probe: string): void;
  /** A frame or batch was refused: the probe's budget was spent. */
  overBudget(probe: string, lacking: Budgeted): void;
  /** Requests to look now that a probe has fetched. */
  asked(probe: string, looks: number): void;
  /** Requests to look now that came to nothing. */
  notAsked(because: NotAsked, looks: number): void;
  readonly witnesses: Pick<WitnessMetrics, 'failed'>;
  /** Counted by those who pack and let go. */
  readonly packing: PackingFigures;
  text(live: Live, regions: Pick<Regions, 'ofProbe'>, witnesses: Pick<Witnesses, 'figures'>): Promise<string>;
}

function subjectLabels(subject: string): { service: string; node: string; check: string } {
  const [service = '', node = '', check = ''] = subject.split('/');
  return { service, node, check };
}

/** Of each monitor and region the newest by receipt: read when asked for, so that an answer costs nothing here. */
function newestAnswers(shard: Shard): Answer[] {
  return [...shard.monitors.entries()].flatMap(([, { streaks }]) => {
    const newest = Object.values(streaks).map((streak) => streak.newest);
    newest.sort((a, b) => a.receivedAt - b.receivedAt);
    return [...new Map(newest.map((answer) => [answer.region, answer])).values()];
  });
}

/** @param damagedPacks found since the start */
export function openMetrics(
  store: Store,
  clock: Clock,
  log: Pick<Log, 'status'>,
  damagedPacks: () => number = () => 0,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const asked = ['service', 'node', 'check', 'region'] as const;
  const success = new Gauge({
    name: 'probe_success',
    help: 'Whether the newest answer from a region was good (1) or not (0)',
    labelNames: asked,
    registers,
  });
  const duration = new Gauge({
    name: 'probe_duration_seconds',
    help: 'How long the newest answer from a region took',
    labelNames: asked,
    registers,
  });
  const facts = factMetrics(registers);
  const packing = packingMetrics(registers);
  const verdict = new Gauge({
    name: 'highwater_verdict',
    help: 'What the regions agree on: 1 for the status that holds, 0 for the others',
    labelNames: ['service', 'node', 'check', 'status'] as const,
    registers,
  });
  const height = new Gauge({
    name: 'highwater_head_height',
    help: 'Agreed height of a chain',
    labelNames: ['chain'] as const,
    registers,
  });
  const age = new Gauge({
    name: 'highwater_head_age_seconds',
    help: 'Age of the agreed head of a chain: since its block was made, or first seen where blocks have no time',
    labelNames: ['chain'] as const,
    registers,
  });
  const lag = new Gauge({
    name: 'highwater_head_lag_blocks',
    help: 'Blocks that a node is behind the agreed height of its chain; negative when ahead',
    labelNames: ['service', 'node'] as const,
    registers,
  });
  const ofChain = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['chain'] as const, registers });
  const stalled = ofChain(
    'highwater_chain_stalled',
    'Whether most heads of a chain stand still (1) or not (0)',
  );
  const forked = ofChain(
    'highwater_chain_forked',
    'Whether nodes of a chain have different blocks at one height (1) or not (0)',
  );
  const pace = ofChain(
    'highwater_chain_block_time_seconds',
    'Time between blocks, learned from the chain within bounds of what is configured',
  );
  const observations = new Counter({
    name: 'highwater_ingest_observations_total',
    help: 'Observations received in frames',
    labelNames: ['probe'] as const,
    registers,
  });
  const conflicts = new Counter({
    name: 'highwater_ingest_conflicts_total',
    help: 'Batches that a probe signed with another text under the same number',
    labelNames: ['probe'] as const,
    registers,
  });
  const overBudget = new Counter({
    name: 'highwater_ingest_over_budget_total',
    help: 'Frames and batches refused because their probe had sent more than a probe needs, by what it was: leaves, leaf-bytes, body-bytes, epochs, frame-bytes',
    labelNames: ['probe', 'budget'] as const,
    registers,
  });
  const looks = new Counter({
    name: 'highwater_look_requests_total',
    help: 'Requests to look now that were handed to a probe, because another region contradicted a verdict',
    labelNames: ['probe'] as const,
    registers,
  });
  const dropped = new Counter({
    name: 'highwater_look_requests_dropped_total',
    help: 'Requests to look now that came to nothing: the budget was spent (budget), or the probe came too late for it (late)',
    labelNames: ['because'] as const,
    registers,
  });
  new Counter({
    name: 'highwater_packed_damaged_total',
    help: 'Objects of packed bodies that were found to be damaged or not there since the start: more than none is for a person',
    registers,
    collect() {
      this.reset();
      this.inc(damagedPacks());
    },
  });
  const unwell = new Gauge({
    name: 'highwater_probe_unwell',
    help: 'Whether what a probe sees can not be believed, by reason: 1 for the one that holds',
    labelNames: ['region', 'probe', 'reason'] as const,
    registers,
  });
  const pending = new Gauge({
    name: 'highwater_outbox_pending',
    help: 'Effects that were decided and are not carried out yet',
    registers,
  });
  const fillLog = logMetrics(store, log, registers);
  const witnesses = witnessMetrics(clock, registers);
  let watched: Watched | undefined;
  for (const because of ['budget', 'late'] as const) dropped.inc({ because }, 0);

  const fill = (watched: Watched, live: Live): void => {
    for (const gauge of [success, duration, verdict, height, age, lag, stalled, forked, pace]) gauge.reset();
    const now = clock.now();
    for (const shard of live.shards.values()) {
      for (const { monitor, region, outcome, latencyTenths } of newestAnswers(shard)) {
        const labels = { ...subjectLabels(monitor), region };
        success.set(labels, outcome === 'fail' ? 0 : 1);
        duration.set(labels, latencyTenths / 10_000);
      }
      for (const rows of [shard.monitors, shard.nodes, shard.services]) {
        for (const [subject, row] of rows.entries()) {
          const labels = subjectLabels(subject);
          for (const status of statuses) {
            verdict.set({ ...labels, status }, row.verdict.status === status ? 1 : 0);
          }
        }
      }
      if (!shard.name.startsWith('chain:')) continue;
      const chain = shard.name.slice('chain:'.length);
      const { heads, byNode } = headsOf(watched, shard, chain, now);
      const [head] = heads;
      if (head !== undefined) {
        height.set({ chain }, head.height);
        age.set({ chain }, Math.max(0, now - madeAt(shard, head)) / 1_000);
        const { state, blockTimeMs } = stateOfChain(watched, shard, head);
        stalled.set({ chain }, state === 'stalled' ? 1 : 0);
        forked.set({ chain }, state === 'forked' ? 1 : 0);
        pace.set({ chain }, blockTimeMs / 1_000);
      }
      for (const [id, { lagBlocks }] of byNode) {
        const { service, node } = subjectLabels(id);
        lag.set({ service, node }, lagBlocks);
      }
    }
  };

  return {
    watch(next) {
      watched = next;
      facts.watch(next);
      witnesses.watch(next.config);
      for (const { id } of next.config.probes) {
        observations.inc({ probe: id }, 0);
        conflicts.inc({ probe: id }, 0);
        for (const budget of budgeted) overBudget.inc({ probe: id, budget }, 0);
        looks.inc({ probe: id }, 0);
      }
    },
    ingested(probe, observed) {
      observations.inc({ probe }, observed.length);
      facts.seen(probe, observed);
    },
    conflict: (probe) => conflicts.inc({ probe }),
    overBudget: (probe, budget) => overBudget.inc({ probe, budget }),
    asked: (probe, count) => looks.inc({ probe }, count),
    notAsked: (because, count) => dropped.inc({ because }, count),
    witnesses,
    packing,
    async text(live, regions, { figures }) {
      witnesses.fill(figures());
      unwell.reset();
      for (const { id, region } of watched?.config.probes ?? []) {
        const condition = regions.ofProbe(id)?.state;
        for (const reason of reasons) {
          unwell.set({ region, probe: id, reason }, condition === reason ? 1 : 0);
        }
      }
      if (watched !== undefined) fill(watched, live);
      facts.fill();
      pending.set(await store.read(HOUSE_SHARD, (tx) => tx.outboxSize()));
      await fillLog();
      return registry.metrics();
    },
  };
}
