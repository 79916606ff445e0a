/** URLs of targets: joined, compared and followed. Pure. */
import { faultError } from '../fault.ts';

/**
 * Appends a path (with its own query, if any) to the path of a target's URL; the target's query is kept. A port
 * takes the place of the URL's. Gives the base itself where nothing is added.
 */
export function joinPath(base: URL, path: string | undefined, port?: number): URL {
  if (port === undefined && (path === undefined || path === '') && base.hash === '') return base;
  const url = new URL(base);
  url.hash = '';
  if (port !== undefined) url.port = String(port);
  if (path === undefined || path === '') return url;
  const [bare = '', query = ''] = splitOnce(path, '?');
  const prefix = url.pathname.replace(/\/$/, '');
  url.pathname = bare === '' ? url.pathname : `${prefix}/${bare.replace(/^\//, '')}`;
  url.search = [url.search.slice(1), query].filter((part) => part !== '').join('&');
  return url;
}

/** The port a URL names or implies. */
export function portOf(url: URL): number {
  return url.port === '' ? (isSecure(url) ? 443 : 80) : Number(url.port);
}

/** As it is asked over HTTP: the same place with TLS or without, as the URL says. */
export function asHttp(text: string): URL {
  return withScheme(text, 'https:', 'http:');
}

/** As it is asked over WebSocket. */
export function asSocket(text: string): URL {
  return withScheme(text, 'wss:', 'ws:');
}

/** As its bytes are asked for: its host and a port, by default the URL's own, over TLS or not. */
export function asBytes(text: string, port: number | undefined, tls: boolean): URL {
  const url = new URL(text);
  const at = port ?? portOf(url);
  url.protocol = tls ? 'https:' : 'http:';
  url.port = String(at);
  return url;
}

function withScheme(text: string, secure: string, plain: string): URL {
  const url = new URL(text);
  const scheme = isSecure(url) ? secure : plain;
  // Setting it reads the whole again.
  if (url.protocol !== scheme) url.protocol = scheme;
  return url;
}

/** Whether TLS is spoken. */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'wss:';
}

/** The host without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  const { hostname } = url;
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/**
 * Where a redirect leads. Throws FaultError `target.http.redirect` for one that is never followed:
 * from https to http, to another scheme, or to something that is no URL.
 */
export function redirectTarget(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (!to || (to.protocol !== 'https:' && to.protocol !== 'http:')) {
    throw faultError('target.http.redirect', `to ${location}, which is no http address`);
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw faultError('target.http.redirect', `from https to ${to.origin}, which is not encrypted`);
  }
  return to;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
