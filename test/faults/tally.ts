/**
 * Uptime counted the plain way, from what the probes recorded beside the system: no code of the system is
 * used here, so that a mistake in it can't hide in its own check.
 */
import { readFileSync } from 'node:fs';

interface RecordLine {
  readonly monitor: string;
  readonly probe: string;
  readonly dueAt: number;
  readonly outcome: 'ok' | 'degraded' | 'fail' | 'skipped';
  readonly fault?: string;
  readonly lateMs: number;
  readonly recheck: boolean;
}

export type PlainSlot = 'up' | 'down' | 'unknown';

export function readRecords(file: string): RecordLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as RecordLine);
}

export interface PlainCount {
  readonly failed: number;
  readonly answered: number;
}

/** What counts of each probe's answers, by `monitor minute` and then by probe. */
export function plainCounts(
  records: readonly RecordLine[],
  intervalMs: number,
): Map<string, Map<string, PlainCount>> {
  const seen = new Set<string>();
  const counts = new Map<string, Map<string, { failed: number; answered: number }>>();
  for (const record of records) {
    if (record.recheck || record.outcome === 'skipped' || record.lateMs > intervalMs / 2) continue;
    if (record.fault?.startsWith('probe.')) continue;
    const once = `${record.monitor} ${record.probe} ${record.dueAt}`;
    if (seen.has(once)) throw new Error(`recorded twice: ${once}`);
    seen.add(once);
    const slot = `${record.monitor} ${Math.floor(record.dueAt / 60_000)}`;
    const probes = counts.get(slot) ?? new Map<string, { failed: number; answered: number }>();
    const count = probes.get(record.probe) ?? { failed: 0, answered: 0 };
    if (record.outcome === 'fail') count.failed += 1;
    else count.answered += 1;
    counts.set(slot, probes.set(record.probe, count));
  }
  return counts;
}

export const plainVote = ({ failed, answered }: PlainCount): PlainSlot => (answered > failed ? 'up' : 'down');

/** Slot by `monitor minute`, with one probe a region and a majority of `regions`; intervals up to a minute. */
export function plainTally(
  records: readonly RecordLine[],
  regions: number,
  intervalMs: number,
): Map<string, PlainSlot> {
  const counts = plainCounts(records, intervalMs);
  const majority = Math.floor(regions / 2) + 1;
  const slots = new Map<string, PlainSlot>();
  for (const [slot, probes] of counts) {
    const said = [...probes.values()].map(plainVote);
    const up = said.filter((word) => word === 'up').length;
    slots.set(slot, up >= majority ? 'up' : said.length - up >= majority ? 'down' : 'unknown');
  }
  return slots;
}
