import type { Flip, Status } from '@highwater/config/domain.ts';
import { describe, expect, it } from 'vitest';
import { incidentPolicy, noIncidents, track, wakeAt } from './incident.ts';
import type { IncidentEffect, IncidentEvent, Topology } from './types.ts';
import type { Incidents } from './story.ts';

const S = 1_000;

/** `rpc: a@fra b@nyc` for each service; its name is its id in capitals. */
function topologyOf(lines: readonly string[], minUp: Readonly<Record<string, number>> = {}): Topology {
  const services = lines.map((line) => {
    const [id = '', nodes = ''] = line.split(': ');
    const places = nodes
      .split(' ')
      .map((node) => ({ id: node.split('@')[0] ?? '', zone: node.split('@')[1] ?? '' }));
    return { id, name: id.toUpperCase(), minUp: minUp[id] ?? 1, nodes: places, group: 'all' };
  });
  return { services };
}

/** `rpc/a down` or `rpc/a down@30` (since second 30), with a certificate as its cause if it says so. */
function flipOf(text: string, now: number): Flip {
  const [subject = '', rest = '', cause] = text.split(' ');
  const [to = '', at] = rest.split('@');
  const id = `${now}~${subject}~${to}`;
  return {
    id,
    subject,
    at: at === undefined ? now : Number(at) * S,
    from: 'unknown',
    to: to as Status,
    because: 'reason',
    ...(cause === 'certificate' && { cause }),
  };
}

/** Hands flips in at their second, and ticks when it asks to be woken; tells every effect as a line. */
function play(topology: Topology, script: readonly (readonly [number, ...string[]])[]) {
  let state: Incidents = noIncidents;
  const told: string[] = [];
  const effects: IncidentEffect[] = [];
  const hand = (event: IncidentEvent, now: number) => {
    const [next, out] = track(topology)(state, event, now);
    state = JSON.parse(JSON.stringify(next)) as Incidents;
    effects.push(...out);
    for (const { type, incident, impact } of out) told.push(`${now / S} ${type} ${impact} ${incident.key}`);
  };
  const tickUntil = (until: number) => {
    for (let at = wakeAt(state); at !== null && at <= until; at = wakeAt(state)) hand({ type: 'tick' }, at);
  };
  for (const [second, ...flips] of script) {
    tickUntil(second * S - 1);
    if (flips.length > 0)
      hand({ type: 'flips', flips: flips.map((text) => flipOf(text, second * S)) }, second * S);
  }
  tickUntil((script.at(-1)?.[0] ?? 0) * S);
  return { told, effects, state };
}

const one = topologyOf(['rpc: a@fra']);
const two = topologyOf(['rpc: a@fra b@nyc']);
const zoned = topologyOf(['rpc: a@fra z@nyc', 'ws: a@fra z@ams', 'api: a@fra z@sin']);

describe('an incident', () => {
  it.each([
    ['a node is down', two, [[0, 'rpc/a down'], [9]], ['1 opened minor node:rpc/a']],
    [
      'a service with its only node',
      one,
      [[0, 'rpc/a down', 'rpc down'], [9]],
      ['1 opened major service:rpc'],
    ],
    [
      'the node a moment before its service',
      one,
      [[0, 'rpc/a down'], [0.5, 'rpc down'], [9]],
      ['1 opened major service:rpc'],
    ],
    [
      'the service later than the settle time: the same story, wider',
      two,
      [[0, 'rpc/a down'], [30, 'rpc/b down', 'rpc down'], [60]],
      ['1 opened minor node:rpc/a', '31 updated major service:rpc'],
    ],
    [
      'the other node long after the first: another cause',
      two,
      [[0, 'rpc/a down'], [300, 'rpc/b down', 'rpc down'], [400]],
      ['1 opened minor node:rpc/a', '301 opened major service:rpc'],
    ],
    ['back before it was told', two, [[0, 'rpc/a down'], [0.9, 'rpc/a up'], [9]], []],
    ['a service degraded for less than a minute', two, [[0, 'rpc degraded'], [59, 'rpc up'], [200]], []],
    ['a service degraded for a minute', two, [[0, 'rpc degraded'], [200]], ['60 opened minor service:rpc']],
    [
      'degraded, then down',
      one,
      [[0, 'rpc degraded'], [100, 'rpc/a down', 'rpc down'], [200]],
      ['60 opened minor service:rpc', '100 updated major service:rpc'],
    ],
    [
      'down, then degraded, then up',
      one,
      [[0, 'rpc down'], [100, 'rpc degraded'], [200, 'rpc up'], [300]],
      ['1 opened major service:rpc', '100 updated major service:rpc', '200 resolved major service:rpc'],
    ],
    [
      'a zone at once',
      zoned,
      [[0, 'rpc/a down', 'ws/a down', 'api/a down'], [9]],
      ['1 opened minor zone:fra'],
    ],
    [
      'a zone one by one: widened, the others ended',
      zoned,
      [[0, 'rpc/a down'], [40, 'ws/a down'], [80, 'api/a down'], [90]],
      [
        '1 opened minor node:rpc/a',
        '41 opened minor node:ws/a',
        '81 updated minor zone:fra',
        '81 resolved minor node:ws/a',
      ],
    ],
    [
      'a zone too slowly: each its own',
      zoned,
      [[0, 'rpc/a down'], [80, 'ws/a down'], [160, 'api/a down'], [170]],
      ['1 opened minor node:rpc/a', '81 opened minor node:ws/a', '161 opened minor node:api/a'],
    ],
    [
      'a zone and a service that goes down with it',
      zoned,
      [[0, 'rpc/a down', 'ws/a down', 'api/a down'], [20, 'rpc/z down', 'rpc down'], [30]],
      ['1 opened minor zone:fra', '21 updated major zone:fra'],
    ],
    [
      'a zone, and much later another node',
      zoned,
      [[0, 'rpc/a down', 'ws/a down', 'api/a down'], [900, 'rpc/z down', 'rpc down'], [910]],
      ['1 opened minor zone:fra', '901 opened major service:rpc'],
    ],
    [
      'a node of a zone comes back and goes again while the zone is down',
      zoned,
      [[0, 'rpc/a down', 'ws/a down', 'api/a down'], [300, 'ws/a up'], [310, 'ws/a down'], [320]],
      ['1 opened minor zone:fra', '300 updated minor zone:fra', '311 updated minor zone:fra'],
    ],
    [
      'a zone comes back node by node',
      zoned,
      [
        [0, 'rpc/a down', 'ws/a down', 'api/a down'],
        [60, 'rpc/a up'],
        [61, 'ws/a up'],
        [62, 'api/a up'],
        [70],
      ],
      [
        '1 opened minor zone:fra',
        '60 updated minor zone:fra',
        '61 updated minor zone:fra',
        '62 resolved minor zone:fra',
      ],
    ],
    [
      'unknown resolves nothing',
      one,
      [
        [0, 'rpc/a down', 'rpc down'],
        [60, 'rpc/a unknown', 'rpc unknown'],
        [4_000, 'rpc/a down', 'rpc down'],
        [4_100],
      ],
      ['1 opened major service:rpc'],
    ],
    [
      'unknown, then up',
      one,
      [
        [0, 'rpc/a down', 'rpc down'],
        [60, 'rpc/a unknown', 'rpc unknown'],
        [90, 'rpc/a up', 'rpc up'],
        [100],
      ],
      ['1 opened major service:rpc', '90 resolved major service:rpc'],
    ],
    [
      'back within ten minutes',
      one,
      [[0, 'rpc down'], [60, 'rpc up'], [659, 'rpc down'], [670]],
      ['1 opened major service:rpc', '60 resolved major service:rpc', '660 reopened major service:rpc'],
    ],
    [
      'back after ten minutes',
      one,
      [[0, 'rpc down'], [60, 'rpc up'], [660, 'rpc down'], [670]],
      ['1 opened major service:rpc', '60 resolved major service:rpc', '661 opened major service:rpc'],
    ],
    [
      'a node that stays down when its service is back',
      topologyOf(['rpc: a@fra b@nyc', 'ws: a@ams']),
      [[0, 'rpc/a down', 'rpc/b down', 'rpc down'], [60, 'rpc/a up', 'rpc up'], [90, 'rpc/b up'], [99]],
      [
        '1 opened major service:rpc',
        '60 resolved major service:rpc',
        '61 opened minor node:rpc/b',
        '90 resolved minor node:rpc/b',
      ],
    ],
    [
      'the last service of a group makes it critical for the first too',
      topologyOf(['rpc: a@fra', 'ws: a@ams']),
      [[0, 'rpc/a down', 'rpc down'], [500, 'ws/a down', 'ws down'], [510]],
      ['1 opened major service:rpc', '501 opened critical service:ws', '501 updated critical service:rpc'],
    ],
    [
      'a node of a zone comes back and goes again at once: no new story',
      zoned,
      [[0, 'rpc/a down', 'ws/a down', 'api/a down'], [30, 'ws/a up'], [40, 'ws/a down'], [50]],
      ['1 opened minor zone:fra', '30 updated minor zone:fra', '41 updated minor zone:fra'],
    ],
    [
      'a zone and a service that was down long before: two causes',
      topologyOf(['rpc: a@fra z@nyc', 'ws: a@fra z@ams']),
      [[0, 'ws/z down', 'ws down'], [600, 'rpc/a down', 'ws/a down'], [610]],
      ['1 opened major service:ws', '601 opened minor zone:fra'],
    ],
    [
      'the only node of a service is up a moment before the service: told once',
      one,
      [[0, 'rpc/a down', 'rpc down'], [60, 'rpc/a up'], [60, 'rpc up'], [70]],
      ['1 opened major service:rpc', '60 resolved major service:rpc'],
    ],
    [
      'down and then unknown at once',
      one,
      [[0, 'rpc down', 'rpc unknown'], [9]],
      ['1 opened major service:rpc'],
    ],
    ['a flip of a monitor', two, [[0, 'rpc/a/head down'], [90]], []],
    ['a flip of what is not watched', two, [[0, 'rpc/zz down'], [90]], []],
  ] as [string, Topology, [number, ...string[]][], string[]][])('%s', (_, topology, script, told) => {
    expect(play(topology, script).told).toEqual(told);
  });

  it('is told in plain words', () => {
    const { effects } = play(two, [
      [0, 'rpc/a down@-20'],
      [30, 'rpc/b down', 'rpc down'],
      [90, 'rpc/a up', 'rpc/b up', 'rpc up'],
    ]);
    expect(effects.map(({ incident }) => incident.title)).toEqual([
      'Node a of RPC is down',
      'RPC is down',
      'RPC is down',
    ]);
    const incident = effects.at(-1)?.incident;
    expect(incident).toMatchObject({
      id: 'rs~node~rpc~a',
      key: 'service:rpc',
      phase: 'resolved',
      startedAt: -20_000,
      updatedAt: 90_000,
      resolvedAt: 90_000,
      services: ['rpc'],
      nodes: ['rpc/a', 'rpc/b'],
    });
    expect(incident?.updates).toEqual([
      { id: 'rs~node~rpc~a.1', at: 1_000, phase: 'investigating', body: 'Node a of RPC is down: reason.' },
      { id: 'rs~node~rpc~a.2', at: 31_000, phase: 'investigating', body: 'RPC is down: reason.' },
      { id: 'rs~node~rpc~a.3', at: 90_000, phase: 'resolved', body: 'RPC is up again.' },
    ]);
  });

  it('that goes on in a wider one says where, once, and is not reopened', () => {
    const { effects, state } = play(zoned, [[0, 'rpc/a down'], [40, 'ws/a down'], [80, 'api/a down'], [90]]);
    const ended = effects.filter(({ type }) => type === 'resolved').map(({ incident }) => incident);
    expect(ended.map(({ key, updates }) => [key, updates.at(-1)?.body])).toEqual([
      ['node:ws/a', 'This is part of a wider incident and goes on there: Zone fra is down.'],
    ]);
    // Whoever tells people needs it to not tell a recovery.
    expect(ended.map(({ mergedInto }) => mergedInto)).toEqual(Object.keys(state.stories));
    expect(Object.values(state.stories).map(({ incident }) => [incident.key, incident.nodes])).toEqual([
      ['zone:fra', ['api/a', 'rpc/a', 'ws/a']],
    ]);
  });

  it('that takes over another names all that was down in either', () => {
    const { state } = play(zoned, [
      [0, 'ws/a down'],
      [10, 'rpc/a down', 'rpc/z down', 'rpc down'],
      [15, 'rpc/z up'],
      [20, 'api/a down@-5'],
      [30],
    ]);
    expect(Object.values(state.stories).map(({ incident }) => incident)).toMatchObject([
      {
        key: 'zone:fra',
        nodes: ['api/a', 'rpc/a', 'rpc/z', 'ws/a'],
        services: ['api', 'rpc', 'ws'],
        startedAt: -5_000,
      },
    ]);
  });

  it('says that it only works badly when it answers again but is degraded', () => {
    const { effects } = play(one, [[0, 'rpc down'], [100, 'rpc degraded'], [200, 'rpc down'], [300]]);
    expect(effects.map(({ incident }) => incident.phase)).toEqual([
      'investigating',
      'monitoring',
      'investigating',
    ]);
  });

  it('is not changed by the same flip twice', () => {
    const decide = track(one);
    const flip = flipOf('rpc down', 0);
    const [first] = decide(noIncidents, { type: 'flips', flips: [flip] }, 0);
    expect(decide(first, { type: 'flips', flips: [flip] }, 5)).toEqual([first, []]);
    const [open] = decide(first, { type: 'tick' }, 1_000);
    expect(decide(open, { type: 'flips', flips: [flip] }, 2_000)).toEqual([open, []]);
    const up = flipOf('rpc up', 3_000);
    const [closed] = decide(open, { type: 'flips', flips: [up] }, 3_000);
    expect(decide(closed, { type: 'flips', flips: [up] }, 3_000)).toEqual([closed, []]);
  });

  it('ends when what it tells of is taken out of the configuration', () => {
    const { state } = play(two, [[0, 'rpc/a down'], [9]]);
    const [next, effects] = track(one.services.length ? topologyOf(['rpc: b@nyc']) : one)(
      state,
      { type: 'tick' },
      10 * S,
    );
    expect(effects.map(({ type, incident }) => [type, incident.updates.at(-1)?.body])).toEqual([
      ['resolved', 'rpc/a is no longer watched.'],
    ]);
    expect(next.troubles).toEqual({});
  });

  it('keeps its first update and the newest, however often it flaps', () => {
    const flaps = Array.from(
      { length: 300 },
      (_, i) => [i * 10, i % 2 ? 'rpc up' : 'rpc down'] as [number, string],
    );
    const { state } = play(one, flaps);
    const [story] = Object.values(state.stories);
    expect(Object.keys(state.stories)).toHaveLength(1);
    expect(story?.incident.updates).toHaveLength(incidentPolicy.maxUpdates);
    expect(story?.incident.updates[0]?.at).toBe(1_000);
    const ids = story?.incident.updates.map((update) => update.id) ?? [];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('waits no longer than the settle time, and asks to be woken for it', () => {
    const [state] = track(one)(noIncidents, { type: 'flips', flips: [flipOf('rpc down', 0)] }, 0);
    expect(wakeAt(state)).toBe(incidentPolicy.settleMs);
    expect(incidentPolicy.settleMs).toBeLessThanOrEqual(1_000);
    const [told] = track(one)(state, { type: 'tick' }, 1_000);
    expect(wakeAt(told)).toBeNull();
    expect(wakeAt(noIncidents)).toBeNull();
  });
});

describe('a certificate that is about to expire', () => {
  it('is minor while there are days left, major when few are, and stays one story', () => {
    const { told, state } = play(one, [
      [0, 'rpc/a degraded', 'rpc degraded'],
      [100, 'rpc/a degraded certificate', 'rpc degraded certificate'],
      [200, 'rpc/a up', 'rpc up'],
    ]);
    expect(told).toEqual([
      '60 opened minor service:rpc',
      '100 updated major service:rpc',
      '200 resolved major service:rpc',
    ]);
    const [story] = Object.values(state.stories);
    expect(story?.incident.updates[1]).toMatchObject({
      at: 100 * S,
      body: 'RPC is degraded: reason.\nNode a of RPC is degraded: reason.',
    });
  });

  it('of one node of two is major as well, though the service is up', () => {
    const { told } = play(two, [
      [0, 'rpc/a degraded certificate'],
      [100, 'rpc/a up'],
    ]);
    expect(told.map((line) => line.split(' ').slice(1, 3))).toEqual([
      ['opened', 'major'],
      ['resolved', 'major'],
    ]);
  });
});
