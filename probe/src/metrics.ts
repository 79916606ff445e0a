/** The probe's metrics: blackbox-exporter's names where the meaning is the same, ours with `highwater_`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Gauge, Registry } from 'prom-client';
import { monitorParts, type Observation, type Outcome, type Phases } from '@highwater/config/domain.ts';
import type { Reached } from './control-watch.ts';

export interface ProbeMetrics {
  observed(observation: Observation): void;
  /** Forgets monitors that may be gone, and takes the region's name. */
  assigned(region: string): void;
  spool(state: {
    readonly batches: number;
    readonly frames: number;
    readonly unproven: number;
    readonly bytes: number;
    readonly dropped: number;
  }): void;
  /** The size of the newest log that was found consistent, and whether the log is no longer that one. */
  log(state: { readonly seen: number; readonly isRefused: boolean }): void;
  /** What was found when the controls were last asked. */
  reached(reached: Reached): void;
  text(): Promise<string>;
}

const labelNames = ['service', 'node', 'check', 'region'] as const;
type Label = (typeof labelNames)[number];

/** blackbox-exporter's words for the phases. */
const phaseNames = {
  resolve: 'resolve',
  connect: 'connect',
  tls: 'tls',
  firstByte: 'processing',
  transfer: 'transfer',
} as const;

const phaseKeys = Object.keys(phaseNames) as (keyof Phases)[];

/** Monitors whose gauges are set in one turn of the event loop. */
const atOnce = 100;

/** The newest of each that a monitor's observations have told. */
interface News {
  lateMs: number;
  /** Absent as long as all were skipped. */
  outcome?: Outcome;
  latencyTenths: number;
  phases?: Phases;
  readonly facts: Record<string, string>;
}

export function makeMetrics(): ProbeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const perMonitor: Gauge<string>[] = [];
  const gauge = <More extends string = never>(
    name: string,
    help: string,
    more: readonly More[] = [],
  ): Gauge<Label | More> => {
    const made = new Gauge<Label | More>({ name, help, labelNames: [...labelNames, ...more], registers });
    perMonitor.push(made);
    return made;
  };
  const success = gauge('probe_success', 'Whether the newest check had a good answer (1) or not (0).');
  const duration = gauge('probe_duration_seconds', 'How long the newest check took.');
  const phases = gauge('probe_http_duration_seconds', 'How long each phase of the newest check took.', [
    'phase',
  ]);
  const status = gauge('probe_http_status_code', 'HTTP status of the newest answer.');
  const expiry = gauge(
    'probe_ssl_earliest_cert_expiry',
    'Earliest expiry in the certificate chain, Unix seconds.',
  );
  const lookup = gauge('probe_dns_lookup_time_seconds', 'How long the newest check resolved the name.');
  const rpc = gauge(
    'highwater_rpc_duration_seconds',
    'How long a JSON-RPC method took in the newest check.',
    ['method'],
  );
  const height = gauge(
    'highwater_head_height',
    'Height of the newest block that the node told this probe of.',
  );
  const lateness = gauge(
    'highwater_check_lateness_seconds',
    'How long after its due time the newest check began.',
  );
  const checks = new Counter({
    name: 'highwater_checks_total',
    help: 'Checks by outcome.',
    labelNames: ['outcome', 'region'],
    registers,
  });
  const plain = (name: string, help: string) => new Gauge({ name, help, registers });
  const batches = plain('highwater_spool_batches', 'Batches that the collector has not acknowledged.');
  const frames = plain('highwater_spool_frames', 'Frames that the collector has not acknowledged.');
  const unproven = plain(
    'highwater_spool_unproven_batches',
    'Batches that the collector has acknowledged and the log has not proven.',
  );
  const logSize = plain(
    'highwater_probe_log_size',
    'Entries of the log in the newest checkpoint that was kept.',
  );
  const logRefused = plain(
    'highwater_probe_log_refused',
    'Whether the log does not continue what this probe has seen of it (1): nothing is deleted then.',
  );
  const bytes = plain('highwater_spool_bytes', 'Bytes of the spool on disk.');
  const dropped = plain(
    'highwater_spool_dropped_segments',
    'Segments of the spool that were dropped since the start because it was full.',
  );
  const control = new Gauge({
    name: 'highwater_control_reached',
    help: 'Whether any control target was reached (1) or none (0), by address family; without a value where none has such an address.',
    labelNames: ['family'] as const,
    registers,
  });
  const memory = plain('process_resident_memory_bytes', 'Resident memory.');
  let region = '';

  /** What came since it was last read. A gauge looks up its labels at each change, which would cost more than to observe. */
  let news = new Map<string, News>();
  const outcomes = new Map<Outcome, number>();
  let assignments = 0;

  const count = () => {
    for (const [outcome, many] of outcomes) checks.inc({ outcome, region }, many);
    outcomes.clear();
  };

  const take = (monitor: string, { lateMs, outcome, latencyTenths, phases: took, facts }: News) => {
    const labels = { ...monitorParts(monitor), region };
    lateness.set(labels, lateMs / 1_000);
    if (outcome === undefined) return;
    success.set(labels, outcome === 'fail' ? 0 : 1);
    duration.set(labels, latencyTenths / 10_000);
    if (took) {
      lookup.set(labels, took.resolve / 10_000);
      for (const key of phaseKeys) phases.set({ ...labels, phase: phaseNames[key] }, took[key] / 10_000);
    }
    const { sc, ce, h } = facts;
    if (sc !== undefined) status.set(labels, Number(sc));
    if (ce !== undefined) expiry.set(labels, Number(ce) / 1_000);
    if (h !== undefined) height.set(labels, Number(h));
    for (const [key, value] of Object.entries(facts)) {
      if (key.startsWith('m.') && /^\d+$/.test(value))
        rpc.set({ ...labels, method: key.slice(2) }, Number(value) / 10_000);
    }
  };

  /** A little at a time: ten thousand monitors at once would make checks late. */
  const takeNews = async () => {
    count();
    const [taken, current] = [news, assignments];
    news = new Map();
    let left = atOnce;
    for (const [monitor, its] of taken) {
      take(monitor, its);
      left -= 1;
      if (left > 0) continue;
      left = atOnce;
      await nextTurn();
      if (current !== assignments) return;
    }
  };

  return {
    observed({ monitor, outcome, lateMs, latencyTenths, phases: took, facts }) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      let its = news.get(monitor);
      if (!its) news.set(monitor, (its = { lateMs, latencyTenths, facts: {} }));
      its.lateMs = lateMs;
      if (outcome === 'skipped') return;
      its.outcome = outcome;
      its.latencyTenths = latencyTenths;
      if (took) its.phases = took;
      Object.assign(its.facts, facts);
    },
    assigned(name) {
      count();
      assignments += 1;
      region = name;
      news.clear();
      for (const each of perMonitor) each.reset();
    },
    reached(found) {
      control.reset();
      for (const family of [4, 6] as const) {
        if (found[family] !== undefined) control.set({ family: `ipv${family}` }, found[family] ? 1 : 0);
      }
    },
    spool(state) {
      batches.set(state.batches);
      frames.set(state.frames);
      unproven.set(state.unproven);
      bytes.set(state.bytes);
      dropped.set(state.dropped);
    },
    log(state) {
      logSize.set(state.seen);
      logRefused.set(state.isRefused ? 1 : 0);
    },
    async text() {
      await takeNews();
      memory.set(process.memoryUsage.rss());
      return registry.metrics();
    },
  };
}
