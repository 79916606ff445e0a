import fc from 'fast-check';
import { expect, it } from 'vitest';
import { spoolQueue } from './spool-queue.ts';

const item = (number: number) => ({ epoch: 1, number, place: { segment: 0, offset: number, length: 1 } });
const numbers = (items: Iterable<{ number: number }>) => [...items].map((each) => each.number);

it('is what a plain list is, whatever is added, removed and synced', () => {
  const op = fc.oneof(
    fc.record({ op: fc.constantFrom('add' as const, 'sync' as const, 'back' as const), nth: fc.nat(9) }),
    fc.record({ op: fc.constantFrom('remove' as const, 'oldest' as const), nth: fc.nat(3_000) }),
  );
  fc.assert(
    fc.property(fc.array(op, { maxLength: 200, size: 'max' }), fc.boolean(), (ops, isLong) => {
      const queue = spoolQueue<ReturnType<typeof item>>((each) => each.number);
      let model: number[] = [];
      const away: number[] = [];
      let next = 0;
      let synced = 0;
      const add = (count: number) => {
        for (let n = 0; n < count; n += 1) {
          queue.add(item(next));
          model.push(next++);
        }
      };
      // Long ones are compacted on the way.
      if (isLong) add(2_500);
      for (const { op, nth } of ops) {
        if (op === 'add') add(nth);
        if (op === 'sync') queue.reached({ segment: 0, offset: (synced = next) });
        // Some come back to where they were.
        const back = op === 'back' ? away.splice(0, nth) : [];
        for (const number of back) queue.add(item(number));
        model = [...model, ...back].sort((a, b) => a - b);
        const gone = op === 'oldest' ? model.slice(0, nth) : op === 'remove' ? [nth] : [];
        for (const number of gone) {
          expect(queue.remove(1, number)?.number).toBe(model.includes(number) ? number : undefined);
        }
        away.push(...model.filter((each) => gone.includes(each)));
        model = model.filter((each) => !gone.includes(each));
        const durable = model.filter((each) => each < synced);
        expect(queue.syncedCount).toBe(durable.length);
        expect(queue.first()?.number).toBe(model[0]);
        expect(queue.firstSynced()?.number).toBe(durable[0]);
        expect(numbers(queue.oldest(3))).toEqual(durable.slice(0, 3));
        expect(numbers(queue.newestSynced(3))).toEqual(durable.slice(-3));
      }
      expect(numbers(queue.all())).toEqual(model);
      expect(numbers(queue.synced())).toEqual(model.filter((each) => each < synced));
    }),
    { numRuns: 60 },
  );
});
