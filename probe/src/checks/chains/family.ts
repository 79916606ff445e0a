/**
 * What checks ask of a chain family. A family is one file: the questions in its protocol, and how answers are read.
 * It does no I/O of its own: everything goes through `Ask`. Each function throws FaultError.
 */
import type { Fault } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Ask, Reply, RpcParams } from '../ask.ts';
import type { Json } from '../json.ts';

/** The newest block that a node tells of. */
export interface Tip {
  readonly height: number;
  /** First 8 hex digits of its hash. */
  readonly id?: string;
  /** Left out where the family has no block time to be had. */
  readonly blockAt?: Instant;
  /** First 8 hex digits of the genesis hash, where the answer names its chain: the fact `g`. */
  readonly genesis?: string;
  /** What the same answer tells of the node's condition, so that `condition` need not ask for it again. */
  readonly along?: Condition;
}

/** What is asked each round after the tip. Left out: the node does not say, which is no fault. */
export interface Condition {
  readonly finalizedHeight?: number;
  readonly syncing?: boolean;
  /** Something that makes it degraded (`target.head.*`). */
  readonly trouble?: Fault;
}

/** What is asked with the identity, every few minutes. Left out: the node does not say, or refuses, which is no fault. */
export interface About {
  readonly peers?: number;
  /** As the fact `ver`: see `versionText`. */
  readonly version?: string;
  /** Something that makes it degraded until it is asked again. */
  readonly trouble?: Fault;
}

/** A block that was pushed. */
export interface Pushed {
  readonly height: number;
  /** First 8 hex digits of its hash. */
  readonly id?: string;
  /** First 8 hex digits of the hash of the block before it. */
  readonly parent?: string;
  readonly blockAt?: Instant;
  /** It is from the subscription of finalized blocks. */
  readonly finalized?: boolean;
}

/** Blocks pushed over a WebSocket. */
export interface SocketStream {
  readonly kind: 'socket';
  /** Appended to the URL's path unless the check says otherwise. */
  readonly path?: string;
  readonly protocols?: readonly string[];
  /**
   * Not every height has a block, and one of another fork may come late: a missing height is no gap, a lower one
   * no reorg.
   */
  readonly sparse?: boolean;
  /** Logs in where that is needed and subscribes; resolves once all is acknowledged. */
  subscribe(ask: Pick<Ask, 'call'>): Promise<void>;
  /** One question that a person can type to subscribe; the first of `subscribe` when left out. */
  readonly byHand?: { readonly method: string; readonly params: readonly unknown[] };
  /** Reads a message that is no reply: its block, or undefined for what is none of ours. */
  pushed(message: Json): Pushed | undefined;
}

/** Blocks waited for over HTTP. */
export interface PollStream {
  readonly kind: 'poll';
  /** No answer takes longer than this when all is well. */
  readonly maxWaitMs: number;
  /** Waits for a block after this height; undefined when none came in time, and a lower one where the node is lower. */
  next(ask: Pick<Ask, 'get'>, after: number): Promise<Pushed | undefined>;
}

export interface ChainFamily {
  readonly family: string;
  /** How methods of this family take a height: `"0x1f"`, `31`, or `"31"`. */
  readonly heights: 'hex' | 'number' | 'decimal';
  /** How far in the future the chain's own rules let a block be dated; 15 s when left out. */
  readonly maxFutureMs?: number;
  /**
   * Finds out which chain this is and compares it with the one configured; gives the fact `g` if it can be known. Left
   * out where the answers for each tip name their chain: then `tip` compares it.
   */
  identify?(ask: Ask, chain: Chain): Promise<{ readonly genesis?: string }>;
  /** Compares the chain too, where the answers name theirs and one is given. */
  tip(ask: Ask, chain?: Chain): Promise<Tip>;
  /** The tip's height by one question, where the tip takes several; the tip's own when left out. */
  height?(ask: Ask): Promise<number>;
  condition(ask: Ask, tip: Tip): Promise<Condition>;
  about(ask: Ask): Promise<About>;
  /** First 8 hex digits of the hash of the block at a height; undefined when the node does not have or say it. */
  idAt?(ask: Ask, height: number): Promise<string | undefined>;
  readonly stream?: SocketStream | PollStream;
}

/** The result, or the fault that stands in its place. */
export async function resultOf(asked: Promise<Reply>): Promise<Json> {
  const reply = await asked;
  if (reply.error) throw reply.error;
  return reply.result ?? null;
}

/** The result of a question that a good node may refuse; undefined then. Throws where the transport failed. */
export async function optional(ask: Ask, method: string, params: RpcParams): Promise<Json | undefined> {
  const reply = await ask.call(method, params);
  return reply.error ? undefined : reply.result;
}

/** Of several parts of a condition one that is not answered properly; the others still count. */
export async function unlessOdd<T extends object>(asked: Promise<T>): Promise<T | Record<string, never>> {
  try {
    return await asked;
  } catch (thrown) {
    if (thrown instanceof FaultError) return {};
    throw thrown;
  }
}

/** A version as the fact `ver` can carry it; undefined when nothing of it is left. */
export function versionText(said: Json | undefined): string | undefined {
  if (typeof said !== 'string') return undefined;
  const text = said
    .slice(0, 200)
    .replace(/[^A-Za-z0-9._+/-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return text === '' ? undefined : text;
}
