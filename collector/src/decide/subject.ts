/** From monitors to nodes and from nodes to services, by the lines of rule/v1 (CONTRACTS "Node"). */
import type { Cause } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Judgement, ServicePolicy, Standing } from './types.ts';
import { listed, plural } from './words.ts';

/** A monitor of a node with its judgement; `id` is `service/node/check`. */
export interface JudgedMonitor {
  readonly id: string;
  readonly counts: boolean;
  /** Though it does not count, its trouble makes the node degraded: a certificate (CONTRACTS "Live", impact). */
  readonly warns?: boolean;
  readonly judgement: Judgement;
}

/**
 * A node is down if any monitor that counts is down, up if all are up, else unknown; degraded when one of them is.
 * Behind or ahead of the agreed head is degraded, never down; so are another block than most nodes have, and another
 * answer, and what a monitor says that warns though it does not count. That nodes disagree of which none can be blamed is a notice.
 */
export function judgeNode(monitors: readonly JudgedMonitor[], beside: Beside = {}): Judgement {
  const { standing, fork, differs } = beside;
  const counting = monitors.filter((monitor) => monitor.counts);
  const { bad, status } = worst(counting);
  const downIn = union(counting.map((monitor) => monitor.judgement.downIn));
  const base = { votes: [], downIn, troubleIn: downIn, ...noticeOf(status, counting, beside) };
  const lag = standing === undefined || standing.verdict === 'level' ? undefined : standing.because;
  const warning = warningOf(monitors);
  const off = [fork, lag, differs, warning].filter((why) => why !== undefined);
  if (off.length > 0 && (status === 'up' || status === 'degraded')) {
    const because = [...off, ...(status === 'degraded' ? [reasons(bad)] : [])].join('; ');
    const alone = fork !== undefined && status === 'up' && differs === undefined && warning === undefined;
    const cause = alone ? { cause: 'fork' as const } : urgency(monitors);
    return { ...base, status: 'degraded', because, ...cause, ...since(counting, 'latest') };
  }
  if (status === 'up') return { ...base, status, because: whyUp(counting), ...since(counting, 'latest') };
  if (status === 'degraded')
    return { ...base, status, because: reasons(bad), ...urgency(bad), ...since(bad, 'latest') };
  if (status === 'down') {
    const cause = bad.every(({ judgement }) => judgement.cause === 'head-age');
    const why = cause ? { cause: 'head-age' as const } : {};
    return { ...base, status, because: reasons(bad), ...why, ...since(bad, 'earliest') };
  }
  return { ...base, status, because: counting.length === 0 ? 'no check of it counts' : reasons(bad) };
}

/** What the other nodes of its chain and service say of a node. */
export interface Beside {
  readonly standing?: Standing;
  /** Which block it has that others don't. */
  readonly fork?: string;
  /** Where its answers differ from those of most nodes. */
  readonly differs?: string;
  /** Where answers differ and none can tell which is wrong. */
  readonly disagree?: string;
}

function worst(counting: readonly JudgedMonitor[]): { status: Judgement['status']; bad: JudgedMonitor[] } {
  const are = (...statuses: Judgement['status'][]) =>
    counting.filter((monitor) => statuses.includes(monitor.judgement.status));
  if (are('down').length > 0) return { status: 'down', bad: are('down') };
  if (counting.length === 0 || are('unknown').length > 0) return { status: 'unknown', bad: are('unknown') };
  return are('degraded').length > 0
    ? { status: 'degraded', bad: are('degraded') }
    : { status: 'up', bad: [] };
}

/** A certificate that is about to expire is told as what it is, whatever is wrong beside it. */
function urgency(monitors: readonly JudgedMonitor[]): Pick<Judgement, 'cause'> {
  const urgent = monitors.some(
    ({ counts, warns, judgement }) => (counts || warns === true) && judgement.cause === 'certificate',
  );
  return urgent ? { cause: 'certificate' } : {};
}

function warningOf(monitors: readonly JudgedMonitor[]): string | undefined {
  const bad = monitors.filter(
    ({ counts, warns, judgement: { status } }) =>
      !counts && warns === true && (status === 'down' || status === 'degraded'),
  );
  return bad.length === 0 ? undefined : reasons(bad);
}

/** `head: down in 2 of 3 regions: target.connect.refused`; equal reasons share their checks. */
function reasons(monitors: readonly JudgedMonitor[]): string {
  const checks = new Map<string, string[]>();
  for (const { id, judgement } of monitors) {
    checks.set(judgement.because, [...(checks.get(judgement.because) ?? []), checkOf(id)]);
  }
  return [...checks].map(([because, ids]) => `${listed(ids.sort())}: ${because}`).join('; ');
}

function whyUp(counting: readonly JudgedMonitor[]): string {
  const first = counting[0];
  return counting.length === 1 && first ? reasons([first]) : `all ${plural(counting.length, 'check')} up`;
}

function checkOf(monitor: string): string {
  return monitor.slice(monitor.lastIndexOf('/') + 1);
}

function noticeOf(
  status: Judgement['status'],
  counting: readonly JudgedMonitor[],
  { disagree }: Beside,
): Pick<Judgement, 'notice'> {
  const some = counting.find((monitor) => monitor.judgement.notice !== undefined);
  if (status === 'down') return {};
  if (some?.judgement.notice === undefined) return disagree === undefined ? {} : { notice: disagree };
  return { notice: `${checkOf(some.id)}: ${some.judgement.notice}` };
}

/**
 * A service: with public checks theirs; else up if at least `minUp` nodes are up, down if up and unknown ones
 * together are fewer than `minUp`, else unknown; degraded when fewer than `minUp` nodes are free of it.
 * @param nodes judgements by `service/node`; one that is missing is unknown
 * @param byPublic the judgement of the reserved node `public`, when it has checks that count
 */
export function judgeService(
  service: ServicePolicy,
  nodes: ReadonlyMap<string, Judgement>,
  byPublic?: Judgement,
): Judgement {
  const judged = service.nodes.map((id) => ({ id, judgement: nodes.get(id) ?? unheard }));
  const trouble = union([...judged.map((n) => n.judgement.troubleIn), byPublic?.troubleIn ?? []]);
  const downIn = byPublic?.downIn ?? trouble.filter((region) => !enoughUp(service, judged, region));
  const result = byPublic ? followPublic(byPublic) : count(service, judged);
  return { ...result, votes: [], downIn, troubleIn: trouble, ...serviceNotice(result, judged, byPublic) };
}

interface JudgedNode {
  readonly id: string;
  readonly judgement: Judgement;
}

const unheard: Judgement = {
  status: 'unknown',
  because: 'not judged yet',
  votes: [],
  downIn: [],
  troubleIn: [],
};

type Counted = Pick<Judgement, 'status' | 'because' | 'sinceDueAt' | 'cause'>;

function count(service: ServicePolicy, judged: readonly JudgedNode[]): Counted {
  const is = (...statuses: Judgement['status'][]) =>
    judged.filter((n) => statuses.includes(n.judgement.status));
  const up = is('up', 'degraded');
  const down = is('down');
  const [only] = judged;
  if (judged.length === 1 && only && service.minUp === 1) return alone(only);
  const unknown = is('unknown').length;
  const beside = unknown > 0 && up.length + down.length > 0 ? `, ${unknown} unknown` : '';
  const of = `${up.length} of ${plural(judged.length, 'node')} up${beside}, ${service.minUp} needed`;
  if (judged.length === 0) return { status: 'unknown', because: 'no node of it is watched' };
  // "0 of 3 nodes up" would read like an outage.
  if (up.length === 0 && down.length === 0) {
    const none = `none of ${plural(judged.length, 'node')} is known to be up or down, ${service.minUp} needed`;
    return { status: 'unknown', because: `${none}; ${whyNodes(judged)}` };
  }
  if (judged.length - down.length < service.minUp) {
    const nth = judged.length - service.minUp;
    return {
      status: 'down',
      because: `${of}; ${whyNodes(down)}`,
      ...explained(service, up, down, 'head-age'),
      ...nthSince(down, nth),
    };
  }
  if (up.length < service.minUp) return { status: 'unknown', because: `${of}; ${whyNodes(is('unknown'))}` };
  const degraded = is('degraded');
  const status = is('up').length < service.minUp ? 'degraded' : 'up';
  const bad = [...down, ...degraded];
  const because = bad.length > 0 ? `${of}; ${whyNodes(bad)}` : of;
  const urgent = degraded.some(({ judgement }) => judgement.cause === 'certificate');
  const cause =
    status === 'degraded'
      ? {
          ...(urgent && { cause: 'certificate' as const }),
          ...explained(service, is('up'), degraded, 'fork'),
        }
      : {};
  return { status, because, ...cause, ...nthSince(up, service.minUp - 1) };
}

/** A cause explains a service's trouble when enough nodes would be well were those well that it explains. */
function explained(
  service: ServicePolicy,
  well: readonly JudgedNode[],
  bad: readonly JudgedNode[],
  cause: Cause,
): Pick<Judgement, 'cause'> {
  const own = bad.filter(({ judgement }) => judgement.cause === cause);
  return own.length > 0 && well.length + own.length >= service.minUp ? { cause } : {};
}

/** A service of one node is what its node is. */
function alone({ judgement: { status, because, cause, sinceDueAt } }: JudgedNode): Counted {
  const at = sinceDueAt !== undefined && status !== 'unknown' && { sinceDueAt };
  return { status, because, ...(cause && { cause }), ...at };
}

function followPublic({ status, because, cause, sinceDueAt }: Judgement): Counted {
  const at = sinceDueAt !== undefined && { sinceDueAt };
  return { status, because: `public name: ${because}`, ...(cause && { cause }), ...at };
}

/** At most three nodes are named: a long list says less. */
function whyNodes(nodes: readonly JudgedNode[]): string {
  const named = nodes.slice(0, 3).map((n) => `${n.id.slice(n.id.indexOf('/') + 1)}: ${n.judgement.because}`);
  return [...named, ...(nodes.length > 3 ? [`and ${nodes.length - 3} more`] : [])].join('; ');
}

/** Whether the service would be more than down if this region alone were asked. */
function enoughUp(service: ServicePolicy, judged: readonly JudgedNode[], region: string): boolean {
  return judged.filter((n) => !n.judgement.downIn.includes(region)).length >= service.minUp;
}

function serviceNotice(
  result: Counted,
  judged: readonly JudgedNode[],
  byPublic: Judgement | undefined,
): Pick<Judgement, 'notice'> {
  if (result.status === 'down') return {};
  const node = judged.find((n) => n.judgement.notice !== undefined);
  const notice = byPublic?.notice ?? (node && whyNotice(node));
  return notice === undefined ? {} : { notice };
}

function whyNotice(node: JudgedNode): string {
  return `${node.id.slice(node.id.indexOf('/') + 1)}: ${node.judgement.notice ?? ''}`;
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].sort();
}

function since(
  monitors: readonly JudgedMonitor[],
  which: 'earliest' | 'latest',
): Pick<Judgement, 'sinceDueAt'> {
  const times = sinces(monitors);
  return times.length === 0
    ? {}
    : { sinceDueAt: which === 'earliest' ? Math.min(...times) : Math.max(...times) };
}

/** When the count was complete: the nth (from 0) of the nodes that say so, by time. */
function nthSince(nodes: readonly JudgedNode[], nth: number): Pick<Judgement, 'sinceDueAt'> {
  const sinceDueAt = sinces(nodes).sort((a, b) => a - b)[nth];
  return sinceDueAt === undefined ? {} : { sinceDueAt };
}

function sinces(judged: readonly { readonly judgement: Judgement }[]): Instant[] {
  return judged.flatMap(({ judgement }) =>
    judgement.sinceDueAt === undefined ? [] : [judgement.sinceDueAt],
  );
}
