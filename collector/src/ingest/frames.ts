import type { Observation } from '@highwater/config/domain.ts';
import { parseFrameText, type Frame } from '@highwater/config/proof/frame.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { Arrived } from '../live/recent.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';
import { refuse, type IngestAnswer } from './answer.ts';
import { openBudget } from './budget.ts';
import type { HeardBook } from './heard.ts';
import { openSaid } from './open.ts';
import { openQuota, type Quota } from './quota.ts';
import type { RecentLines } from './recent-lines.ts';

/** The longest detail of a fault that is kept, characters. */
const MAX_DETAIL = 256;

/** Details by place in the frame; places that are not there are dropped, long ones cut. */
function keptDetails(frame: Frame, details: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const i of frame.lines.keys()) {
    const detail = Object.hasOwn(details, String(i)) ? details[String(i)] : undefined;
    if (detail !== undefined) kept[String(i)] = detail.slice(0, MAX_DETAIL);
  }
  return kept;
}

/** What the lines say, or what is wrong with the first bad one. */
function observationsOf(frame: Frame): readonly Observation[] | { error: string } {
  const observations: Observation[] = [];
  for (const [i, line] of frame.lines.entries()) {
    const parsed = parseLine(line);
    if ('error' in parsed) return { error: `line ${i + 1} of the frame: ${parsed.error}` };
    observations.push(parsed);
  }
  return observations;
}

export interface FrameIngest {
  /** Keeps a frame durably before it is acknowledged; the same one again is `held`. */
  accept(note: string, details: Readonly<Record<string, string>>): Promise<IngestAnswer>;
}

export function frameIngest(
  watched: Watched,
  store: Store,
  clock: Clock,
  arrived: (probe: string, observations: readonly Observation[], frame: Arrived) => void,
  quota: Quota = openQuota(watched, openBudget(), clock, () => undefined),
  recent?: Pick<RecentLines, 'add'>,
  heard?: Pick<HeardBook, 'write'>,
): FrameIngest {
  return {
    async accept(note, details) {
      const at = clock.now();
      const opened = openSaid(watched, note, parseFrameText, at);
      if ('refusal' in opened) return opened.refusal;
      const frame = opened.said;
      const observations = observationsOf(frame);
      if ('error' in observations) return refuse(400, at, observations.error);
      const kept = keptDetails(frame, details);
      const detailed = Object.keys(kept).length === 0 ? {} : { details: kept };
      let pos = 0;
      let hearing: Awaited<ReturnType<HeardBook['write']>> | undefined;
      const answer = await store.transact(LOG_SHARD, async (tx): Promise<IngestAnswer> => {
        const held = await tx.frame(frame.probe, frame.epoch, frame.frame);
        if (held !== undefined) {
          return held.note === note
            ? { status: 200, body: { result: 'held', at } }
            : refuse(409, at, `frame ${frame.frame} of epoch ${frame.epoch} is held with another text`);
        }
        const bytes = note.length + Object.values(kept).reduce((sum, { length }) => sum + length, 0);
        const over = quota.take(frame.probe, { 'frame-bytes': bytes }, at);
        if (over !== undefined) return over;
        pos = await tx.addFrame({
          probe: frame.probe,
          epoch: frame.epoch,
          frame: frame.frame,
          receivedAt: at,
          note,
          ...detailed,
        });
        hearing = await heard?.write(tx, frame.probe, { at, epoch: frame.epoch, frame: frame.frame });
        return { status: 200, body: { result: 'accepted', at } };
      });
      if (answer.status === 200 && answer.body.result === 'accepted') {
        hearing?.keep();
        recent?.add(pos, frame.lines, note.length);
        arrived(frame.probe, observations, {
          pos,
          probe: frame.probe,
          receivedAt: at,
          observations,
          ...detailed,
        });
      }
      return answer;
    },
  };
}
