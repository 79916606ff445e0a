import { describe, expect, it } from 'vitest';
import { judgeChain, reached } from './chain.ts';

const head = { chain: 'dev', height: 1_234, at: 60_000, nodes: 3, references: 0 };
const well = { isStalled: false, old: 0, known: 3, head, forks: {} };
const forks = { 'rpc/b': { height: 9, because: 'another block 9 than 2 of 3 nodes' } };

describe('a chain', () => {
  it.each([
    [well, 'up', 'at block 1,234'],
    [{ ...well, forks }, 'degraded', 'rpc/b has another block 9 than 2 of 3 nodes'],
    [
      { ...well, forks: { 'chain.dev/host': { height: 9, because: 'x' }, ...forks } },
      'degraded',
      'a reference has x; rpc/b has another block 9 than 2 of 3 nodes',
    ],
    [
      { ...well, isStalled: true, old: 3, forks, head: { ...head, blockAt: 61_999 } },
      'down',
      'no new block since 1970-01-01 00:01:01 UTC (1,234), say 3 of 3 heads',
    ],
    [
      { ...well, isStalled: true, old: 2, reached: { height: 1_234, at: 5_000 } },
      'down',
      'no new block since 1970-01-01 00:00:05 UTC (1,234), say 2 of 3 heads',
    ],
    [{ isStalled: false, old: 0, known: 0, forks: {} }, 'unknown', 'no head of it is known'],
  ])('%# is what it is, and says why', (facts, status, because) => {
    expect(judgeChain(facts)).toMatchObject({ status, because });
  });

  it('reaches a height once, and a lower one anew', () => {
    const first = reached(undefined, head);
    expect(first).toEqual({ height: 1_234, at: 60_000 });
    expect(reached(first, { ...head, at: 70_000 })).toBe(first);
    expect(reached(first, undefined)).toBe(first);
    expect(reached(first, { ...head, height: 1_000, at: 70_000 })).toEqual({ height: 1_000, at: 70_000 });
  });
});
