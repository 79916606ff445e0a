/** EVM nodes: the Ethereum JSON-RPC API (ethereum/execution-apis). */
import type { Chain } from '@highwater/config/model.ts';
import { faultError } from '../../fault.ts';
import { isRecord, type Json, shown } from '../json.ts';
import type { Ask } from '../ask.ts';
import { isNotServed } from '../rpc.ts';
import {
  type ChainFamily,
  type Condition,
  optional,
  resultOf,
  type SocketStream,
  unlessOdd,
  versionText,
} from './family.ts';

/** The latest instant that a Date and a line can hold. */
const maxSeconds = 8_640_000_000_000;

const stream: SocketStream = {
  kind: 'socket',

  /** Acknowledged with the subscription's id, a text (geth's pub/sub; the same in all clients). */
  async subscribe(ask) {
    const { result, error } = await ask.call('eth_subscribe', ['newHeads']);
    if (error && !isNotServed(error)) throw error;
    if (error) throw faultError('target.ws.subscription', `eth_subscribe: ${error.fault.detail ?? ''}`);
    if (typeof result !== 'string' || result === '')
      throw faultError('target.ws.subscription', `eth_subscribe gave no id: ${shown(result)}`);
  },

  /** After a reorganisation the same or a lower height is pushed again with another hash. */
  pushed(message) {
    if (!isRecord(message) || message['method'] !== 'eth_subscription') return undefined;
    const { params } = message;
    const block = isRecord(params) ? params['result'] : undefined;
    if (!isRecord(block)) throw faultError('target.rpc.result', `the pushed header is ${shown(block)}`);
    return {
      height: quantity(block['number'], 'number of the pushed header'),
      id: hash(block['hash'], 'hash of the pushed header').slice(2, 10),
      parent: hash(block['parentHash'], 'parentHash of the pushed header').slice(2, 10),
    };
  },
};

export const evm: ChainFamily = {
  family: 'evm',
  heights: 'hex',
  stream,

  async identify(ask, chain) {
    if (chain.chainId !== undefined) {
      const id = quantity(await resultOf(ask.call('eth_chainId', [])), 'eth_chainId');
      if (id !== chain.chainId) {
        throw faultError('target.head.chain', `the chain id is ${id}, expected ${chain.chainId}`);
      }
    }
    return genesisOf(ask, chain);
  },

  async tip(ask) {
    const block = await resultOf(ask.call('eth_getBlockByNumber', ['latest', false]));
    if (!isRecord(block)) throw faultError('target.rpc.result', 'the latest block is missing');
    const seconds = quantity(block['timestamp'], 'timestamp');
    if (seconds > maxSeconds) throw faultError('target.rpc.result', 'timestamp is beyond all dates');
    return {
      height: quantity(block['number'], 'number'),
      id: hash(block['hash'], 'hash').slice(2, 10),
      blockAt: seconds * 1_000,
    };
  },

  async condition(ask) {
    const syncing = syncingIn(await optional(ask, 'eth_syncing', []));
    return { ...(syncing === undefined ? {} : { syncing }), ...(await unlessOdd(finalizedOf(ask))) };
  },

  async about(ask) {
    const peers = await optional(ask, 'net_peerCount', []);
    const version = versionText(await optional(ask, 'web3_clientVersion', []));
    return {
      ...(typeof peers === 'string' ? { peers: quantity(peers, 'net_peerCount') } : {}),
      ...(version === undefined ? {} : { version }),
    };
  },

  async idAt(ask, height) {
    const block = await optional(ask, 'eth_getBlockByNumber', [`0x${height.toString(16)}`, false]);
    // Another block than asked for, as caches and balancers give, is no fork.
    if (!isRecord(block) || quantity(block['number'], 'number') !== height) return undefined;
    return hash(block['hash'], 'hash').slice(2, 10);
  },
};

async function finalizedOf(ask: Ask): Promise<Pick<Condition, 'finalizedHeight'>> {
  const finalized = await optional(ask, 'eth_getBlockByNumber', ['finalized', false]);
  return isRecord(finalized) ? { finalizedHeight: quantity(finalized['number'], 'number') } : {};
}

/** An object tells how far it is; some clients wrap the word, as `{"Ok":false}`, or quote it. */
function syncingIn(said: Json | undefined): boolean | undefined {
  const word = isRecord(said) && typeof said['Ok'] === 'boolean' ? said['Ok'] : said;
  if (typeof word === 'boolean') return word;
  if (isRecord(word)) return Object.keys(word).length > 0;
  return word === 'true' || word === 'false' ? word === 'true' : undefined;
}

/**
 * Block 0 tells chains of the same id apart. A node that has pruned it or refuses is not at fault for that, unless it
 * can be known by nothing else.
 */
async function genesisOf(ask: Ask, chain: Chain): Promise<{ genesis?: string }> {
  const reply = await ask.call('eth_getBlockByNumber', ['0x0', false]);
  const isNeeded = chain.genesis !== undefined && chain.chainId === undefined;
  if (reply.error && (isNeeded || !isNotServed(reply.error))) throw reply.error;
  if (isNeeded && !isRecord(reply.result)) throw faultError('target.rpc.result', 'block 0 is missing');
  if (!isRecord(reply.result)) return {};
  const genesis = hash(reply.result['hash'], 'hash of block 0');
  if (chain.genesis !== undefined && genesis !== chain.genesis.toLowerCase()) {
    throw faultError('target.head.genesis', `block 0 is ${genesis}, expected ${chain.genesis}`);
  }
  return { genesis: genesis.slice(2, 10) };
}

/** A hex quantity, strictly: `0x0` or no leading zero. Above 2^53 it would silently be another number. */
export function quantity(value: Json | undefined, what: string): number {
  if (typeof value !== 'string' || !/^0x(?:0|[1-9a-f][0-9a-f]*)$/i.test(value)) {
    throw faultError('target.rpc.result', `${what} is no hex quantity: ${shown(value)}`);
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw faultError('target.rpc.result', `${what} is above 2^53: ${shown(value)}`);
  return number;
}

function hash(value: Json | undefined, what: string): string {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{64}$/i.test(value)) {
    throw faultError('target.rpc.result', `${what} is no 32-byte hash: ${shown(value)}`);
  }
  return value.toLowerCase();
}
