import { describe, expect, it } from 'vitest';
import { formatReport, parseReport } from '../report.ts';
import { sampleReport } from './sample.ts';

const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);

describe('the sample report', () => {
  it('is one by its own schema', () => {
    expect(parseReport(formatReport(sampleReport()))).toEqual(sampleReport());
  });

  it('adds up: minutes, causes, days, outages', () => {
    for (const service of sampleReport().counted.services) {
      for (const { subject, totals: t } of service.subjects) {
        expect(t.up + t.down + t.unknown + t.maintenance + t.stalled, subject).toBe(service.minutes);
        expect(t.unknownNoData + t.unknownSplit + t.unknownProbe + t.unknownClock, subject).toBe(t.unknown);
        const inside = t.inMaintenance;
        expect(inside.up + inside.down + inside.unknown + inside.stalled, subject).toBe(t.maintenance);
        expect(t.succeeded).toBeLessThanOrEqual(t.requests);
      }
      for (const { subject, days } of service.days) {
        const totals = service.subjects.find((one) => one.subject === subject)?.totals;
        expect(days.map((day) => sum(day.slice(0, 5))).filter((all) => all !== 0 && all !== 1_440)).toEqual(
          [],
        );
        for (const [i, key] of (
          ['up', 'down', 'unknown', 'maintenance', 'stalled', 'degraded'] as const
        ).entries())
          expect(sum(days.map((day) => day[i] ?? 0)), `${subject} ${key}`).toBe(totals?.[key]);
        const outages = service.outages.filter((one) => one.subject === subject);
        expect(sum(outages.map(({ minutes }) => minutes)), subject).toBe(totals?.down);
      }
    }
  });
});
