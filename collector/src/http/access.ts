import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Secret } from '@highwater/config/secrets.ts';
import { HttpError } from './reply.ts';

/**
 * Who may call. `open`: health, and calls that carry a probe's signature. `read`: anyone on loopback
 * who calls without a proxy, else by token. `write`: always by token.
 */
export type Access = 'open' | 'read' | 'write';

/** Whether an address to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function tokenGiven(request: IncomingMessage): string | undefined {
  return /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** Compares without telling by time how much was right. */
function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A page in a browser may point its own name at 127.0.0.1; the Host header gives that away. */
function fromThisMachine(request: IncomingMessage): boolean {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  return isLoopback(host);
}

const relayHeaders = ['forwarded', 'via', 'x-real-ip'];

/** A proxy on this machine calls by 127.0.0.1 too, on behalf of anyone; what it adds gives it away. */
function relayed(request: IncomingMessage): boolean {
  return Object.keys(request.headers).some(
    (name) => relayHeaders.includes(name) || name.startsWith('x-forwarded-'),
  );
}

/**
 * Lets a call pass or throws HttpError 401, or 421 for a read without token under a foreign name.
 * `host` is the address that the server is bound to.
 */
export function admit(request: IncomingMessage, access: Access, host: string, token: Secret): void {
  if (access === 'open') return;
  const given = tokenGiven(request);
  if (given !== undefined && sameText(given, token.reveal())) return;
  if (given !== undefined || access === 'write' || !isLoopback(host)) {
    throw new HttpError(
      401,
      given === undefined ? 'this call needs a token' : 'the token is not the right one',
      'send Authorization: Bearer TOKEN; the token is in the file token of the data folder',
      { 'www-authenticate': 'Bearer' },
    );
  }
  if (relayed(request)) {
    throw new HttpError(
      401,
      'this call came through a proxy, and needs a token',
      'have the proxy ask for a login and send Authorization: Bearer TOKEN, or call 127.0.0.1 directly',
      { 'www-authenticate': 'Bearer' },
    );
  }
  if (!fromThisMachine(request)) {
    throw new HttpError(
      421,
      'the Host header is not of this machine',
      'call it by 127.0.0.1, or send a token',
    );
  }
}
