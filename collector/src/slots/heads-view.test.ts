import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptBlocks } from '../testing/kept-blocks.ts';
import { decodeHeads, emptyHour, encodeHeads, MAX_HEIGHT } from './heads-block.ts';
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
  return [...heights].flatMap((height, minute) => (height < 0 ? [] : [[minute, height]]));
}

test('the highest height of a minute by key', async () => {
  const changes = [
    change([line('bt=1 h=41 id=00'), line('h=42'), line('h=40', { monitor: 'rpc/a/indexer' })]),
    change([line('h=50')], { minute: MINUTE + 59 }),
    change([line('h=60')], { key: 'us-1+0011aabb+AQID' }),
  ];
  expect(await heightsOf(changes)).toEqual([
    [0, 42],
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
        const before = standing.get(`${key} ${minute}`)?.after ?? [];
        const own = change(after, { key, minute, before });
        await view.apply(kept.tx, kept.blocks, own);
        standing.set(`${key} ${minute}`, { ...own, before: [] });
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

test('an hour is read as it was written; a block that is cut is an error', () => {
  const heights = fc.array(
    fc.oneof(
      fc.constant(-1),
      fc.nat(5),
      fc.maxSafeNat().map((n) => n % MAX_HEIGHT),
    ),
    {
      minLength: 60,
      maxLength: 60,
    },
  );
  const heads = fc
    .uniqueArray(fc.constantFrom('a+1', 'b+2', 'c+3'))
    .chain((keys) =>
      fc
        .array(heights, { minLength: keys.length, maxLength: keys.length })
        .map(
          (all) => new Map(keys.map((key, i) => [key, Float64Array.from([7, ...(all[i] ?? []).slice(1)])])),
        ),
    );
  fc.assert(
    fc.property(heads, fc.nat(), (of, cut) => {
      const bytes = encodeHeads(of);
      expect(decodeHeads(bytes)).toEqual(of);
      if (bytes.length === 0) return;
      const part = bytes.subarray(0, cut % bytes.length);
      // Where a key ends, what is left out is not missed.
      if (decodable(part) === undefined) return;
      expect(encodeHeads(decodeHeads(part))).toEqual(part);
    }),
  );
});

function decodable(bytes: Uint8Array): true | undefined {
  try {
    decodeHeads(bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return undefined;
  }
}

test('an hour of a node that five probes ask takes some 400 bytes', () => {
  const keys = ['eu-1', 'us-1', 'sg-1', 'br-1', 'jp-1'].map((name) => `${name}+0011aabb`);
  const heads = keys.map((key) => [key, emptyHour().map((_, minute) => 23_000_000 + minute * 5)] as const);
  expect(encodeHeads(new Map(heads)).length).toBeLessThan(400);
});
