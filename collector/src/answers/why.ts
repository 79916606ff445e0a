/** The votes, the lines and the step of the rule behind one monitor's verdict and slot. */
import type { Flip, Verdict } from '@highwater/config/domain.ts';
import { type Instant, minuteOf } from '@highwater/config/time.ts';
import type { Why } from '@highwater/config/wire.ts';
import { linesOfFrame } from '../ingest/rebuild.ts';
import type { Standing } from '../decide/types.ts';
import { headsOf, stateOfChain } from '../live/heads.ts';
import type { Live } from '../live/heart.ts';
import type { Shard } from '../live/shard.ts';
import type { Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';
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
  readonly monitor: string;
  readonly at: Instant;
}

async function linesBefore({ watched, store, monitor, at }: Question): Promise<Why['lines']> {
  const intervalMs = watched.monitors.get(monitor)?.intervalMs ?? 0;
  const from = at - Math.max(600_000, (LINES_EACH + 1) * intervalMs);
  const frames = await store.read(LOG_SHARD, (tx) => tx.framesBetween(from, at, MAX_FRAMES));
  const found = new Map<string, Why['lines']>();
  for (const frame of frames) {
    const own = found.get(frame.probe) ?? [];
    for (const [place, line] of [...linesOfFrame(frame).entries()].reverse()) {
      if (!line.startsWith(`${monitor} `) || own.length >= LINES_EACH) continue;
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

/** Answers for a monitor that the configuration knows. */
export async function whyOf(question: Question): Promise<Why> {
  const { watched, live, slots, monitor, at } = question;
  const { service, node, chain } = watched.monitors.get(monitor) ?? { service: '', node: '' };
  const name = watched.shardOf.get(service) ?? '';
  const shard = live.shards.get(name);
  const now: Verdict = shard?.monitors.get(monitor)?.verdict ?? {
    subject: monitor,
    status: 'unknown',
    since: at,
    because: 'nothing was heard of it yet',
    votes: [],
  };
  const verdict = await verdictAt(question, name, now);
  const slot = await slots.monitorSlot(monitor, minuteOf(at));
  const heads = shard === undefined || chain === undefined ? undefined : headsOf(watched, shard, chain, at);
  const standing = heads?.byNode.get(`${service}/${node}`);
  const of = shard?.nodes.get(`${service}/${node}`)?.verdict;
  return {
    monitor,
    at,
    verdict: toldVerdict(verdict),
    lines: await linesBefore(question),
    ...(slot === undefined ? {} : { slot }),
    ...(of === undefined ? {} : { node: { subject: of.subject, status: of.status, because: of.because } }),
    ...(standing === undefined || shard === undefined ? {} : { head: toldHead(watched, shard, standing) }),
  };
}
