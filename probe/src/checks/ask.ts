/** Questions to one node in one run: JSON-RPC over HTTP or WebSocket, and plain GET for REST. */
import type { Phases } from '@highwater/config/domain.ts';
import type { FaultError } from '@highwater/config/kinds.ts';
import type { Json } from './json.ts';

export type RpcParams = readonly unknown[] | Readonly<Record<string, unknown>>;

/** One answer. A refusal by the node is a value here, so that the next question can still be asked. */
export interface Reply {
  readonly result?: Json;
  /** The answer is not a good one; transport faults are thrown instead. */
  readonly error?: FaultError;
  /** Over HTTP. */
  readonly status?: number;
  /** From the request until the whole answer, tenths of a millisecond, without making the connection. */
  readonly latencyTenths: number;
}

/** The questions of one run, asked one at a time, each timed alone. */
export interface Ask {
  /** JSON-RPC. Throws FaultError where there was no answer at all. */
  call(method: string, params: RpcParams): Promise<Reply>;
  /** REST over HTTP: `path` is appended to the check's own. The result is the JSON of a 2xx answer. */
  get(path: string): Promise<Reply>;
  /** Making connections, over all calls, with first byte and transfer of the calls picked. */
  phases(of: 'all' | 'last'): Phases;
}

/** Where on its host a check asks. */
export interface Place {
  readonly path?: string | undefined;
  readonly port?: number | undefined;
  /** By the URL's scheme when left out. */
  readonly transport?: 'http' | 'websocket' | undefined;
  /** Of one answer; the default of requests when left out. */
  readonly maxBytes?: number | undefined;
}
