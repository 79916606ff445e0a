/** The site as a role: follows the collector and its log, renders pages, serves them. It can write nothing. */
import { createServer, type Server } from 'node:http';
import type { Running } from '@highwater/config/running.ts';
import type { Logger } from 'pino';
import type { Frame } from '../src/lib/frame.ts';
import { follow } from '../src/lib/server/collector.ts';
import { followDetails } from '../src/lib/server/details.ts';
import { followReports } from '../src/lib/server/reports.ts';
import { openMirror } from '../src/lib/server/mirror.ts';
import { answer, pathOf, plain, type Answerers } from './answer.ts';
import { loadBuilt } from './built.ts';
import { logAnswers } from './log-answer.ts';
import { pagesOf } from './pages.ts';
import { reportAnswers } from './report-answer.ts';

export interface SiteOptions {
  /** `http://127.0.0.1:4000` */
  readonly collectorUrl: string;
  /** For a collector that is not on loopback. */
  readonly token?: string;
  /** The last good snapshot, the services' numbers and charts, the copy of the log and the reports are kept in `site/` under it. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
  readonly log: Logger;
  /** Public address, in feeds and the API; default the snapshot's. */
  readonly siteUrl?: string;
  /** Between two looks at the collector; default 1,000. */
  readonly everyMs?: number;
  /** Between two looks at the collector's log; default 2,000. */
  readonly mirrorEveryMs?: number;
  /** Between two looks at the numbers and charts of one service; default 60,000. */
  readonly detailEveryMs?: number;
  /** Between two looks at the list of reports; default 15,000. */
  readonly reportsEveryMs?: number;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const DRAIN_MS = 5_000;
const MAX_CONNECTIONS = 10_000;
/** A report of many services is a page of some hundred kilobytes. */
const documentBounds = { frameMs: 10 * 60_000, maxPages: 60 };

/**
 * Serves the page until the signal is aborted. The page must be built (build.ts).
 * Throws an Error that names `--port` when the port is taken.
 */
export async function startSite(options: SiteOptions, signal: AbortSignal): Promise<Running> {
  const built = await loadBuilt(options.log);
  const stop = new AbortController();
  const ending = AbortSignal.any([signal, stop.signal]);
  const follower = await follow(options, ending);
  const mirror = await openMirror(options, ending);
  const details = await followDetails(options, () => follower.frame().snapshot, ending);
  const reports = await followReports(options, ending);
  const following = Promise.all([follower.stopped, mirror.stopped, details.stopped, reports.stopped]);
  const frame = (): Frame => {
    const log = mirror.shown();
    const shown = { details: details.all(), reports: reports.shown() };
    return { ...follower.frame(), ...shown, ...(log === undefined ? {} : { log }) };
  };
  const version = (): number => follower.version() + details.version() + reports.version();
  const by: Answerers = {
    pages: pagesOf({ frame, version }, built.render),
    documents: pagesOf({ frame, version: reports.version }, built.render, documentBounds),
    built,
    log: logAnswers(mirror),
    report: reportAnswers(reports, options),
  };
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (req, res) => {
    answer(req, res, by).catch((error: unknown) => {
      options.log.error({ event: 'site.failed', path: pathOf(req), error: String(error) }, 'page failed');
      plain(res, 500, 'The page could not be made. Please try again.');
    });
  });
  try {
    await listen(server, options);
  } catch (error) {
    stop.abort();
    await following;
    throw error;
  }
  const url = urlOf(server, options.host);
  options.log.info({ event: 'site.listening', url }, 'site listens');
  return { url, stopped: Promise.all([closed(server, signal), following]).then(() => undefined) };
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
