/** What is known now of one shard's monitors, nodes and services, and what of it is kept. */
import type { Status, Verdict } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Component } from '../decide/component.ts';
import type { Pace } from '../decide/block-time.ts';
import type { Reached } from '../decide/chain.ts';
import type { Forks } from '../decide/fork.ts';
import type { Beside } from '../decide/subject.ts';
import type { Heads, Judgement, ProbeTrouble, Streak, Vote } from '../decide/types.ts';
import { Rows } from '../rows.ts';
import type { ReadTx, Store, Tx } from '../store/store.ts';

export interface MonitorRow {
  /** By probe. */
  readonly streaks: Readonly<Record<string, Streak>>;
  /** By probe, what kept it from an answer last; not kept: the next line tells it again. */
  readonly troubles: Readonly<Record<string, ProbeTrouble>>;
  readonly judgement: Judgement;
  readonly verdict: Verdict;
}

export interface NodeRow {
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  /** What the other nodes of its chain and service say of it. */
  readonly beside?: Beside;
}

export interface ServiceRow {
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  readonly component: Component;
}

/** What is remembered of a chain between looks. */
export interface ChainRow {
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  readonly isStalled: boolean;
  readonly forks: Forks;
  readonly pace?: Pace;
  readonly reached?: Reached;
}

export interface Shard {
  readonly name: string;
  readonly monitors: Rows<MonitorRow>;
  /** The streaks of `monitors`, by `MONITOR PROBE`: a row of its own each, so that an answer writes only its own. */
  readonly streaks: Rows<Streak>;
  /** By `service/node`, the reserved node `public` too. */
  readonly nodes: Rows<NodeRow>;
  readonly services: Rows<ServiceRow>;
  /** By name: at most the one chain of the shard. */
  readonly chains: Rows<ChainRow>;
  /** Under `frames`: position of the last frame whose lines are in the rows. */
  readonly cursor: Rows<number>;
  /** The last time at which it was judged: two judgements never share one. */
  judgedAt: Instant;
  /** Whether all of it is to be judged: nothing was since it was loaded. */
  isNew: boolean;
  /** How the nodes stood at the last look at their heads; not kept, a shard that was loaded is looked at whole. */
  heads: Heads | undefined;
}

/** When and how fast a vote was last confirmed is in the streaks, and would make each answer a new vote. */
function lasting({ at: _, latencyTenths: __, ...vote }: Vote): Vote {
  return vote;
}

type Kept = Omit<MonitorRow, 'streaks' | 'troubles'>;

/** The verdict's votes are the judgement's. */
function essenceOfMonitor({ judgement, verdict }: MonitorRow): Kept {
  const votes = judgement.votes.map(lasting);
  return { judgement: { ...judgement, votes }, verdict: { ...verdict, votes: [] } };
}

const whole = (row: unknown): unknown => row;

export function newShard(name: string): Shard {
  return {
    name,
    monitors: new Rows<MonitorRow>('monitor', essenceOfMonitor),
    streaks: new Rows<Streak>('streak'),
    nodes: new Rows<NodeRow>('node', whole),
    services: new Rows<ServiceRow>('service', whole),
    chains: new Rows<ChainRow>('chain', whole),
    cursor: new Rows<number>('cursor'),
    judgedAt: 0,
    isNew: true,
    heads: undefined,
  };
}

const rowsOf = ({ monitors, streaks, nodes, services, chains, cursor }: Shard) =>
  [monitors, streaks, nodes, services, chains, cursor] as const;

export const cursorOf = (shard: Shard): number => shard.cursor.get('frames') ?? 0;

export const streakKey = (monitor: string, probe: string): string => `${monitor} ${probe}`;

/** Reads the rows from the store: at start, and after a transaction that failed. All is to be judged anew then. */
export async function loadShard(store: Store, shard: Shard): Promise<void> {
  await store.read(shard.name, async (tx) => {
    await shard.streaks.load(tx);
    await loadMonitors(tx, shard);
    await shard.nodes.load(tx);
    await shard.services.load(tx);
    await shard.chains.load(tx);
    await shard.cursor.load(tx);
  });
  shard.isNew = true;
  shard.heads = undefined;
}

async function loadMonitors(tx: ReadTx, shard: Shard): Promise<void> {
  const streaks = new Map<string, Record<string, Streak>>();
  for (const [, streak] of shard.streaks.entries()) {
    const { monitor, probe } = streak.newest;
    const own = streaks.get(monitor) ?? {};
    own[probe] = streak;
    streaks.set(monitor, own);
  }
  await shard.monitors.load(tx, (id, written) => {
    const { judgement, verdict } = written as Kept;
    return {
      streaks: streaks.get(id) ?? {},
      troubles: {},
      judgement,
      verdict: { ...verdict, votes: judgement.votes },
    };
  });
}

/** Writes what has changed. */
export async function saveShard(tx: Tx, shard: Shard): Promise<void> {
  for (const rows of rowsOf(shard)) await rows.save(tx);
}

/** What was saved is durable. */
export function keptShard(shard: Shard): void {
  for (const rows of rowsOf(shard)) rows.kept();
}

export const statusOf = (row: { readonly verdict: Verdict } | undefined): Status =>
  row?.verdict.status ?? 'unknown';
