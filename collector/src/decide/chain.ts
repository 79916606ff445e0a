/** A chain as a subject of its own, `chain:NAME`: it stands still, its nodes are on different forks, or all is well. */
import type { Instant } from '@highwater/config/time.ts';
import type { Forks } from './fork.ts';
import type { AgreedHead, Judgement } from './types.ts';
import { formatCount, nodeName, plural } from './words.ts';

/** The first look at a height that stayed the newest: for families whose blocks have no time. */
export interface Reached {
  readonly height: number;
  readonly at: Instant;
}

/** Heads go up; one that is lower is another chain's or came back from a lie, and is reached anew. */
export function reached(before: Reached | undefined, head: AgreedHead | undefined): Reached | undefined {
  if (head === undefined || head.height === before?.height) return before;
  return { height: head.height, at: head.at };
}

export interface ChainFacts {
  readonly isStalled: boolean;
  /** Heads that are down by their age alone, of all that are known. */
  readonly old: number;
  readonly known: number;
  readonly head?: AgreedHead;
  readonly reached?: Reached;
  /** First failing due time of the head that made the test hold. */
  readonly sinceDueAt?: Instant;
  readonly forks: Forks;
}

/** Stalled is down, forked degraded, else up; unknown before the first head. */
export function judgeChain(facts: ChainFacts): Judgement {
  const base = { votes: [], downIn: [], troubleIn: [] };
  const { isStalled, head, forks, sinceDueAt } = facts;
  const since = sinceDueAt === undefined ? {} : { sinceDueAt };
  if (isStalled) return { ...base, status: 'down', because: whyStalled(facts), ...since };
  const forked = Object.entries(forks).sort(([a], [b]) => (a < b ? -1 : 1));
  if (forked.length > 0) {
    const named = forked.slice(0, 3).map(([node, { because }]) => `${nodeName(node)} has ${because}`);
    const more = forked.length > 3 ? [`and ${forked.length - 3} more`] : [];
    return { ...base, status: 'degraded', because: [...named, ...more].join('; ') };
  }
  if (head === undefined) return { ...base, status: 'unknown', because: 'no head of it is known' };
  return { ...base, status: 'up', because: `at block ${formatCount(head.height)}` };
}

/** `no new block since 2026-11-21 09:41:12 UTC (1,234), say 3 of 3 heads`. */
function whyStalled({ old, known, head, reached: last }: ChainFacts): string {
  const at = head?.blockAt ?? last?.at;
  const when = at === undefined ? '' : ` since ${utcSecond(at)}`;
  const block = head === undefined ? '' : ` (${formatCount(head.height)})`;
  return `no new block${when}${block}, say ${old} of ${plural(known, 'head')}`;
}

function utcSecond(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
