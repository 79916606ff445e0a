/** How far a report counts: what is published, with as many cosignatures as the configuration asks for where they come. */
import type { WitnessDecl } from '@highwater/config/model.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import type { Bell } from '../bell.ts';
import type { Log } from '../log/log.ts';
import type { End } from './plan.ts';

/** Witnesses that answer do so within seconds of a checkpoint, ms. */
const COSIGNED_WITHIN_MS = 90_000;

export interface Witnessed {
  readonly quorum: number;
  readonly list: readonly Pick<WitnessDecl, 'key' | 'everyMs'>[];
}

/** How long a report waits for the quorum, ms: also for those that are asked seldom. It has settled for days. */
export function cosignedWithinMs({ list }: Pick<Witnessed, 'list'>): number {
  return COSIGNED_WITHIN_MS + Math.max(0, ...list.map(({ everyMs }) => everyMs));
}

/** The newest one's, where it is short of what is asked for. */
export interface Shortage {
  readonly cosigned: number;
  readonly quorum: number;
}

export function shortageOf(ends: readonly End[], witnessed: Witnessed | undefined): Shortage | undefined {
  const newest = ends.at(-1);
  if (witnessed === undefined || newest === undefined) return undefined;
  const cosigned = cosigners(newest.checkpoint, witnessed);
  return cosigned < witnessed.quorum ? { cosigned, quorum: witnessed.quorum } : undefined;
}

/** A log that signs again after a start, or has much to take in, is waited for, ms. */
const COVERED_WITHIN_MS = 60_000;

/** Resolves when the log covers all that was committed, or does not come to it in time. Never rejects. */
export async function covered(
  log: Pick<Log, 'status'>,
  published: Bell,
  signal: AbortSignal,
  withinMs = COVERED_WITHIN_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = published.rung();
    const { pending, refused } = log.status();
    const leftMs = deadline - performance.now();
    if (pending === 0 || refused !== undefined || leftMs <= 0 || signal.aborted) return;
    // That it refuses to sign rings nothing.
    await published.next(seen, Math.min(leftMs, 500), signal);
  }
}

/** Witnesses whose signature a checkpoint bears: whether they are good was looked at when they came. */
function cosigners(checkpoint: string, { list }: Witnessed): number {
  const note = parseNote(checkpoint);
  if ('error' in note) return 0;
  const signed = new Set(note.signatures.map(({ name, keyId }) => `${name}+${keyId}+`));
  return list.filter(({ key }) => [...signed].some((name) => key.startsWith(name))).length;
}

/**
 * The checkpoint of the newest log that is published, or comes to be, with a quorum; where none does in time, the one with the
 * most cosignatures. Others are as they are: of closed logs nothing comes any more.
 *
 * @param covers what a checkpoint has to cover besides
 */
export async function cosignedEnds(
  log: Pick<Log, 'years' | 'checkpoint'>,
  witnessed: Witnessed | undefined,
  published: Bell,
  signal: AbortSignal,
  withinMs = COSIGNED_WITHIN_MS,
): Promise<End[]> {
  const deadline = performance.now() + withinMs;
  const newest = log.years.at(-1)?.year;
  const ends = new Map<number, string>();
  let most = -1;
  for (;;) {
    const seen = published.rung();
    for (const { year } of log.years) {
      const checkpoint = await log.checkpoint(year);
      if (checkpoint === undefined) continue;
      const count = year !== newest || witnessed === undefined ? 0 : cosigners(checkpoint, witnessed);
      if (year === newest && count < most) continue;
      if (year === newest) most = count;
      ends.set(year, checkpoint);
    }
    const leftMs = deadline - performance.now();
    if (most >= (witnessed?.quorum ?? 0) || leftMs <= 0 || signal.aborted) break;
    // Cosignatures come between two checkpoints, and ring nothing.
    await published.next(seen, Math.min(leftMs, 250), signal);
  }
  signal.throwIfAborted();
  return [...ends].map(([year, checkpoint]) => ({ year, checkpoint })).sort((a, b) => a.year - b.year);
}
