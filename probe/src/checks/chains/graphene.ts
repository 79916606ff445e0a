/**
 * BitShares and other Graphene nodes: `call` with [API, METHOD, [ARGUMENTS]] on one port, by HTTP or WebSocket
 * (bitshares-core: libraries/app/api.cpp; bitshares-fc: src/rpc/websocket_api.cpp).
 */
import type { Instant } from '@highwater/config/time.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { fault, faultError } from '../../fault.ts';
import type { Ask } from '../ask.ts';
import { isRecord, type Json, shown } from '../json.ts';
import { isNotServed } from '../rpc.ts';
import { type ChainFamily, resultOf, type SocketStream } from './family.ts';
import { call, optionalCall } from './graphene-call.ts';
import { missing } from './graphene-plugins.ts';
import { isWhole } from './whole.ts';

/** A height has 32 bits: it is the first 4 bytes of a block's id. */
const maxHeight = 0xffff_ffff;
/** What the node is to call its notices. Each subscription has a connection of its own, so any number will do. */
const callbackId = 1;

const stream: SocketStream = {
  kind: 'socket',
  byHand: { method: 'call', params: ['database', 'set_block_applied_callback', [callbackId]] },

  async subscribe(ask) {
    const loggedIn = await acknowledged(ask, 1, 'login', ['', '']);
    if (loggedIn !== true) throw notSubscribed(`login answered ${shown(loggedIn)}`);
    const api = await acknowledged(ask, 1, 'database', []);
    if (!isWhole(api)) throw notSubscribed(`no id of an API: ${shown(api)}`);
    const said = await acknowledged(ask, api, 'set_block_applied_callback', [callbackId]);
    if (said !== null) throw notSubscribed(`set_block_applied_callback answered ${shown(said)}`);
  },

  /** `{"method":"notice","params":[CALLBACK,["BLOCK_ID"]]}`, without id and jsonrpc. */
  pushed(message) {
    if (!isRecord(message) || message['method'] !== 'notice') return undefined;
    const { params } = message;
    if (!Array.isArray(params) || params[0] !== callbackId) return undefined;
    const told = params[1] as Json | undefined;
    return blockId(Array.isArray(told) ? (told[0] as Json) : undefined, 'the block of a notice');
  },
};

export const graphene: ChainFamily = {
  family: 'graphene',
  heights: 'number',
  stream,

  /** The chain id is the SHA-256 of the genesis file. */
  async identify(ask, chain) {
    const id = await resultOf(call(ask, 'database', 'get_chain_id'));
    if (typeof id !== 'string' || !/^[0-9a-f]{64}$/i.test(id)) {
      throw faultError('target.rpc.result', `the chain id is no 32-byte hash: ${shown(id)}`);
    }
    const genesis = id.toLowerCase();
    if (chain.genesis !== undefined && genesis !== chain.genesis.toLowerCase()) {
      throw faultError('target.head.genesis', `the chain id is ${genesis}, expected ${chain.genesis}`);
    }
    return { genesis: genesis.slice(0, 8) };
  },

  /** The head and the irreversible block come in one answer, so both are of the same moment. */
  async tip(ask) {
    const said = await resultOf(call(ask, 'database', 'get_dynamic_global_properties'));
    if (!isRecord(said)) throw faultError('target.rpc.result', `no properties: ${shown(said)}`);
    const { head_block_number: height, last_irreversible_block_num: irreversible } = said;
    if (!isWhole(height) || height > maxHeight) {
      throw faultError('target.rpc.result', `head_block_number is no height: ${shown(height)}`);
    }
    return {
      height,
      id: idOf(said['head_block_id'], height, 'head_block_id'),
      blockAt: instant(said['time']),
      along: isWhole(irreversible) && irreversible <= height ? { finalizedHeight: irreversible } : {},
    };
  },

  condition: (_, { along = {} }) => Promise.resolve(along),

  async about(ask) {
    const version = versionIn(await optionalCall(ask, 1, 'get_info'));
    const { plugins, sets } = await missing(ask);
    const peers = sets?.has('network_node_api') === false ? undefined : await peersOf(ask);
    return {
      ...(version === undefined ? {} : { version }),
      ...(peers === undefined ? {} : { peers }),
      ...(plugins.length === 0 ? {} : { trouble: fault('target.head.plugins', plugins.join(', ')) }),
    };
  },

  /** No answer has the id of its own block: that is in the header of the next one, the shortest answer that has it. */
  async idAt(ask, height) {
    const next = await optionalCall(ask, 'database', 'get_block_header', [height + 1]);
    return isRecord(next) ? idOf(next['previous'], height, `previous of block ${height + 1}`) : undefined;
  },
};

/** Most public nodes deny this. */
async function peersOf(ask: Ask): Promise<number | undefined> {
  const said = await optionalCall(ask, 'network_node', 'get_info');
  const peers = isRecord(said) ? said['connection_count'] : undefined;
  return isWhole(peers) ? peers : undefined;
}

/** Graphene nodes have no call for their version; `get_info` is a text of the operator's own, which may name it. */
function versionIn(said: Json | undefined): string | undefined {
  if (typeof said !== 'string') return undefined;
  // Not a piece of an address or a date.
  const found = /(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\d)/.exec(said.slice(0, 1_000));
  return found?.[0];
}

/**
 * A block's id: 20 bytes, of which the first 4 are its height (bitshares-core: libraries/protocol/block.cpp). So the
 * 8 digits that tell blocks of one height apart are those after them; here, in notices and in `previous` alike.
 */
function blockId(value: Json | undefined, what: string): { height: number; id: string } {
  if (typeof value !== 'string' || !/^[0-9a-f]{40}$/i.test(value)) {
    throw faultError('target.rpc.result', `${what} is no block id: ${shown(value)}`);
  }
  return { height: Number.parseInt(value.slice(0, 8), 16), id: value.slice(8, 16).toLowerCase() };
}

function idOf(value: Json | undefined, height: number, what: string): string {
  const block = blockId(value, what);
  if (block.height === height) return block.id;
  throw faultError('target.rpc.result', `${what} is of block ${block.height}, not ${height}`);
}

/** `2026-11-21T04:00:00`: UTC, although it does not say so. */
function instant(value: Json | undefined): Instant {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(value)) {
    const at = Date.parse(`${value}Z`);
    // Date takes 30 February for 2 March.
    if (!Number.isNaN(at) && at >= 0 && new Date(at).toISOString().startsWith(value)) return at;
  }
  throw faultError('target.rpc.result', `time is no time: ${shown(value)}`);
}

/** The answer to a step of subscribing; a refusal is a fault of the subscription, whatever the step. */
async function acknowledged(
  ask: Pick<Ask, 'call'>,
  api: number,
  method: string,
  parameters: readonly unknown[],
): Promise<Json> {
  try {
    return await resultOf(call(ask, api, method, parameters));
  } catch (thrown) {
    if (!(thrown instanceof FaultError) || !isNotServed(thrown)) throw thrown;
    throw notSubscribed(`${method}: ${thrown.fault.detail ?? ''}`);
  }
}

function notSubscribed(detail: string): FaultError {
  return faultError('target.ws.subscription', detail);
}
