import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fill, fillText, type Filling, needsHead, templateProblem, withoutTemplates } from './template.ts';

const filling: Filling = { head: 1_000, heights: 'number', round: 7, id: 'm' };
const hex: Filling = { ...filling, heights: 'hex' };

describe('a template', () => {
  it.each<[unknown, unknown, unknown]>([
    ['{{head}}', 1_000, '0x3e8'],
    ['{{head-100}}', 900, '0x384'],
    ['{{ head-100 }}', 900, '0x384'],
    ['{{head-100 int}}', 900, 900],
    ['{{head-100 hex}}', '0x384', '0x384'],
    ['{{random 5..5}}', 5, '0x5'],
    ['{{head-random 5..5}}', 995, '0x3e3'],
    ['{{head-999}}', 1, '0x1'],
    ['{{head-1000}}', 1, '0x1'],
    ['{{head-5000}}', 1, '0x1'],
    ['1.2.{{head-100}}', '1.2.900', '1.2.900'],
    ['1.2.{{head-100 int}}', '1.2.900', '1.2.900'],
    ['x{{head-100 hex}}', 'x0x384', 'x0x384'],
    ['{{head}}{{head-1}}', '1000999', '1000999'],
    ['head', 'head', 'head'],
    ['{"a":{"b":"{head}"}}', '{"a":{"b":"{head}"}}', '{"a":{"b":"{head}"}}'],
    ['', '', ''],
    [
      ['{{head}}', [{ a: '{{head-1}}' }]],
      [1_000, [{ a: 999 }]],
      ['0x3e8', [{ a: '0x3e7' }]],
    ],
    [{ '{{head}}': true }, { '{{head}}': true }, { '{{head}}': true }],
    [
      [1, null, true, 1.5],
      [1, null, true, 1.5],
      [1, null, true, 1.5],
    ],
  ])('%j is %j, or %j where heights are hex', (written, number, inHex) => {
    expect(fill(written, filling)).toEqual(number);
    expect(fill(written, hex)).toEqual(inHex);
  });

  it('is text of decimal digits where heights are, unless it says int', () => {
    const decimal: Filling = { ...filling, heights: 'decimal' };
    const written = { height: '{{head-100}}', number: '{{head-100 int}}', hex: '{{head-100 hex}}' };
    expect(fill(written, decimal)).toEqual({ height: '900', number: 900, hex: '0x384' });
    expect(fillText('/block?height={{head-100}}', decimal)).toBe('/block?height=900');
  });

  it('in a path is decimal in every family, unless it says hex', () => {
    const written = '/v2/blocks/{{head-10}}?other={{head hex}}';
    expect(fillText(written, hex)).toBe('/v2/blocks/990?other=0x3e8');
    expect(fillText(written, filling)).toBe('/v2/blocks/990?other=0x3e8');
  });

  it('of a chain without blocks is its head', () => {
    expect(fill('{{head-10}}', { ...filling, head: 0 })).toBe(0);
  });

  it.each(['__proto__', 'constructor'])('does not fall over the key %s', (name) => {
    const written = JSON.parse(`{"${name}":"{{head}}"}`) as unknown;
    expect(JSON.stringify(fill(written, filling))).toBe(`{"${name}":1000}`);
  });

  it.each([
    '{{}}',
    '{{height}}',
    '{{head+1}}',
    '{{head--1}}',
    '{{head-}}',
    '{{head-1.5}}',
    '{{head -1}}',
    '{{head-1 dec}}',
    '{{head-1hex}}',
    '{{HEAD}}',
    '{{random}}',
    '{{random 5}}',
    '{{random 1..}}',
    '{{random -1..5}}',
    '{{random 1...5}}',
    '{{random 1..5..9}}',
    '{{random 1..1000000000000000}}',
    '{{head-1000000000000000}}',
    '{{random-head 1..5}}',
    '{{head',
    '{{',
    '{{{{head}}',
    '{{head} }',
    '{{{head}}{',
    'x{{y}}z{{head}}',
    '{{random 9..1}}',
    '{{head-random 100..10}}',
  ])('%s is refused', (text) => expect(templateProblem(text)).toMatch(/, write /));

  it.each([
    '',
    'x',
    '}}',
    '{ {head}}',
    '{{head}}',
    'a{{random 0..999999999999999}}b',
    '{{head-random 1..1 hex}}',
  ])('%s is not', (text) => expect(templateProblem(text)).toBeUndefined());

  it('tells whether it needs the head', () => {
    const yes = ['{{head}}', ['x', { a: '{{head-random 1..2}}' }], '/a/{{head-1}}/{{random 1..2}}'];
    const no = ['{{random 1..2}}', 'head', ['{{height}}'], { '{{head}}': 1 }, null, undefined, 3];
    expect(yes.map(needsHead)).toEqual(yes.map(() => true));
    expect(no.map(needsHead)).toEqual(no.map(() => false));
  });

  it('can be named', () => {
    expect(withoutTemplates('/b/{{head-10}}/x', (inside) => `<${inside}>`)).toBe('/b/<head-10>/x');
  });
});

describe('a random number', () => {
  const range = fc.tuple(fc.nat(999_999), fc.nat(999_999)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
  const drawn = (round: number, id: string, written: string) => fill(written, { ...filling, round, id });

  it('is in its range, and the same for everybody who asks in this round', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), range, (round, id, [low = 0, high = 0]) => {
        const written = `{{random ${low}..${high}}}`;
        const value = Number(drawn(round, id, written));
        expect(value).toBeGreaterThanOrEqual(low);
        expect(value).toBeLessThanOrEqual(high);
        expect(drawn(round, id, written)).toBe(value);
        const back = Number(drawn(round, id, `{{head-random ${low}..${high}}}`));
        expect(back).toBe(Math.max(1, 1_000 - value));
      }),
    );
  });

  it('reaches both ends, and differs by round, by method and by place', () => {
    const rounds = Array.from({ length: 200 }, (_, round) => round);
    const values = new Set(rounds.map((round) => drawn(round, 'm', '{{random 3..6}}')));
    expect([...values].sort()).toEqual([3, 4, 5, 6]);
    const wide = '{{random 0..999999999999}}';
    expect(new Set(rounds.map((round) => drawn(round, 'm', wide))).size).toBe(200);
    expect(drawn(1, 'a', wide)).not.toBe(drawn(1, 'b', wide));
    const [first, second] = fill([wide, wide], filling);
    expect(first).not.toBe(second);
  });

  it('stays what it was in an earlier version, as probes are not upgraded all at once', () => {
    expect(fill(['{{random 0..999999}}', '{{head-random 10..100}}'], filling)).toEqual([279_665, 959]);
  });
});
