/** The calls that answer with counted minutes. */
import { daysOfMonth, parseDay, parseMonth } from '@highwater/config/proof/rule/period.ts';
import {
  MAX_UPTIME_DAYS,
  publicPeriodName,
  publicServiceDetail,
  type UptimeAnswer,
  uptimeAnswer,
} from '@highwater/config/public-detail.ts';
import { type Clock, dayOfMinute, formatDay, minuteOf } from '@highwater/config/time.ts';
import type { Details } from '../answers/detail.ts';
import type { UptimeQuestion } from '../answers/uptime.ts';
import type { Watched } from '../watched.ts';
import { HttpError, json, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

export interface DetailCalls {
  readonly watched: Watched;
  readonly details: Details;
  /** Undefined for a subject that there is not. */
  readonly uptimeOf: (question: UptimeQuestion) => Promise<UptimeAnswer | undefined>;
  /** Also of one that is no longer configured, as long as something is counted of the subject by it. */
  readonly isRegionOf: (subject: string, region: string) => Promise<boolean>;
  readonly clock: Pick<Clock, 'now'>;
}

async function detailCall({ details }: DetailCalls, call: Call): Promise<Reply> {
  const id = call.params['id'] ?? '';
  const kept = await details.of(id);
  // That there is a private one by this name is told to nobody.
  if (kept === undefined) throw new HttpError(404, `there is no public service ${id.slice(0, 100)}`);
  const { bytes, etag } = kept;
  const headers = { 'content-type': 'application/json; charset=utf-8', etag, 'cache-control': 'no-cache' };
  if (call.request.headers['if-none-match'] === etag) return { status: 304, headers };
  return { status: 200, body: bytes, headers };
}

function queryDay(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) {
    throw new HttpError(400, `${name} is missing`, 'give from and to, or a period alone');
  }
  const day = parseDay(text);
  if (day === undefined) {
    throw new HttpError(
      400,
      `${name}=${text.slice(0, 40)} is not a day`,
      'give a UTC day such as 2026-10-01',
    );
  }
  return day;
}

/** Throws HttpError 400 for days of which nothing can be known. A range that goes on beyond today has begun. */
function expectBegun(given: string, firstDay: number, today: number): void {
  if (firstDay > today) {
    throw new HttpError(
      400,
      `${given} lies in the future`,
      `it is ${formatDay(today)} UTC; give days or a month that have begun`,
    );
  }
}

/** A period by its name (default 30d), or days from and to. Throws HttpError 400. */
function queryRange(query: URLSearchParams, today: number): UptimeQuestion['range'] {
  const period = query.get('period');
  if (query.has('from') || query.has('to')) {
    if (period !== null) {
      throw new HttpError(400, 'both a period and days are given', 'give from and to, or a period alone');
    }
    const [first, last] = [queryDay(query, 'from'), queryDay(query, 'to')];
    if (last < first)
      throw new HttpError(400, 'to lies before from', 'both are UTC days, and both are counted');
    if (last - first + 1 > MAX_UPTIME_DAYS) {
      throw new HttpError(
        400,
        `${last - first + 1} days are too many`,
        `ask for at most ${MAX_UPTIME_DAYS} days at once; sums of counts are counts`,
      );
    }
    expectBegun(`from=${formatDay(first)}`, first, today);
    return { first, last };
  }
  const name = period ?? '30d';
  const month = parseMonth(name);
  if (!publicPeriodName.safeParse(name).success || (name.length > 3 && month === undefined)) {
    throw new HttpError(
      400,
      `period=${name.slice(0, 40)} is not a period`,
      'give 24h, 7d, 30d, 90d, or a month such as 2026-11',
    );
  }
  if (month !== undefined) expectBegun(`period=${name}`, daysOfMonth(month).first, today);
  return { period: name };
}

async function uptimeCall(parts: DetailCalls, { query }: Call): Promise<Reply> {
  const { watched, uptimeOf, isRegionOf, clock } = parts;
  const subject = query.get('subject') ?? '';
  if (subject === '') {
    throw new HttpError(400, 'subject is missing', 'give SERVICE, SERVICE/NODE or SERVICE/NODE/CHECK');
  }
  const region = query.get('region');
  if (region !== null && !(await isRegionOf(subject, region))) {
    const known = watched.config.regions.map(({ id }) => id).join(', ');
    throw new HttpError(400, `there is no region ${region.slice(0, 100)}`, `give one of ${known}`);
  }
  const range = queryRange(query, dayOfMinute(minuteOf(clock.now())));
  const answer = await uptimeOf({ subject, range, ...(region === null ? {} : { region }) });
  if (answer === undefined) {
    throw new HttpError(
      404,
      `there is no subject ${subject.slice(0, 200)}`,
      'see /v1/status for those there are',
    );
  }
  return json(200, answer, { 'cache-control': 'no-cache' });
}

export function detailRoutes(parts: DetailCalls): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/services/:id',
      access: 'read',
      says: {
        summary: 'Numbers and charts of one public service',
        gives: { 'application/json': publicServiceDetail },
      },
      handle: (call) => detailCall(parts, call),
    },
    {
      method: 'GET',
      path: '/v1/uptime',
      access: 'read',
      says: {
        summary: 'Uptime of a service, a node or a check over UTC days, counted by the rule',
        query: {
          subject: 'service, service/node or service/node/check',
          region: 'As this region alone saw it; as the regions agreed when left out',
          period: '24h, 7d, 30d (when left out), 90d, or a month such as 2026-11',
          from: `In place of a period, the first UTC day: 2026-10-01; at most ${MAX_UPTIME_DAYS} days`,
          to: 'The last UTC day: 2026-10-31',
        },
        gives: { 'application/json': uptimeAnswer },
      },
      handle: (call) => uptimeCall(parts, call),
    },
  ];
}
