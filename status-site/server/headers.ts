/** The headers that every answer of the site carries. Pure. */

export type Headers = Readonly<Record<string, string>>;

/** Machine-readable addresses: other sites' scripts may read them, and show the badges. */
export function isMachine(path: string): boolean {
  return /^\/(api|badge|log)\/|^\/reports\/[0-9-]+(\.|\/bundle\/)|^\/(history\.(atom|rss)|maintenance\.ics|reports\.json|healthz)$/.test(
    path,
  );
}

/** Pages that say nothing about now: monthly reports. */
export function isDocument(path: string): boolean {
  return /^\/reports\/[0-9]{4}-[0-9]{2}$/.test(path);
}

const everywhere: Headers = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** Nothing runs and nothing loads, should a browser show such an answer as a document. */
const inert = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

const machine: Headers = {
  ...everywhere,
  'content-security-policy': inert,
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'etag',
  'cross-origin-resource-policy': 'cross-origin',
};

const page: Headers = {
  ...everywhere,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Security headers by kind of address. A page's Content-Security-Policy comes with the page. */
export function securityHeaders(path: string): Headers {
  return isMachine(path) ? machine : page;
}

/** For answers that are not rendered, such as errors of the server itself. */
export const plainHeaders: Headers = { ...page, 'content-security-policy': inert };

/** What is shown may be five seconds old; a proxy may go on showing it for a day when the site is gone. */
export const cacheControl = 'public, max-age=5, stale-while-revalidate=60, stale-if-error=86400';
