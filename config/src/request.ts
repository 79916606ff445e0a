/**
 * What a probe signs to ask for something: the text of the note in `Authorization: Highwater BASE64(NOTE)`.
 * It names the request and the time, so that a captured header opens nothing else and soon opens nothing.
 */
import type { Instant } from './time.ts';

/** A collector refuses a signed request whose time is further than this from its own clock, ms. */
export const requestWindowMs = 600_000;

/** The text to sign. `path` is the request's path with its query, `/v1/assignments?after=3&wait=30s`. */
export function requestText(origin: string, probe: string, at: Instant, path: string): string {
  return `highwater/request/v1\nlog ${origin}\nprobe ${probe}\nat ${at}\nget ${path}\n`;
}

/** Takes a request's text apart; undefined unless it is exactly what requestText writes. */
export function parseRequestText(
  text: string,
): { origin: string; probe: string; at: Instant; path: string } | undefined {
  const match =
    /^highwater\/request\/v1\nlog ([^\s]{1,200})\nprobe ([^\s]{1,64})\nat (0|[1-9][0-9]{0,15})\nget (\/[^\s]{0,500})\n$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, origin = '', probe = '', at = '', path = ''] = match;
  return { origin, probe, at: Number(at), path };
}
