import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  type Json,
  jsonText,
  maxJsonDepth,
  maxJsonParts,
  readJson,
  sameJson,
  shown,
  typeOf,
  valueAt,
} from './json.ts';

const read = (text: string): unknown => {
  const parsed = readJson(text);
  return 'value' in parsed ? parsed.value : parsed.because;
};

/** All that JSON can say, integers beyond 2^53 too; as doubles those lose their last digits in writing. */
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.string(),
    fc.integer(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((each) => !Number.isInteger(each) || Number.isSafeInteger(each)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 128n }),
    fc.bigInt({ min: -(2n ** 128n), max: -(2n ** 53n) }),
    fc.array(tie('json')),
    fc.dictionary(fc.string(), tie('json'), { noNullPrototype: true }),
  ),
}));

describe('a number', () => {
  it.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740991', -9007199254740991],
    ['-9007199254740993', -9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    [' 18446744073709551615\n', 18446744073709551615n],
    ['[1,18446744073709551615]', [1, 18446744073709551615n]],
    ['{"a":\t18446744073709551615}', { a: 18446744073709551615n }],
    ['{"a":18446744073709551615,"a":1}', { a: 1 }],
    ['{"a":1,"a":18446744073709551615}', { a: 18446744073709551615n }],
    ['"18446744073709551615"', '18446744073709551615'],
    ['1844674407370955161.5', 1844674407370955300],
    ['0.1234567890123456789', 0.12345678901234568],
    ['12345678901234567890e2', Number('12345678901234567890e2')],
    ['12345678901234567890E+2', Number('12345678901234567890e2')],
    ['12345678901234567890.0', Number('12345678901234567890')],
    ['1e0000000000000000001', 10],
    ['1e-0000000000000000001', 0.1],
    ['1e+0000000000000000001', 10],
    ['9007199254740992.5', 2 ** 53],
    ['1000000000000000', 1000000000000000],
    ['["18446744073709551615",18446744073709551615]', ['18446744073709551615', 18446744073709551615n]],
    [
      '{"a\\"":18446744073709551615,"18446744073709551615":1}',
      { 'a"': 18446744073709551615n, '18446744073709551615': 1 },
    ],
    ['1e20', 1e20],
    ['1e400', Infinity],
    ['-0', -0],
    ['1', 1],
    ['9'.repeat(80), BigInt('9'.repeat(80))],
    ['9'.repeat(81), 1e81],
  ])('%s is %s', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    'NaN',
    'Infinity',
    '-Infinity',
    '01',
    '+1',
    '1.',
    '.5',
    '0x1',
    '1n',
    '12345678901234567890n',
    '012345678901234567890',
    '--12345678901234567890',
    '{12345678901234567890:1}',
    '1 12345678901234567890',
    '12345678901234567890 12345678901234567890',
    '12345678901234567890"x"',
    '[12345678901234567890',
  ])('%s is none', (text) =>
    expect(readJson(text)).toEqual({ because: `begins with ${JSON.stringify(text)}` }),
  );

  it('is of one type, however it is held', () => {
    expect([typeOf(1), typeOf(1n), typeOf(null), typeOf([]), typeOf({}), typeOf('1')]).toEqual([
      'number',
      'number',
      'null',
      'array',
      'object',
      'string',
    ]);
  });

  it.each<[Json, Json, boolean]>([
    [2n ** 60n, 2 ** 60, true],
    [2n ** 60n + 1n, 2 ** 60, false],
    [2n ** 60n, 2n ** 60n, true],
    [2n ** 60n, String(2n ** 60n), false],
    [[2n ** 60n], [2 ** 60], true],
    [2n ** 60n, null, false],
    [2n ** 60n, [], false],
    [2n ** 60n, true, false],
    [0, -0, true],
  ])('%s and %s are the same: %s', (a, b, same) => {
    expect([sameJson(a, b), sameJson(b, a)]).toEqual([same, same]);
  });
});

describe('an object', () => {
  it('holds __proto__ as any other key', () => {
    const value = read('{"__proto__":{"x":18446744073709551615},"constructor":1}') as Json;
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(valueAt(value, '__proto__.x')).toBe(18446744073709551615n);
    expect(valueAt({}, '__proto__')).toBeUndefined();
    expect(valueAt({}, 'toString')).toBeUndefined();
  });

  it('keeps the last of two keys', () => {
    expect(read('{"a":1,"b":0,"a":2}')).toEqual({ a: 2, b: 0 });
  });
});

describe('the limit of depth', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
  it('is exact', () => {
    expect(readJson(nested(maxJsonDepth))).toHaveProperty('value');
    expect(readJson(nested(maxJsonDepth + 1))).toHaveProperty('because');
  });
  it('holds for wide numbers too, and brackets in text do not count', () => {
    expect(readJson(`[${'9'.repeat(20)},${nested(maxJsonDepth)}]`)).toHaveProperty('because');
    expect(readJson(JSON.stringify(`"\\${nested(100)}`))).toHaveProperty('value');
  });
});

describe('the limit of parts', () => {
  const over = { because: 'over 250000 commas, colons and brackets in its JSON', isTooLarge: true };
  const items = (count: number) => `[${'0,'.repeat(count - 1)}0]`;

  it('is exact, and counts commas, colons and opening brackets outside text', () => {
    expect(readJson(items(maxJsonParts))).toHaveProperty('value.length', maxJsonParts);
    expect(readJson(items(maxJsonParts + 1))).toEqual(over);
    expect(readJson(`[${'{},'.repeat(maxJsonParts / 2)}0]`)).toEqual(over);
    expect(readJson(`[${'{"a":0},'.repeat(maxJsonParts / 3 + 1)}0]`)).toEqual(over);
    expect(readJson(JSON.stringify(',:[{'.repeat(maxJsonParts)))).toHaveProperty('value');
  });

  it('counts an integer beyond 2^53 as nine: it is read as text first', () => {
    const wide = (count: number) => `[${'1234567890123456789,'.repeat(count)}0]`;
    expect(readJson(wide(27_000))).toHaveProperty('value.0', 1234567890123456789n);
    expect(readJson(wide(28_000))).toEqual(over);
  });
});

describe('what is JSON', () => {
  it('is what JavaScript says it is, wherever an integer beyond 2^53 stands', () => {
    const wide = fc.constantFrom('1234567890123456789', '-1234567890123456789', '01234567890123456789');
    const token = fc.oneof(wide, wide, fc.constantFrom(...'[]{}:,-+.e0 \n\u00a0"', '"a"', '"a":', '1.5'));
    const loose = fc.array(token, { maxLength: 8 }).map((tokens) => tokens.join(''));
    const held = fc
      .tuple(
        fc.constantFrom('[', '{"a":', '[0,', '{', ''),
        token,
        wide,
        token,
        fc.constantFrom(']', '}', ',0]', ''),
      )
      .map((tokens) => tokens.join(''));
    const isJson = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.oneof(loose, held), (text) => {
        expect('value' in readJson(text)).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('text of a value', () => {
  it('is read back as the same value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(sameJson(read(jsonText(value)) as Json, value)).toBe(true);
        expect(sameJson(read(canonicalJson(value)) as Json, value)).toBe(true);
      }),
    );
  });

  it('is one where values are the same, whatever the order of keys', () => {
    const turned = (value: Json): Json => {
      if (Array.isArray(value)) return (value as readonly Json[]).map(turned);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value as Record<string, Json>).reverse();
      return Object.fromEntries(entries.map(([key, inner]) => [key, turned(inner)]));
    };
    fc.assert(fc.property(json, (value) => canonicalJson(turned(value)) === canonicalJson(value)));
    fc.assert(fc.property(json, json, (a, b) => (canonicalJson(a) === canonicalJson(b)) === sameJson(a, b)));
  });

  it.each<[Json, string]>([
    [{ b: 1, a: [1.5, null], '\u0001': 'é' }, '{"\\u0001":"é","a":[1.5,null],"b":1}'],
    [1e20, '100000000000000000000'],
    [100000000000000000000n, '100000000000000000000'],
    [-0, '0'],
    [Infinity, 'Infinity'],
    [1e-7, '1e-7'],
  ])('of %s is canonically %s', (value, text) => expect(canonicalJson(value)).toBe(text));

  it('in a message is its beginning, however long or deep it is', () => {
    fc.assert(fc.property(json, (value) => shown(value) === jsonText(value).slice(0, 80)));
    for (const value of [
      'é'.repeat(100),
      '\n'.repeat(100),
      '\u{1f600}'.repeat(100),
      Array.from({ length: 100 }, () => []),
      Array.from({ length: 100 }, () => ({ '': '' })),
      { ['k'.repeat(100)]: 1, ['"'.repeat(100)]: 2 },
      read(`${'['.repeat(60)}${']'.repeat(60)}`) as Json,
    ])
      expect(shown(value)).toBe(jsonText(value).slice(0, 80));
  });

  it('in a message looks at no more entries than are shown', () => {
    let looked = 0;
    const list = new Proxy([] as Json[], {
      get: (_, key) => (key === 'length' ? 1_000 : ((looked += 1), 0)),
      has: () => true,
      ownKeys: () => [...Array.from({ length: 1_000 }, (_, index) => String(index)), 'length'],
      getOwnPropertyDescriptor: (_, key) =>
        key === 'length'
          ? { value: 1_000, writable: true, enumerable: false, configurable: false }
          : { value: 0, writable: true, enumerable: true, configurable: true },
    });
    expect(shown(list)).toHaveLength(80);
    expect(looked).toBeLessThanOrEqual(80);
  });

  it('in a message is short and never throws', () => {
    expect(shown({ height: 18446744073709551615n })).toBe('{"height":18446744073709551615}');
    expect(shown(undefined)).toBe('missing');
    expect(shown('x'.repeat(1_000))).toHaveLength(80);
  });
});
