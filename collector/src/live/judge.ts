/** From answers to verdicts of a shard: monitors, then the nodes that they touch, then the services. Does no I/O. */
import type { Flip, Verdict } from '@highwater/config/domain.ts';
import type { Service } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import { component, staleAt } from '../decide/component.ts';
import { settle } from '../decide/flip.ts';
import type { Forks } from '../decide/fork.ts';
import type { Differing } from '../decide/equality.ts';
import { coveredUntil, noCover } from '../decide/maintenance.ts';
import { type Beside, judgeNode, judgeService, type JudgedMonitor } from '../decide/subject.ts';
import type { Answer, Cover, Heads, Judgement, ProbeTrouble } from '../decide/types.ts';
import type { Watched } from '../watched.ts';
import { policyOfChain } from './heads.ts';
import { differing } from './differing.ts';
import { judgeChainRow } from './judge-chain.ts';
import { judgeOne, takeAnswers, takeTroubles } from './judge-monitor.ts';
import type { Shard } from './shard.ts';

const nodeOf = (monitor: string): string => monitor.slice(0, monitor.lastIndexOf('/'));

function judgedMonitors(watched: Watched, shard: Shard, node: string): JudgedMonitor[] {
  return (watched.monitorsOf.get(node) ?? []).flatMap(({ id, counts, kind }) => {
    const row = shard.monitors.get(id);
    return row === undefined ? [] : [{ id, counts, warns: kind === 'tls', judgement: row.judgement }];
  });
}

/** Nodes whose standing has changed its word, or its lag while it is off the head; or what else is said of them. */
function moved(shard: Shard, node: string, beside: Beside): boolean {
  const before = shard.nodes.get(node)?.beside ?? alone;
  if (before === beside) return false;
  const { standing } = beside;
  return (
    before.standing?.verdict !== standing?.verdict ||
    (standing?.verdict !== 'level' && before.standing?.because !== standing?.because) ||
    before.fork !== beside.fork ||
    before.differs !== beside.differs ||
    before.disagree !== beside.disagree
  );
}

/** Whether a verdict is as it was in what the next one depends on. */
function isSameWord(before: Verdict | undefined, after: Verdict): boolean {
  return before?.status === after.status && before.cause === after.cause && before.since === after.since;
}

function judgeNodeRow(
  watched: Watched,
  shard: Shard,
  node: string,
  beside: Beside,
  now: Instant,
): Flip | undefined {
  const judgement = judgeNode(judgedMonitors(watched, shard, node), beside);
  const before = shard.nodes.get(node);
  const { verdict, flip } = settle(node, before?.verdict, judgement, now);
  if (
    !isSameWord(before?.verdict, verdict) ||
    before?.beside?.standing?.verdict !== beside.standing?.verdict
  ) {
    shard.isUrgent = true;
  }
  shard.nodes.set(node, { judgement, verdict, ...(beside !== alone && { beside }) });
  // The public name is no node that people know: its story is the service's.
  return node.endsWith('/public') ? undefined : flip;
}

function hasPublic(watched: Watched, service: Service): boolean {
  return watched.monitorsOf.get(`${service.id}/public`)?.some((monitor) => monitor.counts) ?? false;
}

function judgeServiceRow(
  watched: Watched,
  shard: Shard,
  service: Service,
  maintained: Cover,
  watchedSince: Instant,
  now: Instant,
): Flip | undefined {
  const policy = watched.servicePolicies.get(service.id);
  if (policy === undefined) return undefined;
  const nodes = new Map<string, Judgement>();
  for (const id of policy.nodes) {
    const row = shard.nodes.get(id);
    if (row !== undefined) nodes.set(id, row.judgement);
  }
  const byPublic = hasPublic(watched, service)
    ? shard.nodes.get(`${service.id}/public`)?.judgement
    : undefined;
  const judgement = judgeService(policy, nodes, byPublic);
  const before = shard.services.get(service.id);
  const { verdict, flip } = settle(service.id, before?.verdict, judgement, now);
  const { staleAfterMs } = watched;
  const isCovered = (subject: string): boolean => coveredUntil(maintained, subject) !== undefined;
  const input = {
    service: judgement,
    nodes: [...nodes].flatMap(([id, each]) => (isCovered(id) ? [] : [each])),
    staleAfterMs,
    watchedSince,
    maintenance: isCovered(service.id),
  };
  const word = component(before?.component, input, now);
  if (
    !isSameWord(before?.verdict, verdict) ||
    before?.component.word !== word.word ||
    before.component.noDataSince !== word.noDataSince
  ) {
    shard.isUrgent = true;
  }
  shard.services.set(service.id, { judgement, verdict, component: word }, staleAt(word, staleAfterMs));
  return flip;
}

/** Nothing of it has changed, and that was heard now: for its word alone it matters when. */
function confirmService(watched: Watched, shard: Shard, service: Service, now: Instant): void {
  const row = shard.services.get(service.id);
  if (row === undefined || row.judgement.status === 'unknown') return;
  const word = { ...row.component, knownAt: now };
  shard.services.set(service.id, { ...row, component: word }, staleAt(word, watched.staleAfterMs));
}

/** Whether a head check is among the monitors that were judged: without one no head has moved. */
function touchesHead(watched: Watched, monitors: Iterable<string>): boolean {
  for (const id of monitors) if (watched.monitors.get(id)?.kind === 'head') return true;
  return false;
}

/** The heads are compared along the block time, and what was learned with the last ones may have changed that. */
function isOutdated(watched: Watched, shard: Shard, chain: string): boolean {
  return shard.heads?.blockTimeMs !== policyOfChain(watched, shard, chain)?.blockTimeMs;
}

/** Of a node that is compared with none. */
const alone: Beside = {};

function besideOf(
  heads: Heads | undefined,
  words: Forks | undefined,
  differs: ReadonlyMap<string, Differing>,
  node: string,
): Beside {
  if (heads === undefined && differs.size === 0) return alone;
  const standing = heads?.byNode.get(node);
  const fork = words?.[node]?.because;
  return { ...(standing && { standing }), ...(fork !== undefined && { fork }), ...differs.get(node) };
}

export interface Occasion {
  readonly answers: readonly Answer[];
  /** Told of each answer that is other than what its probe said before. */
  readonly turned?: (answer: Answer) => void;
  /** What kept probes from an answer. */
  readonly troubles?: readonly ProbeTrouble[];
  /** Monitors, nodes and services to look at again because their time has come; `all` at start. */
  readonly woken: ReadonlySet<string> | 'all';
  /** What is under maintenance now; nothing when it is left out. */
  readonly maintained?: Cover;
}

/**
 * Takes the answers in and judges what they touch, in the shard's rows. Returns the flips, monitors first.
 * @param watchedSince since when this installation watches
 */
export function judgeShard(
  watched: Watched,
  services: readonly Service[],
  shard: Shard,
  { answers, turned, troubles = [], woken, maintained = noCover }: Occasion,
  watchedSince: Instant,
  now: Instant,
): Flip[] {
  const flips: (Flip | undefined)[] = [];
  const monitors = takeAnswers(watched, shard, answers, now, turned);
  for (const id of takeTroubles(watched, shard, troubles, now)) monitors.set(id, undefined);
  const isWoken = (id: string): boolean => woken === 'all' || woken.has(id);
  const known =
    woken === 'all' ? watched.monitors.values() : [...woken].flatMap((id) => watched.monitors.get(id) ?? []);
  for (const { id, service } of known)
    if (watched.shardOf.get(service) === shard.name) monitors.set(id, undefined);
  /** Services of which something was heard, and nodes with a monitor that is judged otherwise than before. */
  const [heard, touched] = [new Set<string>(), new Set<string>()];
  for (const [id, confirmed] of monitors) {
    const policy = watched.policies.get(id);
    if (policy === undefined) continue;
    heard.add(watched.monitors.get(id)?.service ?? '');
    const { flip, isSame } = judgeOne(watched, shard, policy, now, confirmed);
    if (isSame) continue;
    touched.add(nodeOf(id));
    flips.push(flip);
  }

  const chain = services[0]?.chain;
  if (
    chain !== undefined &&
    (woken === 'all' || touchesHead(watched, monitors.keys()) || isOutdated(watched, shard, chain))
  ) {
    const { heads, flip } = judgeChainRow(watched, shard, chain, now);
    shard.heads = heads;
    flips.push(flip);
  }
  const words = shard.chains.get(chain ?? '')?.forks;
  const isJudged = (id: string): boolean => monitors.has(id);
  for (const service of services) {
    const differs = differing(watched, shard, service, isJudged, now);
    let isTouched = isWoken(service.id);
    // Most looks touch no node: only where nodes are compared can one be judged otherwise by what others say.
    const isCompared = shard.heads !== undefined || watched.comparedChecks.has(service.id);
    const mayTouch = isCompared || touched.size > 0 || woken === 'all' || woken.size > 0;
    for (const id of mayTouch ? (watched.nodesOf.get(service.id) ?? []) : []) {
      const said = besideOf(shard.heads, words, differs, id);
      if (!touched.has(id) && !isWoken(id) && !moved(shard, id, said)) continue;
      if (id.endsWith('/public') && !hasPublic(watched, service)) continue;
      flips.push(judgeNodeRow(watched, shard, id, said, now));
      isTouched = true;
    }
    if (isTouched) flips.push(judgeServiceRow(watched, shard, service, maintained, watchedSince, now));
    else if (heard.has(service.id)) confirmService(watched, shard, service, now);
  }
  return flips.filter((flip) => flip !== undefined);
}
