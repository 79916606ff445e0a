/** What a request's headers ask for. Pure. */
import type { IncomingMessage } from 'node:http';

export function acceptsGzip(req: IncomingMessage): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(String(req.headers['accept-encoding'] ?? ''));
}

/** RFC 9110 section 13.1.2: If-None-Match compares weakly. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = etag.replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === bare);
}
