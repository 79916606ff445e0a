/**
 * The agreed head of a chain: the highest block that a strict majority of its nodes has, recomputed from nothing
 * each time. An order statistic can't be moved by a minority and has no memory that could freeze it.
 */
import type { Instant } from '@highwater/config/time.ts';
import type { AgreedHead, Answer, ChainPolicy, HeadSample, Standing } from './types.ts';
import { formatCount, plural } from './words.ts';

/** What a node has, as most of the probes that asked it say. */
export interface Tip {
  readonly node: string;
  readonly genesis?: string;
  readonly height: number;
  readonly at: Instant;
}

/**
 * The head that an answer reports, if it does. A failing answer has no say: a node with an old head is not asked
 * what the newest block is. The time is the probe's, but never after receipt, so that a backlog that comes late
 * does not look like a node that is behind.
 */
export function sampleOf(answer: Answer, freshMs: number): HeadSample | undefined {
  if (answer.height === undefined || answer.outcome === 'fail') return undefined;
  return {
    node: answer.monitor.slice(0, answer.monitor.lastIndexOf('/')),
    probe: answer.probe,
    ...(answer.genesis !== undefined && { genesis: answer.genesis }),
    height: answer.height,
    at: Math.min(answer.dueAt + Math.round(answer.latencyTenths / 10), answer.receivedAt),
    freshUntil: answer.receivedAt + freshMs,
  };
}

/** One tip a node, by node id: the majority rule again, among the probes that asked it. */
export function nodeTips(chain: ChainPolicy, samples: readonly HeadSample[], now: Instant): Tip[] {
  const fresh = samples.filter((sample) => now < sample.freshUntil);
  return [...grouped(fresh, (sample) => sample.node)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([node, asked]) => {
      const same = largest(grouped(asked, (sample) => sample.genesis ?? ''));
      const { genesis, height, at } = majorityHas(chain, same, (sample) => sample.probe) ?? {};
      if (height === undefined || at === undefined) return [];
      return [{ node, height, at, ...(genesis !== undefined && { genesis }) }];
    });
}

/**
 * One head for each genesis among the fresh samples, the one with most nodes first. It is a block that a node really
 * reported, at the time it did: heights taken at other times are compared along `blockTimeMs`.
 */
export function agreeHead(chain: ChainPolicy, samples: readonly HeadSample[], now: Instant): AgreedHead[] {
  const groups = grouped(nodeTips(chain, samples, now), (tip) => tip.genesis ?? '');
  return [...groups]
    .sort(([a, left], [b, right]) => right.length - left.length || (a < b ? -1 : 1))
    .flatMap(([, tips]) => {
      const tip = majorityHas(chain, tips, (t) => t.node);
      if (tip === undefined) return [];
      const { height, at, genesis } = tip;
      return [
        { chain: chain.name, height, at, nodes: tips.length, ...(genesis !== undefined && { genesis }) },
      ];
    });
}

/**
 * How a node stands to the head of its own genesis. Of three nodes or more; one or two can't tell which of them is
 * wrong, so there block age alone judges, and it says so.
 * Behind is more than `maxLagBlocks`; ahead is more than twice that, since a majority that lags must not make the
 * best node look bad. Both must hold by the plain heights and along the block time: neither a chain that stands
 * still nor samples taken far apart make a difference that is not there. Once off, a node is level again only within
 * half of the limit, so that one that hovers at it does not flap.
 * @param before how the node stood at the last look
 */
export function standing(
  chain: ChainPolicy,
  head: AgreedHead,
  tip: Tip,
  before: Standing['verdict'] = 'level',
): Standing {
  const lagBlocks = lag(chain, head, tip);
  const at = { head, height: tip.height, lagBlocks };
  if (head.nodes < 3) {
    const alone = `only ${plural(head.nodes, 'node')} of this chain: its head is judged by its age alone`;
    return { ...at, verdict: 'level', because: alone };
  }
  const agreed = `the height that ${majority(head.nodes)} of ${plural(head.nodes, 'node')} agree on`;
  if (lagBlocks > chain.maxLagBlocks / (before === 'behind' ? 2 : 1)) {
    return { ...at, verdict: 'behind', because: `${plural(lagBlocks, 'block')} behind ${agreed}` };
  }
  if (-lagBlocks > chain.maxLagBlocks * (before === 'ahead' ? 1 : 2)) {
    return { ...at, verdict: 'ahead', because: `${plural(-lagBlocks, 'block')} ahead of ${agreed}` };
  }
  return { ...at, verdict: 'level', because: `at ${agreed}, ${formatCount(head.height)}` };
}

/** Everything at once: heads, and the standing of each node by `service/node`. */
export function standings(
  chain: ChainPolicy,
  samples: readonly HeadSample[],
  now: Instant,
  before: Readonly<Record<string, Standing['verdict']>> = {},
): { readonly heads: readonly AgreedHead[]; readonly byNode: ReadonlyMap<string, Standing> } {
  const heads = agreeHead(chain, samples, now);
  const byNode = new Map<string, Standing>();
  for (const tip of nodeTips(chain, samples, now)) {
    const head = heads.find((h) => h.genesis === tip.genesis);
    if (head) byNode.set(tip.node, standing(chain, head, tip, before[tip.node]));
  }
  return { heads, byNode };
}

function majority(nodes: number): number {
  return Math.floor(nodes / 2) + 1;
}

/** Of N reports, the one at place floor(N / 2) from the highest: a strict majority has at least that. */
function majorityHas<T extends { readonly height: number; readonly at: Instant }>(
  chain: ChainPolicy,
  reports: readonly T[],
  name: (report: T) => string,
): T | undefined {
  const sorted = [...reports].sort(
    (a, b) => score(chain, b) - score(chain, a) || b.at - a.at || (name(a) < name(b) ? -1 : 1),
  );
  return sorted[Math.floor(sorted.length / 2)];
}

/** Equal for all points of one line that grows by a block each `blockTimeMs`; more is further. */
function score(chain: ChainPolicy, report: { readonly height: number; readonly at: Instant }): number {
  return report.height * chain.blockTimeMs - report.at;
}

function lag(chain: ChainPolicy, head: AgreedHead, tip: Tip): number {
  const plain = head.height - tip.height;
  const alongTime = Math.trunc((score(chain, head) - score(chain, tip)) / chain.blockTimeMs);
  if (Math.sign(plain) !== Math.sign(alongTime)) return 0;
  return Math.abs(plain) < Math.abs(alongTime) ? plain : alongTime;
}

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** The identity that most probes report; equals by the newest report, then by name. */
function largest(groups: ReadonlyMap<string, HeadSample[]>): HeadSample[] {
  const newest = (samples: readonly HeadSample[]) => Math.max(...samples.map((sample) => sample.at));
  const [first] = [...groups].sort(
    ([a, left], [b, right]) => right.length - left.length || newest(right) - newest(left) || (a < b ? -1 : 1),
  );
  return first?.[1] ?? [];
}
