import { describe, expect, it } from 'vitest';
import type { Component, ComponentInput } from './component.ts';
import { component, staleAt } from './component.ts';
import { judgementOf } from './testing.ts';

const base = { staleAfterMs: 120_000, watchedSince: 1_000 };

function input(
  status: Parameters<typeof judgementOf>[0],
  nodes: string[] = [],
  downIn: string[] = [],
): ComponentInput {
  const judged = nodes.map((node) => judgementOf(node as typeof status));
  return { ...base, service: judgementOf(status, { downIn }), nodes: judged };
}

describe('the word for a service', () => {
  it.each([
    ['up', ['up', 'up'], [], 'operational'],
    ['up', ['up', 'down'], [], 'partial_outage'],
    ['up', ['up', 'degraded'], [], 'degraded_performance'],
    ['up', ['up', 'unknown'], [], 'operational'],
    ['up', ['up'], ['eu'], 'operational'],
    ['up', ['up'], ['eu', 'us'], 'partial_outage'],
    ['degraded', ['degraded'], [], 'degraded_performance'],
    ['degraded', ['degraded', 'down'], [], 'partial_outage'],
    ['down', ['down'], ['eu', 'us', 'ap'], 'major_outage'],
  ] as const)('%s with nodes %j, seen down in %j, is %s', (status, nodes, downIn, word) => {
    expect(component(undefined, input(status, [...nodes], [...downIn]), 5_000)).toEqual({
      word,
      knownAt: 5_000,
    });
  });

  it('is degraded performance before the first verdict, without data since the watch began', () => {
    const first = component(undefined, input('unknown'), 5_000);
    expect(first).toEqual({ word: 'degraded_performance', noDataSince: 1_000 });
    expect(staleAt(first, 120_000)).toBeNull();
  });

  it.each(['operational', 'major_outage', 'partial_outage'] as const)(
    'unknown keeps %s until it is stale',
    (word) => {
      const before: Component = { word, knownAt: 10_000 };
      const kept = component(before, input('unknown'), 130_000);
      expect(kept).toEqual(before);
      expect(staleAt(kept, 120_000)).toBe(130_001);
      const stale = component(kept, input('unknown'), 130_001);
      expect(stale).toEqual({ word: 'degraded_performance', knownAt: 10_000, noDataSince: 10_000 });
      expect(component(stale, input('unknown'), 999_000)).toEqual(stale);
      expect(component(stale, input('up'), 999_000)).toEqual({ word: 'operational', knownAt: 999_000 });
    },
  );

  it('is a partial outage while two regions see it down and the rest is silent', () => {
    const before: Component = { word: 'operational', knownAt: 10_000 };
    expect(component(before, input('unknown', [], ['eu', 'us']), 20_000).word).toBe('partial_outage');
  });

  it('is maintenance while that lasts; afterwards nothing is green without data', () => {
    const during = component(
      { word: 'operational', knownAt: 9_000 },
      { ...input('down'), maintenance: true },
      10_000,
    );
    expect(during.word).toBe('under_maintenance');
    expect(component(during, input('unknown'), 20_000).word).toBe('degraded_performance');
  });
});
