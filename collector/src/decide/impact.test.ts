import type { Status } from '@highwater/config/domain.ts';
import { describe, expect, it } from 'vitest';
import { serviceImpact, storyImpact } from './impact.ts';
import { judgementOf } from './testing.ts';
import type { Topology } from './types.ts';

describe('the impact on a service', () => {
  it.each([
    ['up', ['up', 'up'], undefined],
    ['up', ['up', 'down'], 'minor'],
    ['up', ['up', 'degraded'], 'minor'],
    ['degraded', ['degraded'], 'minor'],
    ['down', ['down'], 'major'],
    ['unknown', ['unknown'], undefined],
  ] as const)('%s with nodes %j is %s', (service, nodes, impact) => {
    expect(
      serviceImpact(
        judgementOf(service),
        nodes.map((status) => judgementOf(status)),
      ),
    ).toBe(impact);
  });

  it('is none for what too few regions see', () => {
    expect(serviceImpact(judgementOf('up', { notice: 'down in us alone' }), [])).toBe('none');
    expect(serviceImpact(judgementOf('up', { notice: 'x' }), [judgementOf('down')])).toBe('minor');
  });
});

describe('the impact of a story', () => {
  const service = (id: string, group?: string): Topology['services'][number] => ({
    id,
    name: id,
    minUp: 1,
    nodes: [{ id: 'a', zone: 'fra' }],
    ...(group !== undefined && { group }),
  });
  const topology = {
    services: [service('a', 'g'), service('b', 'g'), service('c', 'lone'), service('d'), service('e')],
  };

  it.each([
    [['a/a'], { 'a/a': 'down' }, 'minor'],
    [['a'], { a: 'degraded' }, 'minor'],
    [['a', 'a/a'], { a: 'down' }, 'major'],
    [['a'], { a: 'down', b: 'degraded' }, 'major'],
    [['a'], { a: 'down', b: 'down' }, 'critical'],
    [['c'], { c: 'down' }, 'major'],
    [['d', 'e'], { d: 'down', e: 'down' }, 'major'],
    [['d'], { a: 'down', b: 'down', d: 'down' }, 'major'],
    [['a/a'], { a: 'down', b: 'down' }, 'minor'],
  ] as const)('that carries %j while %j is %s', (carried, are, impact) => {
    const statuses: Record<string, Status> = are;
    expect(storyImpact(topology, carried, (subject) => statuses[subject])).toBe(impact);
  });

  it.each([
    [['a/a'], { 'a/a': 'degraded' }, ['a/a'], 'major'],
    [['a/a'], { 'a/a': 'degraded' }, ['b/a'], 'minor'],
    [['a', 'a/a'], { a: 'down', b: 'down' }, ['a/a'], 'critical'],
  ] as const)('that carries %j while %j, with a certificate of %j, is %s', (carried, are, urgent, impact) => {
    const statuses: Record<string, Status> = are;
    const isUrgent = (subject: string) => urgent.some((each) => each === subject);
    expect(storyImpact(topology, carried, (subject) => statuses[subject], isUrgent)).toBe(impact);
  });
});
