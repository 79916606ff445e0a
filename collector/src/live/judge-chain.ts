/** A chain as a whole: what its heads, checkpoints and blocks of a shard's rows come to. Does no I/O. */
import { isDeepStrictEqual } from 'node:util';
import type { Flip } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import { blockTimeMs, goOn, learn } from '../decide/block-time.ts';
import { judgeChain, reached } from '../decide/chain.ts';
import { settle } from '../decide/flip.ts';
import { forks, type Forks, type SeenBlocks } from '../decide/fork.ts';
import { standsStill, type LiveHead } from '../decide/stall.ts';
import type { AgreedHead, Heads } from '../decide/types.ts';
import type { HeadCheck, Watched } from '../watched.ts';
import { headsOf } from './heads.ts';
import type { ChainRow, Shard } from './shard.ts';

/** Of probes whose newest answer is fresh: what lies longer back is not compared. */
function seenBlocks(
  watched: Watched,
  shard: Shard,
  checks: readonly HeadCheck[],
  now: Instant,
): SeenBlocks[] {
  return checks.flatMap(({ monitor: { id, service, node } }) =>
    Object.entries(shard.monitors.get(id)?.streaks ?? {}).flatMap(([probe, { newest, blocks }]) => {
      const freshMs = watched.policies.get(id)?.freshMs ?? 0;
      if (blocks === undefined || !watched.regionOf.has(probe)) return [];
      if (now >= newest.receivedAt + freshMs) return [];
      return [{ node: `${service}/${node}`, probe, blocks }];
    }),
  );
}

function liveHeads(
  shard: Shard,
  checks: readonly HeadCheck[],
): (LiveHead & { since: Instant | undefined })[] {
  return checks.flatMap(({ monitor, operator }) => {
    const judgement = shard.monitors.get(monitor.id)?.judgement;
    return judgement === undefined ? [] : [{ operator, judgement, since: judgement.sinceDueAt }];
  });
}

function stillWatched(words: Forks, checks: readonly HeadCheck[]): Forks {
  const nodes = new Set(checks.map(({ monitor }) => `${monitor.service}/${monitor.node}`));
  return Object.fromEntries(Object.entries(words).filter(([node]) => nodes.has(node)));
}

function paceWith(
  before: ChainRow | undefined,
  head: AgreedHead,
  isStalled: boolean,
  configuredMs: number,
): ChainRow['pace'] {
  const stoodStill = isStalled || before?.isStalled === true;
  return stoodStill ? goOn(before?.pace, head) : learn(before?.pace, head, configuredMs);
}

/** What is learned again from the frames since may differ by so much of a block time, ratio: that turns no verdict. */
const PACE_SLACK = 0.02;

/**
 * Whether what is decided next would be the same after either. The pace and the height that was reached are learned
 * again from the frames since, in fewer steps: they change with each block, and are saved at once when they jump.
 */
function isRemembered(before: ChainRow | undefined, after: ChainRow, configuredMs: number): boolean {
  const [was, is] = [before, after].map((row) => blockTimeMs(row?.pace, configuredMs));
  return (
    Math.abs((is ?? 0) - (was ?? 0)) <= PACE_SLACK * configuredMs &&
    before?.isStalled === after.isStalled &&
    before.verdict.status === after.verdict.status &&
    before.verdict.cause === after.verdict.cause &&
    isDeepStrictEqual(before.forks, after.forks)
  );
}

/** Judges a chain in its row. Returns how its nodes stand, and its flip if it flips. */
export function judgeChainRow(
  watched: Watched,
  shard: Shard,
  chain: string,
  now: Instant,
): { readonly heads: Heads; readonly flip: Flip | undefined } {
  const checks = watched.headChecks.get(chain) ?? [];
  const before = shard.chains.get(chain);
  const live = liveHeads(shard, checks);
  const isStalled = standsStill(live, before?.isStalled ?? false);
  const heads = headsOf(watched, shard, chain, now, isStalled);
  const [head] = heads.heads;
  const words = forks(seenBlocks(watched, shard, checks, now), stillWatched(before?.forks ?? {}, checks));
  const old = live.filter(({ judgement }) => judgement.cause === 'head-age');
  const known = live.filter(({ judgement: { status } }) => status !== 'unknown').length;
  const sinces = old.flatMap((each) => each.since ?? []).sort((a, b) => a - b);
  const since = sinces[Math.max(3, Math.floor(known / 2) + 1) - 1] ?? sinces.at(-1);
  const newest = reached(before?.reached, head);
  const judgement = judgeChain({
    isStalled,
    old: old.length,
    known,
    ...(head && { head }),
    ...(newest && { reached: newest }),
    ...(since !== undefined && { sinceDueAt: since }),
    forks: words,
  });
  const configured = watched.chains.get(chain)?.blockTimeMs ?? 1;
  const pace = head === undefined ? before?.pace : paceWith(before, head, isStalled, configured);
  const { verdict, flip } = settle(`chain:${chain}`, before?.verdict, judgement, now);
  const row: ChainRow = {
    judgement,
    verdict,
    isStalled,
    forks: words,
    ...(pace && { pace }),
    ...(newest && { reached: newest }),
  };
  if (!isRemembered(before, row, configured)) shard.isUrgent = true;
  shard.chains.set(chain, row);
  return { heads, flip };
}
