/** Metrics of what lines say beside their outcome: of the newest of each monitor and region, and counts of all. */
import type { Observation, Phases } from '@highwater/config/domain.ts';
import { isFaultId } from '@highwater/config/faults.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import { declaredMethods } from '../declared-methods.ts';
import type { Watched } from '../watched.ts';

/** blackbox_exporter's names of the phases of a request. */
const phaseNames: Readonly<Record<keyof Phases, string>> = {
  resolve: 'resolve',
  connect: 'connect',
  tls: 'tls',
  firstByte: 'processing',
  transfer: 'transfer',
};

const ofTenths = (tenths: number): number => tenths / 10_000;
const ofMs = (ms: number): number => ms / 1_000;
const asIs = (value: number): number => value;

/** Facts that are a gauge of the newest line: name, help, and the unit made of the fact's. */
const gauges: Readonly<
  Record<string, readonly [name: string, help: string, unit: (value: number) => number]>
> = {
  sc: ['probe_http_status_code', 'HTTP status of the newest answer', asIs],
  ce: ['probe_ssl_earliest_cert_expiry', 'Unix time at which the first certificate presented expires', ofMs],
  cv: [
    'probe_ssl_last_chain_expiry_timestamp_seconds',
    'Unix time at which the best chain to a trusted root expires',
    ofMs,
  ],
  peers: ['highwater_peers', 'Peers that a node has', asIs],
  fh: ['highwater_head_finalized_height', 'Finalized height of a node', asIs],
  ack: ['highwater_socket_ack_seconds', 'Until the newest subscription was acknowledged', ofTenths],
  first: ['highwater_socket_first_head_seconds', 'Until the newest subscription pushed a block', ofTenths],
  age: [
    'highwater_socket_last_head_age_seconds',
    'Time since the last block was pushed over a WebSocket',
    ofMs,
  ],
};

/** Facts that count what happened to a long-lived WebSocket since the last round. */
const socketEvents = [
  ['gap', 'missing'],
  ['lost', 'lost'],
  ['reorg', 'replaced'],
  ['rep', 'repeated'],
] as const;

const FACT = 'm.';

export interface FactMetrics {
  /** Shows what this configuration has, and of the newest lines those that it still has. */
  watch(watched: Watched): void;
  /** What a probe has just said. */
  seen(probe: string, observations: readonly Observation[]): void;
  /** Sets the gauges: called when they are asked for, so that a line costs an entry in a map. */
  fill(): void;
}

const labelsOf = (monitor: string, region: string) => {
  const [service = '', node = '', check = ''] = monitor.split('/');
  return { service, node, check, region };
};

export function factMetrics(registers: Registry[]): FactMetrics {
  const asked = ['service', 'node', 'check', 'region'] as const;
  const gauge = <L extends string>(name: string, help: string, more: readonly L[]) =>
    new Gauge<(typeof asked)[number] | L>({ name, help, labelNames: [...asked, ...more], registers });
  const counter = <L extends string>(name: string, help: string, more: readonly L[]) =>
    new Counter<(typeof asked)[number] | L>({ name, help, labelNames: [...asked, ...more], registers });
  const phase = gauge('probe_http_duration_seconds', 'Phases of the newest request', ['phase']);
  const lookup = gauge('probe_dns_lookup_time_seconds', 'How long the newest lookup of the name took', []);
  const rpc = gauge('highwater_rpc_duration_seconds', 'How long the newest call of a method took', [
    'method',
  ]);
  const calls = counter('highwater_rpc_calls_total', 'Calls of a method, by outcome ok or fault', [
    'method',
    'outcome',
  ]);
  const faults = counter('highwater_rpc_faults_total', 'Calls of a method that gave a fault', [
    'method',
    'fault',
  ]);
  const events = counter(
    'highwater_socket_events_total',
    'Blocks missing, replaced or repeated on a long-lived WebSocket, and times that it was lost',
    ['event'],
  );
  const ofFacts = Object.entries(gauges).map(
    ([fact, [name, help, unit]]) => [fact, gauge(name, help, []), unit] as const,
  );
  /** Other methods than those configured are not shown: a probe may say what it likes. */
  let declared: ReturnType<typeof declaredMethods> = new Map();
  let watched: Watched | undefined;
  /** By region, then by monitor: as many as are watched, and no more. */
  let newest = new Map<string, Map<string, Observation>>();

  const show = (region: string, { monitor, facts, phases }: Observation): void => {
    const labels = labelsOf(monitor, region);
    const isHttp = watched?.monitors.get(monitor)?.target.url.startsWith('http') ?? false;
    if (phases !== undefined) lookup.set(labels, ofTenths(phases.resolve));
    if (phases !== undefined && isHttp) {
      for (const name of Object.keys(phaseNames) as (keyof Phases)[]) {
        phase.set({ ...labels, phase: phaseNames[name] }, ofTenths(phases[name]));
      }
    }
    for (const [fact, own, unit] of ofFacts) {
      const value = facts[fact];
      if (value !== undefined) own.set(labels, unit(Number(value)));
    }
    for (const method of declared.get(monitor) ?? []) {
      const value = facts[FACT + method];
      // A method that failed has its fault in place of a time.
      if (value !== undefined && !isFaultId(value)) rpc.set({ ...labels, method }, ofTenths(Number(value)));
    }
  };

  const count = (region: string, { monitor, facts }: Observation): void => {
    // Whoever kept a socket says how often it was lost: other lines cost one look, not four.
    for (const [fact, event] of facts['lost'] === undefined ? [] : socketEvents) {
      const value = facts[fact];
      if (value !== undefined) events.inc({ ...labelsOf(monitor, region), event }, Number(value));
    }
    for (const method of declared.get(monitor) ?? []) {
      const value = facts[FACT + method];
      if (value === undefined || value.startsWith('probe.')) continue;
      const labels = { ...labelsOf(monitor, region), method };
      const isFault = isFaultId(value);
      // Both are there from the first call on, so that a rate sees the first fault.
      calls.inc({ ...labels, outcome: 'ok' }, isFault ? 0 : 1);
      calls.inc({ ...labels, outcome: 'fault' }, isFault ? 1 : 0);
      if (isFault) faults.inc({ ...labels, fault: value });
    }
  };

  return {
    watch(next) {
      [watched, declared] = [next, declaredMethods(next)];
      newest = new Map(
        next.config.regions.map(({ id }) => {
          const known = [...(newest.get(id) ?? [])].filter(([monitor]) => next.monitors.has(monitor));
          return [id, new Map(known)];
        }),
      );
    },
    seen(probe, observations) {
      const region = watched?.regionOf.get(probe) ?? '';
      const own = newest.get(region);
      if (own === undefined) return;
      for (const observation of observations) {
        const { monitor, outcome, fault } = observation;
        if (outcome === 'skipped' || fault?.source === 'probe' || !watched?.monitors.has(monitor)) continue;
        own.set(monitor, observation);
        count(region, observation);
      }
    },
    fill() {
      for (const each of [phase, lookup, rpc, ...ofFacts.map(([, own]) => own)]) each.reset();
      for (const [region, own] of newest) for (const observation of own.values()) show(region, observation);
    },
  };
}
