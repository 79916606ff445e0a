/** What an operator writes for an http check, and all that can be wrong with it. */
import { z } from 'zod';
import { durationBetween, isHeaderName, key, wholeBetween } from '@highwater/config/fields.ts';
import { expressionText } from './expression.ts';
import { maxJsonBytes } from './json.ts';
import { jsonExpectation } from './json-expect.ts';
import { ownHeaderTrouble, urlPath, urlPort } from './settings.ts';

const maxTexts = 16;

const statusMessage = 'not a status, write one such as 200 or a range such as 200-299';
const status = z.union([
  wholeBetween(100, 599),
  z
    .string()
    .regex(/^[1-5][0-9]{2}(-[1-5][0-9]{2})?$/, statusMessage)
    .refine(
      (text) => Number(text.slice(0, 3)) <= Number(text.slice(-3)),
      'a range from high to low, exchange its ends',
    ),
]);

/** Statuses from `low` to `high`, both included. */
export interface StatusRange {
  readonly low: number;
  readonly high: number;
}

const statuses = z
  .union([status, z.array(status).min(1, 'an empty list, write at least one status').max(50)])
  .default('200-299')
  .transform((written): readonly StatusRange[] =>
    [written].flat().map((each) => {
      const [low = '', high = low] = String(each).split('-');
      return { low: Number(low), high: Number(high) };
    }),
  );

const text = z
  .string('not text, put it in quotes')
  .min(1, 'empty, write a text')
  .max(1_000, 'too long, write at most 1000 characters');

const texts = z
  .union([text, z.array(text).min(1, 'an empty list, write a text').max(maxTexts)])
  .transform((written): readonly string[] => [written].flat())
  .optional();

/** Made for each request, by the way out or from the body. */
const ownHeader =
  /^(host|connection|content-length|transfer-encoding|accept-encoding|expect|upgrade|te|trailer)$/i;

const sent = z
  .record(
    z.string(),
    z
      .string()
      .max(1_000, 'too long, write at most 1000 characters')
      .regex(/^[\x20-\x7e]*$/, 'not printable ASCII, write such'),
  )
  .superRefine((written, ctx) => {
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(written)) {
      const trouble = ownHeaderTrouble(name, value);
      if (trouble !== undefined) ctx.addIssue({ code: 'custom', path: [name], message: trouble });
      if (!isHeaderName(name))
        ctx.addIssue(`'${name}' is not the name of a header, write one such as Accept`);
      else if (ownHeader.test(name)) ctx.addIssue(`'${name}' is made for each request, remove it`);
      else if (seen.has(name.toLowerCase())) ctx.addIssue(`'${name}' twice, write it once`);
      seen.add(name.toLowerCase());
    }
  })
  .transform((written) =>
    Object.fromEntries(Object.entries(written).map(([name, value]) => [name.toLowerCase(), value])),
  )
  .default({});

const headerWish = z
  .strictObject({
    equals: key(text.optional(), 'Its value is this.', 'nosniff'),
    contains: key(text.optional(), 'Its value has this text in it.', 'max-age'),
    matches: key(
      expressionText('^max-age=[0-9]+').optional(),
      'Its value matches this regular expression of JavaScript.',
      '^max-age=[0-9]+',
    ),
    exists: key(z.boolean().optional(), 'Whether there is such a header at all.', false),
  })
  .refine((wish) => Object.values(wish).some((each) => each !== undefined), {
    message: 'nothing is expected, write equals, contains, matches or exists',
  })
  .refine(
    ({ exists, ...others }) => exists !== false || Object.values(others).every((each) => each === undefined),
    {
      path: ['exists'],
      message: 'what is not there cannot be compared, remove the rest',
    },
  );
export type HeaderWish = z.infer<typeof headerWish>;

const headerWishes = z
  .record(
    z.string().refine(isHeaderName, 'not the name of a header, write one such as content-type'),
    z.union([text, headerWish], 'neither a text nor a map, write the value or such as { contains: json }'),
  )
  .transform((written): readonly (readonly [name: string, wish: HeaderWish])[] =>
    Object.entries(written).map(([name, wish]) => [
      name.toLowerCase(),
      typeof wish === 'string' ? { equals: wish } : wish,
    ]),
  )
  .optional();

const jsonWishes = z
  .record(z.string().min(1).max(200), jsonExpectation)
  .transform((written) => Object.entries(written))
  .optional();

export const settings = z
  .strictObject({
    method: key(z.enum(['GET', 'HEAD', 'POST']).default('GET'), 'The HTTP method.'),
    path: urlPath,
    port: urlPort,
    headers: key(sent, "Sent with the request, beside the node's; no secrets.", {
      Accept: 'application/json',
    }),
    body: key(
      z.string().max(65_536, 'too long, write at most 65536 characters').optional(),
      'Sent with a POST, as application/json unless `headers` has a Content-Type. Published in the log as written, where the service is public.',
      '{}',
    ),
    status: key(statuses, 'The good statuses: one, a range, or a list of both; 200-299 when left out.', [
      200,
      '300-399',
    ]),
    responseHeaders: key(
      headerWishes,
      'Headers of the answer: what each must be, or a map. A redirect that is expected by its `status` can be held to its `location` so.',
      { 'content-type': { contains: 'json' }, location: 'https://www.example.com/' },
    ),
    contains: key(texts, 'Text that the body must contain, or several.', 'ok'),
    lacks: key(texts, 'Text that the body must not contain, or several.', ['error', 'maintenance']),
    matches: key(
      expressionText('<title>My .*</title>').optional(),
      'A regular expression of JavaScript that the body must match, in its first 64 KiB and within 100 ms of computing for all of a check.',
      '<title>My .*</title>',
    ),
    json: key(
      jsonWishes,
      'Paths into the JSON body and what each must equal, or a map that compares. Whole numbers are compared exactly, however long.',
      { 'status.healthy': true, height: { min: 1 }, 'nodes.0.role': { matches: '^(full|archive)$' } },
    ),
    maxBytes: key(
      wholeBetween(1, 16_777_216).optional(),
      'Larger answers are a fault; 1 MiB by default, 16 MiB at most and 4 MiB with `json`, which is also a fault with over 250,000 commas, colons and opening brackets.',
      65_536,
    ),
    redirects: key(wholeBetween(0, 3).default(0), 'How many redirects are followed.'),
    slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '2s'),
  })
  .superRefine(({ method, body, contains, lacks, matches, json, maxBytes = 0 }, ctx) => {
    const wrong = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: [path], message });
    if (body !== undefined && method !== 'POST')
      wrong('body', 'is sent with POST alone, write method: POST or remove it');
    if (json && maxBytes > maxJsonBytes)
      wrong(
        'maxBytes',
        `too large for a body that is read as JSON, write at most ${maxJsonBytes} or remove json`,
      );
    if (method !== 'HEAD') return;
    for (const [path, wish] of Object.entries({ contains, lacks, matches, json }))
      if (wish !== undefined) wrong(path, 'an answer to HEAD has no body, write method: GET or remove it');
  });
export type Settings = z.infer<typeof settings>;
