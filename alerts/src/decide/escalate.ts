/**
 * Who is told what of one incident, and when. Pure: the ladder before, what happened, the time -> the ladder
 * after and the messages. One message for one cause: the first one is edited with later states, what is told
 * anew is a later step, a rise of the impact, a return after recovery, a repeat, and recovery.
 */
import { impactRank } from '@highwater/config/domain.ts';
import type { Incident } from '@highwater/config/domain.ts';
import type { Policy } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import { formatDuration, HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import type { Ladder, LadderEvent, Send, Why } from './ladder.ts';
import { policyKey, route } from './route.ts';

/** A cause grows together for two minutes (CONTRACTS "One cause, one incident"): rises within are edits only. */
export const settleMs = 2 * MINUTE_MS;
/** From so many reopenings within an hour on it flaps, and recovery is told once it has held for a while. */
export const flapReopenings = 3;
export const flapHoldMs = 10 * MINUTE_MS;
export const reasonsKept = 20;
/** Nothing more to say of a recovery. */
export const simplyOver = 'it is over';

type Step = readonly [Ladder, readonly Send[]];

interface Plan {
  readonly channel: string;
  readonly why: Why;
  readonly because: string;
}

/** The ladder of an incident never heard of before. */
export function newLadder(incident: Incident, at: Instant): Ladder {
  const empty = {
    matched: {},
    done: [],
    repeatAt: {},
    told: {},
    threads: [],
    reopenedAt: [],
    rerouted: [],
    because: [],
  };
  return { incident, state: 'open', episode: 0, beganAt: at, sent: 0, ...empty };
}

/** The decision, under the policies in force. */
export function escalate(policies: readonly Policy[]) {
  return (ladder: Ladder, event: LadderEvent, now: Instant): Step => {
    switch (event.type) {
      case 'opened':
      case 'updated':
        return updated(policies, ladder, event.incident, now);
      case 'reopened':
        return reopened(policies, ladder, event.incident, event.at, now);
      case 'resolved':
        return resolved(ladder, event.incident, now);
      case 'acknowledged': {
        if (ladder.state === 'over' || ladder.acknowledged) return [ladder, []];
        const next = { ...ladder, acknowledged: { by: event.by, at: event.at } };
        return edit(next, `acknowledged by ${event.by}: later steps and repeats stop`);
      }
      case 'tick':
        return ticked(policies, ladder, now);
    }
  };
}

/**
 * What one channel could not deliver is told on another one that works, once for each channel and incident;
 * from then on that one is told of the recovery too. Without another channel nothing can be done here.
 */
export function reroute(
  ladder: Ladder,
  failed: { readonly channel: string; readonly why: string },
  working: readonly string[],
  now: Instant,
): Step {
  const to = working.find((channel) => channel !== failed.channel);
  if (to === undefined || ladder.rerouted.includes(failed.channel)) return [ladder, []];
  const next = { ...ladder, rerouted: [...ladder.rerouted, failed.channel] };
  const because = `it could not be delivered on ${failed.channel}: ${failed.why}`;
  return send(next, [{ channel: to, why: 'undelivered', because }], now);
}

/** When this ladder wants a tick; null when nothing is to come. May lie in the past: then it is due. */
export function wakeAt(policies: readonly Policy[], ladder: Ladder): Instant | null {
  if (ladder.state === 'over') return null;
  if (ladder.state === 'held') return ladder.resolveAt ?? null;
  if (ladder.incident.impact === 'none') return null;
  const times: Instant[] = [];
  for (const [policy, key, base] of inForce(policies, ladder)) {
    for (const [index, step] of policy.steps.entries()) {
      if (!ladder.done.includes(`${key}#${index}`) && !stopped(ladder, step.afterMs)) {
        times.push(base + step.afterMs);
      }
    }
    const repeatAt = ladder.repeatAt[key];
    if (repeatAt !== undefined && !ladder.acknowledged) times.push(repeatAt);
  }
  const rank = impactRank[ladder.incident.impact];
  for (const { at, impact } of Object.values(ladder.told)) {
    if (rank > impactRank[impact]) times.push(at + settleMs);
  }
  return times.length === 0 ? null : Math.min(...times);
}

/** Acknowledgement stops later steps; the first step of a policy that a rise brings in still runs. */
function stopped(ladder: Ladder, afterMs: number): boolean {
  return ladder.acknowledged !== undefined && afterMs > 0;
}

function inForce(policies: readonly Policy[], ladder: Ladder): [Policy, string, Instant][] {
  const found = new Map<string, [Policy, string, Instant]>();
  for (const policy of policies) {
    const key = policyKey(policy);
    const base = ladder.matched[key];
    if (base !== undefined) found.set(key, [policy, key, base]);
  }
  return [...found.values()];
}

function updated(policies: readonly Policy[], ladder: Ladder, incident: Incident, now: Instant): Step {
  const next = { ...ladder, incident };
  if (ladder.state !== 'open') return edit(next, 'an update after recovery');
  const [edited, edits] = looksTheSame(ladder.incident, incident)
    ? [next, []]
    : edit(next, 'its state changed');
  return join(edits, climb(policies, edited, now, 'opened'));
}

function reopened(
  policies: readonly Policy[],
  ladder: Ladder,
  incident: Incident,
  at: Instant,
  now: Instant,
): Step {
  if (ladder.state === 'open') return updated(policies, ladder, incident, now);
  const reopenedAt = [...ladder.reopenedAt.filter((past) => past > now - HOUR_MS), Math.min(at, now)];
  const { resolveAt: _, ...kept } = ladder;
  if (ladder.state === 'held') {
    // Nobody was told that it was over, so for people it never was: the episode goes on.
    const [next, edits] = edit({ ...kept, incident, state: 'open', reopenedAt }, 'it is back; it flaps');
    return join(edits, climb(policies, next, now, 'opened'));
  }
  const { acknowledged: __, ...rest } = kept;
  const fresh: Ladder = {
    ...rest,
    incident,
    state: 'open',
    episode: ladder.episode + 1,
    beganAt: Math.min(at, now),
    matched: {},
    done: [],
    repeatAt: {},
    told: {},
    reopenedAt,
  };
  const [next, edits] = edit(fresh, 'it is back');
  return join(edits, climb(policies, next, now, 'again'));
}

function resolved(ladder: Ladder, incident: Incident, now: Instant): Step {
  if (ladder.state !== 'open') return [{ ...ladder, incident }, []];
  if (incident.mergedInto !== undefined) {
    // Nothing is well again: whoever was told reads on in the other thread, which tells of a rise by itself.
    return edit({ ...ladder, incident, state: 'over', repeatAt: {} }, `it goes on in ${incident.mergedInto}`);
  }
  const recent = ladder.reopenedAt.filter((past) => past > now - HOUR_MS).length;
  if (recent >= flapReopenings && Object.keys(ladder.told).length > 0) {
    const held: Ladder = { ...ladder, incident, state: 'held', resolveAt: now + flapHoldMs };
    return edit(
      held,
      `over, but it came back ${recent} times within an hour: recovery is told once it has held for ${formatDuration(flapHoldMs)}`,
    );
  }
  return over({ ...ladder, incident }, simplyOver);
}

function over(ladder: Ladder, because: string): Step {
  const told = Object.keys(ladder.told);
  const only = ladder.threads.filter((channel) => !told.includes(channel));
  const { resolveAt: _, ...rest } = ladder;
  const next: Ladder = { ...rest, state: 'over', repeatAt: {} };
  return send(next, [
    ...told.map((channel): Plan => ({ channel, why: 'over', because })),
    ...only.map((channel): Plan => ({ channel, why: 'state', because })),
  ]);
}

function ticked(policies: readonly Policy[], ladder: Ladder, now: Instant): Step {
  if (ladder.state === 'held' && ladder.resolveAt !== undefined && ladder.resolveAt <= now) {
    return over(ladder, `it has held for ${formatDuration(flapHoldMs)}`);
  }
  if (ladder.state !== 'open') return [ladder, []];
  return climb(policies, ladder, now, 'opened');
}

/** Takes the steps that are due, tells of a rise, repeats; one message per channel, the first reason wins. */
function climb(
  policies: readonly Policy[],
  before: Ladder,
  now: Instant,
  immediate: 'opened' | 'again',
): Step {
  if (before.incident.impact === 'none') return [before, []];
  const reasons = new Map<string, string>();
  const matched = { ...before.matched };
  for (const { key, because } of route(before.incident, policies)) {
    reasons.set(key, because);
    // The first match counts from the episode's beginning, so that a feed read late escalates as if read in time.
    matched[key] ??= Object.keys(before.matched).length === 0 ? Math.min(before.beganAt, now) : now;
  }
  const ladder: Ladder = { ...before, matched };
  const done = [...ladder.done];
  const repeatAt = { ...ladder.repeatAt };
  const plans: Plan[] = [];
  for (const [policy, key, base] of inForce(policies, ladder)) {
    for (const [index, step] of policy.steps.entries()) {
      const id = `${key}#${index}`;
      if (done.includes(id) || stopped(ladder, step.afterMs) || base + step.afterMs > now) continue;
      done.push(id);
      for (const channel of step.notify) {
        if (step.afterMs > 0) {
          const still = `not acknowledged for ${formatDuration(step.afterMs)}`;
          plans.push({ channel, why: 'step', because: still });
        } else if (ladder.told[channel] === undefined) {
          const because = reasons.get(key) ?? `a policy asks for impact ${ladder.incident.impact}`;
          plans.push({ channel, why: immediate, because });
        }
      }
      if (policy.repeatMs !== undefined) repeatAt[key] ??= now + policy.repeatMs;
    }
    if (policy.repeatMs === undefined || ladder.acknowledged || (repeatAt[key] ?? Infinity) > now) continue;
    repeatAt[key] = now + policy.repeatMs;
    for (const [index, step] of policy.steps.entries()) {
      if (!done.includes(`${key}#${index}`)) continue;
      const because = `still open; repeated every ${formatDuration(policy.repeatMs)}`;
      for (const channel of step.notify) plans.push({ channel, why: 'repeat', because });
    }
  }
  plans.push(...rises(ladder, now));
  return send({ ...ladder, done, repeatAt }, plans, now);
}

/** Channels that were told of a lower impact and have had time to take that in. */
function rises(ladder: Ladder, now: Instant): Plan[] {
  const { impact } = ladder.incident;
  return Object.entries(ladder.told).flatMap(([channel, told]) => {
    if (impactRank[impact] <= impactRank[told.impact] || told.at + settleMs > now) return [];
    return [{ channel, why: 'worse' as const, because: `the impact rose from ${told.impact} to ${impact}` }];
  });
}

function looksTheSame(a: Incident, b: Incident): boolean {
  const seen = ({ title, impact, phase, services, nodes, updates }: Incident) =>
    JSON.stringify([title, impact, phase, services, nodes, updates.at(-1)?.id]);
  return seen(a) === seen(b);
}

/** The first message of each thread shows the new state. */
function edit(ladder: Ladder, because: string): Step {
  return send(
    ladder,
    ladder.threads.map((channel) => ({ channel, why: 'state' as const, because })),
  );
}

function join(before: readonly Send[], [ladder, sends]: Step): Step {
  return [ladder, [...before, ...sends]];
}

/** Turns plans into messages with keys, one per channel, and remembers who was told. */
function send(ladder: Ladder, plans: readonly Plan[], now?: Instant): Step {
  const byChannel = new Map<string, Plan>();
  for (const plan of plans) if (!byChannel.has(plan.channel)) byChannel.set(plan.channel, plan);
  const told = { ...ladder.told };
  const threads = [...ladder.threads];
  let sent = ladder.sent;
  const sends = [...byChannel.values()].map(({ channel, why, because }): Send => {
    const reason = reasonOf(why, threads.includes(channel));
    if (!threads.includes(channel)) threads.push(channel);
    if (now !== undefined) told[channel] = { at: now, impact: ladder.incident.impact };
    sent += 1;
    return { channel, why, reason, because, key: `${ladder.incident.id}/${sent}/${channel}` };
  });
  const said = [...new Set(sends.map(({ because, why }) => `${why}: ${because}`))];
  const because = [...ladder.because, ...said].slice(-reasonsKept);
  return [{ ...ladder, told, threads, sent, because }, sends];
}

function reasonOf(why: Why, threaded: boolean): Send['reason'] {
  if (why === 'state') return 'changed';
  if (why === 'over') return 'resolved';
  if (!threaded) return 'first';
  return why === 'repeat' ? 'repeat' : 'escalated';
}
