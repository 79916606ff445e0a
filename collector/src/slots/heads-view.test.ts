import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptBlocks } from '../testing/kept-blocks.ts';
import { decodeHeads, encodeHeads, type HourOfHeads, MAX_HEIGHT, MAX_HEIGHTS } from './heads-block.ts';
import { openHeadsView } from './heads-view.ts';
import type { LineView, MinuteChange } from './line-view.ts';
import type { SeenLine } from './lines.ts';

const HOUR = 490_000;
const MINUTE = HOUR * 60;

const line = (facts: string, over: Partial<SeenLine> = {}): SeenLine => ({
  monitor: 'rpc/a/head',
  dueAt: MINUTE * 60_000,
  outcome: 'ok',
  latencyTenths: 500,
  fault: '-',
  facts,
  ...over,
});

const change = (after: readonly SeenLine[], over: Partial<MinuteChange> = {}): MinuteChange => ({
  key: 'eu-1+0011aabb+AQID',
  region: 'eu',
  minute: MINUTE,
  before: [],
  after,
  ...over,
});

async function keptOf(changes: readonly MinuteChange[]) {
  const kept = keptBlocks();
  const view = openHeadsView();
  for (const each of changes) await view.apply(kept.tx, kept.blocks, each);
  view.close(kept.blocks);
  await kept.flush();
  return kept;
}

/** [minute of the hour, height] of one key. */
async function heightsOf(changes: readonly MinuteChange[], node = 'rpc/a', key = 'eu-1+0011aabb') {
  const kept = await keptOf(changes);
  const block = await kept.blocks.get(kept.tx, 'heads', HOUR, node);
  const heights = decodeHeads(block ?? new Uint8Array(0)).get(key) ?? [];
  return heights.flatMap((own, minute) => (own === undefined ? [] : [[minute, ...own]]));
}

test('the heights of a minute by key, the highest first', async () => {
  const changes = [
    change([line('bt=1 h=41 id=00'), line('h=42'), line('h=40', { monitor: 'rpc/a/indexer' })]),
    change([line('h=50')], { minute: MINUTE + 59 }),
    change([line('h=60')], { key: 'us-1+0011aabb+AQID' }),
  ];
  expect(await heightsOf(changes)).toEqual([
    [0, 42, 41, 40],
    [59, 50],
  ]);
  expect(await heightsOf(changes, 'rpc/a', 'us-1+0011aabb')).toEqual([[0, 60]]);
});

test.each([
  ['no height', line('bt=1 id=00')],
  ['a fact that only ends so', line('fh=7')],
  ['a failing line', line('h=7', { outcome: 'fail', fault: 'target.head.old' })],
  ['a height that no chain has', line(`h=${MAX_HEIGHT + 1}`)],
])('%s is none', async (_, seen) => {
  expect((await keptOf([change([seen])])).rows().size).toBe(0);
});

test('a height of zero is one', async () => {
  expect(await heightsOf([change([line('h=0')])])).toEqual([[0, 0]]);
});

const seenLine = fc
  .tuple(
    fc.constantFrom('rpc/a/head', 'rpc/a/indexer', 'rpc/b/head', 'chain.x/host/head'),
    fc.oneof(fc.nat(9), fc.integer({ min: 23_000_000, max: 23_000_100 }), fc.constant(MAX_HEIGHT)),
    fc.constantFrom<SeenLine['outcome']>('ok', 'degraded', 'fail'),
  )
  .map(([monitor, height, outcome]) => line(`g=00000000 h=${height}`, { monitor, outcome }));
const told = fc.array(
  fc.record({
    key: fc.constantFrom('eu-1+00000000+A', 'eu-2+00000000+A', 'us-1+00000000+A'),
    minute: fc.constantFrom(MINUTE, MINUTE + 1, MINUTE + 60, MINUTE + 300),
    after: fc.array(seenLine, { maxLength: 4 }),
    then: fc.constantFrom('go on', 'close', 'flush', 'start anew'),
  }),
  { maxLength: 12 },
);

test('in any order, with what is taken back and put in again, the bytes are those of what stands', async () => {
  await fc.assert(
    fc.asyncProperty(told, fc.integer({ min: 0, max: 6 }), async (turns, maxOpen) => {
      const kept = keptBlocks();
      let view: LineView = openHeadsView(maxOpen);
      const standing = new Map<string, MinuteChange>();
      for (const { key, minute, after, then } of turns) {
        const place = `${key} ${minute}`;
        const had = standing.get(place)?.after ?? [];
        // Some of what stood is replaced, the rest is not told of again.
        const before = had.filter((_, i) => i % 2 === 0);
        const own = change(after, { key, minute, before });
        await view.apply(kept.tx, kept.blocks, own);
        standing.set(place, { ...own, before: [], after: [...had.filter((_, i) => i % 2 === 1), ...after] });
        if (then !== 'go on') view.close(kept.blocks);
        if (then === 'flush' || then === 'start anew') await kept.flush();
        if (then === 'start anew') view = openHeadsView(maxOpen);
      }
      view.close(kept.blocks);
      await kept.flush();
      expect(kept.rows()).toEqual((await keptOf([...standing.values()].reverse())).rows());
    }),
  );
});

test('an hour is read as it was written; a block that is cut is an error, or ends with a key', () => {
  const height = fc.oneof(
    fc.nat(5),
    fc.integer({ min: 23_000_000, max: 23_000_100 }),
    fc.constant(MAX_HEIGHT),
  );
  const minute = fc.array(height, { maxLength: 9 }).map((all) => {
    const sorted = all.toSorted((a, b) => b - a);
    return sorted.length === 0 ? undefined : sorted;
  });
  const hour = fc.array(minute, { minLength: 59, maxLength: 59 }).map((all): HourOfHeads => [...all, [7]]);
  const heads = fc
    .dictionary(fc.constantFrom('a+1', 'b+2', 'c+3'), hour)
    .map((all) => new Map(Object.entries(all)));
  fc.assert(
    fc.property(heads, fc.nat(), (of, cut) => {
      const bytes = encodeHeads(of);
      const read = new Map([...decodeHeads(bytes)].map(([key, own]) => [key, Array.from(own)]));
      expect(read).toEqual(of);
      const part = bytes.subarray(0, cut % Math.max(1, bytes.length));
      if (decodable(part)) expect(encodeHeads(decodeHeads(part))).toEqual(part);
    }),
  );
});

function decodable(bytes: Uint8Array): boolean {
  try {
    decodeHeads(bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return false;
  }
}

test('an hour of a node that five probes ask takes some 400 bytes', () => {
  const keys = ['eu-1', 'us-1', 'sg-1', 'br-1', 'jp-1'].map((name) => `${name}+0011aabb`);
  const hour = Array.from({ length: 60 }, (_, minute) => [23_000_000 + minute * 5]);
  expect(encodeHeads(new Map(keys.map((key) => [key, hour]))).length).toBeLessThan(400);
});

test('of very many heights of a minute the highest stay, in whichever order they come', async () => {
  const lines = Array.from({ length: 700 }, (_, i) => line(`h=${(i * 37) % 700}`));
  const rows = (await keptOf([change(lines)])).rows();
  expect((await keptOf([change(lines.toReversed())])).rows()).toEqual(rows);
  const [[, ...heights] = []] = await heightsOf([change(lines)]);
  expect([heights.length, heights[0], heights.at(-1)]).toEqual([MAX_HEIGHTS, 699, 444]);
});
