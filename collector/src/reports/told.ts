/** What a report tells by the operator's word: names, incidents, when somebody took them up, the months before. */
import type { Incident } from '@highwater/config/domain.ts';
import type { Config } from '@highwater/config/model.ts';
import type { Told } from '@highwater/config/report/report.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { publicIncident } from '../answers/public-incidents.ts';
import type { ReadTx } from '../store/store.ts';
import { newestTold, type ReportRow } from './states.ts';

/** Events read at once. */
const AT_ONCE = 1_000;
/** Months before that are told. */
const MAX_BEFORE = 24;

/** What of the configuration is told. */
export type ToldConfig = Pick<Config, 'site' | 'operator' | 'reports'> & {
  readonly services: readonly Pick<
    Config['services'][number],
    'id' | 'name' | 'group' | 'objectiveMillionths' | 'visibility'
  >[];
};

/** What the thread is told of the configuration: nothing that is private. */
export function toldConfig({ site, operator, reports, services }: Config): ToldConfig {
  return {
    site,
    operator,
    ...(reports === undefined ? {} : { reports }),
    services: services
      .filter(({ visibility }) => visibility === 'public')
      .map(({ id, name, group, objectiveMillionths, visibility }) => ({
        id,
        name,
        visibility,
        ...(group === undefined ? {} : { group }),
        ...(objectiveMillionths === undefined ? {} : { objectiveMillionths }),
      })),
  };
}

/** Those that touch the minutes and that the page shows, oldest first. `tx` is of the house's shard. */
export async function toldIncidents(
  tx: ReadTx,
  config: ToldConfig,
  minutes: { readonly first: number; readonly last: number },
): Promise<Told['incidents']> {
  const [from, to] = [minutes.first * MINUTE_MS, (minutes.last + 1) * MINUTE_MS];
  const shown = new Map(
    config.services.filter((s) => s.visibility === 'public').map(({ id, name }) => [id, name]),
  );
  const incidents = (await tx.listState('incident'))
    .map(({ value }) => value as Incident)
    .filter(({ startedAt, resolvedAt }) => startedAt < to && (resolvedAt ?? Infinity) >= from);
  const acknowledged = await acknowledgements(tx, new Set(incidents.map(({ id }) => id)));
  return incidents
    .flatMap((incident) => publicIncident(incident, shown) ?? [])
    .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
    .map(({ id, title, impact, startedAt, resolvedAt, services, nodes, updates }) => ({
      id,
      title,
      impact,
      startedAt,
      openedAt: Math.max(startedAt, updates[0]?.at ?? startedAt),
      // Who it was stays in the house.
      ...(acknowledged.has(id) ? { acknowledgedAt: acknowledged.get(id) } : {}),
      ...(resolvedAt === undefined ? {} : { resolvedAt }),
      services,
      nodes,
      updates: updates.map(({ at, phase, body }) => ({ at, phase, body })),
    }));
}

/** When each was first taken up. */
async function acknowledgements(tx: ReadTx, ids: ReadonlySet<string>): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (ids.size === 0) return found;
  for (let seq = 0; ;) {
    const events = await tx.eventsAfter(seq, AT_ONCE);
    for (const { at, body } of events) {
      const id = body['incidentId'];
      if (body['type'] !== 'alert.acknowledged' || typeof id !== 'string' || !ids.has(id)) continue;
      if (!found.has(id)) found.set(id, at);
    }
    if (events.length < AT_ONCE) return found;
    seq = events.at(-1)?.seq ?? seq;
  }
}

/** Newest first; also of those whose files were let go. */
export function toldBefore(rows: readonly ReportRow[], month: string): Told['before'] {
  return newestTold(rows)
    .filter((row) => row.month < month)
    .slice(0, MAX_BEFORE)
    .map(({ month: of, revision, headline }) => ({
      month: of,
      revision,
      services: headline.services.map(({ id, up, down, unknown, maintenance }) => ({
        id,
        up,
        down,
        unknown,
        maintenance,
      })),
    }));
}

/** Of each service that was counted; one that is no longer configured has its id for a name. */
export function toldServices(
  config: ToldConfig,
  counted: readonly { readonly id: string }[],
): Told['services'] {
  return counted.map(({ id }) => {
    const service = config.services.find((each) => each.id === id);
    const { name = id, group, objectiveMillionths } = service ?? {};
    return {
      id,
      name,
      ...(group === undefined ? {} : { group }),
      ...(objectiveMillionths === undefined ? {} : { objectiveMillionths }),
    };
  });
}
