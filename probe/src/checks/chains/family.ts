/** What the head check asks of a chain family. */
import type { Chain } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Rpc } from '../rpc.ts';

/** The newest block that a node tells of. */
export interface Tip {
  readonly height: number;
  /** First 8 hex digits of its hash. */
  readonly id?: string;
  /** Left out where the family has no block time to be had. */
  readonly blockAt?: Instant;
}

/** Each function throws FaultError. */
export interface ChainFamily {
  readonly family: string;
  /** Finds out which chain this is and compares it with the one configured; gives the fact `g` if it can be known. */
  identify(rpc: Rpc, chain: Chain): Promise<{ readonly genesis?: string }>;
  tip(rpc: Rpc): Promise<Tip>;
  /** What the node says of itself; undefined when it does not say, which is no fault. */
  syncing(rpc: Rpc): Promise<boolean | undefined>;
}
