/**
 * The one way out for checks over HTTP. One way serves one run of one check: its requests share a
 * connection, and everything is destroyed at the end, so that each run measures a connection of its own.
 * Rules held here: a deadline for the whole, a cap on bytes as received, no compression, no redirect unless
 * allowed and never from https to http, private addresses only with consent, secrets only to their own origin.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Client } from 'undici';
import type { Phases } from '@highwater/config/domain.ts';
import { FaultError, type ExchangeAnswer, type ExchangeRequest } from '@highwater/config/kinds.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Ending } from '../deadline.ts';
import { faultError } from '../fault.ts';
import { brokenBy, earliestExpiry } from './connect.ts';
import { dial, type Route } from './dial.ts';
import { abortError, asError, type OpenTarget, type Outside, ownHeaders } from './outside.ts';
import { allowedBytes, watchReceived } from './received.ts';
import { defaultMaxBytes, type Received, roundTrip } from './round-trip.ts';
import { addPhases, noPhases, stopwatch, type Stopwatch, totalTenths } from './stopwatch.ts';
import { asHttp, joinPath, redirectTarget } from './url.ts';

export const maxHeaderBytes = 16_384;
/** Whatever a check allows: browsers give up at twenty, and nobody's service needs ten. */
const maxHops = 10;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What a check's own headers may be where a redirect has led elsewhere: no other is known not to be a secret. */
const harmless: ReadonlySet<string> = new Set(['accept', 'accept-language', 'content-type']);

/** One for all: each error that a socket is destroyed with has its stack written out, which costs a tenth of a check. */
const isOver = new Error('the check is over');

export interface Way {
  exchange(request: ExchangeRequest): Promise<ExchangeAnswer>;
  /** The address that was tried last; undefined before any was. */
  readonly address: string | undefined;
  /** The address that was tried first: the target's own, whatever redirects led to. */
  readonly ownAddress: string | undefined;
  close(): void;
}

/** By target, which lives as long as its monitor: to read a URL costs as much as to check an address. Not to be changed. */
const bases = new WeakMap<OpenTarget, URL>();

function baseOf(target: OpenTarget): URL {
  const known = bases.get(target);
  if (known) return known;
  const made = asHttp(target.url);
  bases.set(target, made);
  return made;
}

/** Opens the way to a target for one run. The signal is the deadline of the whole run. */
export function openWay(target: OpenTarget, outside: Outside, signal: Ending): Way {
  const base = baseOf(target);
  let connection: Connection | undefined;
  let address: string | undefined;
  let ownAddress: string | undefined;

  const connectionTo = (url: URL, route: Route): Connection => {
    const same = connection?.origin === url.origin && connection.ownHost === route.own.host;
    if (connection && same && !connection.client.destroyed) return connection;
    connection?.close();
    return (connection = connect(url, route));
  };

  /** A server may close a kept connection just as it is used again: that is nobody's fault, once. */
  const sent = async (
    url: URL,
    route: Route,
    request: ExchangeRequest,
    headers: Readonly<Record<string, string>>,
    watch: Stopwatch,
  ): Promise<Received> => {
    // Nothing was resolved, connected or sent for it: what the deadline passed in was waiting for earlier answers.
    if (signal.aborted) throw abortError(signal, 'firstByte');
    const link = connectionTo(url, route);
    const reused = link.used;
    try {
      return await link.send(url, request, headers, watch, signal);
    } catch (thrown) {
      link.close();
      const unlucky =
        reused && thrown instanceof FaultError && thrown.fault.code === 'reset' && !link.dialling;
      if (!unlucky || signal.aborted) throw thrown;
      return sent(url, route, request, headers, watch);
    }
  };

  const exchange = async (request: ExchangeRequest): Promise<ExchangeAnswer> => {
    let url = joinPath(base, request.path, request.port);
    const dialled = (at: string) => {
      address = at;
      ownAddress ??= at;
    };
    const route: Route = { target, own: url, outside, signal, dialled };
    let asked = request;
    /** A redirect has led to another origin: what comes back from there goes by its word, and gets no secret again. */
    let strayed = false;
    let phases = noPhases;
    for (let followed = 0; ; followed += 1) {
      const watch = stopwatch(connection ? 'firstByte' : 'resolve', outside.monotonic);
      let received: Received;
      try {
        received = await sent(url, route, asked, headersFor(asked, route, strayed), watch);
      } catch (thrown) {
        throw inPhases(thrown, watch, phases);
      }
      phases = addPhases(phases, watch.phases());
      const location = received.headers['location'];
      const redirected = redirects.has(received.status) && location !== undefined;
      const follow = redirected && followed < Math.min(request.maxRedirects ?? 0, maxHops);
      if (redirected && !follow && !request.redirectIsAnswer) {
        throw faultError('target.http.redirect', `${received.status} to ${location}`, phases);
      }
      if (!follow) {
        return { ...received, phases, latencyTenths: totalTenths(phases), address: address ?? '' };
      }
      url = redirectTarget(url, location);
      strayed ||= url.origin !== route.own.origin;
      if (received.status < 307 && asked.method === 'POST') asked = { ...withoutBody(asked), method: 'GET' };
    }
  };

  return {
    exchange,
    get address() {
      return address;
    },
    get ownAddress() {
      return ownAddress;
    },
    close: () => connection?.close(),
  };
}

interface Connection {
  readonly origin: string;
  /** Of the route it was made for: it decides on the address. */
  readonly ownHost: string;
  readonly client: Client;
  /** Has carried a request before. */
  readonly used: boolean;
  /** A connection is being made for the request that runs. */
  readonly dialling: boolean;
  send(
    url: URL,
    request: ExchangeRequest,
    headers: Readonly<Record<string, string>>,
    watch: Stopwatch,
    signal: Ending,
  ): Promise<Received>;
  close(): void;
}

function connect(to: URL, route: Route): Connection {
  let watching = stopwatch('resolve', route.outside.monotonic);
  let used = false;
  let dialling = false;
  let maxBytes = defaultMaxBytes;
  let connected: Socket | undefined;
  /** Of requests before. */
  let receivedBefore = 0;
  const tooMuch = (bytes: number) => {
    const answered = watching.running === 'transfer';
    if (bytes - receivedBefore <= allowedBytes(maxBytes, answered)) return undefined;
    return answered
      ? faultError('target.http.too-large', `more than ${maxBytes} bytes, and more around them`)
      : faultError('target.http.headers', 'no end of them');
  };
  let certExpiresAt: Instant | undefined;
  const client = new Client(to.origin, {
    // The deadline is the signal's; undici's own timers are coarse.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: maxHeaderBytes,
    allowH2: false,
    pipelining: 1,
    connect: (_, callback) => {
      dialling = true;
      dial(to, route, watching).then(
        (socket) => {
          certExpiresAt = socket instanceof TLSSocket ? earliestExpiry(socket) : undefined;
          watching.start('firstByte');
          const broken = brokenBy(socket);
          if (broken) return callback(broken, null);
          watchReceived((connected = socket), tooMuch);
          callback(null, socket);
        },
        (thrown: unknown) => callback(asError(thrown), null),
      );
    },
  });
  return {
    origin: to.origin,
    ownHost: route.own.host,
    client,
    get used() {
      return used;
    },
    get dialling() {
      return dialling;
    },
    async send(url, request, headers, watch, signal) {
      watching = watch;
      dialling = false;
      maxBytes = request.maxBytes ?? defaultMaxBytes;
      receivedBefore = connected?.bytesRead ?? 0;
      if (!used) watch.start('resolve');
      const received = await roundTrip(client, url, request, headers, watch, signal);
      used = true;
      return certExpiresAt === undefined ? received : { ...received, certExpiresAt };
    },
    close: () => void client.destroy(isOver).catch(() => undefined),
  };
}

/** The check's and the target's. No compression: what is capped is what is received. */
function headersFor(
  request: ExchangeRequest,
  { own, target, outside }: Route,
  strayed: boolean,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    const key = name.toLowerCase();
    if (!strayed || harmless.has(key)) headers[key] = value;
  }
  headers['accept-encoding'] = 'identity';
  return strayed
    ? { ...headers, 'user-agent': outside.userAgent }
    : Object.assign(headers, ownHeaders(own, own, target, outside.userAgent));
}

function withoutBody({ body: _, ...request }: ExchangeRequest): ExchangeRequest {
  return request;
}

function inPhases(thrown: unknown, watch: Stopwatch, before: Phases): unknown {
  return thrown instanceof FaultError
    ? new FaultError(thrown.fault, addPhases(before, watch.phases()))
    : thrown;
}
