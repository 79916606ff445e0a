/** Metrics of what the newest line of each monitor and region says beside its outcome: phases, methods, codes. */
import type { Observation, Phases } from '@highwater/config/domain.ts';
import { Gauge, type Registry } from 'prom-client';
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

export interface FactMetrics {
  /** What a probe has just said. */
  seen(probe: string, observations: readonly Observation[]): void;
  /** Sets the gauges: called when they are asked for, so that a line costs an entry in a map. */
  fill(): void;
}

export function factMetrics(watched: Watched, registers: Registry[]): FactMetrics {
  const asked = ['service', 'node', 'check', 'region'] as const;
  const gauge = <L extends string>(name: string, help: string, more: readonly L[]) =>
    new Gauge<(typeof asked)[number] | L>({ name, help, labelNames: [...asked, ...more], registers });
  const phase = gauge('probe_http_duration_seconds', 'Phases of the newest request', ['phase']);
  const status = gauge('probe_http_status_code', 'HTTP status of the newest answer', []);
  const expiry = gauge('probe_ssl_earliest_cert_expiry', 'Unix time at which a certificate expires', []);
  const lookup = gauge('probe_dns_lookup_time_seconds', 'How long the newest lookup of the name took', []);
  const rpc = gauge('highwater_rpc_duration_seconds', 'How long the newest call of a method took', [
    'method',
  ]);
  /** By region, then by monitor: as many as are watched, and no more. */
  const newest = new Map(watched.config.regions.map(({ id }) => [id, new Map<string, Observation>()]));

  const show = (region: string, { monitor, facts, phases }: Observation): void => {
    const [service = '', node = '', check = ''] = monitor.split('/');
    const labels = { service, node, check, region };
    const isHttp = watched.monitors.get(monitor)?.target.url.startsWith('http') ?? false;
    if (phases !== undefined) lookup.set(labels, ofTenths(phases.resolve));
    if (phases !== undefined && isHttp) {
      for (const name of Object.keys(phaseNames) as (keyof Phases)[]) {
        phase.set({ ...labels, phase: phaseNames[name] }, ofTenths(phases[name]));
      }
    }
    if (facts['sc'] !== undefined) status.set(labels, Number(facts['sc']));
    if (facts['ce'] !== undefined) expiry.set(labels, Number(facts['ce']) / 1_000);
    for (const [fact, value] of Object.entries(facts)) {
      // A method that failed has its fault in place of a time.
      if (!fact.startsWith('m.') || !/^[0-9]+$/.test(value)) continue;
      rpc.set({ ...labels, method: fact.slice('m.'.length) }, ofTenths(Number(value)));
    }
  };

  return {
    seen(probe, observations) {
      const own = newest.get(watched.regionOf.get(probe) ?? '');
      if (own === undefined) return;
      for (const observation of observations) {
        const { monitor, outcome, fault } = observation;
        if (outcome === 'skipped' || fault?.source === 'probe' || !watched.monitors.has(monitor)) continue;
        own.set(monitor, observation);
      }
    },
    fill() {
      for (const each of [phase, status, expiry, lookup, rpc]) each.reset();
      for (const [region, own] of newest) for (const observation of own.values()) show(region, observation);
    },
  };
}
