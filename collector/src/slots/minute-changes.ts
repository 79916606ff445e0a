/**
 * From what a batch changes to what the views are told: by minute, what stood before and what stands now.
 *
 * Whose region and which monitors these are is read from the configurations that were logged before the batch: a later
 * one can't change it, so that nothing is to be moved, and whoever follows the log later is told the same.
 */
import type { ConfigRecord, Records } from '@highwater/config/proof/rule/evidence.ts';
import type { Ground } from './ground.ts';
import type { MinuteChange } from './line-view.ts';
import type { SeenLine } from './lines.ts';
import type { ReadLine, Torn } from './read-lines.ts';
import type { Change, ReadBatch } from './standing.ts';

type Logged = Pick<Ground, 'records' | 'timeline'>;

/** The region of a batch's key in a minute; of one that was not configured then, the last that it had. */
function regionOf(
  { timeline, records }: Logged,
  { key, commit }: ReadBatch,
  minute: number,
): string | undefined {
  const regionIn = ({ config }: ConfigRecord): string | undefined =>
    config.probes.find(({ vkey }) => vkey === key)?.region;
  const isBefore = ({ index }: ConfigRecord): boolean => index < commit.index;
  const inForce = records.configs.findLast(
    (each) => isBefore(each) && (timeline.inForceFrom(each.index) ?? Infinity) <= minute,
  );
  const own = inForce && regionIn(inForce);
  if (own !== undefined) return own;
  const last = records.configs.findLast((each) => isBefore(each) && regionIn(each) !== undefined);
  return last && regionIn(last);
}

/** Monitors with the index of the first configuration that has each. */
const known = new WeakMap<Records, ReadonlyMap<string, number>>();

function firstsOf(records: Records): ReadonlyMap<string, number> {
  const had = known.get(records);
  if (had !== undefined) return had;
  const firsts = new Map<string, number>();
  for (const { index, config } of records.configs) {
    for (const { id } of config.monitors) if (!firsts.has(id)) firsts.set(id, index);
  }
  known.set(records, firsts);
  return firsts;
}

type Open = MinuteChange & { readonly before: SeenLine[]; readonly after: SeenLine[] };

/** Lines of monitors that were never configured are left out: a key that makes up ids makes no subjects of them. */
export function minuteChanges(ground: Logged, { of, put, taken }: Change): MinuteChange[] {
  const firsts = firstsOf(ground.records);
  const isConfigured = ({ monitor }: Torn, { commit }: ReadBatch): boolean =>
    (firsts.get(monitor) ?? Infinity) < commit.index;

  const changes = new Map<string, Open>();
  const regions = new Map<ReadBatch, Map<number, string | undefined>>();
  const openAt = (own: ReadBatch, minute: number): Open | undefined => {
    const known = regions.get(own) ?? new Map<number, string | undefined>();
    regions.set(own, known);
    if (!known.has(minute)) known.set(minute, regionOf(ground, own, minute));
    const region = known.get(minute);
    if (region === undefined) return undefined;
    const place = `${minute} ${region}`;
    const had = changes.get(place) ?? { key: of.key, region, minute, before: [], after: [] };
    changes.set(place, had);
    return had;
  };

  let open: Open | undefined;
  let last: ReadLine | undefined;
  let isIn = false;
  for (const line of put.lines) {
    // Lines of one monitor and minute are neighbours.
    if (line.monitor !== last?.monitor) isIn = isConfigured(line, of);
    if (line.minute !== last?.minute) open = openAt(of, line.minute);
    last = line;
    if (isIn) open?.after.push(line);
  }
  for (const { of: own, said } of taken) {
    if ('text' in said && isConfigured(said, own)) openAt(own, said.minute)?.before.push(said);
  }
  return [...changes.values()].filter(({ before, after }) => before.length > 0 || after.length > 0);
}
