import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { type LogProofs, logProofs } from '@highwater/config/wire.ts';
import { leafOf, ORIGIN, proofsOf, seenOf, testLog, type TestLog } from '../testing/log.ts';
import { checkProofs, type Question } from './prove-check.ts';

const entriesOf = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name} ${n}\n`);

/** Two years: what was seen is of the first, and what is asked for is in both. */
function years(seenSize = 5) {
  const first = testLog(2026);
  first.entries.push(...entriesOf('a', 11));
  const second = testLog(2027, first);
  second.entries.push(...entriesOf('b', 6));
  const leaves = ['a 8\n', 'b 2\n'].map(leafOf);
  const seen = seenOf(first, seenSize);
  const question: Question = {
    leaves: new Set(leaves),
    seen,
    origin: ORIGIN,
    logKeys: [first.key.vkey, second.key.vkey],
  };
  return { first, second, leaves, seen, question, answer: proofsOf([first, second], leaves, seen) };
}

const kindOf = (answer: LogProofs, question: Question) => {
  const checked = checkProofs(answer, question);
  return 'wrong' in checked ? checked.wrong.kind : [...checked.proven].length;
};

describe('a good answer', () => {
  it('proves leaves of both years, and leads to the newest checkpoint', () => {
    const { answer, question, second, leaves } = years();
    expect(logProofs.safeParse(answer).success).toBe(true);
    expect(checkProofs(answer, question)).toEqual({ proven: new Set(leaves), checkpoint: seenOf(second) });
  });

  it.each<[string, (two: ReturnType<typeof years>) => [LogProofs, Question], number]>([
    ['with nothing seen before', ({ answer, question }) => [answer, { ...question, seen: undefined }], 2],
    [
      'with what is newest seen before, a leaf of the old year too',
      ({ first, second, leaves, question }) => {
        const seen = seenOf(second);
        return [proofsOf([first, second], leaves, seen), { ...question, seen }];
      },
      2,
    ],
    [
      'of a log that stands still',
      ({ first, question, leaves }) => {
        const seen = seenOf(first);
        return [proofsOf([first], leaves.slice(0, 1), seen), { ...question, seen }];
      },
      1,
    ],
    ['before anything is signed', ({ question }) => [proofsOf([], []), { ...question, seen: undefined }], 0],
    [
      'of a year whose key is still under way: the year before is enough',
      ({ answer, question, first }) => [answer, { ...question, logKeys: [first.key.vkey] }],
      1,
    ],
    [
      'with cosignatures of witnesses, which are not kept',
      ({ answer, question }) => {
        const line = generateSigningKey('witness.example.net/w1').sign('x\n').split('\n').at(-2) ?? '';
        const logs = answer.logs.map((log) => ({ ...log, checkpoint: `${log.checkpoint}${line}\n` }));
        return [{ ...answer, logs }, question];
      },
      2,
    ],
  ])('is one %s', (_, make, proven) => {
    const [answer, question] = make(years());
    expect(kindOf(answer, question)).toBe(proven);
  });

  it('keeps the signature of the log alone', () => {
    const { answer, question, second } = years();
    const line = generateSigningKey('witness.example.net/w1').sign('x\n').split('\n').at(-2) ?? '';
    const logs = answer.logs.map((log) => ({ ...log, checkpoint: `${log.checkpoint}${line}\n` }));
    expect(checkProofs({ ...answer, logs }, question)).toMatchObject({
      checkpoint: { note: second.checkpoint() },
    });
  });
});

/** Another history by the same key: an entry that was seen is another one. */
function forkOf(log: TestLog, at: number): TestLog {
  const fork = testLog(log.year, undefined, log.key);
  fork.entries.push(...log.entries.with(at, 'forged\n'));
  return fork;
}

describe('a log that is not the one that was seen', () => {
  type Two = ReturnType<typeof years>;
  it.each<[string, string, (two: Two) => [LogProofs, Question]]>([
    [
      'shrank',
      'smaller than what was seen',
      ({ first, question, leaves }) => {
        const small = testLog(2026, undefined, first.key);
        small.entries.push(...first.entries.slice(0, 4));
        return [proofsOf([small], leaves, question.seen), question];
      },
    ],
    ['shrank', 'gone', ({ question }) => [proofsOf([], []), question]],
    [
      'shrank',
      'the year before',
      ({ first, second, leaves, question }) => {
        const seen = seenOf(second);
        return [proofsOf([first], leaves, seen), { ...question, seen }];
      },
    ],
    [
      'forked',
      'of the same size, with another root',
      ({ first, leaves, question }) => {
        const seen = seenOf(first);
        return [proofsOf([forkOf(first, 3)], leaves, seen), { ...question, seen }];
      },
    ],
    [
      'forked',
      'grown from another beginning',
      ({ first, leaves, question }) => [proofsOf([forkOf(first, 3)], leaves, question.seen), question],
    ],
    [
      'forked',
      'without what leads to it',
      ({ answer, question }) => {
        const logs = answer.logs.map((log) => ({ ...log, consistency: [] }));
        return [{ ...answer, logs }, question];
      },
    ],
    [
      'key',
      'of another key for that year',
      ({ first, second, question, leaves }) => {
        const other = testLog(2026);
        other.entries.push(...first.entries);
        const logKeys = [other.key.vkey, second.key.vkey];
        return [proofsOf([other], leaves, question.seen), { ...question, logKeys }];
      },
    ],
    [
      'key',
      'signed by a key that the operator does not name',
      ({ first, question, leaves }) => {
        const other = testLog(2026);
        other.entries.push(...first.entries);
        return [proofsOf([other], leaves, question.seen), question];
      },
    ],
    [
      'key',
      'of a year for which there are two keys',
      ({ answer, question }) => {
        const more = generateSigningKey(`${ORIGIN}/2026`).vkey;
        return [answer, { ...question, logKeys: [...question.logKeys, more] }];
      },
    ],
    [
      'key',
      'of a year that has no key any more',
      ({ answer, question }) => [answer, { ...question, logKeys: [] }],
    ],
    [
      'key',
      'of an operator who has another name now',
      ({ answer, question }) => [answer, { ...question, origin: 'other.example/log' }],
    ],
    [
      'year',
      'a new year that does not begin with the end of the old one',
      ({ first, question, leaves }) => {
        const alone = testLog(2027);
        alone.entries.push(...entriesOf('b', 6));
        const answer = proofsOf([first, alone], leaves, question.seen);
        return [answer, { ...question, logKeys: [first.key.vkey, alone.key.vkey] }];
      },
    ],
    [
      'year',
      'a new year that begins with an earlier checkpoint of the old one',
      ({ first, question, leaves }) => {
        const early = testLog(2026, undefined, first.key);
        early.entries.push(...first.entries.slice(0, 9));
        const second = testLog(2027, early);
        second.entries.push(...entriesOf('b', 6));
        const answer = proofsOf([first, second], leaves, question.seen);
        const [a, b] = answer.logs;
        if (!a || !b?.carried) throw new Error('two logs were to be made');
        const logs = [a, { ...b, carried: { ...b.carried, note: early.checkpoint() } }];
        return [
          { ...answer, logs },
          { ...question, logKeys: [first.key.vkey, second.key.vkey] },
        ];
      },
    ],
    [
      'year',
      'a new year without its link',
      ({ answer, question }) => {
        const logs = answer.logs.map(({ carried: _, ...log }) => log);
        return [{ ...answer, logs }, question];
      },
    ],
    [
      'year',
      'a later year alone',
      ({ answer, question }) => [
        { ...answer, logs: answer.logs.slice(1), leaves: answer.leaves.slice(1) },
        question,
      ],
    ],
    [
      'proof',
      'a leaf somewhere else',
      ({ answer, question }) => {
        const leaves = answer.leaves.map((leaf) => ({ ...leaf, index: leaf.index + 1 }));
        return [{ ...answer, leaves }, question];
      },
    ],
    [
      'proof',
      'a leaf past the end',
      ({ answer, question }) => {
        const leaves = answer.leaves.map((leaf) => ({ ...leaf, index: 11 }));
        return [{ ...answer, leaves }, question];
      },
    ],
    [
      'proof',
      'a leaf of a negative place',
      ({ answer, question }) => {
        const leaves = answer.leaves.map((leaf) => ({ ...leaf, index: -1 }));
        return [{ ...answer, leaves }, question];
      },
    ],
    [
      'form',
      'a leaf that was not asked for',
      ({ answer, question }) => [answer, { ...question, leaves: new Set() }],
    ],
    [
      'form',
      'a leaf that is proven and unknown',
      ({ answer, question, leaves }) => [{ ...answer, unknown: [...leaves] }, question],
    ],
    [
      'form',
      'a leaf proven twice',
      ({ answer, question }) => [{ ...answer, leaves: [...answer.leaves, ...answer.leaves] }, question],
    ],
    [
      'form',
      'years in another order',
      ({ answer, question }) => [{ ...answer, logs: answer.logs.toReversed() }, question],
    ],
    [
      'form',
      'a checkpoint of nothing',
      ({ first, question }) => {
        const logs = [{ year: 2026, checkpoint: first.checkpoint(0), consistency: [] }];
        return [{ logs, leaves: [], unknown: [] }, question];
      },
    ],
  ])('is %s: %s', (kind, _, make) => {
    const [answer, question] = make(years());
    expect(kindOf(answer, question)).toBe(kind);
  });
});

describe('whatever one character of an answer is changed to', () => {
  /** Every text and number of the answer, as a way to set it. */
  function places(
    value: unknown,
    set: (to: unknown) => void,
  ): ((change: (old: string) => string) => boolean)[] {
    if (typeof value === 'string')
      return [
        (change) => {
          const to = change(value);
          set(to);
          return to !== value;
        },
      ];
    if (typeof value === 'number')
      return [
        (change) => {
          const to = Number(change(String(value)));
          set(to);
          return to !== value;
        },
      ];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, inside]) =>
      places(inside, (to) => void ((value as Record<string, unknown>)[name] = to)),
    );
  }

  it('nothing is proven that was not, and what was seen is not left', () => {
    const { answer, question, first, second } = years();
    // Of a year that has no key, as a changed one, nothing is known: then it ends with the year before.
    const good = [seenOf(first), seenOf(second)];
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(255), (which, at, by) => {
        const changed = structuredClone(answer);
        const all = places(changed, () => undefined);
        const place = all[which % all.length];
        const isChanged = place?.((old) => {
          const spot = at % Math.max(1, old.length);
          return (
            old.slice(0, spot) +
            String.fromCharCode((old.charCodeAt(spot) ^ (by || 1)) & 0x7f) +
            old.slice(spot + 1)
          );
        });
        fc.pre(isChanged === true);
        const parsed = logProofs.safeParse(changed);
        if (!parsed.success) return;
        const checked = checkProofs(parsed.data, question);
        if ('wrong' in checked) return;
        expect(good).toContainEqual(checked.checkpoint);
        expect(checked.proven.size).toBeLessThan(2);
      }),
      { numRuns: 2_000 },
    );
  }, 60_000);

  it('any size that was seen is continued, and any other beginning is not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 11 }), fc.nat(10), (size, at) => {
        const { first, leaves, question } = years(size);
        expect(kindOf(proofsOf([first], leaves, question.seen), question)).toBe(1);
        const fork = forkOf(first, at);
        const expected = at < size ? 'forked' : at === 8 ? 0 : 1;
        expect(kindOf(proofsOf([fork], leaves, question.seen), question)).toBe(expected);
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

describe('the form of an answer', () => {
  const hash = 'A'.repeat(43) + '=';
  const log = { year: 2026, checkpoint: 'x', consistency: [] as unknown };
  it.each<[string, unknown]>([
    [
      'a million hashes',
      { logs: [{ ...log, consistency: Array<string>(1_000_000).fill(hash) }], leaves: [], unknown: [] },
    ],
    ['a hash of 31 bytes', { logs: [{ ...log, consistency: ['A'.repeat(42)] }], leaves: [], unknown: [] }],
    [
      'a hash of 10 MB',
      { logs: [{ ...log, consistency: ['A'.repeat(10_000_000)] }], leaves: [], unknown: [] },
    ],
    ['hashes that are numbers', { logs: [{ ...log, consistency: [1] }], leaves: [], unknown: [] }],
    [
      'a checkpoint of 10 MB',
      { logs: [{ ...log, checkpoint: 'x'.repeat(10_000_000) }], leaves: [], unknown: [] },
    ],
    ['a thousand years', { logs: Array(1_000).fill(log), leaves: [], unknown: [] }],
    ['more leaves than were asked for', { logs: [], leaves: [], unknown: Array(21).fill('0'.repeat(64)) }],
    ['a year that is a text', { logs: [{ ...log, year: '2026' }], leaves: [], unknown: [] }],
    ['something beside', { logs: [], leaves: [], unknown: [], more: 1 }],
    ['a list', []],
  ])('is refused for %s', (_, answer) => {
    expect(logProofs.safeParse(answer).success).toBe(false);
  });
});
