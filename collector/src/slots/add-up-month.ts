/** A subject's month of totals, added up again from its days of slots: what a damaged one is replaced by. */
import type { ReadTx } from '../store/store.ts';
import { decodeRuns, totalsOfRuns } from './day.ts';
import { daysOfMonth, encodeMonth } from './month.ts';
import { damageOf } from './readable.ts';

/** Undefined where no day of it is there. Days that are damaged, or that retention has let go, are not in it. */
export async function addUpMonth(
  tx: ReadTx,
  month: number,
  subject: string,
): Promise<Uint8Array | undefined> {
  const { first, last } = daysOfMonth(month);
  const rows = await tx.blocks('slots', first, last, subject);
  const days = rows
    .filter(({ block }) => damageOf('slots', block) === undefined)
    .map(({ period, block }) => {
      const planes = [...decodeRuns(block)].map(([name, runs]) => [name, totalsOfRuns(runs)] as const);
      return [period, new Map(planes)] as const;
    });
  return days.length === 0 ? undefined : encodeMonth(new Map(days));
}
