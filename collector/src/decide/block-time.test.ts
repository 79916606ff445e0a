import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockTimeMs, goOn, learn, type Pace } from './block-time.ts';

const S = 1_000;
const CONFIGURED = 12 * S;

/** Heads as `height@second`. */
function learned(...heads: readonly string[]): number {
  let pace: Pace | undefined;
  for (const head of heads) {
    const [height, second] = head.split('@').map(Number);
    pace = learn(pace, { height: height ?? 0, blockAt: (second ?? 0) * S }, CONFIGURED);
  }
  return blockTimeMs(pace, CONFIGURED);
}

describe('the block time of a chain', () => {
  it.each([
    ['is what is configured at first', [], CONFIGURED],
    ['with two steps still', ['1@0', '2@10', '3@20'], CONFIGURED],
    ['with three what was seen', ['1@0', '2@10', '3@20', '4@30'], 10 * S],
    ['moves by a tenth of what is new', ['1@0', '2@10', '3@20', '4@30', '5@50'], 11 * S],
    ['counts the blocks of a step', ['1@0', '11@100', '21@200', '31@300'], 10 * S],
    ['waits until a step is long enough for whole seconds', ['1@0', '2@3', '3@6', '4@9'], CONFIGURED],
    ['is not under a quarter', ['1@0', '101@10', '201@20', '301@30'], CONFIGURED / 4],
    ['nor over four times', ['1@0', '2@1000', '3@2000', '4@3000'], CONFIGURED * 4],
    ['begins a step anew where the head went back', ['9@90', '1@0', '2@10', '3@20', '4@30'], 10 * S],
    ['learns nothing from the same head again', ['1@0', '1@0', '1@50', '1@90'], CONFIGURED],
  ])('%s', (_, heads, ms) => {
    expect(learned(...heads)).toBe(ms);
  });

  it('is not learned from the time that a chain stood still', () => {
    const heads = [1, 2, 3, 4].map((height) => ({ height, blockAt: height * 10 * S }));
    const known = heads.reduce<Pace | undefined>((pace, head) => learn(pace, head, CONFIGURED), undefined);
    const after = goOn(known, { height: 5, blockAt: 900 * S });
    expect(blockTimeMs(after, CONFIGURED)).toBe(10 * S);
    expect(blockTimeMs(learn(after, { height: 6, blockAt: 920 * S }, CONFIGURED), CONFIGURED)).toBe(11 * S);
    expect(goOn(known, { height: 5 })).toBe(known);
    expect(goOn(undefined, { height: 5, blockAt: 0 })).toBeUndefined();
  });

  it('is not learned from blocks without a time', () => {
    const pace = learn(undefined, { height: 1, blockAt: 0 }, CONFIGURED);
    expect(learn(pace, { height: 2 }, CONFIGURED)).toBe(pace);
    expect(learn(undefined, { height: 2 }, CONFIGURED)).toBeUndefined();
  });

  it('stays within its bounds whatever heads say, also when what is configured changes', () => {
    const head = fc.record({ height: fc.nat(2 ** 40), blockAt: fc.nat(2 ** 42) });
    fc.assert(
      fc.property(fc.array(head), fc.integer({ min: 1, max: 600_000 }), (heads, configured) => {
        const pace = heads.reduce<Pace | undefined>((before, each) => learn(before, each, 12_000), undefined);
        const ms = blockTimeMs(pace, configured);
        expect(ms).toBeGreaterThanOrEqual(Math.max(1, Math.floor(configured / 4)));
        expect(ms).toBeLessThanOrEqual(configured * 4);
        expect(Number.isInteger(ms)).toBe(true);
      }),
    );
  });
});
