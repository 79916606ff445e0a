import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreeHead, sampleOf, standing, standings, tipsOf } from './head.ts';
import { answerOf } from './testing.ts';
import type { ChainPolicy, HeadSample } from './types.ts';

const chain: ChainPolicy = { name: 'dev', blockTimeMs: 1_000, maxLagBlocks: 5 };

function sample(node: string, height: number, over: Partial<HeadSample> = {}): HeadSample {
  const monitor = `${node}/head`;
  return { monitor, node, probe: 'p1', genesis: 'aa', height, at: 0, freshUntil: 60_000, ...over };
}

/** The heads that samples agree on. */
const agreed = (samples: readonly HeadSample[], now: number) => agreeHead(chain, tipsOf(chain, samples, now));

const nodes = (...heights: number[]) => heights.map((height, i) => sample(`rpc/n${i + 1}`, height));

describe('the agreed head', () => {
  it.each([
    ['one node has it alone', [100], 100],
    ['of two the lower', [100, 90], 90],
    ['of three the middle', [100, 90, 80], 90],
    ['of four the second lowest', [100, 90, 80, 70], 80],
    ['of five the middle', [1_000_000, 101, 100, 99, 1], 100],
  ])('%s', (_, heights, height) => {
    expect(agreed(nodes(...heights), 0)).toEqual([
      { chain: 'dev', height, at: 0, nodes: heights.length, references: 0, genesis: 'aa' },
    ]);
  });

  it('is one for each genesis, the larger group first', () => {
    const other = [
      sample('eth/a', 7, { genesis: '00' }),
      sample('eth/b', 8, { genesis: 'bb' }),
      sample('eth/c', 9, { genesis: 'bb' }),
    ];
    expect(agreed([...nodes(100, 90, 80), ...other], 0)).toMatchObject([
      { genesis: 'aa', height: 90, nodes: 3 },
      { genesis: 'bb', height: 8, nodes: 2 },
      { genesis: '00', height: 7, nodes: 1 },
    ]);
  });

  it('counts a node that refuses block 0 with those that most are of', () => {
    const { genesis: _, ...shy } = sample('rpc/n3', 1);
    const { heads, byNode } = standings(
      chain,
      [...nodes(100, 100), shy, sample('eth/a', 5, { genesis: 'bb' })],
      0,
    );
    expect(heads).toMatchObject([{ genesis: 'aa', height: 100, nodes: 3 }, { genesis: 'bb' }]);
    expect(byNode.get('rpc/n3')).toMatchObject({ verdict: 'behind', lagBlocks: 99 });
  });

  it('forgets stale samples', () => {
    const stale = nodes(1_000, 1_000).map((s) => ({ ...s, freshUntil: 10_000 }));
    const fresh = [sample('rpc/n3', 90, { at: 9_000 })];
    expect(agreed([...stale, ...fresh], 10_000)).toMatchObject([{ height: 90, nodes: 1 }]);
    expect(agreed(stale, 10_000)).toEqual([]);
  });

  it('compares heights along the block time: a report of 20 s ago is not 20 blocks behind', () => {
    const spread = [
      sample('rpc/n1', 80, { at: 0 }),
      sample('rpc/n2', 90, { at: 10_000 }),
      sample('rpc/n3', 100, { at: 20_000 }),
    ];
    const { byNode } = standings(chain, spread, 20_000);
    expect([...byNode.values()].map((s) => [s.verdict, s.lagBlocks])).toEqual([
      ['level', 0],
      ['level', 0],
      ['level', 0],
    ]);
  });

  it('is no block of long ago: of reports at one place of the line it is the newest', () => {
    const moving = [
      sample('chain.dev/elsewhere', 70, { at: 0 }),
      sample('rpc/n1', 99, { at: 29_600 }),
      sample('rpc/n2', 100, { at: 29_700 }),
    ];
    expect(agreed(moving, 30_000)).toMatchObject([{ height: 99, at: 29_600 }]);
    // It would hide for as long as it is fresh that one stands still since the other's report.
    const held = sample('rpc/n3', 80, { at: 29_900 });
    const liar = sample('rpc/n4', 1_100, { at: 29_900 });
    const { byNode } = standings(chain, [...moving, held, liar], 30_000);
    expect([...byNode].map(([node, { verdict, lagBlocks }]) => `${node} ${verdict} ${lagBlocks}`)).toEqual([
      'chain.dev/elsewhere level 0',
      'rpc/n1 level 0',
      'rpc/n2 level 0',
      'rpc/n3 behind 19',
      'rpc/n4 ahead -1000',
    ]);
  });

  it('sees no lag in a chain that stands still, however far apart the samples are', () => {
    const still = [
      sample('rpc/n1', 100, { at: 0 }),
      sample('rpc/n2', 100, { at: 25_000 }),
      sample('rpc/n3', 100, { at: 50_000 }),
    ];
    for (const { verdict, lagBlocks } of standings(chain, still, 50_000).byNode.values()) {
      expect([verdict, lagBlocks]).toEqual(['level', 0]);
    }
  });
});

describe('the tip of a node', () => {
  it('is what most of its probes say: one probe alone moves nothing', () => {
    const probes = [100, 101, 9_999].map((height, i) => sample('rpc/a', height, { probe: `p${i}` }));
    expect(tipsOf(chain, probes, 0)).toMatchObject([{ node: 'rpc/a', height: 101 }]);
  });

  it('has the genesis that most of its probes say, and of equals the newest', () => {
    const old = sample('rpc/a', 10, { probe: 'p1', genesis: 'aa', at: 1 });
    const newer = sample('rpc/a', 20, { probe: 'p2', genesis: 'bb', at: 2 });
    expect(tipsOf(chain, [old, newer], 0)).toMatchObject([{ genesis: 'bb' }]);
    expect(tipsOf(chain, [old, newer, { ...old, probe: 'p3' }], 0)).toMatchObject([{ genesis: 'aa' }]);
  });
});

describe('a sample', () => {
  const answer = answerOf('ok', 10_000, {
    height: 7,
    genesis: 'aa',
    latencyTenths: 2_345,
    receivedAt: 11_000,
  });
  it('is of the time when the node answered', () => {
    expect(sampleOf(answer, 30_000)).toEqual({
      monitor: 'rpc/a/head',
      node: 'rpc/a',
      probe: 'eu-1',
      genesis: 'aa',
      height: 7,
      at: 10_235,
      freshUntil: 41_000,
    });
  });
  it('is never of a time after its receipt', () => {
    expect(sampleOf({ ...answer, dueAt: 99_000 }, 30_000)?.at).toBe(11_000);
  });
  it('is not taken from a failing answer or from one without a height', () => {
    expect(sampleOf({ ...answer, outcome: 'fail' }, 30_000)).toBeUndefined();
    expect(sampleOf(answerOf('ok', 0), 30_000)).toBeUndefined();
  });
});

describe('the standing of a node', () => {
  const head = { chain: 'dev', height: 10_000, at: 0, nodes: 3, references: 0, genesis: 'aa' };
  const tipAt = (height: number, over = {}) => ({
    monitor: 'rpc/a/head',
    node: 'rpc/a',
    height,
    at: 0,
    genesis: 'aa',
    ...over,
  });
  const at = (height: number, over = {}) => standing(chain, { ...head, ...over }, tipAt(height));

  it.each([
    [10_000, 'level', 'at the height that 2 of 3 nodes agree on, 10,000'],
    [9_995, 'level', 'at the height that 2 of 3 nodes agree on, 10,000'],
    [9_994, 'behind', '6 blocks behind the height that 2 of 3 nodes agree on'],
    [10_010, 'level', 'at the height that 2 of 3 nodes agree on, 10,000'],
    [10_011, 'ahead', '11 blocks ahead of the height that 2 of 3 nodes agree on'],
    [11_000, 'ahead', '1,000 blocks ahead of the height that 2 of 3 nodes agree on'],
  ])('at %i is %s', (height, verdict, because) => {
    expect(at(height)).toMatchObject({ verdict, because });
  });

  it('is level when the heights and the times disagree on which of the two is ahead', () => {
    const later = tipAt(10_012, { at: 30_000 });
    expect(standing(chain, head, later)).toMatchObject({ verdict: 'level', lagBlocks: 0 });
  });

  it.each([1, 2])('among %i is judged by age alone, and says so', (count) => {
    const alone = at(1, { nodes: count });
    expect(alone.verdict).toBe('level');
    expect(alone.because).toMatch(/^only \d nodes? of this chain: its head is judged by its age alone$/);
  });

  it.each([
    ['behind', 9_997, 'behind'],
    ['behind', 9_998, 'level'],
    ['ahead', 10_006, 'ahead'],
    ['ahead', 10_005, 'level'],
  ] as const)('once %s, at %i is %s', (before, height, verdict) => {
    expect(standing(chain, head, tipAt(height), { before }).verdict).toBe(verdict);
  });
});

/** Anywhere, or within the blocks of half a minute, where it is hardest to tell who is where. */
const height = fc.oneof(fc.integer({ min: 1_000, max: 1_030 }), fc.integer({ min: 0, max: 2 ** 40 }));
const report = fc.record({ height, at: fc.integer({ min: 0, max: 30_000 }) });
const reports = fc.array(report, { minLength: 1, maxLength: 9 });
const samplesOf = (list: readonly { height: number; at: number }[]) =>
  list.map(({ height, at }, i) => sample(`rpc/n${i}`, height, { at }));

describe('any agreed head', () => {
  it('does not depend on the order of the samples', () => {
    fc.assert(
      fc.property(reports, (list) => {
        const samples = samplesOf(list);
        expect(agreed([...samples].reverse(), 30_000)).toEqual(agreed(samples, 30_000));
      }),
    );
  });

  it('is never ahead of what a strict majority has, and a majority is never a block ahead of it', () => {
    fc.assert(
      fc.property(reports, (list) => {
        const samples = samplesOf(list);
        const [head] = agreed(samples, 30_000);
        const line = (s: { height: number; at: number }) => s.height * chain.blockTimeMs - s.at;
        const has = samples.filter((s) => head !== undefined && line(s) >= line(head)).length;
        const beyond = samples.filter(
          (s) => head !== undefined && line(s) >= line(head) + chain.blockTimeMs,
        ).length;
        expect(has).toBeGreaterThan(samples.length / 2);
        expect(beyond).toBeLessThanOrEqual(samples.length / 2);
      }),
    );
  });

  it('is moved by no minority of liars to a block or more outside of what the honest ones report', () => {
    fc.assert(
      fc.property(reports, fc.array(report, { maxLength: 4 }), (list, lies) => {
        const honest = samplesOf(list);
        const liars = lies.map(({ height, at }, i) => sample(`liar/n${i}`, height, { at }));
        fc.pre(liars.length < honest.length);
        const line = (s: { height: number; at: number }) => s.height * chain.blockTimeMs - s.at;
        const [head] = agreed([...honest, ...liars], 30_000);
        const lines = honest.map(line);
        expect(head && line(head)).toBeGreaterThan(Math.min(...lines) - chain.blockTimeMs);
        expect(head && line(head)).toBeLessThanOrEqual(Math.max(...lines));
      }),
    );
  });

  it('is where it would be without them, or between two of the honest, whatever a minority says and when', () => {
    const lie = fc.record({
      height: fc.integer({ min: 0, max: 2 ** 40 }),
      at: fc.integer({ min: 0, max: 30_000 }),
      isOld: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(lie, { maxLength: 8 }), (honest, lies) => {
        fc.pre(lies.length < honest);
        // The honest are at one block: then nothing is between them.
        const good = nodes(...Array.from({ length: honest }, () => 500));
        const bad = lies.map(({ height, at, isOld }, i) =>
          sample(`liar/n${i}`, height, { at, ...(isOld && { isOld }) }),
        );
        const [head] = agreed([...good, ...bad], 30_000);
        expect([head?.height, head?.at]).toEqual([500, 0]);
      }),
    );
  });
});

describe('old heads', () => {
  const old = (node: string, height: number) => sample(node, height, { isOld: true });

  it('are asked while they are a minority: one that stopped is behind, and the others are still three', () => {
    const { heads, byNode } = standings(chain, [...nodes(100, 100), old('rpc/n3', 50)], 0);
    expect(heads).toMatchObject([{ height: 100, nodes: 3 }]);
    expect(byNode.get('rpc/n3')).toMatchObject({ verdict: 'behind', lagBlocks: 50, lagMs: 50_000 });
  });

  it('do not make those suspect that go on when most have stopped', () => {
    const samples = [...nodes(100), old('rpc/n2', 50), old('rpc/n3', 50)];
    const { heads, byNode } = standings(chain, samples, 0);
    expect(heads).toMatchObject([{ height: 100, nodes: 1 }]);
    expect([...byNode.values()].map(({ verdict }) => verdict)).toEqual(['level', 'level', 'level']);
  });

  it('are the head of a chain that stands still, to which nobody is behind or ahead', () => {
    const samples = [...nodes(100), old('rpc/n2', 50), old('rpc/n3', 50)];
    const { heads, byNode } = standings(chain, samples, 0, { isStalled: true });
    expect(heads).toMatchObject([{ height: 50, nodes: 3 }]);
    expect(new Set([...byNode.values()].map(({ because }) => because))).toEqual(
      new Set(['its chain stands still']),
    );
  });

  it('are what is known when there are no others', () => {
    expect(agreed([old('rpc/n1', 7)], 0)).toMatchObject([{ height: 7, nodes: 1 }]);
  });

  it('come from answers that fail by age', () => {
    const answer = answerOf('fail', 0, {
      height: 7,
      fault: 'target.head.old',
      blockAt: 5,
      finalizedHeight: 3,
    });
    expect(sampleOf(answer, 1_000, 9)).toMatchObject({
      isOld: true,
      blockAt: 5,
      finalizedHeight: 3,
      maxLagBlocks: 9,
    });
  });
});

describe('references', () => {
  const reference = (host: string, height: number) => sample(`chain.dev/${host}`, height);

  it('make three of one node, and are said', () => {
    const { heads, byNode } = standings(chain, [...nodes(90), reference('x', 100), reference('y', 100)], 0);
    expect(heads).toMatchObject([{ height: 100, nodes: 3, references: 2 }]);
    expect(byNode.get('rpc/n1')).toMatchObject({
      verdict: 'behind',
      because: '10 blocks behind the height that 2 of 3 nodes and references agree on',
    });
  });

  it('are not enough when there is one', () => {
    const { byNode } = standings(chain, [...nodes(90), reference('x', 100)], 0);
    expect(byNode.get('rpc/n1')?.because).toBe(
      'only 1 node and 1 reference of this chain: its head is judged by its age alone',
    );
  });
});

describe('a node with two head checks', () => {
  const indexer = (height: number, maxLagBlocks = 20) =>
    sample('rpc/n1', height, { monitor: 'rpc/n1/indexer', maxLagBlocks });

  it('has the further one as its word, and each is held to its own limit', () => {
    const near = standings(chain, [...nodes(100, 100, 100), indexer(85)], 0);
    expect(near.heads).toMatchObject([{ height: 100, nodes: 3 }]);
    expect(near.byNode.get('rpc/n1')).toMatchObject({ verdict: 'level', lagBlocks: 15 });
    const far = standings(chain, [...nodes(100, 100, 100), indexer(79)], 0);
    expect(far.byNode.get('rpc/n1')).toMatchObject({ verdict: 'behind', height: 79 });
  });
});

it('the time of a head is the middle of what those at it say', () => {
  const times = [5_000, 1_000, 9_000_000].map((blockAt, i) => sample(`rpc/n${i}`, 100, { blockAt }));
  expect(agreed(times, 0)).toMatchObject([{ blockAt: 5_000 }]);
});
