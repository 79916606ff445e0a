/**
 * The one way out for checks of bare TCP. The rules are those of exchange.ts: our own connection (resolve, address
 * rules, TLS), one deadline, and no more unread bytes in memory than a cap; nothing is decoded here.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { FaultError, type ByteLink, type LinkRequest } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { faultError, isTimeout } from '../fault.ts';
import { brokenBy, earliestExpiry } from './connect.ts';
import { dial } from './dial.ts';
import { asError, type OpenTarget, type Outside } from './outside.ts';
import { type Stopwatch, stopwatch } from './stopwatch.ts';
import { asBytes } from './url.ts';

/** Unread; then the far side has to wait. */
const maxUnread = 65_536;

const nothing = () => undefined;

/**
 * Connects, with TLS when asked. `signal` is the deadline of connection and reading; `dialled` is told of each address
 * before it is tried. Rejects with FaultError, or with the signal's reason when the program ends.
 */
export async function openLink(
  target: OpenTarget,
  outside: Outside,
  request: LinkRequest,
  signal: Ending,
  dialled: (address: string) => void = () => undefined,
): Promise<ByteLink> {
  const url = asBytes(target.url, request.port, request.tls ?? false);
  const watch = stopwatch('resolve', outside.monotonic);
  const tls = { mustBeGood: true, protocols: [] };
  let address = '';
  const told = (at: string) => dialled((address = at));
  try {
    const socket = await dial(url, { target, own: url, outside, signal, dialled: told, tls }, watch);
    return new OpenLink(socket, address, watch, signal);
  } catch (thrown) {
    throw thrown instanceof FaultError ? new FaultError(thrown.fault, watch.phases()) : thrown;
  }
}

/** A class, as deadlines are. */
class OpenLink implements ByteLink {
  readonly address: string;
  readonly certExpiresAt?: number;
  phases: ByteLink['phases'];
  readonly #socket: Socket;
  readonly #watch: Stopwatch;
  readonly #signal: Ending;
  readonly #unread: Buffer[] = [];
  #unreadBytes = 0;
  /** Set when there will be no more. */
  #over: { readonly because?: string } | undefined;
  #look: () => void = nothing;

  constructor(socket: Socket, address: string, watch: Stopwatch, signal: Ending) {
    this.address = address;
    const certExpiresAt = socket instanceof TLSSocket ? earliestExpiry(socket) : undefined;
    if (certExpiresAt !== undefined) this.certExpiresAt = certExpiresAt;
    this.phases = watch.phases();
    this.#socket = socket;
    this.#watch = watch;
    this.#signal = signal;
    watch.start('firstByte');
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // The listener stays: a late error of a destroyed socket must not become an uncaught exception.
    socket.on('error', (error: Error & { code?: string }) => this.#end(error.code ?? error.message));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end('cut off'));
    const broken = brokenBy(socket) as (Error & { code?: string }) | undefined;
    if (broken) this.#end(broken.code ?? broken.message);
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  next(): Promise<Buffer | undefined> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#look = nothing;
        signal.removeEventListener('abort', aborted);
        act();
      };
      const fail = (error: Error) => settle(() => reject(error));
      const aborted = () =>
        fail(
          isTimeout(signal.reason)
            ? faultError('target.tcp.timeout', undefined, this.#watch.phases())
            : asError(signal.reason),
        );
      this.#look = () => {
        if (this.#unread.length > 0) return settle(() => resolve(this.#taken()));
        const over = this.#over;
        if (over?.because !== undefined)
          fail(faultError('target.tcp.closed', over.because, this.#watch.phases()));
        else if (over) settle(() => resolve(undefined));
      };
      if (signal.aborted) return aborted();
      signal.addEventListener('abort', aborted, { once: true });
      this.#look();
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#watch.start('transfer');
    this.phases = this.#watch.phases();
    this.#unread.push(chunk);
    this.#unreadBytes += chunk.length;
    if (this.#unreadBytes > maxUnread) this.#socket.pause();
    this.#look();
  }

  #taken(): Buffer {
    const bytes = Buffer.concat(this.#unread.splice(0));
    this.#unreadBytes = 0;
    this.#socket.resume();
    return bytes;
  }

  #end(because?: string): void {
    this.#over ??= because === undefined ? {} : { because };
    this.#look();
  }
}
