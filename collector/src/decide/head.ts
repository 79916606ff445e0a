/**
 * The agreed head of a chain: the highest block that a strict majority of its nodes has, recomputed from nothing
 * each time. An order statistic can't be moved by a minority and has no memory that could freeze it.
 */
import { REFERENCE_PREFIX } from '@highwater/config/proof/rule/stalled.ts';
import type { Instant } from '@highwater/config/time.ts';
import { byGenesis } from './kin.ts';
import type { AgreedHead, Answer, ChainPolicy, HeadSample, Standing } from './types.ts';
import { formatCount, plural } from './words.ts';

/** What a head check of a node has, as most of the probes that asked say. */
export interface Tip {
  readonly monitor: string;
  readonly node: string;
  readonly genesis?: string;
  readonly height: number;
  readonly at: Instant;
  readonly blockAt?: Instant;
  readonly finalizedHeight?: number;
  readonly maxLagBlocks?: number;
  /** It failed by its age. */
  readonly isOld?: boolean;
}

/** What is looked at beside the samples. */
export interface HeadView {
  /** The word of each node at the last look. */
  readonly before?: Readonly<Record<string, Standing['verdict']>>;
  /** The chain stands still: then nobody is behind or ahead. */
  readonly isStalled?: boolean;
}

/**
 * The head that an answer reports, if it does. A failing answer has no say, but one that fails by its head's age says
 * where a chain stopped. The time is the probe's, but never after receipt, so that a backlog that comes late does not
 * look like a node that is behind. It is fresh as long as the answer counts as a vote (two intervals, the timeout
 * and 5 s): what has no verdict has no say, and a slow interval is made up for by the block time.
 * @param maxLagBlocks the check's own limit
 */
export function sampleOf(answer: Answer, freshMs: number, maxLagBlocks?: number): HeadSample | undefined {
  const isOld = answer.outcome === 'fail' && answer.fault === 'target.head.old';
  if (answer.height === undefined || (answer.outcome === 'fail' && !isOld)) return undefined;
  return {
    monitor: answer.monitor,
    node: answer.monitor.slice(0, answer.monitor.lastIndexOf('/')),
    probe: answer.probe,
    ...(answer.genesis !== undefined && { genesis: answer.genesis }),
    height: answer.height,
    at: Math.min(answer.dueAt + Math.round(answer.latencyTenths / 10), answer.receivedAt),
    ...(answer.blockAt !== undefined && { blockAt: answer.blockAt }),
    ...(answer.finalizedHeight !== undefined && { finalizedHeight: answer.finalizedHeight }),
    ...(isOld && { isOld }),
    ...(maxLagBlocks !== undefined && { maxLagBlocks }),
    freshUntil: answer.receivedAt + freshMs,
  };
}

/** One tip a head check, by id: the majority rule again, among the probes that asked. */
export function tipsOf(chain: ChainPolicy, samples: readonly HeadSample[], now: Instant): Tip[] {
  const fresh = samples.filter((sample) => now < sample.freshUntil);
  return [...Map.groupBy(fresh, (sample) => sample.monitor)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) => {
      const same = largest(byGenesis(own, (sample) => sample.genesis));
      const most = majorityHas(chain, same, (sample) => sample.probe);
      if (most === undefined) return [];
      const { probe: _, freshUntil: __, ...tip } = most;
      return [tip];
    });
}

/** Of each node, which may have several head checks (of its own API and of its indexer), the furthest. */
function nodeTips(chain: ChainPolicy, tips: readonly Tip[]): Tip[] {
  return [...Map.groupBy(tips, (tip) => tip.node).values()].map((own) =>
    own.reduce((best, tip) => (score(chain, tip) > score(chain, best) ? tip : best)),
  );
}

/**
 * Old heads are asked while they are a minority, which moves nothing, and when the whole chain stands still. In
 * between they would make those suspect that go on.
 */
function asked(tips: readonly Tip[], isStalled: boolean): readonly Tip[] {
  const moving = tips.filter((tip) => tip.isOld !== true);
  return isStalled || moving.length === 0 || 2 * moving.length > tips.length ? tips : moving;
}

/**
 * One head for each genesis among the tips, the one with most nodes first. It is a block that a node really
 * reported, at the time it did: heights taken at other times are compared along `blockTimeMs`. Of the reports within
 * a block of that place it is the highest: one of a node that is rarely asked would be a block of long ago, and hide who
 * has stood still since.
 */
export function agreeHead(chain: ChainPolicy, tips: readonly Tip[], isStalled = false): AgreedHead[] {
  return [...byGenesis(nodeTips(chain, tips), (tip) => tip.genesis)]
    .sort(([a, left], [b, right]) => right.length - left.length || (a < b ? -1 : 1))
    .flatMap(([genesis, group]) => {
      const own = asked(group, isStalled);
      const most = majorityHas(chain, own, (t) => t.node);
      if (most === undefined) return [];
      const { height, at } = own.filter((t) => isPlace(chain, most, t)).reduce(higher, most);
      const times = own.flatMap((t) => (t.height === height ? (t.blockAt ?? []) : [])).sort((a, b) => a - b);
      const blockAt = times[Math.floor((times.length - 1) / 2)];
      return [
        {
          chain: chain.name,
          height,
          at,
          nodes: own.length,
          references: own.filter(({ node }) => node.startsWith(REFERENCE_PREFIX)).length,
          ...(genesis !== '' && { genesis }),
          ...(blockAt !== undefined && { blockAt }),
        },
      ];
    });
}

/**
 * How a tip stands to the head of its own genesis. Of three nodes or more; one or two can't tell which of them is
 * wrong, so there block age alone judges, and it says so.
 * Behind is more than the check's own `maxLagBlocks`, or the chain's; ahead is more than twice that, since a majority
 * that lags must not make the best node look bad. Both must hold by the plain heights and along the block time: neither
 * a chain that stands still nor samples taken far apart make a difference that is not there. Once off, a node is level
 * again only within half of the limit, so that one that hovers at it does not flap.
 * @param before how the node stood at the last look
 */
export function standing(
  chain: ChainPolicy,
  head: AgreedHead,
  tip: Tip,
  { before = 'level', isStalled = false }: { before?: Standing['verdict']; isStalled?: boolean } = {},
): Standing {
  const lagBlocks = lag(chain, head, tip);
  const { height, finalizedHeight } = tip;
  const lagMs = lagBlocks * chain.blockTimeMs;
  const at = { head, height, lagBlocks, lagMs, ...(finalizedHeight !== undefined && { finalizedHeight }) };
  const limit = tip.maxLagBlocks ?? chain.maxLagBlocks;
  if (isStalled) return { ...at, verdict: 'level', because: 'its chain stands still' };
  const agreed = agreement(head);
  if (head.nodes < 3) return { ...at, verdict: 'level', because: agreed };
  if (lagBlocks > limit / (before === 'behind' ? 2 : 1)) {
    return { ...at, verdict: 'behind', because: `${plural(lagBlocks, 'block')} behind ${agreed}` };
  }
  if (-lagBlocks > limit * (before === 'ahead' ? 1 : 2)) {
    return { ...at, verdict: 'ahead', because: `${plural(-lagBlocks, 'block')} ahead of ${agreed}` };
  }
  return { ...at, verdict: 'level', because: `at ${agreed}, ${formatCount(head.height)}` };
}

/** Everything at once: heads, and the standing of each node by `service/node`. */
export function standings(
  chain: ChainPolicy,
  samples: readonly HeadSample[],
  now: Instant,
  { before = {}, isStalled = false }: HeadView = {},
): { readonly heads: readonly AgreedHead[]; readonly byNode: ReadonlyMap<string, Standing> } {
  const tips = tipsOf(chain, samples, now);
  const heads = agreeHead(chain, tips, isStalled);
  const byNode = new Map<string, Standing>();
  for (const tip of tips) {
    // A tip that tells no genesis is of the head that most are of.
    const head = tip.genesis === undefined ? heads[0] : heads.find((h) => h.genesis === tip.genesis);
    if (!head) continue;
    const was = before[tip.node];
    const own = standing(chain, head, tip, { isStalled, ...(was && { before: was }) });
    const other = byNode.get(tip.node);
    if (!other || isWorse(own, other)) byNode.set(tip.node, own);
  }
  return { heads, byNode };
}

/** Of several head checks of a node: one that is off before one that is level, then the greater lag. */
function isWorse(one: Standing, other: Standing): boolean {
  const off = (each: Standing): number => (each.verdict === 'level' ? 0 : 1);
  return off(one) > off(other) || (off(one) === off(other) && one.lagBlocks > other.lagBlocks);
}

/** What stands behind a head, in words: a majority, or with one or two nodes nothing but their word. */
export function agreement(head: Pick<AgreedHead, 'nodes' | 'references'>): string {
  if (head.nodes < 3) return `only ${members(head)} of this chain: its head is judged by its age alone`;
  const all = head.references === 0 ? 'nodes' : 'nodes and references';
  return `the height that ${majority(head.nodes)} of ${head.nodes} ${all} agree on`;
}

/** `3 nodes`, `2 nodes and 1 reference`. */
export function members({ nodes, references }: Pick<AgreedHead, 'nodes' | 'references'>): string {
  if (references === 0) return plural(nodes, 'node');
  if (references === nodes) return plural(references, 'reference');
  return `${plural(nodes - references, 'node')} and ${plural(references, 'reference')}`;
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

/** Whether a report is where another is on the line, or less than a block below: a majority that has one has both. */
function isPlace(chain: ChainPolicy, of: Tip, tip: Tip): boolean {
  const below = score(chain, of) - score(chain, tip);
  return below >= 0 && below < chain.blockTimeMs;
}

function higher(best: Tip, tip: Tip): Tip {
  return tip.height > best.height || (tip.height === best.height && tip.at > best.at) ? tip : best;
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

/** The identity that most probes report; equals by the newest report, then by name. */
function largest(groups: ReadonlyMap<string, readonly HeadSample[]>): readonly HeadSample[] {
  const newest = (samples: readonly HeadSample[]) => Math.max(...samples.map((sample) => sample.at));
  const [first] = [...groups].sort(
    ([a, left], [b, right]) => right.length - left.length || newest(right) - newest(left) || (a < b ? -1 : 1),
  );
  return first?.[1] ?? [];
}
