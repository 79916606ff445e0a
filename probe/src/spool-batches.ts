/**
 * Where each batch stands: spooled (not acknowledged), acknowledged (the collector said that it keeps it), and gone
 * when the log has proven it. A batch that the collector lost after it acknowledged it is spooled again, before those
 * that were made later.
 */
import type { Place } from './journal.ts';
import { spoolQueue } from './spool-queue.ts';
import type { SpooledBatch } from './spool-records.ts';

export interface BatchStates {
  /** Not acknowledged, in the order in which they were made. */
  readonly spooled: ReturnType<typeof batchQueue>;
  /** Acknowledged and not proven, likewise. */
  readonly acknowledged: ReturnType<typeof batchQueue>;
  /** Undefined when it was not spooled. */
  acknowledge(epoch: number, number: number): SpooledBatch | undefined;
  /** Undefined when it was not acknowledged. */
  takeBack(epoch: number, number: number): SpooledBatch | undefined;
  /** Whether one of an epoch before this one is not acknowledged. */
  waitsFromBefore(epoch: number | undefined): boolean;
  /** From wherever it is. */
  remove(epoch: number, number: number): void;
  reached(end: Pick<Place, 'segment' | 'offset'>): void;
  /** Those whose text lies in this segment. */
  within(segment: number): SpooledBatch[];
  /** Those whose last minute is before this one, oldest first. */
  before(minute: number): SpooledBatch[];
  /** The first line that a batch may still need; Infinity for none. */
  neededLine(): number;
  /** The first segment with the text of one; Infinity for none. */
  firstSegment(): number;
}

const batchQueue = () => spoolQueue<SpooledBatch>((batch) => batch.number);

export function batchStates(): BatchStates {
  const [spooled, acknowledged] = [batchQueue(), batchQueue()];
  const queues = [spooled, acknowledged];
  const move = (from: typeof spooled, to: typeof spooled, epoch: number, number: number) => {
    const batch = from.remove(epoch, number);
    if (batch) to.add(batch);
    return batch;
  };
  return {
    spooled,
    acknowledged,
    acknowledge: (epoch, number) => move(spooled, acknowledged, epoch, number),
    takeBack: (epoch, number) => move(acknowledged, spooled, epoch, number),
    waitsFromBefore: (epoch = 0) => (spooled.first()?.epoch ?? Infinity) < epoch,
    remove(epoch, number) {
      for (const queue of queues) queue.remove(epoch, number);
    },
    reached(end) {
      for (const queue of queues) queue.reached(end);
    },
    within: (segment) =>
      queues.flatMap((queue) => [...takeWhile(queue.all(), ({ place }) => place.segment <= segment)]),
    before: (minute) =>
      queues.flatMap((queue) => [...takeWhile(queue.all(), ({ lastMinute }) => lastMinute < minute)]),
    neededLine() {
      let needed = Infinity;
      for (const queue of queues) for (const { from } of queue.all()) needed = Math.min(needed, from);
      return needed;
    },
    firstSegment: () => Math.min(...queues.map((queue) => queue.first()?.place.segment ?? Infinity)),
  };
}

function* takeWhile<T>(items: Iterable<T>, isWanted: (item: T) => boolean): Iterable<T> {
  for (const item of items) {
    if (!isWanted(item)) return;
    yield item;
  }
}
