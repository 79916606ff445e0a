import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Secret } from '@highwater/config/secrets.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import { ConflictError, DiskFullError } from '../store/store.ts';
import { admit } from './access.ts';
import { MAX_CALLS, openPools, type Pools } from './pools.ts';
import { HttpError, json, type Reply } from './reply.ts';
import { findRoute, type Route } from './routes.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly token: Secret;
  readonly routes: readonly Route[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts held calls, so that draining does not wait for them. */
  readonly signal: AbortSignal;
  /** In place of MAX_CALLS for each pool. */
  readonly places?: number;
  /** In place of STALL_MS and MAX_UNTAKEN_BYTES. */
  readonly stallMs?: number;
  readonly untakenBytes?: number;
}

/** Who takes nothing of an answer for so long is let go, ms. */
const STALL_MS = 30_000;
/** Nobody takes longer over a whole answer, ms: a trickle would keep its bytes and its place for ever. */
const MAX_SEND_MS = 120_000;
/** A whole answer of so many bytes is bounded by its place alone: 16 MiB a pool. */
const SMALL_BYTES = 65_536;
/**
 * Of all longer whole answers together, of what their readers have not taken: eight of the longest entry bundles (16 MiB),
 * hundreds of usual ones. More are asked to come again.
 */
const MAX_UNTAKEN_BYTES = 134_217_728;

function refusal(error: unknown, at: number, log: Logger): Reply {
  if (error instanceof HttpError) {
    const { status, message, remedy, headers } = error;
    return json(status, { error: message, ...(remedy === undefined ? {} : { remedy }), at }, headers);
  }
  if (error instanceof DiskFullError) {
    log.error({ err: error }, 'disk-full');
    // Soon: what waits must be kept within 10 s of there being room.
    return json(507, { error: error.message, remedy: 'come again', at }, { 'retry-after': '5' });
  }
  if (error instanceof ConflictError) {
    return json(
      429,
      { error: 'another call changed the same', remedy: 'come again', at },
      { 'retry-after': '1' },
    );
  }
  log.error({ err: error }, 'call-failed');
  return json(500, { error: 'the collector failed at this call', remedy: 'its log says why', at });
}

/** A path that is its own normal form, without a query: what nearly every call of a probe asks for. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9_-]+)+$/;

/** What is asked for; null for what is no path. */
function parseAsked(asked: string): Pick<URL, 'pathname' | 'searchParams'> | null {
  if (PLAIN_PATH.test(asked)) return { pathname: asked, searchParams: new URLSearchParams() };
  // `//` and `http://` begin an address without a host.
  return URL.parse(asked, 'http://collector');
}

/** Finds the route of a call and takes its place. Throws HttpError for what is not there, not allowed, or too much. */
function enter(
  options: ServerOptions,
  pools: Pools,
  request: IncomingMessage,
): { leave: () => void; handle: (signal: () => AbortSignal) => Promise<Reply> } {
  const url = parseAsked(request.url ?? '/');
  if (url === null) throw new HttpError(400, 'what is asked for is no path', 'ask for one such as /healthz');
  const found = findRoute(options.routes, request.method ?? '', url.pathname);
  if ('allow' in found) {
    if (found.allow.length === 0) throw new HttpError(404, 'there is nothing at this path');
    throw new HttpError(405, `${request.method ?? ''} is not taken here`, undefined, {
      allow: found.allow.join(', '),
    });
  }
  const { route, params } = found;
  admit(request, route.access ?? 'write', options.host, options.token);
  return {
    leave: pools.enter(route),
    handle: (signalOf) =>
      route.handle({
        request,
        query: url.searchParams,
        params,
        // Made for those who hold their call: most answer at once, and it costs as much as a frame's lines.
        get signal() {
          return signalOf();
        },
      }),
  };
}

/** What is thrown away of a body that was refused before it had come, bytes. */
const DISCARD_BYTES = 16 * 1_048_576;

/**
 * A connection that is closed with bytes unread takes the answer with it, so a refused caller would come again for
 * ever instead of learning why. What it still sends is read and thrown away, up to a bound; time is bounded by the
 * server's requestTimeout.
 */
function discardRest(request: IncomingMessage): void {
  let leftBytes = DISCARD_BYTES;
  request.on('data', (part: Buffer) => {
    leftBytes -= part.length;
    if (leftBytes < 0) request.destroy();
  });
}

/** What is counted while it waits for its reader. */
interface Untaken {
  bytes: number;
  readonly maxBytes: number;
  readonly stallMs: number;
}

/** Resolves when a whole answer was taken, its reader was let go, or went away. */
function handOver(response: ServerResponse, bytes: Uint8Array | undefined): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => response.destroy(), MAX_SEND_MS);
    const done = (): void => {
      clearTimeout(late);
      resolve();
    };
    response.once('finish', done).once('close', done);
    response.end(bytes);
  });
}

/** Writes whole bodies at once, and those in parts as they are taken; resolves when the reader has the last of it. */
async function write(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  untaken: Untaken,
): Promise<void> {
  const { body } = reply;
  const whole = typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined;
  const isHead = request.method === 'HEAD';
  const counted = isHead || whole === undefined || whole.length <= SMALL_BYTES ? 0 : whole.length;
  // One that is alone is always served.
  if (counted > 0 && untaken.bytes > 0 && untaken.bytes + counted > untaken.maxBytes) {
    const busy = { error: 'too much waits for readers that are slow', remedy: 'come again' };
    return write(request, response, json(503, busy, { 'retry-after': '1' }), untaken);
  }
  if (!request.complete) discardRest(request);
  response.setTimeout(untaken.stallMs, () => response.destroy());
  response.writeHead(reply.status, {
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...reply.headers,
    ...(whole === undefined ? {} : { 'content-length': String(whole.length) }),
  });
  if (whole !== undefined || body === undefined || isHead) {
    untaken.bytes += counted;
    try {
      await handOver(response, isHead ? undefined : whole);
    } finally {
      untaken.bytes -= counted;
    }
    return;
  }
  await pipeline(Readable.from(body as AsyncIterable<Uint8Array>, { objectMode: false }), response);
}

function listener(options: ServerOptions) {
  const pools = openPools(options.places ?? MAX_CALLS);
  const { stallMs = STALL_MS, untakenBytes = MAX_UNTAKEN_BYTES } = options;
  const untaken: Untaken = { bytes: 0, maxBytes: untakenBytes, stallMs };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let isGone = false;
    let gone: AbortController | undefined;
    let ends: AbortSignal | undefined;
    response.once('close', () => {
      isGone = true;
      gone?.abort();
    });
    const signalOf = (): AbortSignal => {
      if (ends !== undefined) return ends;
      gone = new AbortController();
      if (isGone) gone.abort();
      ends = AbortSignal.any([gone.signal, options.signal]);
      return ends;
    };
    let leave = (): void => undefined;
    try {
      let reply: Reply;
      try {
        const entered = enter(options, pools, request);
        leave = entered.leave;
        reply = await entered.handle(signalOf);
      } catch (error) {
        reply = refusal(error, options.clock.now(), options.log);
      }
      if (!response.destroyed) await write(request, response, reply, untaken);
    } catch (error) {
      // Its head has gone out: all that is left is to cut it off, so that nobody takes a part for the whole.
      if (!isGone) options.log.error({ err: error }, 'call-cut-short');
      response.destroy();
    } finally {
      leave();
    }
  };
  return (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
}

/**
 * Listens. Resolves with the address once it does; a port in use is an error that names the flag.
 */
export async function listen(options: ServerOptions): Promise<{ server: Server; url: string }> {
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000, maxHeaderSize: 16_384 },
    listener(options),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = `port ${options.port} is in use; choose another with --port (0: any free one)`;
      reject(error.code === 'EADDRINUSE' ? new Error(inUse, { cause: error }) : error);
    });
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { server, url: `http://${host}:${port}` };
}
