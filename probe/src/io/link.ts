/**
 * The one way out for checks of bare TCP. The rules are those of exchange.ts: our own connection (resolve, address
 * rules, TLS), one deadline, and no more unread bytes in memory than a cap; nothing is decoded here.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { FaultError, type ByteLink, type LinkRequest } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { faultError, isTimeout } from '../fault.ts';
import { earliestExpiry } from './connect.ts';
import { dial } from './dial.ts';
import { asError, type OpenTarget, type Outside } from './outside.ts';
import { type Stopwatch, stopwatch } from './stopwatch.ts';
import { asBytes } from './url.ts';

/** Unread; then the far side has to wait. */
const maxUnread = 65_536;

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
    const certExpiresAt = socket instanceof TLSSocket ? earliestExpiry(socket) : undefined;
    const made = { address, ...(certExpiresAt === undefined ? {} : { certExpiresAt }) };
    return linkOf(socket, made, watch, signal);
  } catch (thrown) {
    throw thrown instanceof FaultError ? new FaultError(thrown.fault, watch.phases()) : thrown;
  }
}

function linkOf(
  socket: Socket,
  made: Pick<ByteLink, 'address' | 'certExpiresAt'>,
  watch: Stopwatch,
  signal: Ending,
): ByteLink {
  const unread: Buffer[] = [];
  let unreadBytes = 0;
  /** Set when there will be no more. */
  let over: { readonly because?: string } | undefined;
  let look: () => void = () => undefined;
  let phases = watch.phases();
  watch.start('firstByte');
  const end = (because?: string) => {
    over ??= because === undefined ? {} : { because };
    look();
  };
  socket.on('data', (chunk: Buffer) => {
    watch.start('transfer');
    phases = watch.phases();
    unread.push(chunk);
    unreadBytes += chunk.length;
    if (unreadBytes > maxUnread) socket.pause();
    look();
  });
  // The listener stays: a late error of a destroyed socket must not become an uncaught exception.
  socket.on('error', (error: Error & { code?: string }) => end(error.code ?? error.message));
  socket.on('end', () => end());
  socket.on('close', () => end('cut off'));
  const taken = (): Buffer => {
    const bytes = Buffer.concat(unread.splice(0));
    unreadBytes = 0;
    socket.resume();
    return bytes;
  };
  return {
    ...made,
    get phases() {
      return phases;
    },
    send(text) {
      socket.write(text);
    },
    next: () =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          look = () => undefined;
          signal.removeEventListener('abort', aborted);
          act();
        };
        const fail = (error: Error) => settle(() => reject(error));
        const aborted = () =>
          fail(
            isTimeout(signal.reason)
              ? faultError('target.tcp.timeout', undefined, watch.phases())
              : asError(signal.reason),
          );
        look = () => {
          if (unread.length > 0) return settle(() => resolve(taken()));
          if (over?.because !== undefined)
            fail(faultError('target.tcp.closed', over.because, watch.phases()));
          else if (over) settle(() => resolve(undefined));
        };
        if (signal.aborted) return aborted();
        signal.addEventListener('abort', aborted, { once: true });
        look();
      }),
    [Symbol.dispose]() {
      socket.destroy();
    },
  };
}
