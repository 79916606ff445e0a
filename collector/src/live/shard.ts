/** What is known now of one shard's monitors, nodes and services, and what of it is kept. */
import type { Status, Verdict } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Component } from '../decide/component.ts';
import type { Pace } from '../decide/block-time.ts';
import type { Reached } from '../decide/chain.ts';
import type { Forks } from '../decide/fork.ts';
import type { Beside } from '../decide/subject.ts';
import type { Heads, Judgement, MonitorPolicy, ProbeTrouble, Streak, Vote } from '../decide/types.ts';
import { Rows } from '../rows.ts';
import type { ReadTx, Store, Tx } from '../store/store.ts';

export interface MonitorRow {
  /** By probe. Changed in place by their only writer, since a copy of them for each answer is most of what it costs. */
  readonly streaks: Record<string, Streak>;
  /** By probe, what kept it from an answer last; not kept: the next line tells it again. */
  readonly troubles: Readonly<Record<string, ProbeTrouble>>;
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  /** Whose judgement it is: made anew for another. Not kept, so what was loaded is judged anew. */
  readonly judgedBy?: MonitorPolicy;
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
  /** The streaks of `monitors` as they were saved last, by `MONITOR PROBE`: a row each, so that what stays is not written. */
  readonly streaks: Rows<Streak>;
  /** Monitors whose streaks have changed since they were saved. */
  readonly said: Set<string>;
  /** By `service/node`, the reserved node `public` too. */
  readonly nodes: Rows<NodeRow>;
  readonly services: Rows<ServiceRow>;
  /** By name: at most the one chain of the shard. */
  readonly chains: Rows<ChainRow>;
  /** Under `frames`: position of the last frame whose lines are in the rows. */
  readonly cursor: Rows<number>;
  /** The cursor as it was saved last: frames after it are taken in again by whoever loads the shard. */
  savedCursor: number;
  /**
   * Something has changed that the frames after the saved cursor would not give again, as what is decided depends on
   * what was before: the shard must be saved before anything else is taken in.
   */
  isUrgent: boolean;
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

type Kept = Pick<MonitorRow, 'judgement' | 'verdict'>;

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
    said: new Set(),
    nodes: new Rows<NodeRow>('node', whole),
    services: new Rows<ServiceRow>('service', whole),
    chains: new Rows<ChainRow>('chain', whole),
    cursor: new Rows<number>('cursor'),
    savedCursor: 0,
    isUrgent: false,
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
  shard.said.clear();
  shard.savedCursor = cursorOf(shard);
  shard.isUrgent = false;
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

/** Whether something is in memory alone. */
export const isUnsaved = (shard: Shard): boolean =>
  shard.said.size > 0 || rowsOf(shard).some(({ isStaged }) => isStaged);

/** Writes what has changed, the cursor with it. */
export async function saveShard(tx: Tx, shard: Shard): Promise<void> {
  for (const monitor of shard.said) {
    for (const [probe, streak] of Object.entries(shard.monitors.get(monitor)?.streaks ?? {})) {
      const key = streakKey(monitor, probe);
      if (shard.streaks.get(key) !== streak) shard.streaks.set(key, streak);
    }
  }
  for (const rows of rowsOf(shard)) await rows.save(tx);
}

/** What was saved is durable. */
export function keptShard(shard: Shard): void {
  for (const rows of rowsOf(shard)) rows.kept();
  shard.said.clear();
  shard.savedCursor = cursorOf(shard);
  shard.isUrgent = false;
}

export const statusOf = (row: { readonly verdict: Verdict } | undefined): Status =>
  row?.verdict.status ?? 'unknown';
