/**
 * Cosmos chains: the RPC of CometBFT, which was Tendermint (cometbft/cometbft spec/rpc). Integers of 64 bits are
 * decimal strings, parameters are named and strings too. A block is final when it is there, so no finalized height is
 * told apart.
 */
import { createHash } from 'node:crypto';
import { FaultError } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { faultError } from '../../fault.ts';
import { isRecord, type Json, shown, valueAt } from '../json.ts';
import type { Ask } from '../ask.ts';
import { isNotServed } from '../rpc.ts';
import { type ChainFamily, optional, resultOf, type SocketStream, versionText } from './family.ts';

const query = "tm.event='NewBlockHeader'";

const stream: SocketStream = {
  kind: 'socket',
  path: '/websocket',

  /** Acknowledged with `{}`; pushes then carry the id of this very request. */
  async subscribe(ask) {
    const { result, error } = await ask.call('subscribe', { query });
    if (error && !isNotServed(error)) throw error;
    if (error) throw faultError('target.ws.subscription', `subscribe: ${error.fault.detail ?? ''}`);
    if (!isRecord(result)) throw faultError('target.ws.subscription', `subscribe gave ${shown(result)}`);
  },

  /** A header does not have its own hash, only that of the block before it. */
  pushed(message) {
    if (!isRecord(message)) return undefined;
    // A subscription that ends is told as an error with its id (cometbft rpc/core/events.go).
    const ended = valueAt(message, 'error.data');
    if (typeof ended === 'string' && ended.startsWith('subscription was cancel')) {
      throw faultError('target.ws.subscription', ended);
    }
    const header = valueAt(message, 'result.data.value.header');
    if (!isRecord(header)) return undefined;
    const parent = blockId(valueAt(header, 'last_block_id.hash'), 'last_block_id of the pushed header');
    return {
      height: decimal(header['height'], 'height of the pushed header'),
      ...(parent === undefined ? {} : { parent }),
      blockAt: instant(header['time'], 'time of the pushed header'),
    };
  },
};

/** What a node's status was in a run, for `about` in the same one. */
const introduced = new WeakMap<Ask, Json>();

export const cosmos: ChainFamily = {
  family: 'cosmos',
  heights: 'decimal',
  stream,

  /** Its chain is known by the network's name: the genesis file can be of megabytes, and its hash is not told. */
  async tip(ask, chain) {
    const status = await resultOf(ask.call('status', {}));
    introduced.set(ask, status);
    const genesis = genesisOf(valueAt(status, 'node_info.network'), chain?.chainId);
    const sync = valueAt(status, 'sync_info');
    if (!isRecord(sync)) throw faultError('target.rpc.result', `sync_info is ${shown(sync)}`);
    const id = blockId(sync['latest_block_hash'], 'latest_block_hash');
    const syncing = sync['catching_up'];
    return {
      height: decimal(sync['latest_block_height'], 'latest_block_height'),
      ...(id === undefined ? {} : { id }),
      blockAt: instant(sync['latest_block_time'], 'latest_block_time'),
      genesis,
      along: typeof syncing === 'boolean' ? { syncing } : {},
    };
  },

  condition: (_, { along = {} }) => Promise.resolve(along),

  async about(ask) {
    const version = versionText(valueAt(introduced.get(ask) ?? null, 'node_info.version'));
    const peers = await peersOf(ask);
    return { ...(peers === undefined ? {} : { peers }), ...(version === undefined ? {} : { version }) };
  },

  /**
   * `blockchain` tells headers with their hashes; `block` and `commit` would bring transactions and signatures along.
   * Where a proxy lets only blocks' own methods through, the next header has the hash.
   */
  async idAt(ask, height) {
    const at = String(height);
    const said = await optional(ask, 'blockchain', { minHeight: at, maxHeight: at });
    const meta = said === undefined ? undefined : valueAt(said, 'block_metas.0');
    if (meta !== undefined && valueAt(meta, 'header.height') === at) {
      return blockId(valueAt(meta, 'block_id.hash'), `hash of block ${at}`);
    }
    const next = (await optional(ask, 'header', { height: String(height + 1) })) ?? null;
    if (valueAt(next, 'header.height') !== String(height + 1)) return undefined;
    return blockId(valueAt(next, 'header.last_block_id.hash'), `hash of block ${at}`);
  },
};

/** First 8 hex digits of the SHA-256 of the network's name. */
function genesisOf(network: Json | undefined, chainId: Chain['chainId']): string {
  if (typeof network !== 'string' || network === '')
    throw faultError('target.rpc.result', `node_info.network is ${shown(network)}`);
  if (chainId !== undefined && network !== String(chainId))
    throw faultError('target.head.chain', `the network is ${shown(network)}, expected ${chainId}`);
  return createHash('sha256').update(network).digest('hex').slice(0, 8);
}

/** `net_info` tells of each peer at length: where that is more than is read, or refused, the number is unknown. */
async function peersOf(ask: Ask): Promise<number | undefined> {
  try {
    const said = await optional(ask, 'net_info', {});
    const count = said === undefined ? undefined : valueAt(said, 'n_peers');
    return count === undefined ? undefined : decimal(count, 'n_peers');
  } catch (thrown) {
    if (thrown instanceof FaultError) return undefined;
    throw thrown;
  }
}

/** A decimal string, strictly: no sign, no leading zero. Above 2^53 it would silently be another number. */
export function decimal(value: Json | undefined, what: string): number {
  if (typeof value !== 'string' || !/^(?:0|[1-9][0-9]{0,18})$/.test(value)) {
    throw faultError('target.rpc.result', `${what} is no decimal string: ${shown(value)}`);
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw faultError('target.rpc.result', `${what} is above 2^53: ${shown(value)}`);
  return number;
}

/** RFC 3339 with up to nine digits after the second, as Go writes it (RFC3339Nano drops zeros at the end). */
export function instant(value: Json | undefined, what: string): number {
  const [, second, digits = '', zone] =
    /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})$/.exec(
      typeof value === 'string' ? value : '',
    ) ?? [];
  const at = Date.parse(`${second}.${digits.padEnd(3, '0').slice(0, 3)}${zone}`);
  // Before 1970: Go's zero time, the year 1.
  if (Number.isNaN(at) || at < 0)
    throw faultError('target.rpc.result', `${what} is no time: ${shown(value)}`);
  return at;
}

/** 32 bytes, in either case. Empty before the first block. */
function blockId(value: Json | undefined, what: string): string | undefined {
  if (value === '') return undefined;
  if (typeof value !== 'string' || !/^[0-9A-F]{64}$/i.test(value)) {
    throw faultError('target.rpc.result', `${what} is no 32-byte hash: ${shown(value)}`);
  }
  return value.slice(0, 8).toLowerCase();
}
