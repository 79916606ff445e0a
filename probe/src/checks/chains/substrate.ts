/** Polkadot, Kusama, their parachains and other nodes built on Substrate: its JSON-RPC (polkadot-sdk sc-rpc-api). */
import { fault, faultError } from '../../fault.ts';
import type { Ask, RpcParams } from '../ask.ts';
import { isRecord, type Json, shown, typeOf } from '../json.ts';
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
import { type Health, readHash, readHeader, readHealth, readHeight, readMoment } from './substrate-read.ts';

/** Where pallet_timestamp keeps the block's time: twox128("Timestamp") and twox128("Now"). */
export const timestampKey = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb';

/** The method of a push and whether its blocks are finalized. */
const pushes: Readonly<Record<string, boolean>> = { chain_newHead: false, chain_finalizedHead: true };

const stream: SocketStream = {
  kind: 'socket',

  async subscribe(ask) {
    for (const method of ['chain_subscribeNewHeads', 'chain_subscribeFinalizedHeads']) {
      const { result, error } = await ask.call(method, []);
      if (error && !isNotServed(error)) throw error;
      if (error) throw faultError('target.ws.subscription', `${method}: ${error.fault.detail ?? ''}`);
      // Text of today's nodes, a number of older ones.
      if (result === '' || (typeof result !== 'string' && typeOf(result) !== 'number'))
        throw faultError('target.ws.subscription', `${method} gave no id: ${shown(result)}`);
    }
  },

  /** Pushes of finalized blocks skip heights: several are often finalized at once, and only the last is pushed. */
  pushed(message) {
    if (!isRecord(message) || typeof message['method'] !== 'string') return undefined;
    const { method, params } = message;
    if (!Object.hasOwn(pushes, method)) return undefined;
    const header = readHeader(isRecord(params) ? params['result'] : undefined, 'the pushed header');
    return {
      height: header.height,
      parent: header.parent.slice(2, 10),
      ...(pushes[method] ? { finalized: true } : {}),
    };
  },
};

/** What a node said of its health, for `about` in the same run. */
const told = new WeakMap<Ask, Health>();

export const substrate: ChainFamily = {
  family: 'substrate',
  heights: 'number',
  // pallet_timestamp lets a block be dated so far ahead of the clocks that check it: MAX_TIMESTAMP_DRIFT_MILLIS.
  maxFutureMs: 30_000,
  stream,

  /** The hash of block 0 alone: `system_chain` is a name that testnets and forks copy. */
  async identify(ask, chain) {
    if (chain.genesis === undefined) {
      const said = await refusable(ask, 'chain_getBlockHash', [0]);
      return said === undefined || said === null ? {} : { genesis: readHash(said, 'block 0').slice(2, 10) };
    }
    const genesis = readHash(await resultOf(ask.call('chain_getBlockHash', [0])), 'block 0');
    if (genesis !== chain.genesis.toLowerCase()) {
      throw faultError('target.head.genesis', `block 0 is ${genesis}, expected ${chain.genesis}`);
    }
    return { genesis: genesis.slice(2, 10) };
  },

  async tip(ask) {
    let { height, hash } = await newest(ask);
    // The block went in a reorganisation between the two questions, or they reached two backends: once more.
    if (hash === null) ({ height, hash } = await newest(ask));
    if (hash === null || hash === undefined) return { height };
    const blockAt = await timeOf(ask, hash);
    return { height, id: hash.slice(2, 10), ...(blockAt === undefined ? {} : { blockAt }) };
  },

  height: bestHeight,

  async condition(ask) {
    const health = readHealth(await optional(ask, 'system_health', []));
    told.set(ask, health);
    return {
      ...(health.isSyncing === undefined ? {} : { syncing: health.isSyncing }),
      ...troubleOf(health),
      ...(await unlessOdd(finalizedOf(ask))),
    };
  },

  async about(ask) {
    const { peers, shouldHavePeers } = told.get(ask) ?? readHealth(await optional(ask, 'system_health', []));
    const version = versionText(await optional(ask, 'system_version', []));
    return {
      // A node that is made to stand alone says nothing by having none.
      ...(peers === undefined || (peers === 0 && shouldHavePeers === false) ? {} : { peers }),
      ...(version === undefined ? {} : { version }),
    };
  },

  async idAt(ask, height) {
    const said = await optional(ask, 'chain_getBlockHash', [height]);
    return typeof said === 'string' ? readHash(said, `block ${height}`).slice(2, 10) : undefined;
  },
};

/** The best block; its hash is null where the node knows none at that height, and undefined where it does not say. */
async function newest(ask: Ask): Promise<{ height: number; hash: string | null | undefined }> {
  const height = await bestHeight(ask);
  const said = await refusable(ask, 'chain_getBlockHash', [height]);
  return { height, hash: said === undefined || said === null ? said : readHash(said, `block ${height}`) };
}

async function bestHeight(ask: Ask): Promise<number> {
  return readHeader(await resultOf(ask.call('chain_getHeader', [])), 'the best header').height;
}

/** Undefined on a chain without pallet_timestamp and where the node does not show storage. */
async function timeOf(ask: Ask, hash: string): Promise<number | undefined> {
  const stored = await refusable(ask, 'state_getStorage', [timestampKey, hash]);
  return stored === undefined || stored === null ? undefined : readMoment(stored, 'Timestamp.Now');
}

async function finalizedOf(ask: Ask): Promise<Pick<Condition, 'finalizedHeight'>> {
  const head = await optional(ask, 'chain_getFinalizedHead', []);
  if (typeof head !== 'string') return {};
  const header = await optional(ask, 'chain_getHeader', [readHash(head, 'the finalized head')]);
  return isRecord(header) ? { finalizedHeight: readHeight(header['number'], 'the finalized height') } : {};
}

function troubleOf({ peers, shouldHavePeers }: Health): Pick<Condition, 'trouble'> {
  return peers === 0 && shouldHavePeers ? { trouble: fault('target.head.peers', 'it has none') } : {};
}

/** The result; undefined where the node refuses. Throws for an answer that is no answer of a node. */
async function refusable(ask: Ask, method: string, params: RpcParams): Promise<Json | undefined> {
  const reply = await ask.call(method, params);
  if (reply.error && !isNotServed(reply.error)) throw reply.error;
  return reply.error ? undefined : reply.result;
}
