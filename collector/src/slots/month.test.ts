import { countSlots } from '@highwater/config/proof/rule/totals.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BYTES, slotOfByte } from './byte.ts';
import { dayOfBlock, type DayTotals, decodeMonth, encodeMonth, monthWith, planeOfMonth } from './month.ts';

const totals = fc
  .array(fc.tuple(fc.nat(BYTES - 1), fc.nat(300), fc.nat(300)), { maxLength: 12 })
  .map((minutes) =>
    countSlots(
      minutes.map(([byte]) => slotOfByte(byte)),
      (i) => ({ requests: (minutes[i]?.[1] ?? 0) + (minutes[i]?.[2] ?? 0), succeeded: minutes[i]?.[2] ?? 0 }),
    ),
  );
const planes = ['', 'r0', 'r1', 'r2'];
const days = fc
  .dictionary(fc.nat(30).map(String), fc.dictionary(fc.constantFrom(...planes), totals, { minKeys: 1 }))
  .map(
    (said): Map<number, DayTotals> =>
      new Map(Object.entries(said).map(([day, own]) => [20_000 + Number(day), new Map(Object.entries(own))])),
  );

describe('a month of totals', () => {
  it('gives back what was written: whole, by plane and by day', () => {
    fc.assert(
      fc.property(days, (written) => {
        const block = encodeMonth(written);
        // Without a day there is no block.
        expect(block.length === 0).toBe(written.size === 0);
        if (written.size === 0) return;
        const whole = decodeMonth(block);
        for (const plane of planes) {
          const own = [...written].flatMap(([day, each]) =>
            each.has(plane) ? [[day, each.get(plane)]] : [],
          );
          const read = [...planeOfMonth(block, plane)];
          expect(new Map(read)).toEqual(new Map(own as typeof read));
          expect([...(whole.get(plane) ?? [])]).toEqual(read);
        }
        for (const [day, each] of written) expect(dayOfBlock(block, day)).toEqual(each);
      }),
    );
  });

  it('has the same bytes in whichever order its days were put in', () => {
    fc.assert(
      fc.property(
        days.chain((written) =>
          fc.tuple(fc.constant(written), fc.shuffledSubarray([...written], { minLength: written.size })),
        ),
        ([written, order]) => {
          let block: Uint8Array | undefined;
          for (const [day, each] of order) block = monthWith(block, day, each);
          if (block !== undefined) expect(block).toEqual(encodeMonth(written));
          for (const [day] of order) if (block !== undefined) block = monthWith(block, day, new Map());
          if (block !== undefined) expect(block).toHaveLength(0);
        },
      ),
    );
  });

  it('is refused when it ends within a day', () => {
    fc.assert(
      fc.property(totals, (own) => {
        const block = encodeMonth(new Map([[20_000, new Map([['', own]])]]));
        expect(() => decodeMonth(block.subarray(0, -1))).toThrow(RangeError);
        expect(() => planeOfMonth(block.subarray(0, -1), '')).toThrow(RangeError);
      }),
    );
  });

  it('takes less than lets it spill out of a page, where each day has its failures and its silence', () => {
    const plain = { degraded: false, maintenance: false, stalled: false } as const;
    const up = { state: 'up', ...plain } as const;
    const silent = { state: 'unknown', cause: 'no-data', ...plain } as const;
    const ofDay = (day: number, each: number) => {
      const isSilent = (minute: number) => each === 2 && minute < 10 + day;
      return countSlots(
        Array.from({ length: 1_440 }, (_, minute) => (isSilent(minute) ? silent : up)),
        (i) => ({
          requests: isSilent(i) ? 0 : each,
          succeeded: isSilent(i) ? 0 : each - (i % 50 === 0 ? 1 : 0),
        }),
      );
    };
    const usual = new Map(
      Array.from({ length: 31 }, (_, day): [number, DayTotals] => [
        20_027 + day,
        new Map([
          ['', ofDay(day, 10)],
          ...['r0', 'r1', 'r2', 'r3', 'r4'].map((name) => [name, ofDay(day, 2)] as const),
        ]),
      ]),
    );
    const block = encodeMonth(usual);
    expect(block.length).toBeLessThan(960);
    expect(dayOfBlock(block, 20_027)).toEqual(usual.get(20_027));
  });
});
