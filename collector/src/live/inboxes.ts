/** What frames say, put to the shards whose monitors it is of. */
import type { Answer, ProbeTrouble } from '../decide/types.ts';
import type { Watched } from '../watched.ts';
import { saidIn } from './answers.ts';
import type { Arrived } from './recent.ts';
import { cursorOf, type Shard } from './shard.ts';

export interface Inbox {
  readonly shard: Shard;
  /** In the order in which they came. */
  readonly answers: readonly Answer[];
  readonly troubles: readonly ProbeTrouble[];
}

export interface Inboxes {
  readonly all: readonly Inbox[];
  /** Empties them, and puts in what the frames say that their shards have not taken in yet. */
  take(frames: readonly Arrived[]): void;
}

interface Filling {
  readonly shard: Shard;
  /** The shard's cursor when the frames are taken. */
  from: number;
  answers: Answer[];
  troubles: ProbeTrouble[];
}

export function openInboxes(watched: Watched, shards: ReadonlyMap<string, Shard>): Inboxes {
  const byShard = new Map<string, Filling>(
    [...shards].map(([name, shard]) => [name, { shard, from: 0, answers: [], troubles: [] }]),
  );
  // One look for each answer, and not three.
  const byMonitor = new Map<string, Filling>();
  for (const { id, service } of watched.monitors.values()) {
    const inbox = byShard.get(watched.shardOf.get(service) ?? '');
    if (inbox !== undefined) byMonitor.set(id, inbox);
  }
  const all = [...byShard.values()];
  return {
    all,
    take(frames) {
      for (const inbox of all) {
        inbox.from = cursorOf(inbox.shard);
        [inbox.answers, inbox.troubles] = [[], []];
      }
      for (const frame of frames) {
        const { answers, troubles } = saidIn(watched, frame);
        for (const answer of answers) {
          const inbox = byMonitor.get(answer.monitor);
          if (inbox !== undefined && frame.pos > inbox.from) inbox.answers.push(answer);
        }
        for (const trouble of troubles) {
          const inbox = byMonitor.get(trouble.monitor);
          if (inbox !== undefined && frame.pos > inbox.from) inbox.troubles.push(trouble);
        }
      }
    },
  };
}
