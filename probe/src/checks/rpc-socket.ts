/**
 * JSON-RPC over a WebSocket as checks use it: replies are matched by id while pushes, late replies and replies given
 * twice come between. Imports no I/O.
 */
import type { Phases } from '@highwater/config/domain.ts';
import { type CheckContext, FaultError, type SocketLink } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { faultError, isTimeout } from '../fault.ts';
import { addPhases, noPhases } from '../io/stopwatch.ts';
import type { Ask, Place } from './ask.ts';
import { capped } from './capped.ts';
import { excerpt, isRecord, type Json, jsonText, readJson, shown } from './json.ts';
import { openRpc, readAnswer } from './rpc.ts';

/** Messages that are no answer, while one is waited for. */
const maxSkipped = 1_000;

// Begins anywhere, so that a reply meant for an earlier connection does not fit.
let lastId = Math.floor(Math.random() * 1_000_000_000);

/** Calls on one open WebSocket. */
export interface LinkAsk extends Pick<Ask, 'call'> {
  /** For answers, tenths of a millisecond. */
  waitedTenths(of: 'all' | 'last'): number;
}

/** A message as JSON. Throws FaultError `target.rpc.json` or `target.ws.too-large`. */
export function messageOf(text: string): Json {
  const parsed = readJson(text);
  if ('because' in parsed) {
    throw faultError(parsed.isTooLarge ? 'target.ws.too-large' : 'target.rpc.json', parsed.because);
  }
  return parsed.value;
}

/**
 * `pushed` is given each message that is not the answer waited for, and says whether it was one of its own; an error
 * that it throws ends the call.
 */
export function askOnLink(
  link: Pick<SocketLink, 'send' | 'next'>,
  signal: Ending,
  pushed: (message: Json) => boolean = () => false,
): LinkAsk {
  const sent = new Set<number>();
  let waited = { last: 0, all: 0 };

  /** The message that answers `id`, right or wrong. */
  const answer = async (id: number): Promise<{ readonly [key: string]: Json }> => {
    let odd: FaultError | undefined;
    for (let skipped = 0; skipped <= maxSkipped; skipped += 1) {
      const text = await link.next(signal).catch((thrown: unknown) => {
        throw odd && isTimeout(signal.reason) ? odd : thrown;
      });
      const message = messageOf(text);
      if (!isRecord(message)) throw faultError('target.rpc.shape', excerpt(text));
      if (answers(message, id)) return message;
      const { id: other } = message;
      // A late reply or a second one to an earlier question is skipped, and so is what belongs to the subscription.
      const ours = pushed(message) || (typeof other === 'number' && sent.has(other));
      if (!ours && other !== undefined)
        odd = faultError('target.rpc.id', `asked ${id}, answered ${shown(other)}`);
    }
    throw faultError('target.ws.too-large', `over ${maxSkipped} messages before the answer`);
  };

  return {
    async call(method, params) {
      const id = (lastId += 1);
      const from = performance.now();
      sent.add(id);
      let latencyTenths: number | undefined;
      try {
        link.send(jsonText({ jsonrpc: '2.0', id, method, params }));
        const message = await answer(id);
        return { ...readAnswer(message, id), latencyTenths: (latencyTenths = tenthsSince(from)) };
      } finally {
        // None when it failed; 0 is a time.
        latencyTenths ??= tenthsSince(from);
        waited = { last: latencyTenths, all: waited.all + latencyTenths };
      }
    },
    waitedTenths: (of) => waited[of],
  };
}

/**
 * A message with a method is a push, whatever its id. An id as text is ours with the wrong type; without an id, or with
 * null, it is told of a request that could not be read (JSON-RPC 2.0 section 5): there is one at a time.
 */
function answers(message: { readonly [key: string]: Json }, id: number): boolean {
  if (Object.hasOwn(message, 'method')) return false;
  const answered = Object.hasOwn(message, 'id') ? message['id'] : null;
  return answered === id || answered === String(id) || answered === null;
}

function tenthsSince(from: number): number {
  return Math.round((performance.now() - from) * 10);
}

/** A WebSocket is opened at the first call. A question by GET goes over HTTP to the same host. */
export function openSocketRpc(ctx: CheckContext, { path, port, maxBytes }: Place): Ask {
  const place = { ...(path ? { path } : {}), ...(port ? { port } : {}) };
  let calls: LinkAsk | undefined;
  let made: Phases = noPhases;
  let rest: Ask | undefined;
  let last: 'call' | 'get' = 'call';
  const open = async (): Promise<LinkAsk> => {
    try {
      const link = await ctx.socket(place);
      made = link.phases;
      return askOnLink(capped(link, maxBytes), ctx.signal);
    } catch (thrown) {
      if (thrown instanceof FaultError) made = thrown.phases ?? noPhases;
      throw thrown;
    }
  };
  const overSocket = (of: 'all' | 'last'): Phases => ({
    ...made,
    transfer: made.transfer + (calls?.waitedTenths(of) ?? 0),
  });
  return {
    async call(method, params) {
      last = 'call';
      calls ??= await open();
      return calls.call(method, params);
    },
    get(at) {
      last = 'get';
      rest ??= openRpc(ctx, place);
      return rest.get(at);
    },
    phases(of) {
      if (of === 'last') return last === 'get' && rest ? rest.phases('last') : overSocket('last');
      return rest ? addPhases(overSocket('all'), rest.phases('all')) : overSocket('all');
    },
  };
}
