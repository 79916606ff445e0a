/** What one probe says of one monitor, damped: fail after `fall` failing answers in a row, ok after `rise`. */
import type { Answer, Block, MonitorPolicy, Reply, Streak } from './types.ts';

/**
 * Takes one answer in. CONTRACTS "Live": rechecks count; a degraded answer counts as ok.
 *
 * Contradictions are counted against the state, not as identical answers: a row of mixed degraded and failing
 * answers must not leave a probe plainly ok for ever. A first ok is believed at once, a first failure only after
 * `fall`; after a silence longer than `freshMs` the next answer is a first one again, because the old state is
 * no longer known to hold. Late and repeated answers change nothing.
 */
export function advance(policy: MonitorPolicy, streak: Streak | undefined, answer: Answer): Streak {
  if (streak !== undefined && !isLater(answer, streak.newest)) return streak;
  const next = judged(policy, streak, answer);
  const blocks = blocksWith(streak?.blocks, answer);
  const replies = repliesWith(streak?.replies, answer);
  if (blocks === undefined && replies === undefined) return next;
  return { ...next, ...(blocks && { blocks }), ...(replies && { replies }) };
}

/** So many checkpoints are kept, and results to so many parameters: nodes are asked at other times. */
const KEPT = 3;

/** Nodes pass from one checkpoint to the next at other times: a few are kept to have one in common. */
function blocksWith(before: readonly Block[] | undefined, answer: Answer): readonly Block[] | undefined {
  const { checkpoint, genesis } = answer;
  const last = before?.at(-1);
  if (checkpoint === undefined) return before;
  const isSameChain = genesis === last?.genesis;
  if (isSameChain && checkpoint.height === last?.height && checkpoint.id === last.id) return before;
  const others = isSameChain ? (before ?? []).filter(({ height }) => height < checkpoint.height) : [];
  return [...others, { ...checkpoint, ...(genesis !== undefined && { genesis }) }].slice(-KEPT);
}

function repliesWith(before: Streak['replies'], { equal, receivedAt }: Answer): Streak['replies'] {
  if (equal === undefined) return before;
  const next: Record<string, readonly Reply[]> = {};
  for (const [method, text] of Object.entries(equal)) {
    const [params = '', result = ''] = text.split('.');
    const others = (before?.[method] ?? []).filter((reply) => reply.params !== params);
    next[method] = [...others, { params, result, receivedAt }].slice(-KEPT);
  }
  return { ...before, ...next };
}

function judged(policy: MonitorPolicy, streak: Streak | undefined, answer: Answer): Streak {
  if (streak === undefined) return begin(policy, answer);
  if (answer.receivedAt - streak.newest.receivedAt >= policy.freshMs) return begin(policy, answer);
  // Of nearly every answer: nothing was against it, and nothing is.
  if (isPlain(streak) && answer.outcome === 'ok') return { ...streak, newest: answer };
  const trouble = troubleOf(answer) ?? streak.trouble;
  const seen: Streak = { ...streak, newest: answer, ...(trouble && { trouble }) };
  return agrees(streak.state, answer) ? soften(policy, settleDown(seen)) : contradict(policy, seen);
}

function isPlain({ state, against, degraded, degradedAgainst }: Streak): boolean {
  return state === 'ok' && against === 0 && !degraded && degradedAgainst === 0;
}

function begin(policy: MonitorPolicy, answer: Answer): Streak {
  const trouble = troubleOf(answer);
  const fresh: Streak = {
    state: answer.outcome === 'fail' ? 'unknown' : 'ok',
    sinceDueAt: answer.dueAt,
    against: 0,
    degraded: answer.outcome === 'degraded',
    degradedAgainst: 0,
    newest: answer,
    ...(trouble && { trouble }),
  };
  return answer.outcome === 'fail' ? contradict(policy, fresh) : fresh;
}

/** Of two answers due at once only a recheck is news beside the scheduled one; the rest are repeats. */
function isLater(answer: Answer, newest: Answer): boolean {
  if (answer.dueAt !== newest.dueAt) return answer.dueAt > newest.dueAt;
  return answer.recheck && !newest.recheck;
}

function agrees(state: Streak['state'], answer: Answer): boolean {
  return state === (answer.outcome === 'fail' ? 'fail' : 'ok');
}

function settleDown(streak: Streak): Streak {
  const { againstSinceDueAt: _, ...rest } = streak;
  return { ...rest, against: 0 };
}

function contradict(policy: MonitorPolicy, streak: Streak): Streak {
  const { newest } = streak;
  const state = newest.outcome === 'fail' ? 'fail' : 'ok';
  const first = streak.against === 0 || (streak.state === 'unknown' && state === 'ok');
  const since = first ? newest.dueAt : (streak.againstSinceDueAt ?? newest.dueAt);
  const against = streak.against + 1;
  const needed = state === 'fail' ? policy.fall : streak.state === 'unknown' ? 1 : policy.rise;
  if (against < needed) return soften(policy, { ...streak, against, againstSinceDueAt: since });
  const degraded = newest.outcome === 'degraded';
  return settleDown({ ...streak, state, sinceDueAt: since, degraded, degradedAgainst: 0 });
}

/** The same damping for degradation, while the state is ok: a failing answer is no sign of health either. */
function soften(policy: MonitorPolicy, streak: Streak): Streak {
  if (streak.state !== 'ok') return streak;
  const troubled = streak.newest.outcome !== 'ok';
  if (troubled === streak.degraded) return { ...streak, degradedAgainst: 0 };
  const degradedAgainst = streak.degradedAgainst + 1;
  if (degradedAgainst < (troubled ? policy.fall : policy.rise)) return { ...streak, degradedAgainst };
  return { ...streak, degraded: troubled, degradedAgainst: 0 };
}

function troubleOf(answer: Answer): Streak['trouble'] {
  if (answer.outcome === 'ok') return undefined;
  return {
    ...(answer.fault !== undefined && { fault: answer.fault }),
    ...(answer.detail !== undefined && { detail: answer.detail }),
  };
}
