/**
 * Solana: the RPC of Agave and of nodes that keep it (anza-xyz/agave rpc). Heights are slots, not block heights: slots
 * are what nodes are compared by, what is pushed and what its own health check counts. `idAt` is left out: a
 * slot's hash comes only with its whole block, which is megabytes, so forks are not looked for.
 */
import { createHash } from 'node:crypto';
import { faultError } from '../../fault.ts';
import { isRecord, shown } from '../json.ts';
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
import { isWhole, secondsAsMs, whole } from './whole.ts';

/** Its WebSocket is on a port of its own, one above that of HTTP (8900) unless a proxy joins them. */
const stream: SocketStream = {
  kind: 'socket',
  // A leader that misses its slot leaves no block, and slots are pushed as they are processed, on any fork.
  sparse: true,

  async subscribe(ask) {
    const { result, error } = await ask.call('slotSubscribe', []);
    if (error && !isNotServed(error)) throw error;
    if (error) throw faultError('target.ws.subscription', `slotSubscribe: ${error.fault.detail ?? ''}`);
    if (!isWhole(result)) throw faultError('target.ws.subscription', `slotSubscribe gave ${shown(result)}`);
  },

  /** `{slot, parent, root}`; the parent is a slot too, and hashes are not told. */
  pushed(message) {
    if (!isRecord(message) || message['method'] !== 'slotNotification') return undefined;
    const params = message['params'];
    const result = isRecord(params) ? params['result'] : undefined;
    if (!isRecord(result)) throw faultError('target.rpc.result', `slotNotification has ${shown(result)}`);
    return { height: whole(result['slot'], 'the pushed slot') };
  },
};

export const solana: ChainFamily = {
  family: 'solana',
  heights: 'number',
  stream,

  async identify(ask, chain) {
    const reply = await ask.call('getGenesisHash', []);
    // Who does not tell can't be held for the chain configured.
    if (reply.error && (chain.genesis !== undefined || !isNotServed(reply.error))) throw reply.error;
    if (reply.error) return {};
    const genesis = reply.result;
    // Base58 of 32 bytes.
    if (typeof genesis !== 'string' || !/^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(genesis)) {
      throw faultError('target.rpc.result', `the genesis hash is no base58 hash: ${shown(genesis)}`);
    }
    if (chain.genesis !== undefined && genesis !== chain.genesis) {
      throw faultError('target.head.genesis', `the genesis hash is ${genesis}, expected ${chain.genesis}`);
    }
    return { genesis: createHash('sha256').update(genesis).digest('hex').slice(0, 8) };
  },

  /** With `confirmed`, what two thirds of the stake voted for: `processed` may still be dropped with its fork. */
  async tip(ask) {
    const height = await confirmedSlot(ask);
    const blockAt = await timeOf(ask, height);
    return { height, ...(blockAt === undefined ? {} : { blockAt }) };
  },

  height: confirmedSlot,

  async condition(ask) {
    const syncing = await isBehind(ask);
    return { ...(syncing === undefined ? {} : { syncing }), ...(await unlessOdd(finalizedOf(ask))) };
  },

  /** Peers are not told: `getClusterNodes` lists the whole cluster as gossip has it. */
  async about(ask) {
    const said = await optional(ask, 'getVersion', []);
    const version = versionText(isRecord(said) ? said['solana-core'] : undefined);
    return version === undefined ? {} : { version };
  },
};

async function confirmedSlot(ask: Ask): Promise<number> {
  return whole(await resultOf(ask.call('getSlot', [{ commitment: 'confirmed' }])), 'getSlot');
}

async function finalizedOf(ask: Ask): Promise<Pick<Condition, 'finalizedHeight'>> {
  const slot = await optional(ask, 'getSlot', [{ commitment: 'finalized' }]);
  return isWhole(slot) ? { finalizedHeight: slot } : {};
}

/** Undefined for a slot that was skipped, is not there yet (behind a balancer), or that the node no longer has. */
async function timeOf(ask: Ask, height: number): Promise<number | undefined> {
  const seconds = await optional(ask, 'getBlockTime', [height]);
  return seconds === undefined || seconds === null ? undefined : secondsAsMs(seconds, 'getBlockTime');
}

/**
 * -32005 is a node that is behind the validators that it knows, or that can't tell how far (agave
 * rpc-client-api/src/custom_error.rs); providers use the number for their limits too, so the words decide. "ok" proves
 * nothing: a node that knows no validators always says it, and a balancer says it for its pool.
 */
async function isBehind(ask: Ask): Promise<true | undefined> {
  const { error } = await ask.call('getHealth', []);
  return error && /-32005: .*\b(?:behind|unhealthy)\b/i.test(error.fault.detail ?? '') ? true : undefined;
}
