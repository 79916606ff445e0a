/** The site as a role: follows the collector, renders pages, serves them. It can write nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Running } from '@highwater/config/running.ts';
import type { Logger } from 'pino';
import type { Frame } from '../src/lib/frame.ts';
import { follow } from '../src/lib/server/collector.ts';
import { buildDir } from './build.ts';
import { cacheControl, isMachine, plainHeaders, securityHeaders } from './headers.ts';
import { pagesOf, type Page, type Pages, type Render } from './pages.ts';

export interface SiteOptions {
  /** `http://127.0.0.1:4000` */
  readonly collectorUrl: string;
  /** For a collector that is not on loopback. */
  readonly token?: string;
  /** The last good snapshot is kept in `site/` under it. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
  readonly log: Logger;
  /** Public address, in feeds and the API; default the snapshot's. */
  readonly siteUrl?: string;
  /** Between two looks at the collector; default 1,000. */
  readonly everyMs?: number;
}

type Next = () => void;
interface Built {
  readonly render: Render;
  readonly serveAsset: (req: IncomingMessage, res: ServerResponse, next: Next) => void;
  readonly assets: ReadonlySet<string>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const DRAIN_MS = 5_000;
const MAX_CONNECTIONS = 10_000;
const MAX_ADDRESS = 2_000;

/**
 * Serves the page until the signal is aborted. The page must be built (build.ts).
 * Throws an Error that names `--port` when the port is taken.
 */
export async function startSite(options: SiteOptions, signal: AbortSignal): Promise<Running> {
  const built = await loadBuilt(options.log);
  const stop = new AbortController();
  const follower = await follow(options, AbortSignal.any([signal, stop.signal]));
  const pages = pagesOf(follower, built.render);
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (req, res) => {
    answer(req, res, pages, built).catch((error: unknown) => {
      options.log.error({ event: 'site.failed', path: pathOf(req), error: String(error) }, 'page failed');
      plain(res, 500, 'The page could not be made. Please try again.');
    });
  });
  try {
    await listen(server, options);
  } catch (error) {
    stop.abort();
    await follower.stopped;
    throw error;
  }
  const url = urlOf(server, options.host);
  options.log.info({ event: 'site.listening', url }, 'site listens');
  return { url, stopped: Promise.all([closed(server, signal), follower.stopped]).then(() => undefined) };
}

async function answer(req: IncomingMessage, res: ServerResponse, pages: Pages, built: Built): Promise<void> {
  const path = pathOf(req);
  if (req.method === 'OPTIONS') return options(res, path);
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('allow', 'GET, HEAD, OPTIONS');
    return plain(res, 405, 'This site can only be read: use GET or HEAD.');
  }
  if (!path.startsWith('/')) return plain(res, 400, 'The address must begin with a slash.');
  if ((req.url ?? '').length > MAX_ADDRESS) return plain(res, 414, 'The address is too long.');
  if (built.assets.has(path)) return asset(req, res, built);
  send(req, res, path, await pages.get(addressOf(req, path)));
}

/** The built handler alone knows the assets: immutable ones may be kept for a year. */
function asset(req: IncomingMessage, res: ServerResponse, built: Built): void {
  for (const [name, value] of Object.entries(plainHeaders)) res.setHeader(name, value);
  built.serveAsset(req, res, () => plain(res, 404, 'Not found.'));
}

/** Serves bytes from memory. */
async function sendBody(req: IncomingMessage, res: ServerResponse, page: Page): Promise<void> {
  const packed = acceptsGzip(req) ? await page.gzipped() : undefined;
  if (packed) res.setHeader('content-encoding', 'gzip');
  const body = packed ?? page.body;
  res.setHeader('content-length', body.length);
  res.writeHead(page.status);
  res.end(req.method === 'HEAD' ? undefined : body);
}

function send(req: IncomingMessage, res: ServerResponse, path: string, page: Page): void {
  const headers = { ...securityHeaders(path), vary: 'accept-encoding', ...page.headers };
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (page.headers['cache-control'] !== 'no-store')
    res.setHeader('cache-control', page.status < 400 ? cacheControl : 'no-cache');
  res.setHeader('etag', page.etag);
  if (page.status === 200 && matches(req.headers['if-none-match'], page.etag)) {
    res.writeHead(304).end();
    return;
  }
  sendBody(req, res, page).catch(() => res.destroy());
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

function plain(res: ServerResponse, status: number, text: string): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, {
    ...plainHeaders,
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  });
  res.end(`${text}\n`);
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split(/[?#]/, 1)[0] || '/';
}

/** What a page depends on: its path, and for badges the metric. Any other query is ignored. */
function addressOf(req: IncomingMessage, path: string): string {
  if (!path.startsWith('/badge/')) return path;
  const metric = new URLSearchParams((req.url ?? '').split('?')[1] ?? '').get('metric');
  return metric === null ? path : `${path}?metric=${encodeURIComponent(metric)}`;
}

function acceptsGzip(req: IncomingMessage): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(String(req.headers['accept-encoding'] ?? ''));
}

/** RFC 9110 section 13.1.2: If-None-Match compares weakly. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = etag.replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === bare);
}

interface KitServer {
  respond(
    request: Request,
    options: { platform: { frame: Frame }; getClientAddress(): string },
  ): Promise<Response>;
}

async function loadBuilt(log: Logger): Promise<Built> {
  // Without it Kit takes plain http for https; it is read when the handler is loaded.
  process.env['PROTOCOL_HEADER'] ??= 'x-forwarded-proto';
  const file = (name: string) => pathToFileURL(join(buildDir, name)).href;
  const { handler } = (await import(file('handler.js'))) as { handler: Built['serveAsset'] };
  const { server } = (await import(file('adapter-node.js'))) as { server: KitServer };
  await loadAll(join(buildDir, 'server'), log);
  const client = join(buildDir, 'client');
  const entries = await readdir(client, { recursive: true, withFileTypes: true });
  const assets = entries
    .filter((entry) => entry.isFile() && !/\.(gz|br)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(client.length).replaceAll('\\', '/'));
  log.debug({ event: 'site.loaded', assets: assets.length }, 'built page loaded');
  return {
    serveAsset: handler,
    assets: new Set(assets),
    // The origin never shows: addresses in pages are relative to the root, or made from the site's own URL.
    render: (address, frame) =>
      server.respond(new Request(`http://site.invalid${address}`), {
        platform: { frame },
        getClientAddress: () => '0.0.0.0',
      }),
  };
}

/**
 * Loads every route now, not on its first visit: that visit would be slow, and a new build under a running
 * site would take away what is not loaded yet.
 */
async function loadAll(server: string, log: Logger): Promise<void> {
  for (const folder of ['nodes', 'entries']) {
    const files = await readdir(join(server, folder), { recursive: true }).catch(() => []);
    for (const file of files.filter((name) => name.endsWith('.js')))
      await import(pathToFileURL(join(server, folder, file)).href).catch((error: unknown) => {
        log.warn({ event: 'site.unloaded', file, error: String(error) }, 'a route could not be loaded');
      });
  }
}

function listen(server: Server, { host, port }: SiteOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new Error(`Port ${port} is in use on ${host}: choose another with --port (0 takes any free one).`),
        );
      else if (error.code === 'EACCES')
        reject(new Error(`Port ${port} needs more rights: choose one above 1023 with --port.`));
      else reject(error);
    });
    server.listen(port, host, resolve);
  });
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const shown =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${shown}:${port}`;
}

/** Lets answers under way end, then closes the rest. */
function closed(server: Server, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const close = () => {
      const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      server.close(() => {
        clearTimeout(force);
        resolve();
      });
      server.closeIdleConnections();
    };
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
  });
}
