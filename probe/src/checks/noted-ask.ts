/** What one run notes of its questions: the slowest answer, and in the detail of each fault which question it came of. */
import type { Phases } from '@highwater/config/domain.ts';
import { type Fault, faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { fault } from '../fault.ts';
import type { Ask, Reply, RpcParams } from './ask.ts';

export interface NotedAsk extends Ask {
  /** Forgets the slowest answer so far. */
  restart(): void;
  /** The slowest answer since: how long it took in tenths of a millisecond, 0 without any, and its phases. */
  slowest(): { readonly phases: Phases; readonly tenths: number };
  /** The fault of an answer that was read in vain, with the question asked last; all others as they are. */
  blamed(found: Fault): Fault;
}

export function notedAsk(ask: Ask): NotedAsk {
  let slowest: { phases: Phases; tenths: number } | undefined;
  let last = '';
  const named = new WeakSet<Fault>();
  const blame = (found: Fault): Fault => {
    const told = withQuestion(found, last);
    named.add(told);
    return told;
  };
  const noted = async (question: string, asked: () => Promise<Reply>): Promise<Reply> => {
    last = question;
    try {
      const reply = await asked();
      if (reply.latencyTenths >= (slowest?.tenths ?? 0))
        slowest = { phases: ask.phases('last'), tenths: reply.latencyTenths };
      return reply.error ? { ...reply, error: new FaultError(blame(reply.error.fault)) } : reply;
    } catch (thrown) {
      throw thrown instanceof FaultError ? new FaultError(blame(thrown.fault), thrown.phases) : thrown;
    }
  };
  return {
    call: (method, params) => noted(questionOf(method, params), () => ask.call(method, params)),
    get: (path) => noted(`GET ${path}`, () => ask.get(path)),
    phases: (of) => ask.phases(of),
    restart: () => (slowest = undefined),
    slowest: () => slowest ?? { phases: ask.phases('last'), tenths: 0 },
    blamed: (found) => (found.operation === 'rpc' && !named.has(found) ? withQuestion(found, last) : found),
  };
}

/** Graphene's only method is `call`, with [API, METHOD, [ARGUMENTS]]. */
export function questionOf(method: string, params: RpcParams): string {
  const [api, called] = Array.isArray(params) ? (params as readonly unknown[]) : [];
  const isNamed = typeof api === 'string' || typeof api === 'number';
  return method === 'call' && isNamed && typeof called === 'string' ? `${api}.${called}` : method;
}

const ofQuestions: ReadonlySet<string> = new Set(['http', 'rpc', 'ws']);

/** A fault that a question met, with that question in its detail. Until a connection is there, none is to blame. */
export function withQuestion(found: Fault, question: string): Fault {
  const { operation, code, detail } = found;
  if (!ofQuestions.has(operation) || code === 'upgrade' || faultId(found) === 'target.ws.refused')
    return found;
  return fault(faultId(found), detail === undefined ? question : `${question}: ${detail}`);
}
