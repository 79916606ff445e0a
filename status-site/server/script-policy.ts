/**
 * Content-Security-Policy of scripts. One that is run as a worker is held to that of its own answer, not to its page's: it may
 * ask this site, and nobody else. Pure.
 */
export const scriptPolicy =
  "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'";
