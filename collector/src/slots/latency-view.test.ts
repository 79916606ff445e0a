import type { Outcome } from '@highwater/config/domain.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptBlocks } from '../testing/kept-blocks.ts';
import { ALL, checkSeries, decodeLatency, encodeLatency } from './latency-block.ts';
import { countOf, emptySketch } from './latency-sketch.ts';
import { openLatencyView } from './latency-view.ts';
import type { LineView, MinuteChange } from './line-view.ts';
import type { SeenLine } from './lines.ts';
import { MAX_METHODS } from './said-methods.ts';

const HOUR = 490_000;
const MINUTE = HOUR * 60;

const line = (over: Partial<SeenLine> = {}): SeenLine => ({
  monitor: 'rpc/a/calls',
  dueAt: MINUTE * 60_000,
  outcome: 'ok',
  latencyTenths: 500,
  fault: '-',
  facts: '',
  ...over,
});

const change = (after: readonly SeenLine[], over: Partial<MinuteChange> = {}): MinuteChange => ({
  key: 'eu-1',
  region: 'eu',
  minute: MINUTE,
  before: [],
  after,
  ...over,
});

/** The rows that remain, as text, when these changes have come. */
async function rowsOf(changes: readonly MinuteChange[]): Promise<ReadonlyMap<string, string>> {
  const kept = keptBlocks();
  const view = openLatencyView();
  for (const each of changes) await view.apply(kept.tx, kept.blocks, each);
  view.close(kept.blocks);
  await kept.flush();
  return kept.rows();
}

async function seriesOf(changes: readonly MinuteChange[], view: string, subject: string) {
  const kept = keptBlocks();
  const latency = openLatencyView();
  for (const each of changes) await latency.apply(kept.tx, kept.blocks, each);
  latency.close(kept.blocks);
  const period = view === 'latency' ? HOUR : Math.floor(HOUR / 24);
  const block = await kept.blocks.get(kept.tx, view as 'latency', period, subject);
  return decodeLatency(block ?? new Uint8Array(0));
}

const counted = (sketch = emptySketch): number => countOf(sketch);

test('answers are counted by service and node in their region, and by day over all regions', async () => {
  const changes = [
    change([line(), line({ monitor: 'rpc/b/calls', latencyTenths: 900, outcome: 'degraded' })]),
    change([line()], { key: 'us-1', region: 'us' }),
    change([line({ outcome: 'fail', fault: 'target.tcp.refused' })], { minute: MINUTE + 1 }),
    change([line({ outcome: 'skipped', fault: 'probe.schedule.late' })], { minute: MINUTE + 2 }),
  ];
  expect(counted((await seriesOf(changes, 'latency', 'rpc eu')).get(ALL)?.sketch)).toBe(2);
  expect(counted((await seriesOf(changes, 'latency', 'rpc/a eu')).get(ALL)?.sketch)).toBe(1);
  expect(counted((await seriesOf(changes, 'latency', 'rpc/b us')).get(ALL)?.sketch)).toBe(0);
  expect(counted((await seriesOf(changes, 'latency-days', 'rpc/a')).get(ALL)?.sketch)).toBe(2);
});

test('times and faults of methods: of the service by method, of a node by check too', async () => {
  const facts = 'e.x=00000000.00000000 m.call=1000 m.get=target.rpc.error sc=200';
  const changes = [
    change([line({ facts }), line({ monitor: 'rpc/a/more', facts: 'm.call=2000' })]),
    change([line({ outcome: 'fail', fault: 'target.rpc.error', facts: 'm.get=target.rpc.error p=1' })], {
      minute: MINUTE + 1,
    }),
  ];
  const service = await seriesOf(changes, 'latency', 'rpc eu');
  expect([...service.keys()]).toEqual([ALL, 'call', 'get']);
  expect(counted(service.get('call')?.sketch)).toBe(2);
  expect(service.get('get')?.faults).toEqual(new Map([['target.rpc.error', 2]]));
  const node = await seriesOf(changes, 'latency', 'rpc/a eu');
  expect([...node.keys()]).toEqual([ALL, checkSeries('calls', 'call'), 'calls get', 'more call']);
});

test.each([
  ["the probe's own fault", line({ facts: 'm.call=probe.loop.late' })],
  [
    "a line of the probe's own trouble",
    line({ outcome: 'fail', fault: 'probe.loop.late', facts: 'm.call=7' }),
  ],
  ['a skipped line', line({ outcome: 'skipped', fault: 'probe.schedule.late', facts: 'm.call=7' })],
  ['a fact that only ends so', line({ facts: 'bm.call=7' })],
])('%s says nothing of methods', async (_, seen) => {
  expect([...(await seriesOf([change([seen])], 'latency', 'rpc eu')).keys()]).not.toContain('call');
});

test('of a line the methods that a check can have, by name', async () => {
  const facts = Array.from({ length: 40 }, (_, i) => `m.x${100 + i}=5`).join(' ');
  const some = await seriesOf([change([line({ facts })])], 'latency', 'rpc eu');
  expect([...some.keys()].length).toBe(1 + MAX_METHODS);
  expect([...some.keys()].at(-1)).toBe('x115');
});

test('of made-up methods the first by name stay, in whichever order they come', async () => {
  const changes = Array.from({ length: 40 }, (_, i) => {
    const facts = Array.from({ length: 16 }, (__, j) => `m.x${1_000 + ((i * 7) % 40) * 10 + j}=${i}`);
    return change([line({ facts: facts.join(' ') })], { minute: MINUTE + i });
  });
  const rows = await rowsOf(changes);
  expect(await rowsOf(changes.toReversed())).toEqual(rows);
  const names = [...(await seriesOf(changes, 'latency', 'rpc eu')).keys()];
  expect([names.length, names.at(-1)]).toEqual([257, 'x1255']);
});

const outcome = fc.constantFrom<Outcome>('ok', 'ok', 'degraded', 'fail', 'skipped');
const facts = fc
  .uniqueArray(fc.constantFrom('a', 'b', '__proto__', ...Array.from({ length: 20 }, (_, i) => `z${i}`)), {
    maxLength: 20,
  })
  .chain((ids) =>
    fc
      .array(fc.constantFrom('7', '90', '4294967295', 'target.rpc.error'), {
        minLength: ids.length,
        maxLength: ids.length,
      })
      .map((values) =>
        ids
          .sort()
          .map((id, i) => `m.${id}=${values[i]}`)
          .join(' '),
      ),
  );
const seenLine = fc
  .record({
    monitor: fc.constantFrom('rpc/a/calls', 'rpc/a/more', 'rpc/b/calls', 'chain.x/host/head'),
    dueAt: fc.nat(),
    outcome,
    latencyTenths: fc.nat(100_000),
    facts,
  })
  .map((own) => line({ ...own, fault: own.outcome === 'fail' ? 'target.tcp.refused' : '-' }));
/** What two probes of one region and one of another say of four minutes in three hours and two days, in turns. */
const told = fc.array(
  fc.record({
    key: fc.constantFrom('eu-1', 'eu-2', 'us-1'),
    minute: fc.constantFrom(MINUTE, MINUTE + 1, MINUTE + 60, MINUTE + 1_440),
    after: fc.array(seenLine, { maxLength: 4 }),
    then: fc.constantFrom('go on', 'close', 'flush', 'start anew'),
  }),
  { maxLength: 12 },
);

test('in any order, with what is taken back and put in again, the bytes are those of what stands', async () => {
  await fc.assert(
    fc.asyncProperty(told, fc.integer({ min: 0, max: 60 }), async (turns, maxOpen) => {
      const kept = keptBlocks();
      let view: LineView = openLatencyView(maxOpen);
      const standing = new Map<string, MinuteChange>();
      for (const { key, minute, after, then } of turns) {
        const place = `${key} ${minute}`;
        const own = change(after, {
          key,
          region: key.slice(0, 2),
          minute,
          before: standing.get(place)?.after ?? [],
        });
        await view.apply(kept.tx, kept.blocks, own);
        standing.set(place, { ...own, before: [] });
        if (then !== 'go on') view.close(kept.blocks);
        if (then === 'flush' || then === 'start anew') await kept.flush();
        if (then === 'start anew') view = openLatencyView(maxOpen);
      }
      view.close(kept.blocks);
      await kept.flush();
      expect(kept.rows()).toEqual(await rowsOf([...standing.values()].reverse()));
    }),
  );
});

test('blocks are read as they were written, and nothing else is read', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', ' '), minLength: 1, maxLength: 8 });
  const sketch = fc.uint8Array({ minLength: 1, maxLength: 5 });
  const faults = fc.array(fc.tuple(text, fc.integer({ min: 1, max: 1e9 }))).map((all) => new Map(all));
  const series = fc.array(fc.tuple(text, fc.record({ sketch, faults }))).map((all) => new Map(all));
  fc.assert(
    fc.property(series, fc.nat(), (block, cut) => {
      const bytes = encodeLatency(block);
      expect(decodeLatency(bytes)).toEqual(block);
      expect(encodeLatency(new Map([...block].reverse()))).toEqual(bytes);
      if (bytes.length === 0) return;
      const part = bytes.subarray(0, cut % bytes.length);
      try {
        expect(encodeLatency(decodeLatency(part))).toEqual(part);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
