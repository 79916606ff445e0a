import { describe, expect, it } from 'vitest';
import { placesOf, zonesDown } from './cause.ts';
import type { Topology } from './types.ts';

/** `rpc: a@fra b@nyc` */
function topologyOf(...lines: string[]): Topology {
  const services = lines.map((line) => {
    const [id = '', nodes = ''] = line.split(': ');
    const places = nodes
      .split(' ')
      .map((node) => ({ id: node.split('@')[0] ?? '', zone: node.split('@')[1] ?? '' }));
    return { id, name: id.toUpperCase(), minUp: 1, nodes: places };
  });
  return { services };
}

describe('a zone is a cause of its own', () => {
  it.each([
    ['with two nodes of two services', ['rpc: a@fra', 'ws: a@fra'], ['fra']],
    ['not with one node', ['rpc: a@fra b@nyc', 'ws: a@ams'], []],
    ['not when it holds all of one service and nothing else', ['rpc: a@fra b@fra', 'ws: a@ams'], []],
    ['with two nodes of a service that has others elsewhere', ['rpc: a@fra b@fra c@nyc'], ['fra']],
    ['with all of one service and a node of another', ['rpc: a@fra b@fra', 'ws: a@fra b@ams'], ['fra']],
  ])('%s', (_, lines, zones) => {
    expect(placesOf(topologyOf(...lines)).zones.map((zone) => zone.id)).toEqual(zones);
  });
});

describe('a zone is down', () => {
  const places = placesOf(topologyOf('rpc: a@fra', 'ws: a@fra', 'api: a@fra z@nyc'));
  const down = (...since: number[]) =>
    new Map(
      since.map((at, i) => [['rpc/a', 'ws/a', 'api/a'][i] ?? '', { kind: 'down' as const, since: at }]),
    );

  it.each([
    ['all within two minutes', down(0, 60_000, 120_000), 1],
    ['one of them later', down(0, 60_000, 120_001), 0],
    ['one of them up', down(0, 0), 0],
    ['one of them only degraded', down(0, 0, 0).set('api/a', { kind: 'degraded' as 'down', since: 0 }), 0],
  ])('%s', (_, troubles, count) => {
    expect(zonesDown(places, troubles, 120_000, () => false)).toHaveLength(count);
  });

  it('is not the story of nodes that a wider cause explains', () => {
    const troubles = down(0, 0, 0);
    expect(zonesDown(places, troubles, 120_000, (node) => node === 'ws/a')).toEqual([]);
  });
});
