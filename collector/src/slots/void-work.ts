/**
 * What a contradiction makes of the past of a shard: each minute of each batch from its number on is judged again. That may
 * be years, so it is done in steps, and what is left is kept in the shard's state: a restart goes on where it was.
 */
import type { MinuteRange } from '@highwater/config/proof/rule/evaluate.ts';
import { signerOf } from '../signer.ts';
import type { CommitRow, ReadTx } from '../store/store.ts';
import { batchOf } from './batch-commit.ts';
import type { Ground } from './ground.ts';

/** Batches that are read in a page; more than there can be texts of one number (ingest/batches.ts). */
const READ_AT_ONCE = 64;
/** Pages in a step: there may be many batches that say nothing of a shard. */
const PAGES_AT_ONCE = 50;

export interface VoidWork {
  readonly probe: string;
  /** Who contradicts himself, `NAME+KEYID`. */
  readonly signer: string;
  readonly epoch: number;
  /** Every number from this one on is known to be void. */
  readonly from: number;
  /** What is judged again next; absent when all is done. */
  readonly next?: { readonly number: number; readonly minute: number };
  /** Numbers from here on were judged again before. */
  readonly below?: number;
}

/** The same when the commit is of no number that the shard did not know to be void. */
export function withVoid(
  works: readonly VoidWork[],
  ground: Pick<Ground, 'keyOf' | 'voidFrom'>,
  commit: CommitRow,
): readonly VoidWork[] {
  const batch = batchOf(commit);
  if (batch?.number !== ground.voidFrom(ground.keyOf(commit), batch?.epoch ?? 0)) return works;
  const { probe, epoch, number } = batch;
  const signer = signerOf(commit.note);
  const had = works.find((work) => work.signer === signer && work.epoch === epoch);
  if (had !== undefined && had.from <= number) return works;
  const below = had?.next === undefined ? had?.from : had.below;
  const work = { probe, signer, epoch, from: number, next: { number, minute: 0 } };
  return [...works.filter((each) => each !== had), below === undefined ? work : { ...work, below }];
}

/** No minute before has a slot. */
export const earliestOf = ({ records }: Pick<Ground, 'records'>): number =>
  records.configs.reduce((least, { from }) => Math.min(least, from), Infinity);

interface VoidPage {
  /** Minutes to be judged again. */
  readonly stretches: readonly MinuteRange[];
  readonly left: VoidWork;
}

export interface VoidBounds extends MinuteRange {
  /** So many minutes in a step. */
  readonly most: number;
  readonly isOurs: (service: string) => boolean;
}

/**
 * Some pages, until there are minutes enough. Minutes outside of the bounds have no slots, or get them when they are closed.
 */
export async function voidSteps(
  tx: ReadTx,
  works: readonly VoidWork[],
  bounds: VoidBounds,
): Promise<{ readonly stretches: readonly MinuteRange[]; readonly left: readonly VoidWork[] }> {
  const stretches: MinuteRange[] = [];
  const left: VoidWork[] = [];
  let [room, pages] = [bounds.most, PAGES_AT_ONCE];
  for (let work of works) {
    for (; pages > 0 && room > 0 && work.next !== undefined; pages -= 1) {
      const page = await voidPage(tx, work, { ...bounds, most: room });
      for (const { first, last } of page.stretches) room -= last - first + 1;
      stretches.push(...page.stretches);
      work = page.left;
    }
    left.push(work);
  }
  return { stretches, left };
}

async function voidPage(tx: ReadTx, work: VoidWork, bounds: VoidBounds): Promise<VoidPage> {
  const { next, below = Infinity, ...done } = work;
  if (next === undefined) return { stretches: [], left: done };
  const rows = await tx.batchesSince(work.probe, work.epoch, next.number, READ_AT_ONCE);
  const groups = [...Map.groupBy(rows, ({ batch }) => batch?.number ?? Infinity)];
  // The last number may have more texts than were read: it is the first of the next page.
  if (groups.length > 1) groups.pop();
  const stretches: MinuteRange[] = [];
  let room = bounds.most;
  let at = next;
  for (const [number, texts] of groups) {
    if (number >= below) return { stretches, left: done };
    const ranges = texts.flatMap((row) => rangeOf(row, work.signer, bounds));
    let minute = number === at.number ? at.minute : 0;
    for (;;) {
      const [first] = ranges.filter((range) => range.last >= minute).sort((a, b) => a.first - b.first);
      if (first === undefined) break;
      if (room === 0) return { stretches, left: { ...work, next: { number, minute } } };
      const from = Math.max(minute, first.first);
      const last = Math.min(first.last, from + room - 1);
      stretches.push({ first: from, last });
      room -= last - from + 1;
      minute = last + 1;
    }
    at = { number: number + 1, minute: 0 };
  }
  return { stretches, left: groups.length === 0 ? done : { ...work, next: at } };
}

/** The minutes of a batch that said something of the shard, within the bounds. */
function rangeOf(row: CommitRow, signer: string, { first, last, isOurs }: VoidBounds): MinuteRange[] {
  const batch = signerOf(row.note) === signer ? batchOf(row) : undefined;
  if (batch?.bodies.some(({ service }) => isOurs(service)) !== true) return [];
  const own = { first: Math.max(first, batch.minutes.first), last: Math.min(last, batch.minutes.last) };
  return own.first <= own.last ? [own] : [];
}
