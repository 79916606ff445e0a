/** The public snapshot: built by naming each field, of public services alone. */
import { faultId } from '@highwater/config/faults.ts';
import type { Incident } from '@highwater/config/domain.ts';
import type { NodeDecl, Service } from '@highwater/config/model.ts';
import type {
  PublicBudgetSummary,
  PublicMethod,
  PublicNode,
  PublicRegion,
  PublicService,
  PublicSnapshot,
} from '@highwater/config/public.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Declared } from '../decide/maintenance.ts';
import type { Condition } from '../decide/region.ts';
import type { Heard } from '../decide/silence.ts';
import type { Heads, Standing, Vote } from '../decide/types.ts';
import { headsOf, madeAt, stateOfChain } from '../live/heads.ts';
import type { Live } from '../live/heart.ts';
import type { Regions } from '../live/regions.ts';
import type { Shard } from '../live/shard.ts';
import type { Watched } from '../watched.ts';
import { holdsWith } from './holds.ts';
import { publicIncidents } from './public-incidents.ts';
import { publicMaintenance } from './public-maintenance.ts';
import type { SubjectTotals } from './totals.ts';

/** What comes from the slots: by subject. */
export interface History {
  readonly totals: ReadonlyMap<string, SubjectTotals>;
  readonly latency: ReadonlyMap<string, PublicNode['latency']>;
  readonly methods: ReadonlyMap<string, readonly PublicMethod[]>;
}

/** Of services with an objective. */
export type Budgets = ReadonlyMap<string, PublicBudgetSummary>;

export interface SnapshotInput {
  readonly watched: Watched;
  readonly live: Live;
  readonly history: History;
  readonly budgets: Budgets;
  readonly incidents: readonly Incident[];
  readonly maintenance: readonly Declared[];
  readonly heard: Heard;
  readonly regions: Pick<Regions, 'ofRegion'>;
  readonly startedAt: Instant;
  readonly now: Instant;
}

type Check = PublicNode['checks'][number];

function regionVote({ region, status, at, latencyTenths, fault }: Vote): Check['regions'][number] {
  return {
    region,
    status,
    ...(at === undefined ? {} : { at }),
    ...(latencyTenths === undefined ? {} : { latencyTenths }),
    ...(fault === undefined ? {} : { fault: faultId(fault) }),
  };
}

function checksOf(watched: Watched, shard: Shard, node: string): Check[] {
  return (watched.monitorsOf.get(node) ?? []).flatMap(({ id, check, kind, target: { family } }): Check[] => {
    const row = shard.monitors.get(id);
    if (row === undefined) return [];
    const { status, because } = row.verdict;
    const isApart = family !== undefined && check.endsWith(`.v${family}`);
    return [
      {
        id: check,
        kind,
        ...(isApart ? { family } : {}),
        status,
        because,
        regions: row.judgement.votes.map(regionVote),
      },
    ];
  });
}

function headPart(
  standing: Standing | undefined,
): Pick<PublicNode, 'height' | 'lagBlocks' | 'lagMs' | 'headAt' | 'finalizedHeight'> {
  if (standing === undefined) return {};
  const { height, lagBlocks, lagMs, finalizedHeight, head } = standing;
  const final = finalizedHeight === undefined ? {} : { finalizedHeight };
  return { height, lagBlocks, lagMs, headAt: head.at, ...final };
}

const noTotals: SubjectTotals = { days: [], uptime: { incomplete: false } };

function nodeOf(
  input: SnapshotInput,
  shard: Shard,
  heads: Heads,
  service: Service,
  node: NodeDecl,
): PublicNode {
  const id = `${service.id}/${node.id}`;
  const verdict = shard.nodes.get(id)?.verdict;
  const { days, uptime } = input.history.totals.get(id) ?? noTotals;
  return {
    id: node.id,
    zone: node.zone,
    status: verdict?.status ?? 'unknown',
    ...(verdict === undefined ? {} : { since: verdict.since }),
    because: verdict?.because ?? 'not judged yet',
    ...headPart(heads.byNode.get(id)),
    checks: checksOf(input.watched, shard, id),
    latency: input.history.latency.get(id) ?? [],
    methods: [...(input.history.methods.get(id) ?? [])],
    days,
    uptime,
  };
}

/** The head of the genesis that most of the service's nodes are on. */
function headOfService(
  watched: Watched,
  shard: Shard,
  heads: Heads,
  service: Service,
): PublicService['head'] {
  const own = service.nodes.flatMap((node) => heads.byNode.get(`${service.id}/${node.id}`)?.head ?? []);
  const counts = Map.groupBy(own, (head) => head.genesis ?? '');
  const [most] = [...counts.values()].sort((a, b) => b.length - a.length);
  const head = most?.[0] ?? heads.heads[0];
  if (head === undefined) return undefined;
  return {
    chain: head.chain,
    height: head.height,
    at: madeAt(shard, head),
    nodes: head.nodes,
    ...stateOfChain(watched, shard, head),
  };
}

function serviceOf(input: SnapshotInput, service: Service): PublicService[] {
  const { watched, live, history, now } = input;
  const shard = live.shards.get(watched.shardOf.get(service.id) ?? '');
  if (shard === undefined) return [];
  const heads = headsOf(watched, shard, service.chain ?? '', now);
  const row = shard.services.get(service.id);
  const { days, uptime } = history.totals.get(service.id) ?? noTotals;
  const budget = input.budgets.get(service.id);
  const head = headOfService(watched, shard, heads, service);
  return [
    {
      id: service.id,
      name: service.name,
      ...(service.description === undefined ? {} : { description: service.description }),
      ...(service.group === undefined ? {} : { group: service.group }),
      status: row?.verdict.status ?? 'unknown',
      component: row?.component.word ?? 'degraded_performance',
      ...(row === undefined ? {} : { since: row.verdict.since }),
      because: row?.verdict.because ?? 'not judged yet',
      ...(head === undefined ? {} : { head }),
      nodes: service.nodes.map((node) => nodeOf(input, shard, heads, service, node)),
      days,
      uptime,
      ...(service.objectiveMillionths === undefined
        ? {}
        : { objectiveRatio: service.objectiveMillionths / 1_000_000 }),
      ...(budget === undefined ? {} : { budget }),
    },
  ];
}

function conditionPart(condition: Condition | undefined): Pick<PublicRegion, 'state' | 'since' | 'because'> {
  if (condition === undefined) return { state: 'well' };
  const { state, since, because } = condition;
  return { state, since, because };
}

/** Whether what comes from a region counts; one that sees things otherwise is heard, and so is one that is so in part. */
function isHeard(condition: Condition | undefined): boolean {
  return condition === undefined || condition.state === 'apart' || condition.partly === true;
}

export function makeSnapshot(input: SnapshotInput): PublicSnapshot {
  const { watched, heard, incidents, startedAt, now } = input;
  const { config } = watched;
  const heardIn = (region: string): Instant[] =>
    config.probes.filter((p) => p.region === region).flatMap((p) => heard[p.id]?.at ?? []);
  const all = config.probes.flatMap((probe) => heard[probe.id]?.at ?? []);
  const withProbe = new Set(config.probes.map((probe) => probe.region));
  return {
    version: 1,
    site: { name: config.site.name, url: config.site.url },
    generatedAt: now,
    ...(all.length === 0 ? {} : { observedAt: Math.max(...all) }),
    staleAfterMs: watched.staleAfterMs,
    startedAt,
    regions: config.regions.map(({ id, name }) => ({
      id,
      name,
      probes: config.probes.filter((probe) => probe.region === id).length,
      ...(heardIn(id).length === 0 ? {} : { heardAt: Math.max(...heardIn(id)) }),
      ...conditionPart(input.regions.ofRegion(id)),
    })),
    holds: holdsWith(
      withProbe.size,
      [...withProbe].filter((id) => isHeard(input.regions.ofRegion(id))).length,
    ),
    services: config.services
      .filter((service) => service.visibility === 'public')
      .flatMap((service) => serviceOf(input, service)),
    incidents: publicIncidents(config, incidents, now),
    maintenance: publicMaintenance(config, input.maintenance, now),
  };
}
