/**
 * The live picture of one shard (a chain and its services, or a service without one): every decision from answers to
 * flips, in order. Monitors first, then heads, nodes and services, so that a cause is told before what it causes.
 */
import type { Flip, Verdict } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import { settle } from '../../collector/src/decide/flip.ts';
import { sampleOf, standings } from '../../collector/src/decide/head.ts';
import { advance } from '../../collector/src/decide/streak.ts';
import { judgeNode, judgeService } from '../../collector/src/decide/subject.ts';
import type {
  AgreedHead,
  Answer,
  ChainPolicy,
  HeadSample,
  Judgement,
  MonitorPolicy,
  ServicePolicy,
  Standing,
  Streak,
} from '../../collector/src/decide/types.ts';
import { judgeMonitor } from '../../collector/src/decide/verdict.ts';
import { regionVotes, staleAt } from '../../collector/src/decide/votes.ts';

export interface LiveMonitor extends MonitorPolicy {
  /** `service/node`; the node `public` stands for the service's public name. */
  readonly node: string;
  readonly counts: boolean;
}

/** What the configuration says of a shard. */
export interface LivePlan {
  readonly monitors: readonly LiveMonitor[];
  readonly services: readonly ServicePolicy[];
  readonly chain?: ChainPolicy;
  /** Region of each enrolled probe: what others said is no longer counted. */
  readonly probes: Readonly<Record<string, string>>;
}

/** What is kept. */
export interface Live {
  /** By monitor, then by probe. */
  readonly streaks: Readonly<Record<string, Readonly<Record<string, Streak>>>>;
  /** By subject: monitor, node or service. */
  readonly judgements: Readonly<Record<string, Judgement>>;
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** How nodes stood to the agreed head, by `service/node`. */
  readonly stood: Readonly<Record<string, Standing['verdict']>>;
}

export const nothingHeard: Live = { streaks: {}, judgements: {}, verdicts: {}, stood: {} };

/** Takes answers in, oldest first. Those of monitors or probes that the plan does not know are left out. */
export function hear(plan: LivePlan, live: Live, answers: readonly Answer[]): Live {
  const monitors = new Map(plan.monitors.map((monitor) => [monitor.id, monitor]));
  const streaks = { ...live.streaks };
  for (const answer of answers) {
    const monitor = monitors.get(answer.monitor);
    if (!monitor || plan.probes[answer.probe] !== answer.region) continue;
    const before = streaks[monitor.id] ?? {};
    streaks[monitor.id] = { ...before, [answer.probe]: advance(monitor, before[answer.probe], answer) };
  }
  return { ...live, streaks };
}

export interface Look {
  readonly live: Live;
  /** Monitors, then nodes, then services. */
  readonly flips: readonly Flip[];
  readonly heads: readonly AgreedHead[];
  /** By `service/node`. */
  readonly standings: ReadonlyMap<string, Standing>;
}

/** Judges everything anew. Looking twice at one time changes nothing. */
export function look(plan: LivePlan, live: Live, now: Instant): Look {
  const judgements = new Map<string, Judgement>();
  for (const monitor of plan.monitors) {
    const previous = live.judgements[monitor.id];
    const votes = regionVotes(monitor, enrolled(plan, live, monitor), now, previous?.votes);
    judgements.set(monitor.id, judgeMonitor(monitor, votes, previous));
  }
  const { heads, byNode } = plan.chain
    ? standings(plan.chain, samples(plan, live), now, live.stood)
    : { heads: [], byNode: new Map<string, Standing>() };
  for (const [node, monitors] of Map.groupBy(plan.monitors, (monitor) => monitor.node)) {
    const judged = monitors.map(({ id, counts }) => ({
      id,
      counts,
      judgement: judgements.get(id) ?? unjudged,
    }));
    judgements.set(node, judgeNode(judged, byNode.get(node)));
  }
  for (const service of plan.services) {
    judgements.set(service.id, judgeService(service, judgements, publicOf(plan, judgements, service.id)));
  }
  const stood = Object.fromEntries([...byNode].map(([node, { verdict }]) => [node, verdict]));
  const { verdicts, flips } = settleAll(live, judgements, now);
  const next = { streaks: live.streaks, judgements: Object.fromEntries(judgements), verdicts, stood };
  return { live: next, flips, heads, standings: byNode };
}

/** The reserved node `public`, if it has a check that counts. */
function publicOf(plan: LivePlan, judgements: ReadonlyMap<string, Judgement>, service: string) {
  const node = `${service}/public`;
  const counts = plan.monitors.some((monitor) => monitor.node === node && monitor.counts);
  return counts ? judgements.get(node) : undefined;
}

const unjudged: Judgement = {
  status: 'unknown',
  because: 'not judged yet',
  votes: [],
  downIn: [],
  troubleIn: [],
};

function settleAll(live: Live, judgements: ReadonlyMap<string, Judgement>, now: Instant) {
  const flips: Flip[] = [];
  const verdicts: Record<string, Verdict> = {};
  for (const [subject, judgement] of judgements) {
    const { verdict, flip } = settle(subject, live.verdicts[subject], judgement, now);
    verdicts[subject] = verdict;
    if (flip) flips.push(flip);
  }
  return { verdicts, flips };
}

/** When an answer goes stale if nothing more is heard; null when none is fresh. */
export function wakeAt(plan: LivePlan, live: Live, now: Instant): Instant | null {
  const ends = plan.monitors.flatMap((monitor) => staleAt(monitor, enrolled(plan, live, monitor), now) ?? []);
  return ends.length === 0 ? null : ends.reduce((a, b) => Math.min(a, b));
}

function enrolled(plan: LivePlan, live: Live, monitor: MonitorPolicy): Streak[] {
  return Object.entries(live.streaks[monitor.id] ?? {})
    .filter(([probe, streak]) => plan.probes[probe] === streak.newest.region)
    .map(([, streak]) => streak);
}

function samples(plan: LivePlan, live: Live): HeadSample[] {
  return plan.monitors.flatMap((monitor) =>
    enrolled(plan, live, monitor).flatMap((streak) => sampleOf(streak.newest, monitor.freshMs) ?? []),
  );
}
