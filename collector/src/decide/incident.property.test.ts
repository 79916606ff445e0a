/** Properties of the incident decision over random topologies and histories of flips. */
import type { Cause, Flip, Incident, Status } from '@highwater/config/domain.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incidentPolicy, noIncidents, track, wakeAt } from './incident.ts';
import type { Incidents } from './story.ts';
import type { IncidentEffect, IncidentEvent, Topology } from './types.ts';

const topologies: fc.Arbitrary<Topology> = fc
  .array(fc.array(fc.constantFrom('fra', 'nyc', 'ams'), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => ({
    chains: [{ id: 'c', stallWaitMs: 40_000 }],
    services: list.map((zones, s) => ({
      // The last one has no chain.
      ...(s < list.length - 1 && { chain: 'c' }),
      id: `s${s}`,
      name: `Service ${s}`,
      group: 'g',
      minUp: 1,
      nodes: zones.map((zone, n) => ({ id: `n${n}`, zone })),
    })),
  }));

/** Which subject (by place) turns to what, after how many ms. */
const moves = fc.array(
  fc.record({
    subject: fc.nat(),
    cause: fc.constantFrom<Cause | undefined>(undefined, 'head-age', 'head-age', 'fork'),
    to: fc.constantFrom<Status>('up', 'up', 'down', 'down', 'down', 'degraded', 'unknown'),
    afterMs: fc.oneof(
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 0, max: 90_000 }),
      fc.constant(700_000),
    ),
    backMs: fc.integer({ min: 0, max: 30_000 }),
  }),
  { maxLength: 40 },
);

interface Step {
  readonly event: IncidentEvent;
  readonly at: number;
  readonly state: Incidents;
  readonly effects: readonly IncidentEffect[];
}

function subjectsOf(topology: Topology): string[] {
  return [
    'chain:c',
    ...topology.services.flatMap((service) => [
      service.id,
      ...service.nodes.map((node) => `${service.id}/${node.id}`),
    ]),
  ];
}

/** Plays a history as the driver would: flips as they come, ticks when the decision asks for them. */
function play(
  topology: Topology,
  list: readonly {
    subject: number;
    to: Status;
    cause: Cause | undefined;
    afterMs: number;
    backMs: number;
  }[],
) {
  const decide = track(topology);
  const subjects = subjectsOf(topology);
  const status = new Map<string, string>();
  const steps: Step[] = [];
  let state = noIncidents;
  let now = 1_000_000;
  const hand = (event: IncidentEvent, at: number) => {
    const [next, effects] = decide(state, event, at);
    state = next;
    steps.push({ event, at, state, effects });
  };
  const turn = (subject: string, to: Status, why: Cause | undefined, at: number, number: number): Flip[] => {
    const hasCause = !subject.startsWith('chain:') && (why === 'fork' ? to === 'degraded' : to === 'down');
    const cause = hasCause && why !== undefined ? { cause: why } : {};
    const before = status.get(subject) ?? 'unknown';
    const is = [to, ...Object.values(cause)].join(' ');
    status.set(subject, is);
    const from = before.split(' ')[0] as Status;
    return before === is
      ? []
      : [{ id: `${number}`, subject, at, from, to, because: `turned ${to}`, ...cause }];
  };
  const pass = (until: number) => {
    for (let at = wakeAt(state); at !== null && at <= until; at = wakeAt(state)) {
      hand({ type: 'tick' }, at);
      expect(wakeAt(state) ?? Infinity, 'a wake is over once it was had').toBeGreaterThan(at);
    }
    now = until;
  };
  let together: Flip[] = [];
  list.forEach(({ subject, to, cause, afterMs, backMs }, i) => {
    if (afterMs > 500) {
      hand({ type: 'flips', flips: together }, now);
      together = [];
    }
    pass(now + afterMs);
    together.push(...turn(subjects[subject % subjects.length] ?? '', to, cause, now - backMs, i));
  });
  hand({ type: 'flips', flips: together }, now);
  // A story may take a minute to be told, and what it then leaves behind two more.
  pass(now + 240_000);
  const settled = state;
  const settledAt = now;
  for (const [i, subject] of subjects.entries()) {
    for (const flip of turn(subject, 'up', undefined, now, 1_000 + i))
      hand({ type: 'flips', flips: [flip] }, now);
  }
  return { steps, settled, settledAt, last: state };
}

const history = fc.tuple(topologies, moves);
const isOpen = (incident: Incident) => incident.phase !== 'resolved';
const stories = (state: Incidents) => Object.values(state.stories).map((story) => story.incident);

describe('any history of flips', () => {
  it('ends without an incident when all is up', () => {
    fc.assert(
      fc.property(history, ([topology, list]) => {
        const { last } = play(topology, list);
        expect(last.troubles).toEqual({});
        expect(stories(last).filter(isOpen)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves nothing that is down untold, and tells nothing twice', () => {
    fc.assert(
      fc.property(history, ([topology, list]) => {
        const { settled } = play(topology, list);
        for (const [subject, trouble] of Object.entries(settled.troubles)) {
          const tellers = stories(settled).filter((incident) => incident.id === trouble.told);
          expect(tellers.filter(isOpen), subject).toHaveLength(1);
          const lists = subject.includes('/') ? tellers[0]?.nodes : tellers[0]?.services;
          if (!subject.startsWith('chain:')) expect(lists).toContain(subject);
          const { kind } = settled.troubles['chain:c'] ?? {};
          // What the chain does not explain has a story elsewhere.
          const isExplained = kind === 'down' ? trouble.cause !== undefined : trouble.cause === 'fork';
          if (!isExplained && !subject.startsWith('chain:')) expect(tellers[0]?.key).not.toBe('chain:c');
        }
        const open = stories(settled).filter(isOpen);
        expect(new Set(open.map((incident) => incident.key)).size).toBe(open.length);
        for (const incident of open) {
          expect(Object.values(settled.troubles).some((trouble) => trouble.told === incident.id)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('opens no more incidents than it has causes, and each lives by the rules', () => {
    fc.assert(
      fc.property(history, ([topology, list]) => {
        const { steps } = play(topology, list);
        const causes = steps
          .flatMap(({ event }) => (event.type === 'flips' ? event.flips : []))
          .filter((flip) => flip.to === 'down' || flip.to === 'degraded');
        // A node that is still down when the story of its service ends is told by one of its own, or was just now.
        const left = steps.flatMap(({ state, effects }) =>
          effects
            .filter(({ type }) => type === 'resolved')
            .flatMap(({ incident }) =>
              incident.nodes.filter((node) => {
                const trouble = state.troubles[node];
                return trouble && (trouble.told === undefined || trouble.told !== incident.mergedInto);
              }),
            ),
        );
        const effects = steps.flatMap((step) => step.effects);
        const opened = effects.filter(({ type }) => type === 'opened').length;
        expect(opened).toBeLessThanOrEqual(causes.length + left.length);
        const open = new Map<string, boolean>();
        for (const { type, incident, impact } of effects) {
          const allowed = { opened: undefined, updated: true, resolved: true, reopened: false }[type];
          expect(open.get(incident.id), `${incident.id} ${type}`).toBe(allowed);
          open.set(incident.id, isOpen(incident));
          expect(isOpen(incident)).toBe(type !== 'resolved');
          expect(incident.resolvedAt === undefined).toBe(isOpen(incident));
          expect(impact).toBe(incident.impact);
          expect(incident.updates.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has each incident at most once in what one event tells', () => {
    fc.assert(
      fc.property(history, ([topology, list]) => {
        for (const { effects } of play(topology, list).steps) {
          const ids = effects.map(({ incident }) => incident.id);
          expect(new Set(ids).size).toBe(ids.length);
        }
      }),
    );
  });

  it('gives the same state when it is replayed through JSON, and nothing when an event comes twice', () => {
    fc.assert(
      fc.property(history, ([topology, list]) => {
        const decide = track(topology);
        let state = noIncidents;
        for (const step of play(topology, list).steps) {
          const saved = JSON.parse(JSON.stringify(state)) as Incidents;
          const event = JSON.parse(JSON.stringify(step.event)) as IncidentEvent;
          const [next, effects] = decide(saved, event, step.at);
          expect([next, effects]).toEqual([step.state, step.effects]);
          expect(decide(next, event, step.at)).toEqual([next, []]);
          state = next;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('changes nothing by what becomes unknown', () => {
    fc.assert(
      fc.property(history, ([topology, list]) => {
        const { settled, settledAt } = play(topology, list);
        for (const subject of subjectsOf(topology)) {
          const flip: Flip = {
            id: 'x',
            subject,
            at: settledAt,
            from: 'down',
            to: 'unknown',
            because: 'silent',
          };
          expect(track(topology)(settled, { type: 'flips', flips: [flip] }, settledAt)[1]).toEqual([]);
        }
      }),
    );
  });

  it('keeps a bounded state: troubles, open stories, and those of the last ten minutes', () => {
    fc.assert(
      fc.property(history, ([topology, list]) => {
        const subjects = subjectsOf(topology).length;
        for (const { state, at } of play(topology, list).steps) {
          const open = stories(state).filter(isOpen);
          expect(Object.keys(state.troubles).length).toBeLessThanOrEqual(subjects);
          expect(open.length).toBeLessThanOrEqual(Object.keys(state.troubles).length);
          for (const { resolvedAt, updates } of stories(state)) {
            expect(at - (resolvedAt ?? at)).toBeLessThanOrEqual(incidentPolicy.reopenMs);
            expect(updates.length).toBeLessThanOrEqual(incidentPolicy.maxUpdates);
          }
        }
      }),
    );
  });
});
