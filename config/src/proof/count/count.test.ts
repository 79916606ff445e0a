/** What surrounds the numbers: the vectors of the rule, private services, days in their order, what came late or not at all. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../keys.ts';
import { utf8 } from '../bytes.ts';
import type { RuleConfig } from '../projection.ts';
import { evaluate } from '../rule/evaluate.ts';
import { REFERENCE_PREFIX } from '../rule/stalled.ts';
import { parseVectors } from '../testing/vector.ts';
import { WORLD_SEED, dueTimes, newWorld, worldKey } from '../testing/world.ts';
import { play } from './testing.ts';

const vectors = new URL('../../../testdata/rule-v1/', import.meta.url);
const cases = readdirSync(vectors)
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) =>
    parseVectors(readFileSync(new URL(name, vectors), 'utf8'), sha256).map((each) => ({
      ...each,
      title: `${name}: ${each.name}`,
    })),
  );

test.each(cases)('$title: the totals of the reference', ({ evidence, expectations }) => {
  const range = {
    first: Math.min(...expectations.map(({ first }) => first)),
    last: Math.max(...expectations.map(({ last }) => last)),
  };
  const evaluation = evaluate(evidence, range, sha256);
  const subjects = [...evaluation.monitors, ...evaluation.nodes, ...evaluation.services]
    .filter(([id]) => !id.startsWith(REFERENCE_PREFIX))
    .map(([subject, { totals }]) => ({ subject, totals }));
  const told = play(evidence, range)
    .count.result()
    .services.flatMap((service) => service.subjects)
    .filter(({ region }) => region === undefined);
  const inOrder = (a: { subject: string }, b: { subject: string }): number =>
    a.subject < b.subject ? -1 : 1;
  expect(told.sort(inOrder)).toEqual(subjects.sort(inOrder));
});

const zeros = '00'.repeat(32);
const range = { first: 30_000 * 1_440, last: 30_001 * 1_440 - 1 };

function configOf(visibility: 'public' | 'private'): RuleConfig {
  const vkey = worldKey('eu-1', sha256);
  const base = {
    intervalMs: 60_000,
    timeoutMs: 1_000,
    targetHash: zeros,
    settings: [],
    regions: ['eu'],
    counts: true,
  };
  const nodes = [{ id: 'a', zone: 'z', operator: 'x', urlHash: zeros }];
  return {
    seed: WORLD_SEED,
    regions: ['eu'],
    probes: [{ id: 'eu-1', region: 'eu', operator: 'Other', vkey }],
    controls: [],
    chains: [],
    services: [
      { id: 'rpc', minUp: 1, visibility: 'public', nodes },
      { id: 'own', minUp: 1, visibility, nodes },
    ],
    monitors: ['rpc/a/http', 'own/a/http'].map((id) => ({ ...base, id, kind: 'http' })),
  };
}

function worldOf(visibility: 'public' | 'private') {
  const world = newWorld(sha256);
  const config = world.config(configOf(visibility), 0);
  world.enrol('eu-1', 'eu', 0);
  const send = (minute: number): void => {
    const lines = ['rpc/a/http', 'own/a/http'].flatMap((id) =>
      dueTimes(WORLD_SEED, id, 'eu-1', 60_000, { first: minute, last: minute }, sha256).map(
        (at) => `${id} ${at} ok 9 -`,
      ),
    );
    world.batch('eu-1', lines, { config });
  };
  return { world, send };
}

describe('around the numbers', () => {
  test('a private service is not read and not told', () => {
    const { world, send } = worldOf('private');
    send(range.first);
    const { count, batches } = play(world.evidence(), range);
    expect([...count.needs(30_000)]).toEqual(['rpc']);
    expect(
      batches.map(({ config }) => [count.isPublished(config, 'rpc'), count.isPublished(config, 'own')]),
    ).toEqual([[true, false]]);
    expect(count.result().services.map(({ id, minutes }) => [id, minutes])).toEqual([['rpc', 1_440]]);
  });

  test('what a probe sent, how long it was silent, what came late and what is missing', () => {
    const { world, send } = worldOf('public');
    send(range.first - 60);
    for (let minute = range.first; minute <= range.last; minute += 1) {
      // Of three minutes without a line none is told: a check each minute, and two to spare.
      const isSilent =
        minute - range.first < 3 || (minute - range.first >= 100 && minute - range.first < 104);
      if (!isSilent) send(minute);
    }
    const evidence = world.evidence();
    const result = play(evidence, range, { before: 0 }).count.result();
    const minutes = 1_440 - 7;
    expect(result.probes).toEqual([
      {
        id: 'eu-1',
        key: worldKey('eu-1', sha256),
        region: 'eu',
        operator: 'Other',
        isByOthers: true,
        batches: minutes,
        lines: 2 * minutes,
        gaps: [],
        silent: [{ firstMinute: range.first + 100, minutes: 4 }],
        voided: [],
      },
    ]);
    const late = {
      probe: 'eu-1',
      batches: 1,
      lines: 2,
      firstMinute: range.first - 60,
      lastMinute: range.first - 60,
    };
    expect(result.later).toEqual([{ month: '2052-02', ...late }]);
    expect(play(evidence, range).count.result().later).toEqual([]);
    expect(play(evidence, range, { before: 9 }).count.result().later).toEqual([]);
    const gone = play(
      { ...evidence, bodies: new Map([...evidence.bodies].filter(([, text]) => !text.startsWith('rpc/'))) },
      range,
    );
    expect(gone.count.result().missing).toEqual([{ service: 'rpc', date: '2052-02-20', bodies: minutes }]);
  });

  test('a day that was closed takes nothing more, and a strange batch is a mistake', () => {
    const { world, send } = worldOf('public');
    send(range.first);
    const { count, batches } = play(world.evidence(), range);
    const [batch] = batches;
    if (batch === undefined) throw new Error('there is one batch');
    expect(() => count.add(batch, 'rpc', utf8('x\n'), 1)).toThrow(/is closed/);
    expect(() => count.add({ ...batch }, 'rpc', utf8('x\n'), 1)).toThrow(/none of those/);
  });
});
