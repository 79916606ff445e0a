/** What is to be packed: batches of days that are over, by service. */
import type { Batch, BodyRef } from '@highwater/config/proof/batch.ts';
import { DAY_MS, dayOfMinute, type Instant } from '@highwater/config/time.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { CommitRow, ReadTx } from '../store/store.ts';

/** A day is packed when it has been over for so long, ms: most of what comes late has come then. */
export const DAY_SETTLES_MS = 6 * 3_600_000;
/** What comes later is packed when it has been there for so long, ms: what comes late comes together. */
export const LATE_SETTLES_MS = 3_600_000;
/** Batches looked at in one turn. */
const AT_ONCE = 50_000;

/** A batch as its leaf tells of it. */
export interface ReadBatch {
  readonly index: number;
  readonly day: number;
  readonly commit: CommitRow;
  readonly batch: Batch;
  readonly refs: ReadonlyMap<string, BodyRef>;
}

/** Days before this one are over for long enough. */
export function packableBefore(now: Instant): number {
  return Math.floor((now - DAY_SETTLES_MS) / DAY_MS);
}

export async function readBatch(tx: ReadTx, index: number): Promise<ReadBatch | undefined> {
  const commit = (await tx.commitsFrom(index, 1)).find((row) => row.index === index);
  const batch = commit === undefined ? undefined : batchOf(commit);
  if (commit === undefined || batch === undefined) return undefined;
  return {
    index,
    commit,
    day: dayOfMinute(batch.minutes.last),
    batch,
    refs: new Map(batch.bodies.map((ref) => [ref.service, ref])),
  };
}

/** Whether a batch is to be packed by now, as far as its time goes. */
export function isSettled({ day, commit }: ReadBatch, now: Instant): boolean {
  return day < packableBefore(now) && commit.at <= now - LATE_SETTLES_MS;
}

/** Commit indexes of the batches to be packed by day, the oldest day first. */
export async function heldDays(tx: ReadTx, now: Instant): Promise<[day: number, indexes: number[]][]> {
  const days = new Map<number, number[]>();
  for (const index of await tx.heldBefore(packableBefore(now), AT_ONCE)) {
    const held = await readBatch(tx, index);
    if (held === undefined || !isSettled(held, now)) continue;
    const day = days.get(held.day);
    if (day === undefined) days.set(held.day, [index]);
    else day.push(index);
  }
  return [...days].sort(([a], [b]) => a - b);
}

/**
 * Services in groups whose bodies fit into memory together: a batch's bodies lie in one row, which is read once for each
 * group. One service that is larger is a group of its own.
 */
export function groupsOf(bytesOf: ReadonlyMap<string, number>, maxBytes: number): string[][] {
  const groups: string[][] = [];
  let room = 0;
  for (const [service, bytes] of [...bytesOf].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = maxBytes;
    }
    groups.at(-1)?.push(service);
    room -= bytes;
  }
  return groups;
}
