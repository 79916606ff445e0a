/**
 * Views are a fold over a set of batches: in whatever order these are committed, however often they come again and
 * however the lines are split among them, the same bytes come out, and the rule's own integers.
 *
 *   ORDER_RUNS=10000 vitest run --project unit collector/src/slots/order.test.ts
 */
import { sha256 } from '@highwater/config/keys.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { evaluate } from '@highwater/config/proof/rule/evaluate.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { addTotals, allOf, emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { signerOf, signerOfKey } from '../signer.ts';
import type { Store } from '../store/store.ts';
import { type MemoryStore, memoryStore } from '../testing/memory-store.ts';
import {
  blobs,
  blocksOf,
  clockAt,
  commit,
  declare,
  FIRST,
  keys,
  LENGTH,
  type Line,
  linesOf,
  NOW,
  operator,
  said,
  type Sent,
  watched,
} from '../testing/small-house.ts';
import { LOG_SHARD } from '../watched.ts';
import { decodeDay, totalsOfPlane } from './day.ts';
import { decodeMonth, monthOfDay } from './month.ts';
import { openSlots, type Slots } from './slots.ts';

let declared: MemoryStore;
let configHash: string;

beforeAll(async () => {
  declared = memoryStore();
  configHash = await declare(declared);
});

/** Commits the batches in this order; between them, as `steps` say, slots are made, written, or begun anew. */
async function play(
  sent: readonly Sent[],
  steps: readonly number[],
): Promise<{ store: MemoryStore; slots: Slots }> {
  const store = declared.copy();
  let now = FIRST * MINUTE_MS;
  const clock = clockAt(() => now);
  let slots = openSlots(watched, store, blobs, clock);
  for (const [i, each] of sent.entries()) {
    await commit(store, configHash, each);
    const step = steps[i % steps.length] ?? 0;
    now = Math.min(NOW, now + (step % 4) * MINUTE_MS);
    if (step % 3 === 0) await slots.beat();
    if (step % 7 === 0) await slots.flush();
    if (step % 11 === 0) slots = openSlots(watched, store, blobs, clock);
  }
  now = NOW;
  await slots.beat();
  return { store, slots };
}

/** One batch a minute, in order: what a probe sends. */
function plainly(lines: readonly Line[]): Sent[] {
  const groups = Map.groupBy(lines, ({ probe, minute }) => `${minute} ${probe}`);
  return [...groups.values()]
    .sort(([a], [b]) => (a?.minute ?? 0) - (b?.minute ?? 0))
    .map((group) => ({
      probe: group[0]?.probe ?? 0,
      epoch: 0,
      number: group[0]?.minute ?? 0,
      lines: group.map(({ text }) => text),
    }));
}

/** The same lines in other batches: minutes torn apart or put together, some of them twice. `deal` says which goes where. */
function split(lines: readonly Line[], deal: readonly number[]): Sent[] {
  const piles = Map.groupBy(
    lines.flatMap((line, i) => {
      const own = deal[i % deal.length] ?? 0;
      // A batch is of one UTC day.
      const day = Math.floor(line.minute / MINUTES_PER_DAY);
      const place = own % 3 === 0 ? `${day} all ${own % 2}` : `${line.minute} ${own % 5}`;
      return (own % 4 === 0 ? [place, `${day} again`] : [place]).map((pile) => ({ pile, line }));
    }),
    ({ pile, line }) => `${line.probe} ${pile}`,
  );
  return [...piles.values()].map((pile, number) => ({
    probe: pile[0]?.line.probe ?? 0,
    epoch: (deal[number % deal.length] ?? 0) % 2,
    number,
    lines: pile.map(({ line }) => line.text),
  }));
}

async function evidenceOf(store: Store): Promise<Parameters<typeof evaluate>[0]> {
  const bodies = new Map<string, string>();
  const leaves = await store.read(LOG_SHARD, async (tx) => {
    const commits = await tx.commitsFrom(0, 10_000);
    for (const { index } of commits)
      for (const { hash, text } of (await tx.heldBodies(index)) ?? []) bodies.set(hash, text);
    return commits.map(({ index, note, hash, body }) => {
      if (body !== undefined) bodies.set(encodeBase64(sha256(utf8(body))), body);
      const parsed = parseNote(note);
      if ('error' in parsed) throw new Error(parsed.error);
      const key = keys.find(({ vkey }) => signerOfKey(vkey) === signerOf(note))?.vkey ?? operator.vkey;
      return { index, key, hash, text: parsed.text };
    });
  });
  return { leaves, bodies };
}

/** What is kept of every subject and plane adds up, to the rule's own integers, and its bounds contain the figure. */
async function addsUp(store: Store, slots: Slots): Promise<number> {
  const range = { first: FIRST, last: FIRST + LENGTH - 1 };
  const reference = evaluate(await evidenceOf(store), range, sha256);
  const days = [Math.floor(FIRST / MINUTES_PER_DAY), Math.floor(FIRST / MINUTES_PER_DAY) + 1];
  let known = 0;
  for (const [plane, of] of [['', reference] as const, ...reference.regions]) {
    for (const [subject, { totals }] of [...of.monitors, ...of.nodes, ...of.services]) {
      const shard = watched.shardOf.get(subject.split('/')[0] ?? '') ?? '';
      let [inRange, ofDays, ofMonths] = [emptyTotals, emptyTotals, emptyTotals];
      let minutes = 0;
      for (const day of days) {
        const block = await slots.block(shard, 'slots', day, subject);
        const own = block === undefined ? undefined : decodeDay(block).get(plane);
        if (own !== undefined) {
          const start = day * MINUTES_PER_DAY;
          inRange = addTotals(
            inRange,
            totalsOfPlane(
              own,
              Math.max(0, range.first - start),
              Math.min(MINUTES_PER_DAY - 1, range.last - start),
            ),
          );
          ofDays = addTotals(ofDays, totalsOfPlane(own));
          minutes += own.slots.filter((byte) => byte !== 0).length;
        }
        const month = await slots.block(shard, 'totals', monthOfDay(day), subject);
        const ofDay: RuleTotals | undefined = month && decodeMonth(month).get(plane)?.get(day);
        ofMonths = addTotals(ofMonths, ofDay ?? emptyTotals);
      }
      expect({ plane, subject, totals: inRange }).toEqual({ plane, subject, totals });
      expect(ofMonths).toEqual(ofDays);
      const {
        up,
        down,
        unknown,
        stalled,
        maintenance,
        unknownNoData,
        unknownSplit,
        unknownProbe,
        unknownClock,
      } = ofMonths;
      expect(up + down + unknown + stalled + maintenance).toBe(minutes);
      expect(unknownNoData + unknownSplit + unknownProbe + unknownClock).toBe(unknown);
      expect(printedUptime(inRange)).toEqual(printedUptime(totals));
      // What is not known is either; the rest is the figure.
      if (up + down > 0) {
        const all = allOf(ofMonths);
        expect(up * all).toBeLessThanOrEqual((up + unknown) * (up + down));
        expect(up * (up + down)).toBeLessThanOrEqual(up * all);
        known += up + down;
      }
    }
  }
  return known;
}

const numRuns = Number(process.env['ORDER_RUNS'] ?? 25);
const timeout = 60_000 + 2_000 * numRuns;
const choices = fc.array(fc.nat({ max: said.length }), { minLength: 1, maxLength: 40 });
const some = fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 12 });

describe('views of the same lines', () => {
  it('have the same bytes however these are split, repeated and reordered', { timeout }, async () => {
    let known = 0;
    await fc.assert(
      fc.asyncProperty(
        choices.chain((all) => {
          const lines = linesOf(all);
          return fc.tuple(
            fc.constant(lines),
            some.chain((deal) => {
              const sent = split(lines, deal);
              return fc.shuffledSubarray([...sent, ...sent.slice(0, 3)], {
                minLength: sent.length + Math.min(3, sent.length),
              });
            }),
            some,
          );
        }),
        async ([lines, sent, steps]) => {
          const plain = await play(plainly(lines), [3]);
          const other = await play(sent, steps);
          expect(await blocksOf(other.slots)).toEqual(await blocksOf(plain.slots));
          known += await addsUp(other.store, other.slots);
        },
      ),
      { numRuns },
    );
    expect(known).toBeGreaterThan(numRuns);
  });

  it(
    'have the same bytes in any order where batches say different things, or one number twice',
    { timeout },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.tuple(choices, choices, fc.nat({ max: 4 })).chain(([one, two, twice]) => {
            const sent = plainly(linesOf(one));
            const more = plainly(linesOf(two)).map((each) => ({
              ...each,
              epoch: 1,
              number: each.number % 3,
            }));
            const again = sent.slice(twice, twice + 1).map((each) => ({ ...each, ageS: 1 }));
            const all = [...sent, ...more, ...again];
            return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), some);
          }),
          async ([sent, order, steps]) => {
            const one = await play(sent, [3]);
            const other = await play(order, steps);
            expect(await blocksOf(other.slots)).toEqual(await blocksOf(one.slots));
          },
        ),
        { numRuns },
      );
    },
  );
});
