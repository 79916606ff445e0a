/** What an operator writes for a websocket check, and all that can be wrong with it. */
import { z } from 'zod';
import { durationBetween, isHeaderName, key, wholeBetween } from '@highwater/config/fields.ts';
import { maxJsonBytes } from './json.ts';
import { ownHeaderTrouble, urlPath, urlPort } from './settings.ts';

const maxDepth = 8;

/** Deeper is hardly meant, and integers beyond 2^53 would be rounded. */
const value = z.json().superRefine((written, ctx) => {
  const text = JSON.stringify(written);
  if (text.length > 65_536) ctx.addIssue('too long, write at most 65536 characters');
  if (depthOf(written) > maxDepth) ctx.addIssue(`nested deeper than ${maxDepth}, write it flatter`);
  if (/(?:^|[[,:])-?[0-9]{16}/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '""')))
    ctx.addIssue('a number of over 15 digits, which is rounded on its way, write a shorter one');
});

function depthOf(written: unknown): number {
  if (typeof written !== 'object' || written === null) return 0;
  return 1 + Math.max(0, ...Object.values(written).map(depthOf));
}

const expectation = z
  .strictObject({
    contains: key(
      z
        .string()
        .min(1, 'empty, write a text')
        .max(1_000, 'too long, write at most 1000 characters')
        .optional(),
      'Text that the message must contain. Or `path` and `equals`.',
      'pong',
    ),
    path: key(
      z.string().max(200, 'too long, write at most 200 characters').optional(),
      'A path into the JSON of the message.',
      'result.status',
    ),
    equals: key(value.optional(), 'What must be there; anything when left out.', 'ok'),
  })
  .superRefine(({ contains, path, equals }, ctx) => {
    const json = path !== undefined || equals !== undefined;
    if ((contains !== undefined) === json)
      ctx.addIssue('neither contains nor path and equals, write one of both');
  });
export type Expectation = z.infer<typeof expectation>;

const step = z.strictObject({
  send: key(
    value,
    'Text as it is, everything else as JSON. Published in the log as written, where the service is public.',
    { id: 1, method: 'ping' },
  ),
  expect: key(
    expectation.optional(),
    'What the answer must be. If what is sent is JSON with an `id`, the answer is the message with that id; else any message will do.',
    { path: 'result', equals: 'pong' },
  ),
  within: key(durationBetween(1, 600_000).default(5_000), 'How long the answer may take.'),
});
export type Step = z.infer<typeof step>;

const token = z
  .string()
  .regex(
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/,
    'not the name of a subprotocol, write one such as graphql-ws',
  );

/** They are made for each handshake. */
const ownHeader = /^(sec-websocket-.*|connection|upgrade|host|content-length|transfer-encoding)$/i;

const headers = z
  .record(
    z.string(),
    z
      .string()
      .max(1_000)
      .regex(/^[\x20-\x7e]*$/, 'not printable ASCII, write such'),
  )
  .superRefine((written, ctx) => {
    for (const [name, value] of Object.entries(written)) {
      const trouble = ownHeaderTrouble(name, value);
      if (trouble !== undefined) ctx.addIssue({ code: 'custom', path: [name], message: trouble });
      if (!isHeaderName(name))
        ctx.addIssue(`'${name}' is not the name of a header, write one such as Origin`);
      else if (ownHeader.test(name)) ctx.addIssue(`'${name}' is made for each handshake, remove it`);
    }
  });

export const settings = z
  .strictObject({
    path: urlPath,
    port: urlPort,
    protocols: key(
      z
        .array(token)
        .min(1)
        .max(8)
        .refine((names) => new Set(names).size === names.length, 'a subprotocol twice, write it once')
        .optional(),
      'Subprotocols offered; the server must pick one of them.',
      ['graphql-transport-ws'],
    ),
    headers: key(headers.optional(), "Sent with the handshake, beside the node's; no secrets.", {
      Origin: 'https://wallet.example.com',
    }),
    slow: key(
      durationBetween(1, 600_000).optional(),
      'Handshake and answers slower than this are degraded.',
      '2s',
    ),
    maxBytes: key(
      wholeBetween(1, maxJsonBytes).optional(),
      'Larger messages are a fault; 1 MiB by default, 4 MiB at most. So is JSON with over 250,000 commas, colons and opening brackets.',
      65_536,
    ),
    subscribe: key(
      z
        .enum(['heads', 'none'], {
          error: (issue) =>
            issue.input === undefined ? undefined : 'neither heads nor none, write one of them',
        })
        .optional(),
      "Whether the chain's new blocks are subscribed to; `heads` when left out and the service has a chain.",
      'none',
    ),
    maxSilence: key(
      durationBetween(1_000, 86_400_000).optional(),
      "How long no block may be pushed while the node has newer ones; six of the chain's block times, at least 30 s, when left out.",
      '1m',
    ),
    script: key(
      z.array(step).min(1).max(16).optional(),
      'For servers that are no chain: what is sent and what must come, step by step.',
      [{ send: 'ping', expect: { contains: 'pong' } }],
    ),
    receive: key(
      z
        .strictObject({
          matching: key(expectation, 'Which messages count.', { path: 'method', equals: 'tick' }),
          within: key(durationBetween(1_000, 86_400_000), 'How long none may come.', '1m'),
        })
        .optional(),
      'What must keep coming on a WebSocket that stays open; the script subscribes to it.',
      { matching: { path: 'method', equals: 'tick' }, within: '1m' },
    ),
  })
  .superRefine(({ subscribe, script, receive }, ctx) => {
    if (subscribe === 'heads' && (script || receive)) {
      const message = 'for servers that are no chain, remove it or make it a check of its own';
      ctx.addIssue({ code: 'custom', path: [script ? 'script' : 'receive'], message });
    }
  });
export type Settings = z.infer<typeof settings>;

/** New blocks can be subscribed to on a chain alone. */
export function needsChain(written: unknown): boolean {
  return (
    typeof written === 'object' && written !== null && 'subscribe' in written && written.subscribe === 'heads'
  );
}
