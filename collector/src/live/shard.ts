/** What is known now of one shard's monitors, nodes and services. */
import type { Status, Verdict } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Component } from '../decide/component.ts';
import type { Judgement, Standing, Streak } from '../decide/types.ts';
import { Rows } from '../rows.ts';
import type { Store } from '../store/store.ts';

export interface MonitorRow {
  /** By probe. */
  readonly streaks: Readonly<Record<string, Streak>>;
  readonly judgement: Judgement;
  readonly verdict: Verdict;
}

export interface NodeRow {
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  readonly standing?: Standing;
}

export interface ServiceRow {
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  readonly component: Component;
}

export interface Shard {
  readonly name: string;
  readonly monitors: Rows<MonitorRow>;
  /** By `service/node`, the reserved node `public` too. */
  readonly nodes: Rows<NodeRow>;
  readonly services: Rows<ServiceRow>;
  /** Position of the last frame whose lines are in the rows. */
  cursor: number;
  /** The last time at which it was judged: two judgements never share one. */
  judgedAt: Instant;
}

export function newShard(name: string): Shard {
  return {
    name,
    monitors: new Rows<MonitorRow>('monitor'),
    nodes: new Rows<NodeRow>('node'),
    services: new Rows<ServiceRow>('service'),
    cursor: 0,
    judgedAt: 0,
  };
}

/** Reads the rows from the store: at start, and after a transaction that failed. */
export async function loadShard(store: Store, shard: Shard): Promise<void> {
  await store.read(shard.name, async (tx) => {
    await shard.monitors.load(tx);
    await shard.nodes.load(tx);
    await shard.services.load(tx);
    shard.cursor = Number((await tx.getState('cursor', 'frames'))?.value ?? 0);
  });
}

export const statusOf = (row: { readonly verdict: Verdict } | undefined): Status =>
  row?.verdict.status ?? 'unknown';
