/**
 * One run as a person wants it told: each call with its time, each assertion. It listens at the capabilities that a check
 * is given, so that neither checks nor the way out know of it, and a probe, which tells nobody, pays nothing.
 */
import { isIP } from 'node:net';
import { type FaultId, faultId } from '@highwater/config/faults.ts';
import {
  type Assertion,
  type CheckContext,
  type ExchangeRequest,
  FaultError,
  type SocketLink,
} from '@highwater/config/kinds.ts';
import type { Phases } from '@highwater/config/domain.ts';
import { isRecord, type Json, readJson } from './checks/json.ts';
import { questionOf } from './checks/noted-ask.ts';

/** More are not kept: a person reads no more, and a WebSocket may be asked without end. */
const maxCalls = 100;

/** What was asked, as it was sent. */
export type Sent =
  | { readonly method: string; readonly params: unknown }
  | { readonly get: string }
  /** A name server. */
  | { readonly server: string; readonly port: number };

/** One question and its answer. */
export interface Call {
  /** `eth_blockNumber`, `GET /health`, `192.0.2.53 A example.com`; of a script what was sent: not yet cleaned. */
  readonly what: string;
  readonly sent?: Sent;
  /** Since the check began, and how long the answer took without making a connection: tenths of a millisecond. */
  readonly fromTenths: number;
  readonly tenths: number;
  /** Why there is no answer. One that says something bad is an answer. */
  readonly fault?: FaultId;
}

export interface Notebook {
  readonly calls: Call[];
  readonly assertions: Assertion[];
}

type Listened = Pick<CheckContext, 'exchange' | 'socket' | 'dns' | 'asserted'>;

/** The same capabilities, listened at. `elapsed`: tenths of a millisecond since the check began. */
export function listening(ctx: CheckContext, book: Notebook, elapsed: () => number): CheckContext {
  const note = (call: Call): void => {
    if (book.calls.length < maxCalls) book.calls.push(call);
  };
  /** `answering`: first byte and transfer alone, where phases are known. */
  const timed = async <T extends { readonly phases: Phases }>(
    asked: Pick<Call, 'what' | 'sent'>,
    run: () => Promise<T>,
  ): Promise<T> => {
    const begun = elapsed();
    const ended = (phases: Phases | undefined, found?: FaultError): void => {
      const whole = elapsed() - begun;
      const tenths = phases === undefined ? whole : Math.min(whole, phases.firstByte + phases.transfer);
      const failed = found === undefined ? {} : { fault: faultId(found.fault) };
      note({ ...asked, fromTenths: begun + whole - tenths, tenths, ...failed });
    };
    try {
      const answer = await run();
      ended(answer.phases);
      return answer;
    } catch (thrown) {
      if (thrown instanceof FaultError) ended(thrown.phases, thrown);
      throw thrown;
    }
  };
  const listened: Listened = {
    exchange: (request) => timed(askedOf(request, ctx.target.url), () => ctx.exchange(request)),
    socket: async (request) => overheard(await ctx.socket(request), note, elapsed),
    dns: {
      ...ctx.dns,
      ask: (question) => {
        const { address, port, name, type } = question;
        const suffix = port === 53 ? '' : isIP(address) === 6 ? ` port ${port}` : `:${port}`;
        const asked = { what: `${address}${suffix} ${type} ${name}`, sent: { server: address, port } };
        return timed(asked, () => ctx.dns.ask(question));
      },
    },
    asserted: (assertion) => void book.assertions.push(assertion),
  };
  return { ...ctx, ...listened };
}

function askedOf({ method, path, body }: ExchangeRequest, url: string): Pick<Call, 'what' | 'sent'> {
  const called = body === undefined ? undefined : calledIn(body);
  if (called) return called;
  return {
    what: `${method} ${path ?? pathOf(url)}`,
    ...(method === 'GET' ? { sent: { get: path ?? '/' } } : {}),
  };
}

/** Of a target's URL, where what is long enough to be a key is left out. */
function pathOf(url: string): string {
  return new URL(url).pathname.replace(/[^/]{16,}/g, '…');
}

/** The method of a JSON-RPC request; undefined for anything else. */
function calledIn(text: string): Pick<Call, 'what' | 'sent'> | undefined {
  const message = messageIn(text);
  const method = message?.['method'];
  if (message === undefined || typeof method !== 'string') return undefined;
  const params = (message['params'] ?? []) as readonly unknown[] | Readonly<Record<string, unknown>>;
  return { what: questionOf(method, params), sent: { method, params } };
}

function messageIn(text: string): { readonly [key: string]: Json } | undefined {
  const read = readJson(text);
  return 'value' in read && isRecord(read.value) ? read.value : undefined;
}

interface Open {
  readonly asked: Pick<Call, 'what' | 'sent'>;
  /** Absent: any message will do. */
  readonly id: Json | undefined;
  readonly fromTenths: number;
}

/** Calls over a WebSocket: a message with the id of a question is its answer. */
function overheard(link: SocketLink, note: (call: Call) => void, elapsed: () => number): SocketLink {
  let open: Open[] = [];
  const ended = (done: (each: Open) => boolean, failed: { fault?: FaultId } = {}): void => {
    const now = elapsed();
    for (const { asked, fromTenths } of open.filter(done))
      note({ ...asked, fromTenths, tenths: now - fromTenths, ...failed });
    open = open.filter((each) => !done(each));
  };
  return {
    phases: link.phases,
    protocol: link.protocol,
    address: link.address,
    ...(link.certExpiresAt === undefined ? {} : { certExpiresAt: link.certExpiresAt }),
    get closed() {
      return link.closed;
    },
    send(text) {
      const id = messageIn(text)?.['id'];
      const asked = calledIn(text) ?? { what: text.slice(0, 60) };
      // Of several without an answer of their own the last is waited for.
      if (id === undefined) open = open.filter((each) => each.id !== undefined);
      if (open.length < maxCalls) open.push({ asked, id, fromTenths: elapsed() });
      link.send(text);
    },
    async next(signal) {
      try {
        const text = await link.next(signal);
        const id = messageIn(text)?.['id'];
        ended((each) => each.id === undefined || each.id === id);
        return text;
      } catch (thrown) {
        ended(() => true, thrown instanceof FaultError ? { fault: faultId(thrown.fault) } : {});
        throw thrown;
      }
    },
    [Symbol.dispose]: () => link[Symbol.dispose](),
  };
}
