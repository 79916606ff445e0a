import { describe, expect, it } from 'vitest';
import { allFaults, explainFault, findFaults, nearestFault } from './explain.ts';
import { faultMeanings } from './faults.ts';

describe('explaining', () => {
  it('has sentences for every fault of the list, and for the causes that no single check sees', () => {
    const all = allFaults();
    expect(all.length).toBeGreaterThan(Object.keys(faultMeanings).length);
    for (const { means, look, causes, source } of all) {
      expect(means).toMatch(/^[A-Z0-9].*\.$/);
      expect(look).toMatch(/^[^ ].*[.?]$/);
      expect(source).not.toBe('');
      expect(causes.length).toBeGreaterThanOrEqual(2);
      expect(causes.length).toBeLessThanOrEqual(4);
      expect(new Set(causes).size).toBe(causes.length);
      for (const cause of causes) expect(cause).toMatch(/^[^ ].{5,}[^ .?]$/);
    }
  });

  it('finds a fault by its id or by words of it', () => {
    expect(findFaults('target.head.old')).toEqual([explainFault('target.head.old')]);
    expect(findFaults('tls expired').map(({ fault }) => fault)).toEqual(['target.tls.expired']);
    expect(findFaults('timeout').length).toBeGreaterThan(2);
    expect(findFaults('ahead').map(({ fault }) => fault)).toEqual(['ahead']);
    expect(findFaults('nothing such')).toEqual([]);
    expect(findFaults('')).toEqual([]);
  });

  it('says whose fault it is and when it happened', () => {
    expect(explainFault('probe.clock.stepped')?.source).toContain('counts for nothing');
    expect(explainFault('target.tls.expired')?.when).toBe('during the TLS handshake');
    expect(explainFault('constructor')).toBeUndefined();
  });

  it('knows what a typing error probably means', () => {
    expect(nearestFault('target.head.odl')).toBe('target.head.old');
    expect(nearestFault('behnid')).toBe('behind');
  });
});
