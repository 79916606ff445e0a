/**
 * The one way out for checks over WebSocket. The rules are those of exchange.ts: our own connection (resolve, address
 * rules, TLS), a cap on headers and on each message, no compression, no redirect, secrets only to the target's origin.
 * How frames are read is the library's; what a fault is called is decided here.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { refusalCloses, refusalStatuses } from '@highwater/config/faults/refusals.ts';
import { FaultError, type SocketLink, type SocketRequest } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { cleanDetail, faultError, faultOf } from '../fault.ts';
import { brokenBy, earliestExpiry } from './connect.ts';
import { dial } from './dial.ts';
import { maxHeaderBytes } from './exchange.ts';
import { type Inbox, inbox } from './inbox.ts';
import { abortError, type OpenTarget, type Outside, ownHeaders } from './outside.ts';
import { allowedBytes } from './received.ts';
import { defaultMaxBytes, maxHeaders } from './round-trip.ts';
import { stopwatch } from './stopwatch.ts';
import { asSocket, joinPath } from './url.ts';

/** Unread messages; what comes beyond is a server that sends without end. */
const maxQueued = 1_000;
/** Pings and pongs in any ten seconds: each ping is answered, which a server may not care to read. */
const maxControls = 100;
const controlsMs = 10_000;
/** Errors of no one place: to take its stack would cost as much as to send a message. */
const isDisposed = new Error('this WebSocket was disposed');
const nothing = () => undefined;
/** How long a server that has sent a close frame may keep the connection. */
const closeMs = 250;

/**
 * Connects and upgrades. `signal` is the deadline of that alone; `dialled` is told of each address before it is tried.
 * Rejects with FaultError, or with the signal's reason when the program ends. What goes wrong before the upgrade is
 * answered has HTTP's words, since that is what is spoken until then.
 */
export async function openSocket(
  target: OpenTarget,
  outside: Outside,
  request: SocketRequest,
  signal: Ending,
  dialled: (address: string) => void = () => undefined,
): Promise<SocketLink> {
  // The deadline passed in waiting for earlier answers.
  if (signal.aborted) throw abortError(signal, 'firstByte');
  const url = joinPath(asSocket(target.url), request.path, request.port);
  const watch = stopwatch('resolve', outside.monotonic);
  let address = '';
  const told = (at: string) => dialled((address = at));
  try {
    const socket = await dial(url, { target, own: url, outside, signal, dialled: told }, watch);
    watch.start('firstByte');
    const broken = brokenBy(socket);
    if (broken) throw new FaultError(faultOf(broken, 'firstByte'));
    const maxBytes = request.maxBytes ?? defaultMaxBytes;
    const headers = { ...request.headers, ...ownHeaders(url, url, target, outside.userAgent) };
    const made = (): Made => ({
      phases: watch.phases(),
      address,
      maxBytes,
      ...(socket instanceof TLSSocket ? expiryOf(socket) : {}),
    });
    return await upgraded(url, request.protocols ?? [], socket, { headers, maxBytes, made }, signal);
  } catch (thrown) {
    throw thrown instanceof FaultError ? new FaultError(thrown.fault, watch.phases()) : thrown;
  }
}

function expiryOf(socket: TLSSocket): { certExpiresAt?: number } {
  const at = earliestExpiry(socket);
  return at === undefined ? {} : { certExpiresAt: at };
}

interface Upgrade {
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  /** Called at the moment that it is open. */
  readonly made: () => Made;
}

/** Resolves when the upgrade is answered as RFC 6455 section 4.1 asks. */
function upgraded(
  url: URL,
  protocols: readonly string[],
  socket: Socket,
  { headers, maxBytes, made }: Upgrade,
  signal: Ending,
): Promise<SocketLink> {
  return new Promise((resolve, reject) => {
    let way: WebSocket | undefined;
    const settled = () => {
      signal.removeEventListener('abort', aborted);
      socket.off('data', counted);
    };
    const failed = (error: Error) => {
      settled();
      // A late error of what is given up must not become an uncaught exception.
      way?.removeAllListeners().on('error', () => undefined);
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    const aborted = () => failed(abortError(signal, 'firstByte'));
    const counted = () => {
      if (socket.bytesRead > allowedBytes(0, false))
        failed(faultError('target.http.headers', 'no end of them'));
    };
    if (signal.aborted) return aborted();
    try {
      way = new WebSocket(withoutCredentials(url), [...protocols], {
        createConnection: () => socket,
        headers,
        maxHeaderSize: maxHeaderBytes,
        maxPayload: maxBytes,
        perMessageDeflate: false,
        followRedirects: false,
        closeTimeout: closeMs,
        // One message at a time: how the stream is cut into packets must not decide what fits into the queue.
        allowSynchronousEvents: false,
      } as WebSocket.ClientOptions);
    } catch (thrown) {
      return failed(new FaultError(faultOf(thrown, 'firstByte')));
    }
    const open = way;
    signal.addEventListener('abort', aborted, { once: true });
    socket.on('data', counted);
    open.on('error', (error) => failed(handshakeFault(error)));
    open.on('unexpected-response', (_, response) => {
      const { statusCode = 0, headers: answered } = response;
      const id = refusalStatuses.has(statusCode) ? 'target.ws.refused' : 'target.ws.upgrade';
      failed(faultError(id, statusDetail(statusCode, answered.location)));
    });
    open.on('upgrade', ({ rawHeaders }) => {
      if (rawHeaders.length <= 2 * maxHeaders) return;
      failed(faultError('target.http.headers', `more than ${maxHeaders} of them`));
      open.terminate();
    });
    open.on('open', () => {
      settled();
      open.removeAllListeners();
      // At once: the first frames may be there already.
      resolve(new OpenLink(open, made()));
    });
  });
}

/** The library would make a header of its own of them. */
function withoutCredentials(url: URL): URL {
  if (url.username === '' && url.password === '') return url;
  const bare = new URL(url);
  bare.username = bare.password = '';
  return bare;
}

function statusDetail(status: number, location: string | undefined): string {
  if (status === 429) return '429: too many requests or connections from here';
  return location === undefined ? String(status) : `${status} to ${location}`;
}

/** Errors of the system and of the HTTP parser have a code; those of the library about the handshake have none. */
function handshakeFault(error: Error): FaultError {
  if ('code' in error) return new FaultError(faultOf(error, 'firstByte'));
  return faultError('target.ws.protocol', error.message);
}

interface Made extends Pick<SocketLink, 'phases' | 'address' | 'certExpiresAt'> {
  readonly maxBytes: number;
}

/** A class, as deadlines are. */
class OpenLink implements SocketLink {
  readonly phases: SocketLink['phases'];
  readonly protocol: string;
  readonly address: string;
  readonly certExpiresAt?: number;
  closed: SocketLink['closed'];
  readonly #way: WebSocket;
  readonly #received: Inbox;
  #controls = 0;
  #countedFrom = performance.now();

  constructor(way: WebSocket, { phases, address, certExpiresAt, maxBytes }: Made) {
    this.phases = phases;
    this.protocol = way.protocol;
    this.address = address;
    if (certExpiresAt !== undefined) this.certExpiresAt = certExpiresAt;
    this.#way = way;
    this.#received = inbox(maxQueued, 4 * maxBytes);
    way.on('message', (data: Buffer, isBinary: boolean) => this.#take(data, isBinary, maxBytes));
    const control = () => this.#count();
    way.on('ping', control).on('pong', control);
    way.on('error', (error) => this.#break(frameFault(error, maxBytes)));
    way.on('close', (code, reason) => {
      this.closed ??= { code, reason: cleanDetail(reason.toString('utf8')) };
      const id = refusalCloses.has(code) ? 'target.ws.refused' : 'target.ws.closed';
      this.#end(faultError(id, closeDetail(this.closed)));
    });
  }

  send(text: string): void {
    if (this.#received.ended) throw this.#received.ended;
    // A failure is told by the close that follows, and so is why a server is closing it.
    if (this.#way.readyState === WebSocket.OPEN) this.#way.send(text, nothing);
  }

  next(signal: Ending): Promise<string> {
    return this.#received.take(signal);
  }

  [Symbol.dispose](): void {
    this.#break(isDisposed);
  }

  #take(data: Buffer, isBinary: boolean, maxBytes: number): void {
    if (isBinary)
      return this.#break(faultError('target.ws.protocol', 'a binary message where text is expected'));
    if (this.#received.put(data.toString('utf8'), data.length)) return;
    const limit = `over ${maxQueued} messages or ${4 * maxBytes} bytes unread`;
    this.#break(faultError('target.ws.too-large', limit));
  }

  #count(): void {
    const now = performance.now();
    if (now - this.#countedFrom > controlsMs) [this.#controls, this.#countedFrom] = [0, now];
    this.#controls += 1;
    if (this.#controls <= maxControls) return;
    const limit = `over ${maxControls} pings and pongs in ${controlsMs / 1_000} s`;
    this.#break(faultError('target.ws.too-large', limit));
  }

  #break(because: Error): void {
    this.closed ??= { code: 1006, reason: '' };
    this.#end(because);
  }

  #end(because: Error): void {
    this.#received.end(because);
    this.#way.removeAllListeners().on('error', nothing);
    this.#way.terminate();
  }
}

function closeDetail({ code, reason }: { readonly code: number; readonly reason: string }): string {
  if (code === 1006) return '1006: cut off without a close frame';
  return reason === '' ? String(code) : `${code}: ${reason}`;
}

const tooLarge: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
]);

function frameFault(error: Error, maxBytes: number): FaultError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (tooLarge.has(code))
    return faultError('target.ws.too-large', `a message of more than ${maxBytes} bytes`);
  return faultError('target.ws.protocol', error.message);
}
