/** What people are told of a block of a view that is damaged. */
import type { Alarm } from '@highwater/config/wire.ts';
import type { DamagedBlock } from './readable.ts';

export function damagedBlock({ view, period, subject, says }: DamagedBlock): Alarm {
  return {
    key: `block-damaged ${view} ${period} ${subject}`,
    title: `What was counted of ${subject} is damaged in the store`,
    because: `A block can not be read: view ${view}, period ${period}, subject ${subject}: ${says}. What it holds is shown as not there; everything else goes on.`,
    remedy:
      'Look at the disk, then stop the collector and run `highwater rebuild`: it is made again from the log.',
  };
}
