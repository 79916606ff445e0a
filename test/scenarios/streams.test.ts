/** Random streams of answers through all live decisions at once: what must hold whatever probes say. */
import type { Flip } from '@highwater/config/domain.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noIncidents, track, wakeAt } from '../../collector/src/decide/incident.ts';
import type { Answer, IncidentEffect, Topology } from '../../collector/src/decide/types.ts';
import type { Plan } from './picture.ts';
import { emptyShard, look, probesOf, verdictsOf, watchedOf } from './picture.ts';

const INTERVAL_MS = 10_000;
const all = ['eu', 'us', 'ap', 'sa', 'af'];
const nodes = ['rpc/a', 'rpc/b'];

const topology: Topology = {
  services: [
    {
      id: 'rpc',
      name: 'RPC',
      minUp: 1,
      nodes: [
        { id: 'a', zone: 'fra' },
        { id: 'b', zone: 'nyc' },
      ],
    },
  ],
};

function planOf(n: number, fall: number, rise: number): Plan {
  const chain = { blockTimeMs: 1_000, maxLagBlocks: 5, maxAgeMs: 60_000, references: [] };
  const regions = all.slice(0, n);
  return { regions, probesPerRegion: 1, intervalMs: INTERVAL_MS, fall, rise, chain, services: topology.services };
}

/** What one region sees of one node in one round; `silent` sends nothing. */
type Sight = Answer['outcome'] | 'silent';
/** By round, then by region, then by node. */
type Stream = readonly (readonly (readonly Sight[])[])[];

const sight = fc.constantFrom<Sight>('ok', 'ok', 'degraded', 'fail', 'fail', 'silent');
const streams: fc.Arbitrary<Stream> = fc.array(
  fc.array(fc.array(sight, { minLength: 2, maxLength: 2 }), { minLength: 5, maxLength: 5 }),
  { maxLength: 25 },
);

function answersOf(plan: Plan, round: Stream[number], number: number): Answer[] {
  return probesOf(plan).flatMap(({ id: probe, region }, r) =>
    nodes.flatMap((node, n): Answer[] => {
      const outcome = round[r]?.[n] ?? 'silent';
      const dueAt = (number + 1) * INTERVAL_MS + r * 1_000;
      if (outcome === 'silent') return [];
      // Apart, since no two judgings share a time.
      const receivedAt = dueAt + 50 + 10 * n;
      const seen = { monitor: `${node}/head`, probe, region, dueAt, receivedAt, latencyTenths: 100 };
      return [{ ...seen, outcome, recheck: false, height: 1_000 + number * 10, genesis: 'aa' }];
    }),
  );
}

/** Answers one at a time, as frames may come, with everything judged after each. */
function play(plan: Plan, stream: Stream) {
  const watched = watchedOf(plan);
  const shard = emptyShard(watched);
  let incidents = noIncidents;
  const flips: Flip[] = [];
  const effects: IncidentEffect[] = [];
  const decide = track(topology);
  stream.forEach((round, number) => {
    for (const answer of answersOf(plan, round, number)) {
      const { receivedAt } = answer;
      const seen = [...look(watched, shard, [], receivedAt - 1), ...look(watched, shard, [answer], receivedAt)];
      flips.push(...seen);
      const due = wakeAt(incidents);
      if (due !== null && due <= answer.receivedAt) {
        const [state, told] = decide(incidents, { type: 'tick' }, due);
        incidents = state;
        effects.push(...told);
      }
      const [state, told] = decide(incidents, { type: 'flips', flips: seen }, answer.receivedAt);
      incidents = state;
      effects.push(...told);
    }
  });
  return { verdicts: verdictsOf(shard), incidents, flips, effects };
}

const sizes = fc.record({
  n: fc.integer({ min: 1, max: 5 }),
  fall: fc.integer({ min: 1, max: 3 }),
  rise: fc.integer({ min: 1, max: 3 }),
});

describe('any stream of answers', () => {
  it('does not leave a node up after `fall` answers in a row that were not ok from Q regions', () => {
    fc.assert(
      fc.property(
        sizes,
        streams,
        fc.array(fc.constantFrom<Sight>('degraded', 'fail'), { minLength: 15, maxLength: 15 }),
        ({ n, fall, rise }, before, bad) => {
          const plan = planOf(n, fall, rise);
          const quorum = Math.floor(n / 2) + 1;
          const rounds = Array.from({ length: fall }, (_, round) =>
            all.map((_, r) => [r < quorum ? (bad[round * 5 + r] ?? 'fail') : 'ok', 'ok'] as const),
          );
          const { verdicts } = play(plan, [...before, ...rounds]);
          expect(verdicts.get('rpc/a/head')?.status).not.toBe('up');
          expect(verdicts.get('rpc/a')?.status).not.toBe('up');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('lets no single region of three or more make anything down, or keep it from being up', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 5 }),
        fc.nat({ max: 4 }),
        fc.array(fc.array(sight, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 30 }),
        (n, which, lies) => {
          const plan = planOf(n, 1, 1);
          const stream = lies.map((lie) => all.map((_, r) => (r === which % n ? lie : (['ok', 'ok'] as const))));
          const { verdicts, flips, effects } = play(plan, stream);
          expect(flips.filter((flip) => flip.to === 'down')).toEqual([]);
          expect(effects).toEqual([]);
          expect(verdicts.get('rpc')?.status).toBe('up');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('flips by turns for every subject, and never dates a flip after it is known', () => {
    fc.assert(
      fc.property(sizes, streams, ({ n, fall, rise }, stream) => {
        const last = new Map<string, Flip['to']>();
        const { flips, verdicts } = play(planOf(n, fall, rise), stream);
        for (const flip of flips) {
          expect(flip.from).toBe(last.get(flip.subject) ?? 'unknown');
          expect(flip.to).not.toBe(flip.from);
          last.set(flip.subject, flip.to);
        }
        expect(new Set(flips.map((flip) => flip.id)).size).toBe(flips.length);
        for (const { subject, status } of verdicts.values()) {
          expect(status).toBe(last.get(subject) ?? 'unknown');
        }
      }),
    );
  });

  it('ends without an open incident after `rise` good rounds from everywhere', () => {
    fc.assert(
      fc.property(sizes, streams, ({ n, fall, rise }, stream) => {
        const good = Array.from({ length: 2 * rise }, () => all.map(() => ['ok', 'ok'] as const));
        const { incidents, verdicts } = play(planOf(n, fall, rise), [...stream, ...good]);
        expect(verdicts.get('rpc')?.status).toBe('up');
        expect(Object.values(incidents.stories).filter(({ incident }) => incident.phase !== 'resolved')).toEqual([]);
      }),
    );
  });

  it('gives the same verdicts when late and repeated answers are mixed in', () => {
    fc.assert(
      fc.property(sizes, streams, ({ n, fall, rise }, stream) => {
        const plan = planOf(n, fall, rise);
        const answers = stream.flatMap((round, number) => answersOf(plan, round, number));
        const mixed = answers.flatMap((answer, i) => [answer, answer, ...answers.slice(0, i % 7)]);
        const [once, twice] = [answers, mixed].map((list) => {
          const watched = watchedOf(plan);
          const shard = emptyShard(watched);
          look(watched, shard, list, 0);
          return [...shard.monitors.entries()].map(([id, row]) => [id, row.streaks]);
        });
        expect(twice).toEqual(once);
      }),
    );
  });
});
