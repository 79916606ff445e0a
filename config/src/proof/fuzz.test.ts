/** What holds for every text: parsers never throw, accept one spelling only, and take time linear in its length. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Observation, Outcome } from '../domain.ts';
import { faultFromId, faultMeanings } from '../faults.ts';
import { sha256 } from '../keys.ts';
import { formatActionLeaf, parseActionLeaf } from './action-leaf.ts';
import { formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts';
import { formatAnnotationLeaf, parseAnnotationLeaf } from './annotation-leaf.ts';
import { formatAssignmentText, parseAssignmentText } from './assignment.ts';
import { type Batch, bodiesOf, formatBatchText, MAX_GAPS, parseBatchText, splitByDay } from './batch.ts';
import {
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  parseDecimal,
  parseInteger,
  utf8,
} from './bytes.ts';
import { formatCheckpointText, parseCheckpointText } from './checkpoint.ts';
import { isDue, nextDueAt, phaseMs } from './due.ts';
import { formatFrameText, parseFrameText } from './frame.ts';
import {
  formatConfigLeaf,
  formatMaintLeaf,
  formatProbeLeaf,
  parseConfigLeaf,
  parseMaintLeaf,
  parseProbeLeaf,
} from './leaves.ts';
import { LineError, MAX_LINE_BYTES, MAX_TENTHS, formatLine, parseLine } from './line.ts';
import { formatNote, parseNote, parseVerifierKey } from './note.ts';
import { formatProjection, parseProjection } from './projection.ts';
import { formatRequestText, parseRequestText } from './request.ts';
import { canonicalSettings, decodeToken, encodeToken } from './settings.ts';
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts';

// Other suites may have the machine: what is slow here is fast-check, not the parsers.
vi.setConfig({ testTimeout: 60_000 });

/** Notes, and the texts of the log itself, are what others read too. */
const many = new Set(['note', 'checkpoint', 'tlog-proof', 'add-checkpoint', 'action', 'annotation']);

const golden = (name: string): string =>
  readFileSync(new URL(`../../testdata/wire/${name}`, import.meta.url), 'utf8');
const textOf = (name: string): string => {
  const note = parseNote(golden(name));
  if ('error' in note) throw new Error(note.error);
  return note.text;
};

/** A parser with its formatter, bound so that their value's type does not matter here. */
function pair<T extends object>(
  parse: (text: string) => T | { error: string },
  format: (value: T) => string,
): (text: string) => string | undefined {
  return (text) => {
    const value = parse(text);
    return 'error' in value ? undefined : format(value);
  };
}

const parsers: Readonly<Record<string, { again: (text: string) => string | undefined; seeds: string[] }>> = {
  line: { again: pair(parseLine, formatLine), seeds: golden('lines.txt').trimEnd().split('\n') },
  note: {
    again: pair(parseNote, formatNote),
    seeds: [golden('batch.note'), golden('frame.note'), golden('checkpoint-cosigned.note')],
  },
  frame: { again: pair(parseFrameText, formatFrameText), seeds: [textOf('frame.note')] },
  batch: {
    again: pair(parseBatchText, formatBatchText),
    seeds: [textOf('batch.note'), textOf('batch-empty.note')],
  },
  request: { again: pair(parseRequestText, formatRequestText), seeds: [textOf('request.note')] },
  assignment: { again: pair(parseAssignmentText, formatAssignmentText), seeds: [textOf('assignment.note')] },
  config: { again: pair(parseConfigLeaf, formatConfigLeaf), seeds: [textOf('config.note')] },
  probe: { again: pair(parseProbeLeaf, formatProbeLeaf), seeds: [textOf('probe-enrol.note')] },
  maint: {
    again: pair(parseMaintLeaf, formatMaintLeaf),
    seeds: [textOf('maint.note'), textOf('maint-cancel.note')],
  },
  action: { again: pair(parseActionLeaf, formatActionLeaf), seeds: [textOf('action.note')] },
  annotation: { again: pair(parseAnnotationLeaf, formatAnnotationLeaf), seeds: [textOf('annot.note')] },
  checkpoint: {
    again: pair(parseCheckpointText, formatCheckpointText),
    seeds: [textOf('checkpoint.note')],
  },
  'tlog-proof': { again: pair(parseTlogProof, formatTlogProof), seeds: [golden('proof.tlog-proof')] },
  'add-checkpoint': {
    again: pair(parseAddCheckpoint, formatAddCheckpoint),
    seeds: [golden('add-checkpoint.txt')],
  },
  projection: { again: pair(parseProjection, formatProjection), seeds: [golden('projection.txt')] },
};

/** A good text with a few edits: much closer to the edge of a grammar than random text. */
function edited(seeds: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      '  ',
      '\n',
      '\n\n',
      '-',
      '0',
      '00',
      '1',
      '-1',
      '9007199254740992',
      '=',
      '+',
      '/',
      'a',
      'A',
    ),
    fc.constantFrom(
      'constructor',
      '__proto__',
      'gap 1 1\n',
      'body rpc 1 2 ',
      '\t',
      '\r',
      '\u0000',
      'é',
      '\ud800',
      '%',
    ),
    fc.string({ maxLength: 5 }),
  );
  const edit = fc.record({ at: fc.nat(), drop: fc.nat(12), piece });
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([seed, edits]) => {
      return edits.reduce((text, { at, drop, piece: put }) => {
        const from = at % (text.length + 1);
        return text.slice(0, from) + put + text.slice(from + drop);
      }, seed);
    });
}

for (const [name, { again, seeds }] of Object.entries(parsers)) {
  describe(name, () => {
    test('its golden texts are accepted and come back', () => {
      for (const seed of seeds) expect(again(seed)).toBe(seed);
    });
    test('any text is either refused or comes back byte for byte', () => {
      const any = fc.oneof(
        { weight: 4, arbitrary: edited(seeds) },
        fc.string({ unit: 'binary', maxLength: 300 }),
      );
      fc.assert(
        fc.property(any, (text) => {
          const back = again(text);
          if (back !== undefined) expect(back).toBe(text);
        }),
        { numRuns: many.has(name) ? 10_000 : 1_000 },
      );
    });
    test('a megabyte of anything is read or refused at once', () => {
      const hostile = [' ', '\n', '\n\n', '— a b\n', 'a=1 ', 'gap 0 0\n', 'x', '%', `${seeds[0]}`];
      const began = performance.now();
      for (const unit of hostile) again(unit.repeat(Math.ceil(1_000_000 / unit.length)).slice(0, 1_000_000));
      for (const unit of hostile) again(seeds[0] + unit.repeat(Math.ceil(500_000 / unit.length)));
      expect(performance.now() - began).toBeLessThan(10_000);
    });
  });
}

const id = fc.stringMatching(/^[a-z0-9._-]{1,64}$/);
const tenths = fc.nat(MAX_TENTHS);
const faultIds = Object.keys(faultMeanings);
const facts = fc.record(
  {
    bt: fc.nat(8_640_000_000_000_000).map(String),
    g: fc.stringMatching(/^[0-9a-f]{8}$/),
    h: fc.maxSafeNat().map(String),
    id: fc.stringMatching(/^[0-9a-f]{8}$/),
    sc: fc.integer({ min: 100, max: 999 }).map(String),
    v: fc.maxSafeInteger().map(String),
    'm.eth_call': fc.oneof(tenths.map(String), fc.constantFrom(...faultIds)),
    'm.Z-9': tenths.map(String),
  },
  { requiredKeys: [] },
);
const outcome: fc.Arbitrary<Pick<Observation, 'outcome' | 'fault'>> = fc
  .record({
    outcome: fc.constantFrom<Outcome>('ok', 'degraded', 'fail', 'skipped'),
    target: fc.constantFrom(...faultIds),
    probe: fc.constantFrom(...faultIds.filter((f) => f.startsWith('probe.'))),
    bare: fc.boolean(),
  })
  .map(({ outcome: o, target, probe, bare }) => {
    const fault = faultFromId(o === 'skipped' ? probe : target);
    const none = o === 'ok' || (o === 'degraded' && bare) || !fault;
    return none ? { outcome: o } : { outcome: o, fault };
  });
const phases = fc.record({
  resolve: tenths,
  connect: tenths,
  tls: tenths,
  firstByte: tenths,
  transfer: tenths,
});
const observation: fc.Arbitrary<Observation> = fc
  .record({
    monitor: fc.tuple(id, id, id).map((parts) => parts.join('/')),
    dueAt: fc.nat(8_640_000_000_000_000),
    what: outcome,
    latencyTenths: tenths,
    facts,
    phases: fc.option(phases, { nil: undefined }),
    lateMs: fc.oneof(fc.constant(0), tenths),
    recheck: fc.boolean(),
  })
  .map(({ what, phases: p, ...rest }) => ({ ...rest, ...what, ...(p ? { phases: p } : {}) }));

describe('lines', () => {
  test('every observation comes back whole', () => {
    fc.assert(
      fc.property(observation, (o) => {
        const line = formatLine(o);
        expect(line.length).toBeLessThanOrEqual(MAX_LINE_BYTES);
        expect(parseLine(line)).toEqual(o);
      }),
      { numRuns: 2_000 },
    );
  });
  test("a fault's detail never goes into a line", () => {
    const o = parseLine(golden('lines.txt').split('\n')[4] ?? '');
    if ('error' in o || !o.fault) throw new Error('not a failing line');
    expect(formatLine({ ...o, fault: { ...o.fault, detail: 'https://user:secret@host' } })).toBe(
      formatLine(o),
    );
  });
  test('whatever is wrong with an observation, it is a LineError or comes back whole', () => {
    const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(MAX_TENTHS, MAX_TENTHS + 1, 2 ** 53));
    const text = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('', 'a b', 'late', 'p', 're', '1'));
    const odd = fc.record(
      {
        monitor: text,
        dueAt: number,
        outcome: fc.constantFrom('ok', 'degraded', 'fail', 'skipped', 'odd', ''),
        latencyTenths: number,
        lateMs: number,
        facts: fc.dictionary(fc.oneof(text, fc.constantFrom('sc', 'h', 'm.a')), text, { maxKeys: 3 }),
        phases: fc.record({
          resolve: number,
          connect: number,
          tls: number,
          firstByte: number,
          transfer: number,
        }),
        fault: fc.record({ source: fc.constantFrom('target', 'probe', ''), operation: text, code: text }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(observation, odd, (good, change) => {
        const o = { ...good, ...change } as Observation;
        let line: string;
        try {
          line = formatLine(o);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(LineError);
          return;
        }
        const read = parseLine(line);
        expect('error' in read ? read : formatLine(read)).toBe(line);
      }),
      { numRuns: 5_000 },
    );
  });
  test('an observation that no line can carry is a LineError', () => {
    const o = parseLine(golden('lines.txt').split('\n')[0] ?? '');
    if ('error' in o) throw new Error(o.error);
    const bad: Partial<Observation>[] = [
      { latencyTenths: 1.5 },
      { dueAt: -1 },
      { facts: { p: '1,2,3,4,5' } },
      { facts: { h: '1 v=2' } },
      { facts: { 'h=1 v': '2' } },
      { lateMs: -1 },
      { fault: { source: 'target', operation: 'http', code: 'timeout' } },
      { outcome: 'fail' },
      { facts: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`m.method${i}`, '1'])) },
    ];
    for (const change of bad)
      expect(() => formatLine({ ...o, ...change }), JSON.stringify(change)).toThrow(LineError);
  });
});

describe('bytes', () => {
  test('base64, hex and UTF-8 come back, and agree with Buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(encodeHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
        expect(decodeHex(encodeHex(bytes))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeUtf8(utf8(text))).toBe(text);
      }),
    );
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
    expect(decodeUtf8(Uint8Array.of(0xff))).toBeUndefined();
  });
  test('base64 has one spelling', () => {
    const letters = fc.constantFrom(...'ABCab01+/=-_ \n');
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text);
        if (bytes) expect(Buffer.from(bytes).toString('base64')).toBe(text);
      }),
      { numRuns: 2_000 },
    );
    for (const bad of ['A', 'AA', 'AAA', 'AA=', 'AB==', 'AAB=', '====', 'A===', 'AA-_', ' AAA', 'AAAA\n']) {
      expect(decodeBase64(bad), bad).toBeUndefined();
    }
  });
  test('numbers have one spelling', () => {
    for (const bad of [
      '',
      '+1',
      '01',
      '1e3',
      ' 1',
      '1 ',
      '0x10',
      '1.0',
      '-0',
      '١',
      '9007199254740992',
      'NaN',
    ]) {
      expect(parseDecimal(bad), bad).toBeUndefined();
      expect(parseInteger(bad), bad).toBeUndefined();
    }
    expect(parseInteger('-9007199254740991')).toBe(-9_007_199_254_740_991);
    expect(parseDecimal('10', 9)).toBeUndefined();
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(parseInteger(String(n))).toBe(n);
      }),
    );
  });
});

describe('verifier keys', () => {
  test('a changed character is noticed', () => {
    const [vkey = ''] = golden('keys.txt').split('\n');
    expect(parseVerifierKey(vkey, sha256)).not.toHaveProperty('error');
    fc.assert(
      fc.property(fc.nat(vkey.length - 1), fc.constantFrom(...'Aa0+/='), (at, letter) => {
        const changed = vkey.slice(0, at) + letter + vkey.slice(at + 1);
        if (changed !== vkey) expect(parseVerifierKey(changed, sha256)).toHaveProperty('error');
      }),
    );
  });
});

describe('batches', () => {
  const good = parseBatchText(textOf('batch.note')) as Batch;
  test.each<[string, Partial<Batch>]>([
    ['minutes backwards', { minutes: { first: 2, last: 1 } }],
    ['minutes on two days', { minutes: { first: 1_439, last: 1_440 } }],
    ['an empty one over two minutes', { bodies: [], minutes: { first: 1, last: 2 } }],
    ['a clock bound under -1', { clock: { boundMs: -2, ageS: 0 } }],
    [
      'more gaps than a batch tells',
      {
        number: 9_999,
        gaps: Array.from({ length: MAX_GAPS + 1 }, (_, i) => ({ first: 2 * i, last: 2 * i })),
      },
    ],
    ['a gap that reaches its own number', { gaps: [{ first: 7, last: 7 }] }],
    [
      'gaps that touch',
      {
        gaps: [
          { first: 0, last: 1 },
          { first: 2, last: 3 },
        ],
      },
    ],
    [
      'gaps out of order',
      {
        gaps: [
          { first: 3, last: 3 },
          { first: 0, last: 1 },
        ],
      },
    ],
    ['a body twice', { bodies: [...good.bodies, ...good.bodies] }],
    ['a body without lines', { bodies: good.bodies.map((body) => ({ ...body, lines: 0 })) }],
    ['a body with fewer bytes than lines', { bodies: good.bodies.map((body) => ({ ...body, bytes: 3 })) }],
    ['a short hash', { prev: 'AAAA' }],
    ['an origin with a space', { origin: 'a b' }],
    ['a probe id in capitals', { probe: 'EU-1' }],
  ])('%s is refused', (_name, change) => {
    expect(parseBatchText(formatBatchText({ ...good, ...change }))).toHaveProperty('error');
  });

  test('bodies are whole lines of one service, sorted bytewise, and none is lost', () => {
    const line = fc
      .tuple(fc.constantFrom('b', 'a', 'a-', 'a.'), fc.nat(9))
      .map(([s, n]) => `${s}/n/c ${n} ok 1 -`);
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const bodies = bodiesOf(lines);
        expect([...bodies.keys()]).toEqual([...bodies.keys()].sort());
        for (const [service, body] of bodies) {
          expect(body.endsWith('\n')).toBe(true);
          const own = body.slice(0, -1).split('\n');
          expect(own).toEqual([...lines].filter((l) => l.startsWith(`${service}/`)).sort());
        }
        expect([...bodies.values()].join('').split('\n').length - 1).toBe(lines.length);
      }),
    );
  });

  test('lines due on two UTC days go into two batches', () => {
    const at = (due: number): string => `a/n/c ${due} ok 1 -`;
    expect(splitByDay([at(86_400_000), at(86_399_999), at(0)])).toEqual([
      [at(86_399_999), at(0)],
      [at(86_400_000)],
    ]);
    expect(splitByDay([])).toEqual([]);
  });
});

describe('due times', () => {
  test('come once an interval, each at the phase', () => {
    const interval = fc.integer({ min: 1, max: 86_400_000 });
    fc.assert(
      fc.property(interval, fc.nat(4_000_000_000_000), id, (intervalMs, after, monitor) => {
        const phase = phaseMs('00112233445566778899aabbccddeeff', monitor, 'eu-1', intervalMs, sha256);
        const due = nextDueAt(after, phase, intervalMs);
        expect(phase).toBeLessThan(intervalMs);
        expect(isDue(due, phase, intervalMs)).toBe(true);
        expect(due).toBeGreaterThan(after);
        expect(due - after).toBeLessThanOrEqual(intervalMs);
        expect(nextDueAt(due, phase, intervalMs)).toBe(due + intervalMs);
        expect(nextDueAt(due - 1, phase, intervalMs)).toBe(due);
      }),
    );
  });
});

describe('settings', () => {
  test('tokens come back and are one printable word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const token = encodeToken(text);
        expect(token).toMatch(/^[\x21-\x7e]+$/);
        expect(decodeToken(token)).toBe(text);
      }),
    );
    for (const bad of ['%zz', '%2', '%41', '%e2%82%ac', 'a b', ''])
      expect(decodeToken(bad), bad).toBeUndefined();
  });
  test('different settings have different lines, whatever the order of their keys', () => {
    expect(canonicalSettings({ b: 1, a: { y: true, x: null } })).toEqual(['a.x null', 'a.y b:true', 'b n:1']);
    expect(canonicalSettings({ a: { x: null, y: true }, b: 1 })).toEqual(['a.x null', 'a.y b:true', 'b n:1']);
    const apart = [
      { a: 1 },
      { a: '1' },
      { a: ['1'] },
      { a: [] },
      { a: {} },
      { 'a.b': 1 },
      { a: { b: 1 } },
      {},
      { a: '' },
    ];
    const texts = apart.map((settings) => canonicalSettings(settings).join('\n'));
    expect(new Set(texts).size).toBe(apart.length);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = canonicalSettings(a).join('\n') === canonicalSettings(b).join('\n');
        expect(same).toBe(canonicalJson(a) === canonicalJson(b));
      }),
    );
  });
});

/** An independent canonical form to compare with: JSON with sorted keys. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
