/** Questions answered from a table, for readers of chain families. */
import { fault } from '../src/fault.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import type { Ask, Reply, RpcParams } from '../src/checks/ask.ts';
import type { Json } from '../src/checks/json.ts';
import { noPhases } from '../src/io/stopwatch.ts';

/** A result, or the fault `id` and `detail` in its place. */
export type FakeAnswer = Json | FaultError;

/** `answers` by method, or by what a function makes of the parameters; a method that is not there is refused. */
export function fakeAsk(
  answers: Readonly<Record<string, FakeAnswer | ((params: RpcParams) => FakeAnswer)>>,
): Ask & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    call(method, params) {
      asked.push(`${method} ${JSON.stringify(params)}`);
      const answer = Object.hasOwn(answers, method) ? answers[method] : refused('-32601: Method not found');
      const said = typeof answer === 'function' ? answer(params) : (answer as FakeAnswer);
      const reply: Pick<Reply, 'result' | 'error'> =
        said instanceof FaultError ? { error: said } : { result: said };
      return Promise.resolve({ ...reply, latencyTenths: 1 });
    },
    get: () => Promise.reject(new Error('asked by GET')),
    phases: () => noPhases,
  };
}

/** As a node's error reply arrives. */
export function refused(detail: string): FaultError {
  const code = detail.startsWith('-32601') ? 'method' : detail.startsWith('-32005') ? 'limit' : 'error';
  return new FaultError(fault(`target.rpc.${code}`, detail));
}
