/**
 * Bitcoin Core and nodes that keep its JSON-RPC (bitcoin/bitcoin src/rpc). Its user and password come with the node's
 * headers. There is no subscription over HTTP.
 */
import { faultError } from '../../fault.ts';
import { isRecord, type Json, shown } from '../json.ts';
import type { Ask } from '../ask.ts';
import { isNotServed } from '../rpc.ts';
import { type ChainFamily, type Condition, optional, resultOf, versionText } from './family.ts';
import { isWhole, secondsAsMs, whole } from './whole.ts';

/** Headers come before their blocks: so many more are a block or two on their way, not a node that catches up. */
const maxHeadersAhead = 3;

export const bitcoin: ChainFamily = {
  family: 'bitcoin',
  heights: 'number',
  /** MAX_FUTURE_BLOCK_TIME, two hours (bitcoin/bitcoin src/chain.h): miners' clocks are not held to more. */
  maxFutureMs: 7_200_000,

  async identify(ask, chain) {
    const reply = await ask.call('getblockhash', [0]);
    // Every node has block 0, pruned or not; who does not tell can't be held for the chain configured.
    if (reply.error && (chain.genesis !== undefined || !isNotServed(reply.error))) throw reply.error;
    if (reply.error) return {};
    const genesis = hash(reply.result, 'hash of block 0');
    if (chain.genesis !== undefined && genesis !== chain.genesis.toLowerCase()) {
      throw faultError('target.head.genesis', `block 0 is ${genesis}, expected ${chain.genesis}`);
    }
    return { genesis: idOf(genesis) };
  },

  async tip(ask) {
    const info = await resultOf(ask.call('getblockchaininfo', []));
    if (!isRecord(info)) throw faultError('target.rpc.result', `getblockchaininfo is ${shown(info)}`);
    const height = whole(info['blocks'], 'blocks');
    const best = hash(info['bestblockhash'], 'bestblockhash');
    const blockAt =
      info['time'] === undefined ? await timeOf(ask, best) : secondsAsMs(info['time'], 'time of the tip');
    return {
      height,
      id: idOf(best),
      ...(blockAt === undefined ? {} : { blockAt }),
      along: conditionOf(info, height),
    };
  },

  condition: (_, { along = {} }) => Promise.resolve(along),

  async about(ask) {
    const network = await optional(ask, 'getnetworkinfo', []);
    const { connections, subversion } = isRecord(network) ? network : {};
    const peers = connections ?? (await optional(ask, 'getconnectioncount', []));
    // `/Satoshi:27.0.0/` (BIP 14)
    const version =
      typeof subversion === 'string'
        ? versionText(subversion.slice(0, 200).replaceAll('/', ' ').trim())
        : undefined;
    return {
      ...(isWhole(peers) ? { peers } : {}),
      ...(version === undefined ? {} : { version }),
    };
  },

  async idAt(ask, height) {
    const said = await optional(ask, 'getblockhash', [height]);
    return said === undefined || said === null ? undefined : idOf(hash(said, `hash of block ${height}`));
  },
};

/** `time` is there since Bitcoin Core 23.0. `mediantime` is about an hour old by design and would not do. */
async function timeOf(ask: Ask, best: string): Promise<number | undefined> {
  const header = await optional(ask, 'getblockheader', [best]);
  return isRecord(header) ? secondsAsMs(header['time'], 'time of the header') : undefined;
}

/** A node that has just begun has few headers and believes that they are all there are: it says so by the flag. */
function conditionOf(info: { readonly [key: string]: Json }, height: number): Condition {
  const { initialblockdownload: begins, headers } = info;
  const behind = isWhole(headers) && headers - height > maxHeadersAhead;
  if (typeof begins !== 'boolean' && !isWhole(headers)) return {};
  return { syncing: begins === true || behind };
}

/**
 * First 8 digits in the order in which a hash is serialised. The RPC shows hashes the other way round, so that proof of
 * work makes them begin with zeros: those of all blocks and of most networks' first ones would be the same.
 */
function idOf(hash: string): string {
  return Buffer.from(hash, 'hex').reverse().toString('hex').slice(0, 8);
}

function hash(value: Json | undefined, what: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/i.test(value)) {
    throw faultError('target.rpc.result', `${what} is no 32-byte hash: ${shown(value)}`);
  }
  return value.toLowerCase();
}
