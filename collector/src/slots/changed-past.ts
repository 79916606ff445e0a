/** Which closed minutes a leaf changes that came after they were judged. */
import type { ConfigInForce, Timeline } from '@highwater/config/proof/rule/timeline.ts';
import type { Ground } from './ground.ts';
import { layoutOf } from './layout.ts';

/** The first minute that any of the leaves from an index on has a say in; Infinity without such a leaf. */
export function firstChanged({ records, timeline }: Ground, from: number): number {
  const leaves = [...records.configs, ...records.probes, ...records.maints];
  const firsts = leaves.flatMap(({ index }) =>
    index < from ? [] : [timeline.inForceFrom(index) ?? Infinity],
  );
  return firsts.reduce((a, b) => Math.min(a, b), Infinity);
}

/** Everything that the minute is judged by in a shard, beside its lines. */
function seen(timeline: Timeline, under: ConfigInForce | undefined, shard: string, minute: number): string {
  if (under === undefined) return '';
  const { services } = layoutOf(under, shard);
  const enrolled = under.config.probes.map(({ vkey }) => (timeline.isEnrolledAt(vkey, minute) ? 1 : 0));
  const covered = services.flatMap(({ service }) =>
    [service.id, ...service.nodes.map(({ id }) => `${service.id}/${id}`)].map((id) =>
      timeline.isMaintained(id, minute) ? 1 : 0,
    ),
  );
  return `${under.hash} ${enrolled.join('')} ${covered.join('')}`;
}

export function differsIn(before: Timeline, now: Timeline, shard: string, minute: number): boolean {
  return (
    seen(before, before.configAt(minute), shard, minute) !== seen(now, now.configAt(minute), shard, minute)
  );
}
