/** What an operator writes for a tcp check, and all that can be wrong with it. */
import { z } from 'zod';
import { durationBetween, flag, key, wholeBetween } from '@highwater/config/fields.ts';
import { expressionText, maxMatchedBytes } from './expression.ts';
import { urlPort } from './settings.ts';

const text = (max: number) =>
  z
    .string('not text, put it in quotes')
    .min(1, 'empty, write a text')
    .max(max, `too long, write at most ${max} characters`);

const expectation = z
  .strictObject({
    contains: key(text(1_000).optional(), 'Text that must come.', 'SSH-2.0'),
    matches: key(
      expressionText('^220 .*ESMTP').optional(),
      'A regular expression of JavaScript that what comes must match, in its first 64 KiB and within 100 ms of computing; `^` is the beginning of all.',
      '^220 .*ESMTP',
    ),
  })
  .refine(
    ({ contains, matches }) => (contains === undefined) !== (matches === undefined),
    'neither contains nor matches, or both, write one of them',
  );
export type Expectation = z.infer<typeof expectation>;

export const settings = z
  .strictObject({
    port: urlPort,
    tls: key(flag.default(false), 'Speaks TLS first; the certificate must be good.'),
    send: key(
      text(65_536).optional(),
      'Text sent once connected, as it is: line ends are written "\\r\\n" in double quotes. Published in the log as written, where the service is public.',
      'PING\r\n',
    ),
    expect: key(expectation.optional(), 'What must come; only that a connection is made when left out.', {
      contains: 'PONG',
    }),
    maxBytes: key(
      wholeBetween(1, 1_048_576).default(maxMatchedBytes),
      'When so many bytes have come without what is expected, it is a fault.',
    ),
    slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '1s'),
  })
  .refine(({ send, expect }) => send === undefined || expect !== undefined, {
    path: ['send'],
    message: 'nothing is expected in answer, write expect as well or remove send',
  });
export type Settings = z.infer<typeof settings>;
