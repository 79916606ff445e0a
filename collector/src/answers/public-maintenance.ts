import type { Config } from '@highwater/config/model.ts';
import type { PublicMaintenance } from '@highwater/config/public.ts';
import { DAY_MS, type Instant } from '@highwater/config/time.ts';
import { type Declared, spanOf, stateOf } from '../decide/maintenance.ts';

const MAX_OVER = 100;
const KEPT_MS = 90 * DAY_MS;

/** What the public may read of one; undefined when it concerns nothing public. */
function shown(
  one: Declared,
  names: ReadonlyMap<string, string>,
  now: Instant,
): PublicMaintenance | undefined {
  const of = one.of.filter((subject) => names.has(subject.split('/')[0] ?? ''));
  if (of.length === 0) return undefined;
  // Words that are also about private services may name them.
  const mixed = of.length < one.of.length;
  const services = [...new Set(of.map((subject) => names.get(subject.split('/')[0] ?? '')))];
  const { id, title, body, declaredAt, cancelled } = one;
  return {
    id,
    title: mixed ? `Maintenance of ${services.join(', ')}` : title,
    ...(mixed || body === undefined ? {} : { body }),
    of: [...of],
    ...spanOf(one),
    declaredAt,
    ...(cancelled === undefined ? {} : { cancelledAt: cancelled.at }),
    state: stateOf(one, now),
  };
}

/** By their beginning: all that are planned or active, and the newest hundred that ended in the last 90 days. */
export function publicMaintenance(
  config: Config,
  all: readonly Declared[],
  now: Instant,
): PublicMaintenance[] {
  const names = new Map(config.services.filter((s) => s.visibility === 'public').map((s) => [s.id, s.name]));
  const told = all.flatMap((one) => shown(one, names, now) ?? []);
  const isComing = ({ state }: PublicMaintenance): boolean => state === 'planned' || state === 'active';
  const past = told
    .filter((one) => !isComing(one) && one.endsAt > now - KEPT_MS)
    .sort((a, b) => b.endsAt - a.endsAt);
  return [...told.filter(isComing), ...past.slice(0, MAX_OVER)].sort(
    (a, b) => a.startsAt - b.startsAt || (a.id < b.id ? -1 : 1),
  );
}
