/** The calls by which maintenance is declared, listed and cancelled. */
import { nearest } from '@highwater/config/problems.ts';
import { type Clock, type Instant, MINUTE_MS } from '@highwater/config/time.ts';
import {
  maintenanceCancel,
  maintenanceCancelled,
  maintenanceDeclared,
  maintenanceList,
  maintenanceRequest,
  type MaintenanceList,
} from '@highwater/config/wire.ts';
import type { Declared } from '../decide/maintenance.ts';
import { type Maintenances, toWire } from '../leaves/maintenance.ts';
import type { Watched } from '../watched.ts';
import { jsonBody } from './json-body.ts';
import { HttpError, json, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

/** Those that are over, in one answer. */
const MAX_OVER = 100;

export interface MaintenanceCalls {
  readonly watched: Watched;
  readonly clock: Clock;
  readonly maintenances: Maintenances;
  /** Why the log is not signed, while it is not. */
  readonly unsigned: () => string | undefined;
}

/** Names one of them that is not watched, with what was probably meant. */
function refuseUnknown({ config }: Watched, subjects: readonly string[]): void {
  const known = config.services.flatMap(({ id, nodes }) => [id, ...nodes.map((node) => `${id}/${node.id}`)]);
  const unknown = subjects.find((subject) => !known.includes(subject));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const remedy = near === undefined ? `there are: ${known.slice(0, 20).join(', ')}` : `did you mean ${near}?`;
  const what = unknown.includes('/') ? 'node' : 'service';
  throw new HttpError(404, `there is no ${what} ${unknown.slice(0, 100)}`, remedy);
}

/** `02:00 UTC` */
const clockOf = (at: Instant): string => `${new Date(at).toISOString().slice(11, 16)} UTC`;

/** A node's maintenance is none of its service (rule/v1): that is easily meant otherwise when no other node is left. */
function warningsOf({ config }: Watched, { of, from }: Declared, late: boolean): string[] {
  const logged = `it counts only from ${clockOf(from * MINUTE_MS)}, the first minute after it was declared`;
  const alone = config.services.filter(
    ({ id, nodes }) => !of.includes(id) && nodes.every((node) => of.includes(`${id}/${node.id}`)),
  );
  return [
    ...(late ? [logged] : []),
    ...alone.map(
      ({ id }) => `all nodes of ${id} are covered, and ${id} is not: declare ${id}, or it counts as down`,
    ),
  ];
}

/** Whether the page shows the words of one of these subjects, as answers/public-maintenance.ts does. */
function areShown({ config }: Watched, subjects: readonly string[]): boolean {
  const shown = new Set(config.services.filter((s) => s.visibility === 'public').map(({ id }) => id));
  return subjects.every((subject) => shown.has(subject.split('/')[0] ?? ''));
}

/** What is declared counts from then on; that others can check it waits for a signature. */
function unsignedWarning(because: string | undefined): string[] {
  if (because === undefined) return [];
  return [
    `acknowledged, but not yet in the log, which is not signed now (${because}); highwater log status says what to do`,
  ];
}

async function declareCall(
  { watched, clock, maintenances, unsigned }: MaintenanceCalls,
  call: Call,
): Promise<Reply> {
  const request = await jsonBody(call, maintenanceRequest);
  refuseUnknown(watched, request.of);
  const done = await maintenances.declare(request, areShown(watched, request.of));
  if ('error' in done) throw new HttpError(done.result === 'wrong' ? 400 : 409, done.error, done.remedy);
  const now = clock.now();
  const { result, one, late } = done;
  const warnings = [...warningsOf(watched, one, late), ...unsignedWarning(unsigned())];
  return json(200, { result, maintenance: toWire(one, now), warnings, at: now });
}

async function cancelCall({ clock, maintenances, unsigned }: MaintenanceCalls, call: Call): Promise<Reply> {
  const { endsAt } = await jsonBody(call, maintenanceCancel);
  const id = call.params['id'] ?? '';
  const done = await maintenances.cancel(id, endsAt);
  if (done.result === 'unknown') {
    const near = nearest(id, maintenances.all().map((one) => one.id)); // prettier-ignore
    const remedy = near === undefined ? 'highwater maintenance list shows them' : `did you mean ${near}?`;
    throw new HttpError(404, `there is no maintenance ${id.slice(0, 100)}`, remedy);
  }
  if (done.result === 'conflict') throw new HttpError(409, done.error, done.remedy);
  const now = clock.now();
  const warnings = unsignedWarning(unsigned());
  return json(200, { maintenance: toWire(done.one, now), warnings, at: now });
}

function listOf({ clock, maintenances }: MaintenanceCalls): MaintenanceList {
  const now = clock.now();
  const all = maintenances.all().map((one) => toWire(one, now));
  const isComing = ({ state }: (typeof all)[number]): boolean => state === 'planned' || state === 'active';
  const past = all.filter((one) => !isComing(one)).sort((a, b) => b.endsAt - a.endsAt);
  return { at: now, maintenance: [...all.filter(isComing), ...past.slice(0, MAX_OVER)] };
}

export function maintenanceRoutes(parts: MaintenanceCalls): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/maintenance',
      access: 'read',
      says: {
        summary: 'Maintenance: planned and active, then what is over',
        gives: { 'application/json': maintenanceList },
      },
      handle: async () => json(200, listOf(parts)),
    },
    {
      method: 'POST',
      path: '/v1/maintenance',
      says: {
        summary: 'Declares a maintenance; it counts from the first minute after it was logged',
        takes: { 'application/json': maintenanceRequest },
        gives: { 'application/json': maintenanceDeclared },
      },
      handle: (call) => declareCall(parts, call),
    },
    {
      method: 'POST',
      path: '/v1/maintenance/:id/cancel',
      says: {
        summary: 'Ends a maintenance before its time',
        takes: { 'application/json': maintenanceCancel },
        gives: { 'application/json': maintenanceCancelled },
      },
      handle: (call) => cancelCall(parts, call),
    },
  ];
}
