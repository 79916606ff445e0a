import { faultId } from '@highwater/config/faults.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import type { Answer } from '../decide/types.ts';
import { linesOfFrame } from '../ingest/rebuild.ts';
import type { FrameRow } from '../store/store.ts';
import type { Watched } from '../watched.ts';

/**
 * What the lines of a frame answer. Left out: skipped ones, faults of the probe itself (they say nothing of the
 * target), monitors that the configuration does not know, and probes that it no longer has.
 */
export function answersOf(watched: Watched, row: FrameRow): Answer[] {
  const region = watched.regionOf.get(row.probe);
  if (region === undefined) return [];
  return linesOfFrame(row).flatMap((line, place): Answer[] => {
    const seen = parseLine(line);
    if ('error' in seen || !watched.policies.has(seen.monitor)) return [];
    if (seen.outcome === 'skipped' || seen.fault?.source === 'probe') return [];
    const { facts } = seen;
    const detail = row.details?.[String(place)];
    return [
      {
        monitor: seen.monitor,
        probe: row.probe,
        region,
        dueAt: seen.dueAt,
        receivedAt: row.receivedAt,
        outcome: seen.outcome,
        latencyTenths: seen.latencyTenths,
        recheck: seen.recheck,
        ...(seen.fault === undefined ? {} : { fault: faultId(seen.fault) }),
        ...(detail === undefined ? {} : { detail }),
        ...(facts['h'] === undefined ? {} : { height: Number(facts['h']) }),
        ...(facts['bt'] === undefined ? {} : { blockAt: Number(facts['bt']) }),
        ...(facts['g'] === undefined ? {} : { genesis: facts['g'] }),
        ...(facts['id'] === undefined ? {} : { blockId: facts['id'] }),
      },
    ];
  });
}
