import { describe, expect, it } from 'vitest';
import { differencesOf } from './differences.ts';
import { MAX_DIFFERENCES } from './report.ts';
import { sampleReport } from './testing/sample.ts';

const sample = sampleReport();

describe('differences of two revisions', () => {
  it('are none between a report and itself', () => {
    expect(differencesOf(sample, sample)).toEqual({ differences: [], more: 0 });
  });

  it('name the subject, not its place: what one more moves is no difference', () => {
    const after = structuredClone(sample);
    const rpc = after.counted.services.find(({ id }) => id === 'rpc');
    const agreed = rpc?.subjects.find(({ subject, region }) => subject === 'rpc' && region === undefined);
    const eu = rpc?.subjects.find(({ subject, region }) => subject === 'rpc' && region === 'eu');
    if (!rpc || !agreed || !eu) throw new Error('the sample has rpc');
    const { down } = agreed.totals;
    agreed.totals.down -= 2;
    eu.totals.inMaintenance.unknownClock += 1;
    rpc.subjects.reverse();
    rpc.outages.unshift({ subject: 'rpc/eu', firstMinute: 5, minutes: 3 });
    rpc.certificates.pop();
    const { differences, more } = differencesOf(sample, after);
    expect(differences).toEqual([
      'counted.services.rpc.subjects.rpc.totals.down: ' + `${down} -> ${down - 2}`,
      'counted.services.rpc.subjects.rpc@eu.totals.inMaintenance.unknownClock: 0 -> 1',
      `counted.services.rpc.certificates.rpc/us/tls.expiresAt: ${Date.UTC(2026, 10, 10)} -> none`,
      'counted.services.rpc.certificates.rpc/us/tls.daysLeft: 9 -> none',
      'counted.services.rpc.outages.rpc/eu@5.firstMinute: none -> 5',
      'counted.services.rpc.outages.rpc/eu@5.minutes: none -> 3',
    ]);
    expect(more).toBe(0);
  });

  it("leave the operator's word out, and tell how far the logs were read", () => {
    const after = structuredClone(sample);
    after.told.madeAt += 1;
    const [log] = after.logs;
    if (log) log.size += 7;
    expect(differencesOf(sample, after).differences).toEqual(['logs.2026.size: 312408 -> 312415']);
  });

  it('are bounded, and the rest is counted', () => {
    const after = structuredClone(sample);
    after.counted.services = [];
    const { differences, more } = differencesOf(sample, after);
    expect(differences.length).toBe(MAX_DIFFERENCES);
    expect(more).toBeGreaterThan(0);
    expect(differencesOf(after, sample).more).toBe(more);
  });
});
