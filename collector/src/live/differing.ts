/** Where the nodes of a service give different answers to one question, from the shard's rows. */
import type { Service } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import { compareReplies, type Differing } from '../decide/equality.ts';
import type { Watched } from '../watched.ts';
import type { Shard } from './shard.ts';

const none: ReadonlyMap<string, Differing> = new Map();

/**
 * What is said of each node. Compared anew only when one of the checks was judged: until then the last words hold.
 * @param isJudged whether a monitor is judged in this look
 */
export function differing(
  watched: Watched,
  shard: Shard,
  service: Service,
  isJudged: (monitor: string) => boolean,
  now: Instant,
): ReadonlyMap<string, Differing> {
  const compared = watched.comparedChecks.get(service.id) ?? [];
  if (compared.length === 0) return none;
  if (!compared.some(({ id }) => isJudged(id))) return kept(shard, service);
  const words = new Map<string, Differing>();
  for (const [check, monitors] of Map.groupBy(compared, (monitor) => monitor.check)) {
    const seen = monitors.flatMap(({ id, node }) =>
      Object.entries(shard.monitors.get(id)?.streaks ?? {}).flatMap(([probe, { replies }]) =>
        replies === undefined || !watched.regionOf.has(probe)
          ? []
          : [{ node: `${service.id}/${node}`, probe, replies }],
      ),
    );
    const freshMs = Math.max(...monitors.map(({ id }) => watched.policies.get(id)?.freshMs ?? 0));
    for (const [node, said] of compareReplies(check, seen, freshMs, now)) {
      const own = words.get(node);
      words.set(node, { ...joined('differs', own, said), ...joined('disagree', own, said) });
    }
  }
  return words;
}

function kept(shard: Shard, service: Service): ReadonlyMap<string, Differing> {
  return new Map(
    service.nodes.flatMap(({ id }) => {
      const { differs, disagree } = shard.nodes.get(`${service.id}/${id}`)?.beside ?? {};
      if (differs === undefined && disagree === undefined) return [];
      const said = { ...(differs !== undefined && { differs }), ...(disagree !== undefined && { disagree }) };
      return [[`${service.id}/${id}`, said] as const];
    }),
  );
}

function joined(which: keyof Differing, ...said: readonly (Differing | undefined)[]): Differing {
  const all = said.flatMap((each) => each?.[which] ?? []);
  return all.length === 0 ? {} : { [which]: all.join('; ') };
}
