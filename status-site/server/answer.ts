/** One request, one answer: methods, validators, encodings. Reads only; RFC 9110 where no other source is named. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptsGzip, matches } from './answer-headers.ts';
import type { Built } from './built.ts';
import {
  cacheControl,
  isDocument,
  isMachine,
  plainHeaders,
  securityHeaders,
  type Headers,
} from './headers.ts';
import type { AnswerLog } from './log-answer.ts';
import type { Page, Pages } from './pages.ts';
import { reportFileOf, type AnswerReport } from './report-answer.ts';

const MAX_ADDRESS = 2_000;

/** Who answers what. */
export interface Answerers {
  readonly pages: Pages;
  /** Of reports, which are long and say nothing about now. */
  readonly documents: Pages;
  readonly built: Built;
  readonly log: AnswerLog;
  readonly report: AnswerReport;
}

/** Answers from memory, from what is kept here or from the built handler. Rejects when a page could not be made. */
export async function answer(req: IncomingMessage, res: ServerResponse, by: Answerers): Promise<void> {
  const path = pathOf(req);
  if (req.method === 'OPTIONS') return options(res, path);
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('allow', 'GET, HEAD, OPTIONS');
    return plain(res, 405, 'This site can only be read: use GET or HEAD.');
  }
  if (!path.startsWith('/')) return plain(res, 400, 'The address must begin with a slash.');
  if ((req.url ?? '').length > MAX_ADDRESS) return plain(res, 414, 'The address is too long.');
  if (by.built.assets.has(path)) return asset(req, res, by.built);
  if (path.startsWith('/log/')) return by.log(req, res, path);
  const file = reportFileOf(path);
  if (file) return by.report(req, res, path, file);
  const pages = isDocument(path) ? by.documents : by.pages;
  await send(req, res, path, await pages.get(addressOf(req, path)));
}

/** The built handler alone knows the assets: immutable ones may be kept for a year. */
function asset(req: IncomingMessage, res: ServerResponse, built: Built): void {
  for (const [name, value] of Object.entries(plainHeaders)) res.setHeader(name, value);
  built.serveAsset(req, res, () => plain(res, 404, 'Not found.'));
}

async function send(req: IncomingMessage, res: ServerResponse, path: string, page: Page): Promise<void> {
  const headers = headersOf(page, path);
  if (page.status === 200 && matches(req.headers['if-none-match'], page.etag)) {
    res.writeHead(304, headers).end();
    return;
  }
  const packed = acceptsGzip(req) ? await page.gzipped() : undefined;
  const body = packed ?? page.body;
  res.writeHead(page.status, {
    ...headers,
    ...(packed ? { 'content-encoding': 'gzip' } : {}),
    'content-length': body.length,
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}

const composed = new WeakMap<Page, Headers>();

/** All headers of a page that do not depend on the request, put together once. */
function headersOf(page: Page, path: string): Headers {
  const known = composed.get(page);
  if (known) return known;
  const headers = {
    ...securityHeaders(path),
    vary: 'accept-encoding',
    'cache-control': page.status < 400 ? cacheControl : 'no-cache',
    ...page.headers,
    etag: page.etag,
  };
  composed.set(page, headers);
  return headers;
}

function options(res: ServerResponse, path: string): void {
  res.writeHead(204, {
    ...securityHeaders(path),
    allow: 'GET, HEAD, OPTIONS',
    ...(isMachine(path)
      ? {
          'access-control-allow-methods': 'GET, HEAD',
          'access-control-allow-headers': '*',
          'access-control-max-age': '86400',
        }
      : {}),
  });
  res.end();
}

/** A line of text, for what is not a page. */
export function plain(res: ServerResponse, status: number, text: string): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, {
    ...plainHeaders,
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  });
  res.end(`${text}\n`);
}

/** The path alone, as it was sent. */
export function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split(/[?#]/, 1)[0] || '/';
}

/** What a page depends on beside its path, in the order in which it is put into its address. Any other query is ignored. */
function parametersOf(path: string): readonly string[] {
  if (path.startsWith('/badge/')) return ['metric', 'period'];
  return path.startsWith('/services/') ? ['node', 'method', 'region'] : [];
}

function addressOf(req: IncomingMessage, path: string): string {
  const asked = (req.url ?? '').split('#', 1)[0]?.split('?')[1];
  const names = asked === undefined ? [] : parametersOf(path);
  if (names.length === 0) return path;
  const query = new URLSearchParams(asked);
  const told = names.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : `${name}=${encodeURIComponent(value)}`;
  });
  return told.length === 0 ? path : `${path}?${told.join('&')}`;
}
