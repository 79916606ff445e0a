/** Exactly those bodies are refused that the rule's reference refuses, whatever their bytes are. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { sha256 } from '../../keys.ts';
import { factTable } from '../line.ts';
import { linesOfBody } from '../batch.ts';
import { decodeUtf8, encodeBase64, utf8 } from '../bytes.ts';
import { readBody } from '../rule/evidence.ts';
import { readLines } from './body-lines.ts';
import { ServiceRows } from './rows.ts';

vi.setConfig({ testTimeout: 60_000 });

/** The minute of 1,790,000,040,000 ms. */
const MINUTE = 29_833_334;
const DUE = MINUTE * 60_000;
const minutes = { first: MINUTE, last: MINUTE + 1 };
const monitors = ['rpc/a/head', 'rpc/a/head-2', 'rpc/b/http', 'rpc/public/http'];

/** Values of facts that are good, and nearly so. */
const values = ['0', '1', '00', '200', '99', '1000', '1.3', '-4', 'deadbeef', 'deadbeeF', '7.deadbeef'];
const more = [
  '1,2,3,4,5',
  '1,2,3,4',
  'deadbeef.00000000',
  '4294967296',
  '9007199254740993',
  'target.http.status',
  'x',
  '',
];
const keys = [...Object.keys(factTable), 'late', 'p', 're', 'm.eth_call', 'm.a', 'e.x', 'm.', 'zz', ''];
const fact = fc
  .tuple(fc.constantFrom(...keys), fc.constantFrom(...values, ...more))
  .map(([key, value]) => `${key}=${value}`);
const goodFacts = [
  '',
  ' bt=1790000040000 h=9 id=deadbeef late=3',
  ' ce=1800000000000 m.eth_call=77 p=1,2,3,4,5 sc=200',
  ' re=1',
];
const facts = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...goodFacts) },
  {
    weight: 1,
    arbitrary: fc.array(fact, { maxLength: 3 }).map((all) =>
      all
        .sort()
        .map((each) => ` ${each}`)
        .join(''),
    ),
  },
);
const answer = fc.constantFrom(
  'ok 12 -',
  'ok 4294967295 -',
  'degraded 0 -',
  'degraded 3 probe.clock.stepped',
  'fail 1 target.head.old',
  'skipped 0 probe.schedule.late',
  'ok 01 -',
  'fail 1 -',
  'skipped 0 target.head.old',
  'okay 1 -',
);
const good = fc.tuple(
  fc.constantFrom(...monitors, 'rpc/unknown/http'),
  fc.nat(119_999).map((ms) => DUE + ms),
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom('ok 12 -', 'fail 1 target.head.old', 'degraded 7 -') },
    answer,
  ),
  facts,
);
const lines = fc.array(
  good.map(([id, due, said, rest]) => `${id} ${due} ${said}${rest}`),
  { minLength: 1, maxLength: 8 },
);

interface Change {
  readonly at: number;
  readonly byte: number;
  readonly how: 'set' | 'drop' | 'insert' | 'swap';
}
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  byte: fc.oneof(fc.constantFrom(...utf8(' \n=.,-/09ae')), fc.integer({ min: 0, max: 255 })),
  how: fc.constantFrom('set', 'drop', 'insert', 'swap'),
});

function changed(bytes: Uint8Array, { at, byte, how }: Change): Uint8Array {
  const all = [...bytes];
  const place = at % all.length;
  if (how === 'set') all[place] = byte;
  else if (how === 'swap') all.splice(place, 2, ...all.slice(place, place + 2).reverse());
  else all.splice(place, how === 'drop' ? 1 : 0, ...(how === 'drop' ? [] : [byte]));
  return Uint8Array.from(all);
}

/** What readBody says of bytes: those that are no text are in no evidence of the reference. */
function isGood(bytes: Uint8Array, count: number): boolean {
  const text = decodeUtf8(bytes);
  if (text === undefined) return false;
  const hash = encodeBase64(sha256(bytes));
  const ref = { service: 'rpc', lines: count, bytes: bytes.length, hash };
  const batch = { minutes } as Parameters<typeof readBody>[1];
  return !('error' in readBody(ref, batch, new Map([[hash, text]]), sha256));
}

function read(bytes: Uint8Array, count: number): { wrong: string | undefined; rows: number } {
  const service = new ServiceRows('rpc', monitors);
  const wrong = readLines({ service, batch: 0, key: 0, minutes, isTwin: false }, bytes, count);
  return { wrong, rows: service.monitors.reduce((sum, each) => sum + (each.byKey[0]?.rows ?? 0), 0) };
}

test('as they are, and with single bytes changed', () => {
  let [accepted, refused] = [0, 0];
  fc.assert(
    fc.property(lines, fc.array(change, { maxLength: 2 }), fc.nat(9), (all, changes, off) => {
      const whole = utf8(`${all.sort().join('\n')}\n`);
      const bytes = changes.reduce(
        (before, each) => (before.length === 0 ? before : changed(before, each)),
        whole,
      );
      const count = (linesOfBody(decodeUtf8(bytes) ?? '')?.length ?? 1) + (off === 9 ? 1 : 0);
      const { wrong, rows } = read(bytes, count);
      expect(wrong === undefined, `${wrong}: ${JSON.stringify(decodeUtf8(bytes))}`).toBe(
        isGood(bytes, count),
      );
      if (wrong === undefined) accepted += 1;
      else {
        refused += 1;
        expect(rows).toBe(0);
      }
    }),
    { numRuns: 8_000 },
  );
  // Neither side is empty, or nothing was tested.
  expect(Math.min(accepted, refused)).toBeGreaterThan(500);
});

test('each fact with each value, alone and after another', () => {
  for (const key of keys) {
    for (const value of [...values, ...more]) {
      for (const before of ['', ' ack=1', ' m.b=1', ' h=1']) {
        const bytes = utf8(`rpc/a/head ${DUE} ok 1 -${before} ${key}=${value}\n`);
        const shown = decodeUtf8(bytes);
        expect(read(bytes, 1).wrong === undefined, shown).toBe(isGood(bytes, 1));
      }
    }
  }
});
