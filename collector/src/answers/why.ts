/** The votes, the lines and the step of the rule behind one monitor's verdict and slot. */
import type { Flip, Verdict } from '@highwater/config/domain.ts';
import { type Clock, type Instant, minuteOf } from '@highwater/config/time.ts';
import type { Why } from '@highwater/config/wire.ts';
import type { Bodies } from '../bodies/bodies.ts';
import { linesOfFrame } from '../ingest/rebuild.ts';
import type { Standing } from '../decide/types.ts';
import { headsOf, stateOfChain } from '../live/heads.ts';
import type { Live } from '../live/heart.ts';
import type { Shard } from '../live/shard.ts';
import { lastClosed, type Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';
import { decidedLines, framesOf, withFrames } from './decided-lines.ts';
import { toldVerdict } from './status.ts';

/** Lines shown of each probe. */
const LINES_EACH = 5;
/** Frames looked through for them. */
const MAX_FRAMES = 3_000;

interface Question {
  readonly watched: Watched;
  readonly store: Store;
  readonly live: Live;
  readonly slots: Slots;
  readonly bodies: Bodies;
  readonly clock: Clock;
  readonly monitor: string;
  readonly at: Instant;
}

/** @param most of each probe */
async function linesBetween(
  { watched, store, monitor }: Question,
  from: Instant,
  to: Instant,
  most: number,
): Promise<Why['lines']> {
  const frames = await store.read(LOG_SHARD, (tx) => tx.framesBetween(from, to, MAX_FRAMES));
  const found = new Map<string, Why['lines']>();
  for (const frame of frames) {
    const own = found.get(frame.probe) ?? [];
    for (const [place, line] of [...linesOfFrame(frame).entries()].reverse()) {
      if (!line.startsWith(`${monitor} `) || own.length >= most) continue;
      const detail = frame.details?.[String(place)];
      own.push({
        probe: frame.probe,
        region: watched.regionOf.get(frame.probe) ?? '',
        receivedAt: frame.receivedAt,
        line,
        ...(detail === undefined ? {} : { detail }),
      });
    }
    found.set(frame.probe, own);
  }
  return [...found.values()].flat();
}

/** What decided a window that is over, or else the newest lines before. */
async function linesAt(question: Question): Promise<Pick<Why, 'lines' | 'decided'>> {
  const { watched, slots, clock, monitor, at } = question;
  const ground = await slots.ground();
  const [minute, horizon] = [minuteOf(at), lastClosed(clock.now())];
  const decided = await decidedLines({ ...question, ground, minute, horizon });
  if (decided !== undefined) {
    const ofFrames = await linesBetween(question, ...framesOf(decided.about), MAX_FRAMES);
    return { lines: withFrames(decided, ofFrames), decided: decided.about };
  }
  const intervalMs = watched.monitors.get(monitor)?.intervalMs ?? 0;
  const from = at - Math.max(600_000, (LINES_EACH + 1) * intervalMs);
  return { lines: await linesBetween(question, from, at, LINES_EACH) };
}

/** The last flip of a subject at or before an instant. */
async function flipBefore(
  store: Store,
  shard: string,
  subject: string,
  at: Instant,
): Promise<Flip | undefined> {
  let last: Flip | undefined;
  for (let seq = 0; ;) {
    const flips = await store.read(shard, (tx) => tx.flipsAfter(seq, 1_000));
    for (const flip of flips) if (flip.subject === subject && flip.at <= at) last = flip;
    const newest = flips.at(-1)?.seq;
    if (newest === undefined) return last;
    seq = newest;
  }
}

async function verdictAt({ store, monitor, at }: Question, shard: string, now: Verdict): Promise<Verdict> {
  if (at >= now.since) return now;
  const flip = await flipBefore(store, shard, monitor, at);
  if (flip === undefined) {
    return { subject: monitor, status: 'unknown', since: at, because: 'not judged then', votes: [] };
  }
  return { subject: monitor, status: flip.to, since: flip.at, because: flip.because, votes: [] };
}

function toldHead(watched: Watched, shard: Shard, standing: Standing): NonNullable<Why['head']> {
  const { head, lagBlocks, lagMs, because } = standing;
  const { state, blockTimeMs } = stateOfChain(watched, shard, head);
  return { chain: head.chain, height: head.height, state, because, blockTimeMs, lagBlocks, lagMs };
}

/** Answers for a monitor that the configuration knows, or one of the log's did. */
export async function whyOf(question: Question): Promise<Why> {
  const { watched, live, slots, monitor, at } = question;
  const { service, node, chain } = watched.monitors.get(monitor) ?? { service: '', node: '' };
  const name = watched.shardOf.get(service) ?? '';
  const shard = live.shards.get(name);
  const now: Verdict = shard?.monitors.get(monitor)?.verdict ?? {
    subject: monitor,
    status: 'unknown',
    since: at,
    because: watched.monitors.has(monitor) ? 'nothing was heard of it yet' : 'it is not configured now',
    votes: [],
  };
  const verdict = await verdictAt(question, name, now);
  const slot = await slots.monitorSlot(monitor, minuteOf(at));
  const heads = shard === undefined || chain === undefined ? undefined : headsOf(watched, shard, chain, at);
  const standing = heads?.byNode.get(`${service}/${node}`);
  const decided = await linesAt(question);
  // What the node and its chain are today says nothing of a minute that is over.
  const isOver = decided.decided !== undefined;
  const of = isOver ? undefined : shard?.nodes.get(`${service}/${node}`)?.verdict;
  return {
    monitor,
    at,
    verdict: toldVerdict(verdict),
    ...decided,
    ...(slot === undefined ? {} : { slot }),
    ...(of === undefined ? {} : { node: { subject: of.subject, status: of.status, because: of.because } }),
    ...(isOver || standing === undefined || shard === undefined
      ? {}
      : { head: toldHead(watched, shard, standing) }),
  };
}
