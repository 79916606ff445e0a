/** From what a batch changes to what the views are told: by minute, what stood before and what stands now. */
import type { Ground } from './ground.ts';
import type { MinuteChange } from './line-view.ts';
import type { SeenLine } from './lines.ts';
import type { Change } from './standing.ts';

/** The region of a key in a minute; of one that was not configured then, the last that it had. */
function regionOf({ timeline, records }: Ground, key: string, minute: number): string | undefined {
  const own = timeline.configAt(minute)?.config.probes.find(({ vkey }) => vkey === key);
  if (own !== undefined) return own.region;
  const last = records.configs.findLast(({ config }) => config.probes.some(({ vkey }) => vkey === key));
  return last?.config.probes.find(({ vkey }) => vkey === key)?.region;
}

type Open = { readonly before: SeenLine[]; readonly after: SeenLine[] };

export function minuteChanges(ground: Ground, { of, put, taken }: Change): MinuteChange[] {
  const minutes = new Map<number, Open>();
  const at = (minute: number): Open => {
    const own = minutes.get(minute) ?? { before: [], after: [] };
    minutes.set(minute, own);
    return own;
  };
  for (const line of put.lines) at(line.minute).after.push(line);
  for (const { said } of taken) if ('text' in said) at(said.minute).before.push(said);
  return [...minutes].flatMap(([minute, lines]) => {
    const region = regionOf(ground, of.key, minute);
    return region === undefined ? [] : [{ key: of.key, region, minute, ...lines }];
  });
}
