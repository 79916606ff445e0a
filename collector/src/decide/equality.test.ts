import { describe, expect, it } from 'vitest';
import { compareReplies, type SeenReplies } from './equality.ts';

/** `a p=x@5 q=y`: a node, and for one method its results by parameters, each received at a second. */
function seen(...rows: readonly string[]): SeenReplies[] {
  return rows.map((row, i) => {
    const [node = '', ...replies] = row.split(' ');
    const parsed = replies.map((reply) => {
      const [, params = '', result = '', at = '9'] = /^(\w+)=(\w+)(?:@(\d+))?$/.exec(reply) ?? [];
      return { params, result, receivedAt: Number(at) * 1_000 };
    });
    return { node, probe: `p${i}`, replies: { get: parsed } };
  });
}

function told(...rows: readonly string[]): string[] {
  const words = compareReplies('calls', seen(...rows), 5_000, 10_000);
  return [...words].map(([node, { differs, disagree }]) => `${node}! ${differs ?? ''}${disagree ?? ''}`);
}

const among = (node: string, nodes: number) =>
  `${node}! calls: get differs among ${nodes} nodes, and none can tell which is wrong`;

describe('results of one question', () => {
  it.each([
    ['that are equal are no news', ['a p=x', 'b p=x', 'c p=x'], []],
    ['of one against two', ['a p=x', 'b p=x', 'c p=y'], ['c! calls: get differs from 2 of 3 nodes']],
    ['of two nodes blame nobody', ['a p=x', 'b p=y'], [among('a', 2), among('b', 2)]],
    [
      'of four in halves neither',
      ['a p=x', 'b p=x', 'c p=y', 'd p=y'],
      ['a', 'b', 'c', 'd'].map((n) => among(n, 4)),
    ],
    ['of three that all differ', ['a p=x', 'b p=y', 'c p=z'], ['a', 'b', 'c'].map((n) => among(n, 3))],
    ['to different questions are not compared', ['a p=x', 'b q=y', 'c r=z'], []],
    ['are compared where most were asked the same', ['a p=x q=y', 'b p=x', 'c p=x q=z'], []],
    ['that are stale say nothing', ['a p=x', 'b p=x', 'c p=y@5'], []],
    ['of one probe of three accuse nobody', ['a p=x', 'b p=x', 'c p=x', 'c p=x', 'c p=y'], []],
  ])('%s', (_, rows, words) => {
    expect(told(...rows)).toEqual(words);
  });
});
