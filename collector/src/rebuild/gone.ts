/**
 * Days of which a body could not be read: gone, or in a pack that is damaged. What was made of them then stays, for nobody
 * can make it again. Found while the log is followed, so that what is made anew is made of bodies that were all read.
 */
import { dayOfMinute } from '@highwater/config/time.ts';
import type { Bodies } from '../bodies/bodies.ts';

/** As `bodies`; the UTC days of each batch of which a body is missing go into `gone`. */
export function notingGone(bodies: Bodies, gone: Set<number>): Bodies {
  return {
    ...bodies,
    async ofBatch(commit, batch, isWanted = () => true) {
      const texts = await bodies.ofBatch(commit, batch, isWanted);
      if (batch.bodies.some(({ service }) => isWanted(service) && !texts.has(service))) {
        const { first, last } = batch.minutes;
        for (let day = dayOfMinute(first); day <= dayOfMinute(last); day += 1) gone.add(day);
      }
      return texts;
    },
  };
}
