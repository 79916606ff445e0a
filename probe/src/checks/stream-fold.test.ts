import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pushed } from './chains/family.ts';
import { counted, noStream, pushed, restarted, resumed, type StreamState } from './stream-fold.ts';

/**
 * `5a` is the block a at height 5; `5a<4b` builds on 4b; `5?` has no id; `5!` is finalized; `|` is a reconnect;
 * `=5` is the node's own tip.
 */
function fold(text: string, sparse = false): StreamState {
  let state = noStream;
  for (const word of text.split(' ').filter((each) => each !== '')) {
    if (word === '|') state = resumed(state);
    else if (word.startsWith('=')) state = restarted(state, Number(word.slice(1)));
    else state = pushed(state, blockOf(word), sparse);
  }
  return state;
}

function blockOf(word: string): Pushed {
  const [own = '', parent] = word.split('<');
  const height = parseInt(own, 10);
  const name = own.replace(/^\d+/, '');
  return {
    height,
    ...(name === '!' ? { finalized: true } : {}),
    ...(/^[a-z]$/.test(name) ? { id: `${own}` } : {}),
    ...(parent === undefined ? {} : { parent }),
  };
}

function shown(state: StreamState): string {
  const { fresh, repeated, replaced, missing } = state.counts;
  return `${state.tip?.height ?? '-'} ${fresh} rep${repeated} reorg${replaced} gap${missing}`;
}

describe('what a subscriber sees', () => {
  it.each([
    ['', '- 0 rep0 reorg0 gap0'],
    ['7a', '7 1 rep0 reorg0 gap0'],
    ['1a 2a 3a', '3 3 rep0 reorg0 gap0'],
    ['1a 2a<1a 3a<2a', '3 3 rep0 reorg0 gap0'],
    // The same again.
    ['1a 2a 2a 2a', '2 2 rep2 reorg0 gap0'],
    ['1a 2a 3a 1a', '3 3 rep1 reorg0 gap0'],
    ['1? 2? 2?', '2 2 rep1 reorg0 gap0'],
    // Another one of the same height, and lower.
    ['1a 2a 2b', '2 3 rep0 reorg1 gap0'],
    ['1a 2a 3a 4a 2b 3b 4b 5b', '5 8 rep0 reorg3 gap0'],
    ['3a 4a 1b', '1 3 rep0 reorg1 gap0'],
    ['2?<1a 2?<1b', '2 2 rep0 reorg1 gap0'],
    ['2?<1a 2?<1a', '2 1 rep1 reorg0 gap0'],
    // Back to the first fork: both are seen.
    ['1a 2a 3a 2b 2a 3a', '3 6 rep0 reorg2 gap0'],
    // Replaced unseen.
    ['1a 2a<1a 3b<2b', '3 3 rep0 reorg1 gap0'],
    // Some are missing.
    ['1a 3a', '3 2 rep0 reorg0 gap1'],
    ['1a 5a 9a', '9 3 rep0 reorg0 gap6'],
    ['1a 3a 2a', '3 3 rep0 reorg0 gap0'],
    ['1a 3a<2a 2a<1a', '3 3 rep0 reorg0 gap0'],
    ['1a 3a<2a 2b<1a', '2 3 rep0 reorg1 gap1'],
    ['1a 2a | 5a 6a', '6 4 rep0 reorg0 gap0'],
    ['1a 2a | 5a 7a', '7 4 rep0 reorg0 gap1'],
    ['1a 2a | 2a 5a', '5 3 rep1 reorg0 gap0'],
    // From far above to where the chain is: what was said there is not waited for.
    ['1a 200a 2a 3a', '3 4 rep0 reorg1 gap198'],
    ['1a 200a 201a 2a<1a 3b<2a 3a<2a', '3 6 rep0 reorg2 gap198'],
    ['1a 200a 2a 200a', '200 4 rep0 reorg1 gap395'],
    ['1a 66a 2a', '66 3 rep0 reorg0 gap63'],
    ['1a 200a 1a 201a', '201 3 rep1 reorg0 gap198'],
    // Asked elsewhere, the node says that it is far below.
    ['=5 1a', '1 1 rep0 reorg0 gap0'],
    ['1a 200a =135', '135 2 rep0 reorg0 gap198'],
    ['1a 200a =136', '200 2 rep0 reorg0 gap198'],
    ['1a 200a =300', '200 2 rep0 reorg0 gap198'],
    ['1a 200a =5 8a 9a', '9 4 rep0 reorg0 gap198'],
    ['1a 200a =5 1a 200a', '200 3 rep1 reorg0 gap198'],
    // Finalized blocks are apart.
    ['1! 5a 3! 2! 6a', '6 2 rep0 reorg0 gap0'],
  ])('%s is %s', (text, expected) => {
    expect(shown(fold(text))).toBe(expected);
  });

  it.each([
    ['1a 4a 9a', '9 3 rep0 reorg0 gap0'],
    ['4a 3b 5a', '5 2 rep0 reorg0 gap0'],
    ['4? 4? 5?', '5 2 rep1 reorg0 gap0'],
    ['4a 200a 5a 6a', '6 4 rep0 reorg0 gap0'],
  ])('where heights are sparse, %s is %s', (text, expected) => {
    expect(shown(fold(text, true))).toBe(expected);
  });

  it('has the highest finalized height', () => {
    expect(fold('3! 9a 7! 5!').finalizedHeight).toBe(7);
  });

  it('starts its counts anew and keeps its place', () => {
    const told = counted(fold('1a 2a 2a 5a'));
    expect(shown(told)).toBe('5 0 rep0 reorg0 gap0');
    expect(shown(pushed(told, blockOf('6a'), false))).toBe('6 1 rep0 reorg0 gap0');
  });

  const chain = (length: number): Pushed[] =>
    Array.from({ length }, (_, i) => ({ height: 100 + i, id: `${100 + i}a`, parent: `${99 + i}a` }));

  it('of one chain in any order nothing is replaced, and what is missing in the end is what was not pushed', () => {
    const order = fc.integer({ min: 2, max: 40 }).chain((length) =>
      fc.record({
        length: fc.constant(length),
        rest: fc.shuffledSubarray(chain(length).slice(1)),
      }),
    );
    fc.assert(
      fc.property(order, ({ length, rest }) => {
        const [first] = chain(length);
        const blocks = [...(first ? [first] : []), ...rest];
        const { counts, tip } = blocks.reduce((state, block) => pushed(state, block, false), noStream);
        const top = Math.max(...blocks.map(({ height }) => height));
        expect(counts).toEqual({
          fresh: blocks.length,
          repeated: 0,
          replaced: 0,
          missing: top - 100 + 1 - blocks.length,
        });
        expect(tip?.height).toBe(top);
      }),
    );
  });

  it('every block is new or repeated, and what is kept is bounded and sorted', () => {
    const any = fc.record({ height: fc.nat(200), id: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 300 }), fc.boolean(), (blocks, sparse) => {
        const state = blocks.reduce((before: StreamState, block) => pushed(before, block, sparse), noStream);
        const heights = state.recent.map(({ height }) => height);
        expect(heights).toEqual([...new Set(heights)].sort((a, b) => a - b));
        expect(heights.length).toBeLessThanOrEqual(64);
        const { fresh, repeated, replaced } = state.counts;
        if (sparse) expect(replaced).toBe(0);
        else expect(fresh + repeated).toBe(blocks.length);
      }),
    );
  });
});
