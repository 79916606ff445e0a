/** The collector's live picture without its store: a configuration, one shard, and what it knows. */
import type { Flip, Verdict } from '@highwater/config/domain.ts';
import { signingKeyFromSeed } from '@highwater/config/keys.ts';
import type { Chain, Config, Monitor, Service } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Component } from '../../collector/src/decide/component.ts';
import { staleAt as wordStaleAt } from '../../collector/src/decide/component.ts';
import type { Answer, Cover, Judgement, Topology } from '../../collector/src/decide/types.ts';
import { staleAt } from '../../collector/src/decide/votes.ts';
import { judgeShard } from '../../collector/src/live/judge.ts';
import type { Shard } from '../../collector/src/live/shard.ts';
import { newShard } from '../../collector/src/live/shard.ts';
import type { Watched } from '../../collector/src/watched.ts';
import { watch } from '../../collector/src/watched.ts';

/** A chain, its references as hosts with their operators. */
export interface PlannedChain {
  readonly blockTimeMs: number;
  readonly maxLagBlocks: number;
  readonly maxAgeMs: number;
  readonly forkDepthBlocks?: number;
  readonly references: readonly { readonly host: string; readonly operator: string }[];
}

/** What is watched and how, in few words. Each node has a check `head`, and `calls` where a method is compared. */
export interface Plan {
  readonly regions: readonly string[];
  readonly probesPerRegion: number;
  readonly intervalMs: number;
  readonly fall: number;
  readonly rise: number;
  readonly quorum?: number;
  readonly chain?: PlannedChain;
  /** A method whose results are compared across nodes. */
  readonly compares?: string;
  /** By `service/node`; `op` otherwise. */
  readonly operators?: ReadonlyMap<string, string>;
  readonly services: Topology['services'];
}

const TIMEOUT_MS = 2_000;

/** `eu-1`, `eu-2`: in the order of regions. */
export function probesOf(plan: Plan): { readonly id: string; readonly region: string }[] {
  const numbers = Array.from({ length: plan.probesPerRegion }, (_, i) => i + 1);
  return plan.regions.flatMap((region) => numbers.map((number) => ({ id: `${region}-${number}`, region })));
}

/** The plan as the collector has it from its configuration. */
export function watchedOf(plan: Plan): Watched {
  const target = { url: 'http://127.0.0.1/', headers: {}, allowPrivate: true };
  const services = plan.services.map((service): Service => {
    const nodes = service.nodes.map((node) => {
      const operator = plan.operators?.get(`${service.id}/${node.id}`) ?? 'op';
      return { ...node, url: target.url, operator, target };
    });
    return { ...service, visibility: 'public', nodes, ...(plan.chain && { chain: 'dev' }) };
  });
  const monitorOf = (service: string, node: string, check: string, settings: unknown): Monitor => ({
    id: `${service}/${node}/${check}`,
    service,
    node,
    check,
    kind: check === 'head' ? 'head' : 'jsonrpc',
    intervalMs: plan.intervalMs,
    timeoutMs: TIMEOUT_MS,
    confirm: { fall: plan.fall, rise: plan.rise, recheckAfterMs: 1_000 },
    regions: plan.regions,
    counts: true,
    settings,
    target,
    ...(plan.quorum !== undefined && { quorum: plan.quorum }),
    ...(plan.chain && { chain: 'dev' }),
  });
  const compared = { methods: [{ method: plan.compares, equal: true }] };
  const monitors = [
    ...services.flatMap((service) =>
      service.nodes.flatMap(({ id }) => [
        monitorOf(service.id, id, 'head', {}),
        ...(plan.compares === undefined ? [] : [monitorOf(service.id, id, 'calls', compared)]),
      ]),
    ),
    ...(plan.chain?.references ?? []).map(({ host }) => monitorOf('chain.dev', host, 'head', {})),
  ];
  const config: Config = {
    site: { name: 'Test', url: 'http://localhost' },
    origin: 'localhost/log',
    operator: 'op',
    regions: plan.regions.map((id) => ({ id, name: id })),
    probes: probesOf(plan).map(({ id, region }, i) => ({ id, region, key: keyOf(id, i), operator: 'op' })),
    chains: plan.chain ? { dev: chainOf(plan.chain) } : {},
    controls: [],
    services,
    monitors,
    alerts: { channels: [], policies: [] },
    retention: { hotMs: 0, bodiesMs: 0, slotsMs: 0 },
  };
  return watch(config);
}

/** The planned chain as a configuration has it. */
export function chainOf({ references, ...limits }: PlannedChain): Chain {
  return {
    name: 'dev',
    family: 'evm',
    ...limits,
    references: references.map(({ host, operator }) => ({ url: `http://${host}/`, operator })),
  };
}

const keys = new Map<string, string>();

/** Keys cost time to make, and no signature is looked at here: one a name is enough. */
function keyOf(id: string, number: number): string {
  const key = keys.get(id) ?? signingKeyFromSeed(id, new Uint8Array(32).fill(number + 1)).vkey;
  keys.set(id, key);
  return key;
}

/** A shard of everything that a scenario watches: one chain, or none. */
export function emptyShard(watched: Watched): Shard {
  const [name = 'none'] = watched.shards.keys();
  return newShard(name);
}

/** Takes answers in as the driver does; without any, looks at everything again because a time has come. */
export function look(
  watched: Watched,
  shard: Shard,
  answers: readonly Answer[],
  now: Instant,
  maintained: Cover = new Map(),
): Flip[] {
  const woken = answers.length === 0 ? 'all' : new Set<string>();
  return judgeShard(watched, watched.config.services, shard, { answers, woken, maintained }, 0, now);
}

/** When an answer or a word goes stale; null when nothing does. */
export function wakeAt(watched: Watched, shard: Shard, now: Instant): Instant | null {
  const monitors = [...shard.monitors.entries()].flatMap(([id, row]) => {
    const policy = watched.policies.get(id);
    return (policy && staleAt(policy, Object.values(row.streaks), now)) ?? [];
  });
  const words = [...shard.services.entries()].flatMap(
    ([, row]) => wordStaleAt(row.component, watched.staleAfterMs) ?? [],
  );
  const wakes = [...monitors, ...words].filter((at) => at > now);
  return wakes.length === 0 ? null : Math.min(...wakes);
}

export function verdictsOf(shard: Shard): Map<string, Verdict> {
  const rows = [...shard.monitors.entries(), ...shard.nodes.entries(), ...shard.services.entries()];
  return new Map(rows.map(([subject, { verdict }]) => [subject, verdict]));
}

export function componentOf(shard: Shard, service: string): Component | undefined {
  return shard.services.get(service)?.component;
}

export function judgementOf(shard: Shard, service: string): Judgement | undefined {
  return shard.services.get(service)?.judgement;
}

/** Saves a shard as JSON and loads it, as a restart does. */
export function reloaded(shard: Shard): Shard {
  const next = newShard(shard.name);
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  for (const [id, row] of shard.monitors.entries()) next.monitors.set(id, copy(row));
  for (const [id, row] of shard.nodes.entries()) next.nodes.set(id, copy(row));
  for (const [id, row] of shard.services.entries()) next.services.set(id, copy(row));
  for (const [id, row] of shard.chains.entries()) next.chains.set(id, copy(row));
  return next;
}
