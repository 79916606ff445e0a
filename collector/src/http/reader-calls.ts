/** The calls of the other roles and of people. */
import type { Clock } from '@highwater/config/time.ts';
import { publicSnapshot } from '@highwater/config/public.ts';
import { ackRequest, feedPage, type LogStatus, operatorStatus, why } from '@highwater/config/wire.ts';
import { z } from 'zod';
import type { Acknowledged } from '../answers/acknowledge.ts';
import { feedAfter } from '../answers/events.ts';
import { operatorStatus as statusNow } from '../answers/status.ts';
import type { SnapshotKeeper } from '../answers/snapshot-keeper.ts';
import { wasMonitor } from '../answers/decided-lines.ts';
import { whyOf } from '../answers/why.ts';
import type { Bell } from '../bell.ts';
import type { Bodies } from '../bodies/bodies.ts';
import type { HeardBook } from '../ingest/heard.ts';
import type { Live } from '../live/heart.ts';
import type { Regions } from '../live/regions.ts';
import type { Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import { bodyType, readBody } from './body.ts';
import { queryInteger, queryWaitMs } from './query.ts';
import { HttpError, json, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

export interface ReaderCalls {
  readonly watched: Watched;
  readonly store: Store;
  readonly clock: Clock;
  readonly live: Live;
  readonly regions: Regions;
  readonly heard: Pick<HeardBook, 'of'>;
  readonly slots: Slots;
  readonly bodies: Bodies;
  readonly snapshots: SnapshotKeeper;
  /** Leaf hash of the configuration that holds. */
  readonly configHash: string;
  /** Rings when an event went into the feed. */
  readonly fed: Bell;
  /** Rings to have the outbox looked at. */
  readonly due: Bell;
  /** Somebody takes up an incident or an alarm. */
  readonly acknowledge: (id: string, by: string) => Promise<Acknowledged>;
  /** Where the log stands. */
  readonly logStatus: () => LogStatus;
  readonly metrics: () => Promise<string>;
}

async function acknowledgeCall({ acknowledge, clock, due }: ReaderCalls, call: Call): Promise<Reply> {
  bodyType(call.request, ['application/json']);
  let body: unknown;
  try {
    body = JSON.parse(await readBody(call.request));
  } catch (error) {
    throw error instanceof HttpError
      ? error
      : new HttpError(400, 'the body is not JSON', 'send {"by": "NAME"}');
  }
  const read = ackRequest.safeParse(body);
  if (!read.success) throw new HttpError(400, 'the body names nobody', 'send {"by": "NAME"}');
  const id = call.params['id'] ?? '';
  const result = await acknowledge(id, read.data.by);
  if (result === 'unknown') throw new HttpError(404, `there is no incident ${id.slice(0, 100)}`);
  if (result === 'over') throw new HttpError(409, 'the incident is over');
  due.ring();
  return json(200, { result, at: clock.now() });
}

function snapshotCall(snapshots: SnapshotKeeper, call: Call): Reply {
  const { bytes, etag } = snapshots.newest();
  const headers = { 'content-type': 'application/json; charset=utf-8', etag, 'cache-control': 'no-cache' };
  if (call.request.headers['if-none-match'] === etag) return { status: 304, headers };
  return { status: 200, body: bytes, headers };
}

export function readerRoutes(parts: ReaderCalls): Route[] {
  const { watched, store, clock, live } = parts;
  return [
    {
      method: 'GET',
      path: '/v1/events',
      access: 'read',
      says: {
        summary: 'The ordered feed',
        query: {
          after: 'Number of the last event that is known',
          wait: 'How long to wait for a newer one: 30s',
        },
        gives: { 'application/json': feedPage },
      },
      async handle({ query, signal }) {
        const [after, waitMs] = [queryInteger(query, 'after', 0), queryWaitMs(query)];
        return json(200, await feedAfter(store, parts.fed, clock, after, waitMs, signal));
      },
    },
    {
      method: 'GET',
      path: '/v1/snapshot',
      access: 'read',
      says: { summary: 'What the public page shows', gives: { 'application/json': publicSnapshot } },
      handle: async (call) => snapshotCall(parts.snapshots, call),
    },
    {
      method: 'GET',
      path: '/v1/status',
      access: 'read',
      says: { summary: 'What an operator sees', gives: { 'application/json': operatorStatus } },
      handle: async () =>
        json(200, {
          ...(await statusNow(watched, store, live, parts.regions, parts.heard, clock, parts.configHash)),
          log: parts.logStatus(),
        }),
    },
    {
      method: 'GET',
      path: '/v1/why',
      access: 'read',
      says: {
        summary: 'Votes, lines and the step of the rule behind a verdict',
        query: { monitor: 'service/node/check', at: 'Unix ms; now when left out' },
        gives: { 'application/json': why },
      },
      async handle({ query }) {
        const monitor = query.get('monitor') ?? '';
        if (!watched.monitors.has(monitor) && !wasMonitor(await parts.slots.ground(), monitor)) {
          throw new HttpError(
            404,
            `there is no monitor ${monitor.slice(0, 200)}`,
            'see /v1/status for those there are',
          );
        }
        const at = queryInteger(query, 'at', clock.now());
        return json(200, await whyOf({ ...parts, monitor, at }));
      },
    },
    {
      method: 'POST',
      path: '/v1/alerts/:id/ack',
      says: {
        summary: 'Says that somebody has taken an incident up',
        takes: { 'application/json': ackRequest },
        gives: { 'application/json': z.object({ result: z.literal('acknowledged'), at: z.int() }) },
      },
      handle: (call) => acknowledgeCall(parts, call),
    },
    {
      method: 'GET',
      path: '/healthz',
      access: 'open',
      says: {
        summary: 'Whether the collector answers',
        gives: { 'application/json': z.object({ status: z.literal('ok'), at: z.int() }) },
      },
      handle: async () => json(200, { status: 'ok', at: clock.now() }),
    },
    {
      method: 'GET',
      path: '/metrics',
      access: 'read',
      says: { summary: 'What Prometheus reads', gives: { 'text/plain': z.string() } },
      handle: async () => ({
        status: 200,
        body: await parts.metrics(),
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      }),
    },
  ];
}
