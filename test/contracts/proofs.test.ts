/** What a collector's log proves, read by what a probe believes: both real, over logs of several years. */
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import { logProofs } from '@highwater/config/wire.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { proofsFor } from '../../collector/src/answers/proofs.ts';
import type { Log } from '../../collector/src/log/log.ts';
import { type Bench, bench, mergeAll, newYear, noteOf, ORIGIN } from '../../collector/src/log/testing.ts';
import { type Checked, checkProofs, type SeenCheckpoint } from '../../probe/src/prove-check.ts';

let house: Bench;
let log: Log;
beforeEach(async () => {
  house = await bench();
  log = await house.open();
});
afterEach(() => house.close());

const leafOf = (index: number) => encodeHex(leafHash(utf8(noteOf(index)), sha256));
const unknownLeaf = leafOf(1_000_000);

/** Asks as a probe does, and gives what it makes of the answer. */
async function ask(indexes: readonly number[], seen?: SeenCheckpoint, more: readonly string[] = []) {
  const leaves = [...indexes.map(leafOf), ...more];
  const answer = logProofs.parse(await proofsFor(log, house.store, { leaves, from: seen }));
  const question = { leaves: new Set(leaves), seen, origin: ORIGIN, logKeys: log.keys };
  return { answer, checked: checkProofs(answer, question) };
}

const provenIn = (checked: Checked) => ('proven' in checked ? [...checked.proven].sort() : checked.wrong);
const newestIn = (checked: Checked) => {
  if ('wrong' in checked || !checked.checkpoint) throw new Error(JSON.stringify(checked));
  return checked.checkpoint;
};

describe('a log', () => {
  it('proves what it holds at every size around a full tile, from every checkpoint before', async () => {
    const seen: SeenCheckpoint[] = [];
    for (const size of [1, 2, 255, 256, 257, 600]) {
      await house.commit(size - (seen.at(-1)?.size ?? 0));
      await mergeAll(log);
      const indexes = [...new Set([0, Math.floor(size / 2), size - 1])];
      for (const from of [undefined, ...seen]) {
        const { checked } = await ask(indexes, from);
        expect(provenIn(checked)).toEqual(indexes.map(leafOf).sort());
      }
      seen.push(newestIn((await ask([0], seen.at(-1))).checked));
      expect(seen.at(-1)?.size).toBe(size);
    }
  });

  it('says nothing of what is not merged yet, and names what it does not have', async () => {
    expect((await ask([], undefined, [unknownLeaf])).answer).toEqual({
      logs: [],
      leaves: [],
      unknown: [unknownLeaf],
    });
    await house.commit(3);
    await mergeAll(log);
    await house.commit(2);
    const { answer, checked } = await ask([1, 3, 4], undefined, [unknownLeaf]);
    expect(provenIn(checked)).toEqual([leafOf(1)]);
    expect(answer.unknown).toEqual([unknownLeaf]);
  });

  it('proves nothing beyond what is published: a crash may have come between the signing and that', async () => {
    await house.commit(3);
    await mergeAll(log);
    const [year] = log.years.map((each) => each.year);
    const before = await log.checkpoint(year ?? 0);
    await house.commit(2);
    await mergeAll(log);
    const behind = Object.assign(Object.create(log) as Log, { checkpoint: async () => before });
    const leaves = [1, 3].map(leafOf);
    const answer = await proofsFor(behind, house.store, { leaves, from: undefined });
    expect(answer.leaves.map(({ leaf }) => leaf)).toEqual([leafOf(1)]);
    expect(answer.unknown).toEqual([]);
  });

  it('leads over the turns of years, and proves what lies in each', async () => {
    await house.commit(5);
    await mergeAll(log);
    const first = newestIn((await ask([0])).checked);
    await house.commit(2);
    house.now = newYear(2027) + 1;
    await house.commit(300);
    await mergeAll(log);
    house.now = newYear(2029) + 1;
    await house.commit(4);
    await mergeAll(log);
    const indexes = [1, 6, 7, 200, 306, 307, 310];
    const { answer, checked } = await ask(indexes, first);
    expect(answer.logs.map(({ year }) => year)).toEqual([2026, 2027, 2029]);
    expect(provenIn(checked)).toEqual(indexes.map(leafOf).sort());
    const newest = newestIn(checked);
    expect(newest).toMatchObject({ year: 2029, size: 5 });
    // What was left in a year before the one that was seen is proven by the way back.
    const back = await ask([3, 100], newest);
    expect(provenIn(back.checked)).toEqual([3, 100].map(leafOf).sort());
    expect(newestIn(back.checked)).toEqual(newest);
    expect((await ask([308], newest)).answer.logs.map(({ year }) => year)).toEqual([2029]);
  });

  it('that is an older copy is seen to have shrunk, and names what it lost', async () => {
    await house.commit(5);
    await mergeAll(log);
    const copy = { files: new Map(house.files), leaves: 5 };
    await house.commit(3);
    await mergeAll(log);
    const seen = newestIn((await ask([0])).checked);
    const other = await bench();
    try {
      await other.commit(copy.leaves);
      const older = {
        ...log,
        years: log.years,
        checkpoint: async () => Buffer.from(copy.files.get('log/2026/checkpoint') ?? []).toString(),
      };
      const leaves = [leafOf(2), leafOf(6)];
      const answer = await proofsFor(older, other.store, { leaves, from: seen });
      expect(answer.unknown).toEqual([leafOf(6)]);
      const question = { leaves: new Set(leaves), seen, origin: ORIGIN, logKeys: log.keys };
      expect(checkProofs(answer, question)).toMatchObject({ wrong: { kind: 'shrank' } });
    } finally {
      await other.close();
    }
  });

  it('of another year than was ever seen is not taken for a continuation', async () => {
    await house.commit(5);
    await mergeAll(log);
    const key = generateSigningKey(`${ORIGIN}/2030`);
    const seen = { ...newestIn((await ask([0])).checked), year: 2030 };
    const answer = await proofsFor(log, house.store, { leaves: [leafOf(0)], from: seen });
    const question = { leaves: new Set([leafOf(0)]), seen, origin: ORIGIN, logKeys: [...log.keys, key.vkey] };
    expect(checkProofs(answer, question)).toMatchObject({ wrong: { kind: 'key' } });
  });
});
