import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forks, type ForkWord, type SeenBlocks } from './fork.ts';

/** `a 10=x 20=y`: a node and its checkpoints; a second probe of it as another row. */
function seen(...rows: readonly string[]): SeenBlocks[] {
  return rows.map((row, i) => {
    const [node = '', ...blocks] = row.split(' ');
    return {
      node,
      probe: `p${i}`,
      blocks: blocks.map((block) => {
        const [height = '', id = ''] = block.split('=');
        return { height: Number(height), id };
      }),
    };
  });
}

const told = (words: Readonly<Record<string, ForkWord>>): string[] =>
  Object.entries(words)
    .map(([node, { because }]) => `${node}: ${because}`)
    .sort();

const from = 'another block 10 than';

describe('a fork', () => {
  it.each([
    ['is none where all agree', ['a 10=x', 'b 10=x', 'c 10=x'], []],
    ['is told of the minority', ['a 10=x', 'b 10=x', 'c 10=y'], [`c: ${from} 2 of 3 nodes`]],
    [
      'is told of all sides without a majority',
      ['a 10=x', 'b 10=y'],
      ['a', 'b'].map((n) => `${n}: ${from} 1 other node`),
    ],
    [
      'also of four in halves',
      ['a 10=x', 'b 10=x', 'c 10=y', 'd 10=y'],
      ['a', 'b', 'c', 'd'].map((n) => `${n}: ${from} 2 other nodes`),
    ],
    ['waits for a third that may decide', ['a 10=x', 'b 9=w 10=y', 'c 9=w'], []],
    [
      'is seen at an older height when the newest is not shared yet',
      ['a 9=w 10=x', 'b 9=w', 'c 9=v'],
      ['c: another block 9 than 2 of 3 nodes'],
    ],
    ['is over at the newest height that decides', ['a 9=w 10=x', 'b 9=w 10=x', 'c 9=v 10=x'], []],
    ['needs no third report once two agree', ['a 10=x', 'b 10=x', 'c 9=w'], []],
    [
      'is not raised by one probe of a node against two',
      ['a 10=x', 'b 10=x', 'c 10=x', 'c 10=x', 'c 10=y'],
      [],
    ],
    ['nor by one of two', ['a 10=x', 'b 10=x', 'c 10=x', 'c 10=y'], []],
    ['has nothing to compare of one node', ['a 10=x'], []],
    [
      'does not count nodes that report none',
      ['a 10=x', 'b 10=y', 'c'],
      ['a', 'b'].map((n) => `${n}: ${from} 1 other node`),
    ],
  ])('%s', (_, rows, words) => {
    expect(told(forks(seen(...rows), {}))).toEqual(words);
  });

  it('is not between nodes of different chains', () => {
    const of = (node: string, probe: string, genesis: string, id: string): SeenBlocks => ({
      node,
      probe,
      blocks: [{ height: 10, id, genesis }],
    });
    expect(forks([of('a', 'p', 'aa', 'x'), of('b', 'p', 'bb', 'y')], {})).toEqual({});
    // A node is of the chain that most of its probes say.
    const mixed = [of('b', 'p', 'bb', 'y'), of('b', 'q', 'aa', 'x'), of('b', 'r', 'aa', 'x')];
    expect(Object.keys(forks([of('a', 'p', 'aa', 'x'), ...mixed], {}))).toEqual([]);
    expect(Object.keys(forks([of('a', 'p', 'bb', 'x'), ...mixed], {}))).toEqual([]);
  });

  const before = { c: { height: 10, because: 'another block 10 than 2 of 3 nodes' } };
  it.each([
    ['keeps its word while nothing can be compared', ['a 20=x', 'c 10=y'], ['c']],
    ['while the node is not heard', ['a 20=x', 'b 20=x'], ['c']],
    ['at an older height where it was right', ['a 9=w', 'b 9=w', 'c 9=w'], ['c']],
    ['until it is right at a newer height', ['a 20=x', 'b 20=x', 'c 20=x'], []],
    ['and not while it is wrong there too', ['a 20=x', 'b 20=x', 'c 20=y'], ['c']],
  ])('%s', (_, rows, forked) => {
    expect(Object.keys(forks(seen(...rows), before))).toEqual(forked);
  });

  const reports = fc.array(
    fc.record({
      node: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      probe: fc.constantFrom('p', 'q', 'r'),
      blocks: fc.array(fc.record({ height: fc.integer({ min: 1, max: 4 }), id: fc.constantFrom('x', 'y') }), {
        maxLength: 3,
      }),
    }),
    { maxLength: 12 },
  );

  it('does not depend on the order of reports, and blames no node that has the block of a majority everywhere', () => {
    fc.assert(
      fc.property(reports, (list) => {
        const words = forks(list, {});
        expect(forks([...list].reverse(), {})).toEqual(words);
        for (const { height } of Object.values(words))
          expect(list.some(({ blocks }) => blocks.some((b) => b.height === height))).toBe(true);
      }),
    );
  });

  it('is put on no honest node by a minority of liars', () => {
    const lie = fc.array(fc.record({ height: fc.constantFrom(10, 20), id: fc.constantFrom('x', 'y', 'z') }), {
      maxLength: 2,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(lie, { maxLength: 5 }), (honest, lies) => {
        fc.pre(lies.length < honest);
        const good = seen(...Array.from({ length: honest }, (_, i) => `honest${i} 10=x 20=x`));
        const bad = lies.map((blocks, i) => ({ node: `liar${i}`, probe: 'p', blocks }));
        expect(Object.keys(forks([...good, ...bad], {})).filter((node) => node.startsWith('honest'))).toEqual(
          [],
        );
      }),
    );
  });
});
