import type { Flip, Status } from '@highwater/config/domain.ts';
import { describe, expect, it } from 'vitest';
import { noIncidents, track, wakeAt } from './incident.ts';
import type { Incidents } from './story.ts';
import type { Cover, Topology } from './types.ts';

const S = 1_000;
type Row = readonly [second: number, ...flips: string[]];
/** Subject, from, until: in seconds. */
type Window = readonly [string, number, number];

const service = (id: string, ...nodes: string[]): Topology['services'][number] => ({
  id,
  name: id,
  minUp: 1,
  chain: 'dev',
  nodes: nodes.map((node) => ({ id: node, zone: node })),
});
const topology: Topology = {
  services: [service('rpc', 'fra', 'nyc'), service('ws', 'fra', 'ams')],
  chains: [{ id: 'dev', stallWaitMs: 0 }],
};

/** Hands flips (`rpc/fra down`) in at their second and ticks when asked to, or when a window begins or ends. */
function play(script: readonly Row[], windows: readonly Window[]) {
  let state: Incidents = noIncidents;
  let ticks = 0;
  const told: string[] = [];
  const coverAt = (now: number): Cover =>
    new Map(windows.flatMap(([s, from, to]) => (from * S <= now && now < to * S ? [[s, to * S]] : [])));
  const hand = (flips: readonly Flip[], now: number): void => {
    const [next, effects] = track(topology)(state, { type: 'flips', flips, maintained: coverAt(now) }, now);
    state = JSON.parse(JSON.stringify(next)) as Incidents;
    ticks += 1;
    for (const { type, incident } of effects) {
      told.push(`${now / S} ${type} ${incident.key} since ${incident.startedAt / S}`);
    }
  };
  const edges = windows.flatMap(([, from, to]) => [from * S, to * S]);
  const runTo = (until: number): void => {
    for (let last = -1; ;) {
      const wake = wakeAt(state) ?? Infinity;
      const next = Math.min(wake, ...edges.filter((edge) => edge > last && edge > lastHanded));
      if (next > until) return;
      hand([], next);
      lastHanded = last = next;
    }
  };
  let lastHanded = -1;
  for (const [second, ...texts] of script) {
    runTo(second * S - 1);
    const flips = texts.map((text): Flip => {
      const [subject = '', to = ''] = text.split(' ');
      return {
        id: `${second}~${subject}`,
        subject,
        at: second * S,
        from: 'unknown',
        to: to as Status,
        because: 'x',
      };
    });
    if (flips.length > 0) hand(flips, second * S);
    lastHanded = second * S;
  }
  return { told, ticks, state };
}

describe('a trouble under maintenance', () => {
  const table: [string, Window[], Row[], string[]][] = [
    ['is told without one', [], [[10, 'rpc/fra down'], [99]], ['11 opened node:rpc/fra since 10']],
    [
      'is told at its end, and dated from there',
      [['rpc/fra', 0, 60]],
      [[10, 'rpc/fra down'], [99]],
      ['60 opened node:rpc/fra since 60'],
    ],
    [
      'is not told when it is over before',
      [['rpc', 0, 60]],
      [[10, 'rpc/fra down'], [50, 'rpc/fra up'], [99]],
      [],
    ],
    [
      'of its service covers the node; another service is told',
      [['rpc', 0, 60]],
      [[10, 'rpc/fra down', 'ws/ams down'], [50, 'rpc/fra up'], [99]],
      ['11 opened node:ws/ams since 10'],
    ],
    [
      'of all its nodes does not cover the service',
      [['rpc/fra', 0, 60], ['rpc/nyc', 0, 60]], // prettier-ignore
      [[10, 'rpc/fra down', 'rpc/nyc down', 'rpc down'], [30, 'rpc/fra up', 'rpc/nyc up', 'rpc up'], [99]],
      ['11 opened service:rpc since 10', '30 resolved service:rpc since 10'],
    ],
    [
      'that began before it waits for company, which it has no more',
      [['rpc/fra', 10, 60]],
      [[9.5, 'rpc/fra down'], [50, 'rpc/fra up'], [99]],
      [],
    ],
    [
      'that is told already goes on and ends as any other',
      [['rpc/fra', 20, 60]],
      [[10, 'rpc/fra down'], [50, 'rpc/fra up'], [99]],
      ['11 opened node:rpc/fra since 10', '50 resolved node:rpc/fra since 10'],
    ],
    [
      'is no part of a zone',
      [['rpc/fra', 0, 60]],
      [[10, 'rpc/fra down', 'ws/fra down'], [40, 'rpc/fra up'], [99]],
      ['11 opened node:ws/fra since 10'],
    ],
    [
      'goes on being held under the next one',
      [['rpc/fra', 0, 60], ['rpc', 60, 80]], // prettier-ignore
      [[10, 'rpc/fra down'], [99]],
      ['80 opened node:rpc/fra since 80'],
    ],
    [
      'of a degradation waits for both',
      [['rpc/fra', 0, 30]],
      [[10, 'rpc/fra degraded'], [99]],
      ['70 opened node:rpc/fra since 30'],
    ],
    [
      'of a chain is told while one of its services is not covered',
      [['rpc', 0, 60]],
      [[10, 'chain:dev down'], [30, 'chain:dev up'], [99]],
      ['11 opened chain:dev since 10', '30 resolved chain:dev since 10'],
    ],
    [
      'of a chain waits until the first of its services is not covered any more',
      [['rpc', 0, 60], ['ws', 0, 90]], // prettier-ignore
      [[10, 'chain:dev down'], [99]],
      ['60 opened chain:dev since 60'],
    ],
  ];
  it.each(table)('%s', (_, windows, script, expected) => {
    expect(play(script, windows).told).toEqual(expected);
  });

  it('asks for no looks while it is held', () => {
    expect(play([[10, 'rpc/fra down'], [3_000]], [['rpc', 0, 2_000]]).ticks).toBeLessThan(6); // prettier-ignore
  });

  it('leaves nothing behind that holds what comes later', () => {
    const { state } = play([[10, 'rpc/fra down'], [99]], [['rpc/fra', 0, 60]]); // prettier-ignore
    expect(JSON.stringify(state)).not.toContain('heldUntil');
  });
});
