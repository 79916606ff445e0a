/**
 * The field types of the config: what a duration, an id, a URL or a reference to a secret is.
 * Kinds of checks and channels use them too, so that one mistake has one message everywhere.
 * A message says what is wrong, then what to write instead; it never holds the value.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { parseObjective } from './proof/rule/budget.ts';
import { isSecretRef } from './secrets.ts';
import { formatDuration, parseDurationMs } from './time.ts';

/** Gives a schema its sentence for the docs and an example, which also becomes the remedy of error messages. */
export function key<S extends z.ZodType>(schema: S, description: string, example?: unknown): S {
  return schema.meta({ description, ...(example === undefined ? {} : { examples: [example] }) });
}

/** For `z.string(…)` and the like: the message for a value of another type; a missing value keeps its own. */
function typed(message: string) {
  return { error: (issue: { input?: unknown }) => (issue.input === undefined ? undefined : message) };
}

const durationMessage = 'not a duration, write a whole number with a unit, such as 500ms, 30s, 5m, 1h or 2d';
const durationPattern = /^(0|[1-9][0-9]{0,9})(ms|s|mo|m|h|d|y)$/;

/** A duration between two limits in milliseconds, both included; decodes to milliseconds. */
export function durationBetween(minMs: number, maxMs: number) {
  return z
    .string(typed(durationMessage))
    .regex(durationPattern, durationMessage)
    .transform((text, ctx) => {
      const ms = parseDurationMs(text) ?? 0;
      if (ms < minMs) ctx.addIssue(`too short, write ${formatDuration(minMs)} or more`);
      if (ms > maxMs) ctx.addIssue(`too long, write ${formatDuration(maxMs)} or less`);
      return ms;
    });
}

const idMessage = 'not an id, write 1 to 63 of a-z 0-9 . _ - beginning with a letter or digit, such as eu-1';

/** The id of a region, probe, service, node, check or channel: `[a-z0-9][a-z0-9._-]{0,62}`. */
export const id = z.string(typed(idMessage)).regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, idMessage);

/** One line of text for people; no control characters, as it goes into mail subjects and pages. */
export function line(max: number) {
  return z
    .string(typed('not text, put it in quotes'))
    .min(1, 'empty, write some text or leave the key out')
    .max(max, `too long, write at most ${max} characters`)
    .regex(/^\P{Cc}*$/u, 'has a line break or another control character, write one line of plain text')
    .refine((text) => text.trim() === text, 'begins or ends with a space, remove it');
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function urlOf(schemes: readonly string[], message: string) {
  return z
    .string(typed('not a URL, write one such as https://rpc.example.com'))
    .max(2_000, 'too long, write a URL of at most 2000 characters')
    .superRefine((text, ctx) => {
      const url = parseUrl(text);
      if (!url || !schemes.includes(url.protocol) || /\s/.test(text)) {
        ctx.addIssue(message);
      } else if (url.username !== '' || url.password !== '') {
        ctx.addIssue(
          'a URL with a user name or password in it, write them as a header, headers: { Authorization: env:HIGHWATER_SECRET_NAME }',
        );
      } else if (url.hash !== '') {
        ctx.addIssue('a URL with a fragment (#…), which is never sent, remove it');
      }
    });
}

/** An http or https URL without credentials and fragment. */
export const httpUrl = urlOf(
  ['http:', 'https:'],
  'not an http or https URL, write one such as https://rpc.example.com',
);

/** Where checks ask: http, https, ws or wss, without credentials and fragment. */
export const targetUrl = urlOf(
  ['http:', 'https:', 'ws:', 'wss:'],
  'not an http, https, ws or wss URL, write one such as https://rpc.example.com',
);

export const ipv4 = z
  .string(typed('not an IPv4 address, write one such as 192.0.2.10'))
  .refine(
    (text) => isIPv4(text),
    'not an IPv4 address, write one such as 192.0.2.10 (IPv6 goes into address6)',
  );

export const ipv6 = z
  .string(typed('not an IPv6 address, write one such as "2001:db8::10"'))
  .refine(
    (text) => isIPv6(text) && !text.includes('%'),
    'not an IPv6 address, write one such as "2001:db8::10"',
  );

const secretMessage =
  'a secret must not stand in the config, write where it is: env:NAME (an environment variable) or file:PATH';

/** A reference to a secret: `env:NAME` or `file:PATH`. A literal is refused without being shown. */
export const secretRef = z
  .string(typed(secretMessage))
  .refine(isSecretRef, secretMessage)
  .meta({ description: 'A reference to a secret: env:NAME or file:PATH.', examples: ['env:NAME'] });

const percentMessage =
  'not a percentage between 0% and 100% of at most four decimals, write one such as 99.9%';

/** `99.9%`; decodes to whole millionths: an objective is compared with what was counted, exactly. */
export const percent = z
  .string(typed(percentMessage))
  .regex(/^(100|[0-9]{1,2}(\.[0-9]{1,4})?)%$/, percentMessage)
  .transform((text) => parseObjective(text) ?? 0);

/** A whole number between two limits, both included. */
export function wholeBetween(min: number, max: number) {
  const message = `not a whole number that can stand here, write ${min} to ${max}`;
  return z.int(typed(message)).min(min, message).max(max, message);
}

/** A name as RFC 9110 has it, of at most 100 characters. */
export function isHeaderName(name: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name);
}

/** `true` or `false`, unquoted. */
export const flag = z.boolean(typed('neither true nor false, write one of them without quotes'));

/** A verifier key as keygen prints it: NAME+HASH+BASE64 (C2SP signed-note). Its hash is checked in crosscheck.ts. */
export const verifierKey = z
  .string(typed('not a verifier key, write the last line that `highwater probe keygen --id ID` printed'))
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{43,44}=?$/,
    'not a verifier key, write the last line that `highwater probe keygen --id ID` printed',
  );

const witnessKeyMessage =
  "not a witness's verifier key, write the line NAME+HASH+BASE64 that its operator publishes";

/** A witness's verifier key (C2SP tlog-cosignature). Its type and hash are checked in crosscheck-witnesses.ts. */
export const witnessKey = z
  .string(typed(witnessKeyMessage))
  .max(2_500, witnessKeyMessage)
  .regex(/^[^\s+]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{8,}={0,2}$/, witnessKeyMessage);

/** What a probe asks to know that it is itself well: an http(s) URL or `tcp://host:port`. */
export const control = z
  .string(typed('not a control, write https://www.example.org or tcp://192.0.2.53:53'))
  .refine((text) => {
    const url = parseUrl(text);
    if (!url || url.username !== '' || url.password !== '') return false;
    return url.protocol === 'tcp:' ? url.port !== '' && url.hostname !== '' : /^https?:$/.test(url.protocol);
  }, 'not a control, write https://www.example.org or tcp://192.0.2.53:53');
