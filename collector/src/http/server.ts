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
}

/** Who takes nothing of a long answer for so long is let go, ms. */
const STALL_MS = 30_000;

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

/** Finds the route of a call and takes its place. Throws HttpError for what is not there, not allowed, or too much. */
function enter(
  options: ServerOptions,
  pools: Pools,
  request: IncomingMessage,
): { leave: () => void; handle: (signal: AbortSignal) => Promise<Reply> } {
  const url = new URL(request.url ?? '/', 'http://collector');
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
    handle: (signal) => route.handle({ request, query: url.searchParams, params, signal }),
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

/** Writes whole bodies at once, and those in parts as they are taken; resolves when the last part was handed over. */
async function write(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { body } = reply;
  const whole = typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined;
  if (!request.complete) discardRest(request);
  response.writeHead(reply.status, {
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...reply.headers,
    ...(whole === undefined ? {} : { 'content-length': String(whole.length) }),
  });
  if (whole !== undefined || body === undefined || request.method === 'HEAD') {
    response.end(request.method === 'HEAD' ? undefined : whole);
    return;
  }
  response.setTimeout(STALL_MS, () => response.destroy());
  await pipeline(Readable.from(body as AsyncIterable<Uint8Array>, { objectMode: false }), response);
}

function listener(options: ServerOptions) {
  const pools = openPools(options.places ?? MAX_CALLS);
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let leave = (): void => undefined;
    try {
      let reply: Reply;
      try {
        const entered = enter(options, pools, request);
        leave = entered.leave;
        reply = await entered.handle(AbortSignal.any([gone.signal, options.signal]));
      } catch (error) {
        reply = refusal(error, options.clock.now(), options.log);
      }
      if (!response.destroyed) await write(request, response, reply);
    } catch (error) {
      // Its head has gone out: all that is left is to cut it off, so that nobody takes a part for the whole.
      if (!gone.signal.aborted) options.log.error({ err: error }, 'call-cut-short');
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
