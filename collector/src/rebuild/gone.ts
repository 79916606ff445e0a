/**
 * Days of which a body could not be read: gone, or in a pack that is damaged. What was made of them then stays, for nobody
 * can make it again. Found while the log is followed, so that what is made anew is made of bodies that were all read.
 */
import { dayOfMinute } from '@highwater/config/time.ts';
import type { Batch } from '@highwater/config/proof/batch.ts';
import type { Bodies } from '../bodies/bodies.ts';
import { signerOf } from '../signer.ts';
import { voidedEpochs } from '../slots/ground.ts';
import type { CommitRow, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** Whether a batch counts for nothing: the second text of a number is kept, and may never have had bodies. */
async function isVoid(store: Store, { note }: CommitRow, { epoch, number }: Batch): Promise<boolean> {
  const signer = signerOf(note);
  const voided = await store.read(LOG_SHARD, voidedEpochs);
  return voided.some((each) => each.signer === signer && each.epoch === epoch && each.from <= number);
}

/**
 * As `bodies`; the UTC days of each batch of which a body is missing, and would count, go into `gone`.
 *
 * @param store that of the follower, whose ground it is
 */
export function notingGone(store: Store, bodies: Bodies, gone: Set<number>): Bodies {
  return {
    ...bodies,
    async ofBatch(commit, batch, isWanted = () => true) {
      const texts = await bodies.ofBatch(commit, batch, isWanted);
      const isMissing = batch.bodies.some(({ service }) => isWanted(service) && !texts.has(service));
      if (isMissing && !(await isVoid(store, commit, batch))) {
        const { first, last } = batch.minutes;
        for (let day = dayOfMinute(first); day <= dayOfMinute(last); day += 1) gone.add(day);
      }
      return texts;
    },
  };
}
