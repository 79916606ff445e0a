import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultError } from '@highwater/config/kinds.ts';
import { fakeAsk } from '../../../testing/fake-ask.ts';
import { hash } from '../../../testing/rpc.ts';
import type { Json } from '../json.ts';
import { readHash, readHealth, readHeight, readMoment } from './substrate-read.ts';
import { substrate } from './substrate.ts';

function moment(at: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(at));
  return `0x${bytes.toString('hex')}`;
}

describe('values', () => {
  it.each([
    ['0x0', 0],
    ['0x1A2b', 6_699],
    ['0x00000001', 1],
    ['0x001fffffffffffff', Number.MAX_SAFE_INTEGER],
  ])('%s is the height %i', (text, height) => {
    expect(readHeight(text, 'it')).toBe(height);
  });
  it.each<Json>([
    '',
    '0x',
    '1',
    1,
    null,
    '0xg',
    '-0x1',
    ' 0x1',
    '0x20000000000000',
    `0x${'0'.repeat(17)}`,
    2n ** 60n,
  ])('%s is no height', (value) => {
    expect(() => readHeight(value, 'it')).toThrow('target.rpc.result');
  });

  it.each([
    ['0xb14e54fca1010000', 1_795_234_746_033],
    ['0x0000000000000000', 0],
    [moment(8_640_000_000_000_000), 8_640_000_000_000_000],
  ])('%s is the moment %i', (text, at) => {
    expect(readMoment(text, 'it')).toBe(at);
  });
  it.each<Json>([
    '0x',
    '0xb14e54fca10100',
    '0xb14e54fca101000000',
    'b14e54fca1010000',
    `0x${'f'.repeat(16)}`,
    0,
    null,
  ])('%s is no moment', (value) => {
    expect(() => readMoment(value, 'it')).toThrow('target.rpc.result');
  });

  it.each<Json>([hash('a').slice(0, -1), `${hash('a')}a`, 'a'.repeat(66), null, {}, [hash('a')]])(
    '%j is no hash',
    (value) => {
      expect(() => readHash(value, 'it')).toThrow('target.rpc.result');
    },
  );

  it.each<[Json, object]>([
    [
      { peers: 3, isSyncing: true, shouldHavePeers: false, more: 1 },
      { peers: 3, isSyncing: true, shouldHavePeers: false },
    ],
    [{ peers: -1, isSyncing: 1, shouldHavePeers: 'yes' }, {}],
    [{ peers: 1.5 }, {}],
    [{ peers: '3' }, {}],
    [null, {}],
    [[], {}],
  ])('%j is health', (said, health) => {
    expect(readHealth(said)).toEqual(health);
  });

  it('come back as they were written, padded or not', () => {
    const height = fc.maxSafeNat();
    fc.assert(
      fc.property(height, fc.integer({ min: 0, max: 16 }), (value, width) => {
        expect(readHeight(`0x${value.toString(16).padStart(width, '0')}`, 'it')).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8_640_000_000_000_000 }), (at) => {
        expect(readMoment(moment(at), 'it')).toBe(at);
      }),
    );
  });
});

describe('whatever a node answers', () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
    fc.constantFrom<Json>(hash('a'), '0x64', '0x00000064', moment(1), null, 2n ** 70n),
    fc.record({ number: fc.constantFrom('0x64', '0x', 'x'), parentHash: fc.constantFrom(hash('c'), 7) }),
    fc.record({ peers: fc.integer(), isSyncing: fc.boolean(), shouldHavePeers: fc.boolean() }),
  );
  const methods = [
    ...['chain_getBlockHash', 'chain_getHeader', 'chain_getFinalizedHead'],
    ...['state_getStorage', 'system_health', 'system_version'],
  ];
  const chain = { name: 'x', family: 'substrate', blockTimeMs: 6_000, maxLagBlocks: 10, maxAgeMs: 60_000 };

  it('is a value in its bounds or a fault of the target', async () => {
    const answers = fc.record(Object.fromEntries(methods.map((method) => [method, odd])));
    await fc.assert(
      fc.asyncProperty(answers, async (given) => {
        const ask = fakeAsk(given);
        const told = async <T>(asked: Promise<T>): Promise<T | undefined> =>
          asked.catch((thrown: unknown) => {
            expect(thrown).toBeInstanceOf(FaultError);
            expect((thrown as FaultError).fault.source).toBe('target');
            return undefined;
          });
        const identity = await told(substrate.identify!(ask, { ...chain, references: [] }));
        const tip = await told(substrate.tip(ask));
        const condition = await told(substrate.condition(ask, tip ?? { height: 1 }));
        const about = await told(substrate.about(ask));
        for (const count of [tip?.height, tip?.blockAt, condition?.finalizedHeight, about?.peers]) {
          expect(count === undefined || (Number.isSafeInteger(count) && count >= 0)).toBe(true);
        }
        for (const id of [identity?.genesis, tip?.id]) expect(id ?? '00000000').toMatch(/^[0-9a-f]{8}$/);
      }),
      { numRuns: 500 },
    );
  });

  it('is a block, none of ours, or a fault, when it is pushed', () => {
    const { stream } = substrate;
    if (stream?.kind !== 'socket') throw new Error('no stream of a socket');
    const message = fc.oneof(
      odd,
      fc.record({
        method: fc.constantFrom('chain_newHead', 'chain_finalizedHead', '__proto__', 'other'),
        params: fc.oneof(odd, fc.record({ result: odd })),
      }),
    );
    fc.assert(
      fc.property(message, (said) => {
        try {
          const pushed = stream.pushed(said);
          expect(pushed === undefined || Number.isSafeInteger(pushed.height)).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(FaultError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
