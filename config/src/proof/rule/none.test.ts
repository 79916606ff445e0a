import { describe, expect, test } from 'vitest';
import { parseLine } from '../line.ts';
import { type LineContext, classifyLine } from './none.ts';
import { emptyTally, tallyOf } from './probe-minute.ts';

/** Due at 5 s and every 60 s from there. */
const context: LineContext = {
  intervalMs: 60_000,
  phaseMs: 5_000,
  clockBoundMs: 2_000,
  enrolled: true,
  contradicted: false,
  entryHolds: true,
};

function classify(rest: string, change: Partial<LineContext> = {}): ReturnType<typeof classifyLine> {
  const line = parseLine(`rpc/a/http ${rest}`);
  if ('error' in line) throw new Error(line.error);
  return classifyLine(line, { ...context, ...change });
}

describe('a line that counts', () => {
  test.each([
    ['65000 ok 1 -', { as: 'ok', old: false }],
    ['65000 ok 1 - late=30000', { as: 'ok', old: false }],
    ['65000 degraded 1 target.rpc.slow', { as: 'degraded', old: false }],
    ['65000 fail 1 target.http.timeout', { as: 'fail', old: false }],
    ['65000 fail 1 target.head.old', { as: 'fail', old: true }],
    ['65000 fail 1 target.http.refused sc=429', { as: 'fail', old: false }],
    ['65000 fail 1 resolver.resolve.nxdomain', { as: 'fail', old: false }],
    ['65000 degraded 1 target.head.old', { as: 'degraded', old: false }],
  ])('%s', (rest, expected) => {
    expect(classify(rest)).toEqual(expected);
  });
});

describe('a line that says nothing, with the clause and what it tells of the hole', () => {
  test.each<[string, Partial<LineContext>, string, string | undefined]>([
    ['65000 ok 1 - re=1', {}, 'recheck', undefined],
    ['65000 ok 1 -', { enrolled: false }, 'enrolment', 'no-data'],
    ['65000 ok 1 -', { contradicted: true }, 'contradiction', 'probe'],
    ['65000 ok 1 -', { clockBoundMs: 2_001 }, 'clock', 'clock'],
    ['65000 ok 1 -', { clockBoundMs: -1 }, 'clock', 'clock'],
    ['65000 ok 1 -', { entryHolds: false }, 'config', 'no-data'],
    ['65000 skipped 0 probe.loop.late', {}, 'skipped', 'probe'],
    ['65000 skipped 0 probe.clock.stepped', {}, 'skipped', 'clock'],
    ['65000 skipped 9 target.http.refused sc=429', {}, 'skipped', 'no-data'],
    ['65000 skipped 9 target.rpc.limit', {}, 'skipped', 'no-data'],
    ['65000 fail 1 probe.fd.exhausted', {}, 'probe-fault', 'probe'],
    ['65000 degraded 1 probe.loop.late', {}, 'probe-fault', 'probe'],
    ['65001 ok 1 -', {}, 'not-due', 'probe'],
    ['65000 ok 1 - late=30001', {}, 'late', 'probe'],
  ])('%s %o', (rest, change, because, cause) => {
    const line = classify(rest, change);
    expect(line).toEqual({ as: null, because, cause });
    const tally = tallyOf(line);
    expect(tally).toEqual(
      cause === 'probe' || cause === 'clock' ? { ...emptyTally, [cause]: 1 } : emptyTally,
    );
  });
});
