/** The budget of a probe where its frames and batches come in. */
import type { Batch } from '@highwater/config/proof/batch.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { ReadTx } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import { refuse, type IngestAnswer } from './answer.ts';
import { type Amounts, type Budget, type Budgeted, ratesFor } from './budget.ts';
import type { SpoolState } from './rebuild.ts';

export interface Quota {
  /** Takes it out of the probe's budget; the refusal (429) where there is not enough, and then nothing is taken. */
  take(probe: string, amounts: Amounts, at: number): IngestAnswer | undefined;
}

/** @param over told of each refusal */
export function openQuota(
  watched: Watched,
  budget: Budget,
  clock: Clock,
  over: (probe: string, lacking: Budgeted) => void,
): Quota {
  const rates = ratesFor(watched.config);
  // A key that takes the place of a stolen one has a budget of its own.
  const who = new Map(watched.config.probes.map(({ id, key }) => [id, key]));
  return {
    take(probe, amounts, at) {
      const refused = budget.take(who.get(probe) ?? probe, rates, amounts, clock.monotonic());
      if (refused === undefined) return undefined;
      over(probe, refused.lacking);
      const remedy = `come again later; if ${probe} sends what it should, another machine may be using its key`;
      const error = `${probe} has sent more ${refused.lacking} than a probe needs`;
      const answer = refuse(429, at, error, { remedy });
      return { ...answer, retryAfterS: Math.max(1, Math.ceil(refused.waitMs / 1_000)) } as IngestAnswer;
    },
  };
}

/** Whether nothing of its epoch is here: neither what it goes on from, nor the epoch in which the probe was last. */
export async function beginsEpoch(tx: ReadTx, { probe, epoch, number }: Batch): Promise<boolean> {
  const spool = (await tx.getState('spool', probe))?.value as SpoolState | undefined;
  if (spool?.epoch === epoch) return false;
  return number === 0 || (await tx.batches(probe, epoch, number - 1)).length === 0;
}
