/** The order of a bundle's files: as files.ts lists them, of all names, and of nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { names } from './files.ts';
import { compareNames, placeOfName } from './order.ts';

const hash = (digit: string) => digit.repeat(64);

/** As they lie in an archive. */
const inOrder = [
  names.range,
  names.keys,
  names.policy,
  names.start(2026),
  names.end(2026),
  names.consistency(2026),
  names.frontier(2026),
  names.end(2027),
  names.leaf(2025, 9),
  names.leaf(2026, 0),
  names.leafProof(2026, 0),
  names.leaf(2026, 9),
  names.leafProof(2026, 9),
  names.leaf(2026, 10),
  names.entries(2026, 0),
  names.entries(2026, 999),
  names.entries(2026, 1_000),
  names.entries(2026, 1_234_067),
  names.entries(2027, 0),
  names.config(hash('0')),
  names.config(hash('a')),
  names.bodies(20_000, 'chain.ethereum', 0),
  names.bodies(20_000, 'rpc', 0),
  names.bodies(20_000, 'rpc', 999),
  names.bodies(20_000, 'rpc', 1_000),
  names.bodies(20_000, 'rpc-2', 0),
  names.bodies(20_001, 'a', 0),
  names.report,
  names.note,
  names.proof,
  names.continues,
  names.markdown,
  names.csv,
  names.readme,
  names.index,
];

it('is the one that files.ts tells, whatever they came as', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(inOrder, { minLength: inOrder.length }), (some) => {
      expect(some.toSorted(compareNames)).toEqual(inOrder);
    }),
  );
});

const year = fc.integer({ min: 1_970, max: 9_999 });
const name = fc.oneof(
  fc.constantFrom(names.range, names.keys, names.policy, names.report, names.note, names.proof),
  fc
    .tuple(year, fc.constantFrom('start', 'end', 'consistency', 'frontier'))
    .map(([of, what]) => names[what as 'start'](of)),
  fc
    .tuple(year, fc.nat({ max: 2 ** 40 - 1 }), fc.boolean())
    .map(([of, index, isProof]) => (isProof ? names.leafProof(of, index) : names.leaf(of, index))),
  fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => names.config(hex)),
  fc.tuple(year, fc.nat({ max: 2 ** 32 })).map(([of, tile]) => names.entries(of, tile)),
  fc
    .tuple(fc.nat({ max: 2_000_000 }), fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/), fc.nat(999_999))
    .map(([day, service, part]) => names.bodies(day, service, part)),
);

it('is total: of two names one comes first, and only a name is equal to itself', () => {
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(Math.sign(compareNames(a, b))).toBe(0 - Math.sign(compareNames(b, a)));
      expect(compareNames(a, b) === 0).toBe(a === b);
      if (compareNames(a, b) < 0 && compareNames(b, c) < 0) expect(compareNames(a, c)).toBeLessThan(0);
    }),
  );
});

describe('what is no file of a bundle', () => {
  it.each([
    '',
    'Range',
    'range/',
    '/range',
    './range',
    '../range',
    'toString',
    '__proto__',
    'logs/2026/checkpoint',
    'logs/26/end.checkpoint',
    'logs/02026/end.checkpoint',
    'logs/2026/entries/1',
    'logs/2026/entries/000.p/8',
    'logs/2026/entries/x000/000',
    'logs/2026/0/000',
    'leaves/2026/01',
    'leaves/2026/1/2',
    `leaves/2026/${2 ** 40}`,
    'leaves/2026/1.tlog-proof.tlog-proof',
    'configs/abc',
    `configs/${hash('A')}`,
    `configs/${hash('a')}/x`,
    'bodies/2026-02-30/rpc/000',
    'bodies/2026-10-01/rpc/00',
    'bodies/2026-10-01/rpc/0000',
    'bodies/2026-10-01/../000',
    'bodies/2026-10-01/./000',
    'bodies/2026-10-01/RPC/000',
    'bodies/2026-10-01/rpc/000/x',
    'bodies/2026-10-01/rpc',
    `bodies/2026-10-01/${'a'.repeat(65)}/000`,
    'report.json.bak',
    'é',
  ])('%s', (other) => {
    expect(placeOfName(other)).toBeUndefined();
    expect(() => compareNames(other, 'range')).toThrow(RangeError);
  });
});
