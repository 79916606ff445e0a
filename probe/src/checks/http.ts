import { z } from 'zod';
import { durationBetween, key, wholeBetween } from '@highwater/config/fields.ts';
import type { Fault } from '@highwater/config/faults.ts';
import { defineCheck, type ExchangeAnswer, type Reading } from '@highwater/config/kinds.ts';
import { fault } from '../fault.ts';
import { excerpt, type Json, readJson, sameJson, valueAt } from './json.ts';
import { urlPath } from './settings.ts';

const statusMessage = 'not a status, write one such as 200 or a range such as 200-299';
const status = z.union([
  wholeBetween(100, 599),
  z.string().regex(/^[1-5][0-9]{2}(-[1-5][0-9]{2})?$/, statusMessage),
]);

const settings = z.strictObject({
  method: key(z.enum(['GET', 'HEAD', 'POST']).default('GET'), 'The HTTP method.'),
  path: urlPath,
  body: key(z.string().max(65_536).optional(), 'Sent with a POST, as application/json.', '{}'),
  status: key(z.union([status, z.array(status).min(1)]).default('200-299'), 'The good statuses.', [
    200,
    '300-399',
  ]),
  contains: key(z.string().min(1).max(1_000).optional(), 'Text that the body must contain.', 'ok'),
  json: key(
    z.record(z.string().min(1).max(200), z.json()).optional(),
    'Paths into the JSON body and what each must equal.',
    { 'status.healthy': true },
  ),
  maxBytes: key(
    wholeBetween(1, 16_777_216).optional(),
    'Larger answers are a fault; 1 MiB by default.',
    65_536,
  ),
  redirects: key(wholeBetween(0, 3).default(0), 'How many redirects are followed.'),
  slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '2s'),
});
type Settings = z.infer<typeof settings>;

/** Asks one URL and looks at status and body. */
export const http = defineCheck({
  kind: 'http',
  summary: 'Asks a URL and looks at the status, the body and how long it took.',
  settings,
  counts: true,
  needsChain: false,
  async run(wanted, ctx): Promise<Reading> {
    const answer = await ctx.exchange({
      method: wanted.method,
      maxRedirects: wanted.redirects,
      redirectIsAnswer:
        wanted.redirects === 0 && [301, 302, 303, 307, 308].some((code) => isGood(code, wanted)),
      ...(wanted.path === undefined ? {} : { path: wanted.path }),
      ...(wanted.body === undefined
        ? {}
        : { body: wanted.body, headers: { 'content-type': 'application/json' } }),
      ...(wanted.maxBytes === undefined ? {} : { maxBytes: wanted.maxBytes }),
    });
    const found = unexpected(answer, wanted);
    const outcome = found === undefined ? 'ok' : found.code === 'slow' ? 'degraded' : 'fail';
    const { latencyTenths, phases, certExpiresAt } = answer;
    const facts = {
      sc: String(answer.status),
      ...(certExpiresAt === undefined || certExpiresAt < 0 ? {} : { ce: String(certExpiresAt) }),
    };
    return { outcome, latencyTenths, phases, facts, ...(found ? { fault: found } : {}) };
  },
});

function isGood(code: number, { status: wanted }: Pick<Settings, 'status'>): boolean {
  return [wanted].flat().some((each) => {
    const [low = '', high = low] = String(each).split('-');
    return code >= Number(low) && code <= Number(high);
  });
}

function unexpected(answer: ExchangeAnswer, wanted: Settings): Fault | undefined {
  if (!isGood(answer.status, wanted)) return fault('target.http.status', String(answer.status));
  if (wanted.contains !== undefined && !answer.body.includes(wanted.contains)) {
    return fault('target.http.body', `${excerpt(wanted.contains)} is not in the answer`);
  }
  const odd = wanted.json === undefined ? undefined : unequal(answer.body, wanted.json);
  if (odd !== undefined) return fault('target.http.body', odd);
  const limit = wanted.slow;
  return limit !== undefined && answer.latencyTenths > limit * 10
    ? fault('target.http.slow', `${answer.latencyTenths / 10} ms, limit ${limit} ms`)
    : undefined;
}

function unequal(body: string, wanted: Readonly<Record<string, Json>>): string | undefined {
  const read = readJson(body);
  if ('because' in read) return `not JSON: ${read.because}`;
  for (const [path, value] of Object.entries(wanted)) {
    const came = valueAt(read.value, path);
    if (!sameJson(came, value)) {
      return `${path} is ${JSON.stringify(came)?.slice(0, 80) ?? 'missing'}, expected ${JSON.stringify(value).slice(0, 80)}`;
    }
  }
  return undefined;
}
