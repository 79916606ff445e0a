import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { faultError } from '../../fault.ts';
import type { Ask } from '../ask.ts';
import type { Json } from '../json.ts';
import { graphene } from './graphene.ts';

const bitsharesChainId = '4018d7844c78f6a6c41c6a552b898022310fc5dec06da467ee7905a8dad512c8';
const chain: Chain = {
  name: 'bitshares',
  family: 'graphene',
  genesis: bitsharesChainId,
  blockTimeMs: 3_000,
  maxLagBlocks: 5,
  maxAgeMs: 30_000,
  forkDepthBlocks: 30,
  references: [],
};

type Said = Json | FaultError;

/** Answers `API.METHOD` from the table; a FaultError is the error of a reply. What is not there is refused. */
function asking(said: Readonly<Record<string, Said>>): Ask & { readonly calls: string[] } {
  const calls: string[] = [];
  const reply = (params: unknown) => {
    const [api, method, parameters] = params as [string | number, string, unknown[]];
    calls.push(`${api}.${method} ${JSON.stringify(parameters)}`);
    const key = `${api}.${method}`;
    const answer = Object.hasOwn(said, key) ? said[key] : denied;
    const latencyTenths = 1;
    return answer instanceof FaultError
      ? { error: answer, latencyTenths }
      : { ...(answer === undefined ? {} : { result: answer }), latencyTenths };
  };
  return {
    calls,
    call: (method, params) => {
      expect(method).toBe('call');
      return Promise.resolve(reply(params));
    },
    get: () => Promise.reject(new Error('no REST here')),
    phases: () => ({ resolve: 0, connect: 0, tls: 0, firstByte: 0, transfer: 0 }),
  };
}

const denied = faultError(
  'target.rpc.error',
  '10: Execution error: Assert Exception: is_allowed: Access denied',
);
const notEnabled = (plugin: string) =>
  faultError(
    'target.rpc.error',
    `10: Execution error: Assert Exception: plugin_enabled: The ${plugin} plugin is not enabled`,
  );
const unknownMethod = faultError('target.rpc.method', 'HTTP 400: -32601: Method not found');

/** What a promise came to: its value, or the fault. */
async function outcome(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked;
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return faultId(thrown.fault);
  }
}

describe('identity', () => {
  it.each<[string, Said, unknown]>([
    ['the chain id', bitsharesChainId, { genesis: '4018d784' }],
    ['in capitals', bitsharesChainId.toUpperCase(), { genesis: '4018d784' }],
    ['of another chain', 'f'.repeat(64), 'target.head.genesis'],
    ['with 0x', `0x${bitsharesChainId}`, 'target.rpc.result'],
    ['too short', bitsharesChainId.slice(1), 'target.rpc.result'],
    ['a number', 1, 'target.rpc.result'],
    ['null', null, 'target.rpc.result'],
    ['denied', denied, 'target.rpc.error'],
    ['over a limit', faultError('target.rpc.limit'), 'target.rpc.limit'],
  ])('%s', async (_, said, expected) => {
    expect(await outcome(graphene.identify!(asking({ 'database.get_chain_id': said }), chain))).toEqual(
      expected,
    );
  });

  it('is not compared where the chain has none', async () => {
    const { genesis: _, ...bare } = chain;
    const ask = asking({ 'database.get_chain_id': 'f'.repeat(64) });
    expect(await graphene.identify!(ask, bare)).toEqual({ genesis: 'ffffffff' });
  });
});

const properties = {
  id: '2.1.0',
  head_block_number: 0x0522_1a2b,
  head_block_id: '05221a2bcafe0001aaaaaaaaaaaaaaaaaaaaaaaa',
  time: '2026-11-21T04:00:00',
  recent_slots_filled: '340282366920938463463374607431768211455',
  last_irreversible_block_num: 0x0522_1a20,
};

describe('the tip', () => {
  const good = {
    height: 0x0522_1a2b,
    // After the height's own digits, which two blocks of one height share.
    id: 'cafe0001',
    blockAt: Date.UTC(2026, 10, 21, 4),
    along: { finalizedHeight: 0x0522_1a20 },
  };
  it.each<[string, object, unknown]>([
    ['as it should be', {}, good],
    ['an id in capitals', { head_block_id: properties.head_block_id.toUpperCase() }, good],
    ['no irreversible block', { last_irreversible_block_num: undefined }, { ...good, along: {} }],
    ['an irreversible block as text', { last_irreversible_block_num: '5' }, { ...good, along: {} }],
    [
      'an irreversible block above the head',
      { last_irreversible_block_num: 0x0522_1a2c },
      { ...good, along: {} },
    ],
    ['the id of another height', { head_block_id: `05221a2a${'0'.repeat(32)}` }, 'target.rpc.result'],
    ['an id without a height', { head_block_id: 'cafe0001'.repeat(5) }, 'target.rpc.result'],
    ['an id of 32 bytes', { head_block_id: `05221a2b${'0'.repeat(56)}` }, 'target.rpc.result'],
    ['an id with 0x', { head_block_id: `0x05221a2b${'0'.repeat(30)}` }, 'target.rpc.result'],
    ['no id', { head_block_id: null }, 'target.rpc.result'],
    ['a height as text', { head_block_number: '86121003' }, 'target.rpc.result'],
    ['a height of more than 32 bits', { head_block_number: 0x1_0522_1a2b }, 'target.rpc.result'],
    ['a height beyond 2^53', { head_block_number: 9_007_199_254_740_993n }, 'target.rpc.result'],
    ['half a height', { head_block_number: 0x0522_1a2b + 0.5 }, 'target.rpc.result'],
    ['a negative height', { head_block_number: -1 }, 'target.rpc.result'],
    ['a time with Z', { time: '2026-11-21T04:00:00Z' }, 'target.rpc.result'],
    ['a time with a zone', { time: '2026-11-21T04:00:00+01:00' }, 'target.rpc.result'],
    ['a time with parts of a second', { time: '2026-11-21T04:00:00.5' }, 'target.rpc.result'],
    ['a date alone', { time: '2026-11-21' }, 'target.rpc.result'],
    ['30 February', { time: '2026-02-30T04:00:00' }, 'target.rpc.result'],
    ['month 13', { time: '2026-13-01T04:00:00' }, 'target.rpc.result'],
    ['hour 24', { time: '2026-11-21T24:00:00' }, 'target.rpc.result'],
    ['a time before 1970', { time: '1969-12-31T23:59:59' }, 'target.rpc.result'],
    ['a time as a number', { time: 1_795_233_600 }, 'target.rpc.result'],
    ['no time', { time: undefined }, 'target.rpc.result'],
  ])('%s', async (_, change, expected) => {
    const ask = asking({ 'database.get_dynamic_global_properties': { ...properties, ...change } });
    expect(await outcome(graphene.tip(ask))).toEqual(expected);
  });

  it.each<[string, Said, string]>([
    ['nothing', null, 'target.rpc.result'],
    ['a list', [properties], 'target.rpc.result'],
    ['a refusal', denied, 'target.rpc.error'],
    [
      'an internal error',
      faultError('target.rpc.error', 'HTTP 500: -32603: Internal error'),
      'target.rpc.error',
    ],
    ['no such method', unknownMethod, 'target.rpc.method'],
    ['a bad gateway', faultError('target.http.status', '502'), 'target.http.status'],
  ])('%s in its place', async (_, said, expected) => {
    expect(await outcome(graphene.tip(asking({ 'database.get_dynamic_global_properties': said })))).toBe(
      expected,
    );
  });

  it('has the irreversible block for the condition, which asks nothing', async () => {
    const ask = asking({ 'database.get_dynamic_global_properties': properties });
    const tip = await graphene.tip(ask);
    expect(await graphene.condition(ask, tip)).toEqual({ finalizedHeight: 0x0522_1a20 });
    expect(await graphene.condition(ask, { height: 1 })).toEqual({});
    expect(ask.calls).toEqual(['database.get_dynamic_global_properties []']);
  });
});

describe('about a node', () => {
  const three = ['database_api', 'history_api', 'network_broadcast_api'];
  const trouble = (detail: string) => ({
    trouble: expect.objectContaining({ code: 'plugins', detail }) as unknown,
  });
  it.each<[string, Record<string, Said>, unknown]>([
    ['that says nothing', {}, {}],
    [
      'of a release before 6.1',
      { '1.get_info': unknownMethod, '1.get_available_api_sets': unknownMethod },
      {},
    ],
    ['with all that users need', { '1.get_available_api_sets': three, '1.get_config': {} }, {}],
    [
      'with nothing more than a database',
      { '1.get_available_api_sets': ['database_api'] },
      trouble('history_api, network_broadcast_api'),
    ],
    [
      'without trades',
      { '1.get_available_api_sets': three, '1.get_config': { has_market_history_plugin: false } },
      trouble('market_history'),
    ],
    ['with an odd word on trades', { '1.get_config': { has_market_history_plugin: null } }, {}],
    ['to which nobody is logged in', { '1.get_available_api_sets': [] }, {}],
    ['that lists no names', { '1.get_available_api_sets': [1, {}, null] }, {}],
    ['that lists in an object', { '1.get_available_api_sets': { database_api: true } }, {}],
    [
      'that opens sets whose plugins it has not',
      {
        '1.get_available_api_sets': [...three, 'orders_api', 'custom_operations_api'],
        '1.custom_operations': notEnabled('custom_operations'),
        'orders.get_tracked_groups': faultError(
          'target.rpc.error',
          '10: Execution error: Assert Exception: plugin: ',
        ),
      },
      trouble('custom_operations, grouped_orders'),
    ],
    [
      'that opens sets and has their plugins',
      {
        '1.get_available_api_sets': [...three, 'orders_api', 'custom_operations_api'],
        '1.custom_operations': 5,
        'orders.get_tracked_groups': [],
      },
      {},
    ],
    [
      'behind a proxy that refuses those sets',
      { '1.get_available_api_sets': [...three, 'orders_api', 'custom_operations_api'] },
      {},
    ],
    ['with peers', { 'network_node.get_info': { connection_count: 31 } }, { peers: 31 }],
    ['with peers as text', { 'network_node.get_info': { connection_count: '31' } }, {}],
    ['with fewer than no peers', { 'network_node.get_info': { connection_count: -1 } }, {}],
    [
      'whose operator names the version',
      { '1.get_info': 'BitShares API by somebody, 7.0.2.' },
      { version: '7.0.2' },
    ],
    ['whose operator names a tag', { '1.get_info': 'test-7.0.2-rc' }, { version: '7.0.2' }],
    ['whose operator names an address', { '1.get_info': 'at 192.0.2.1, since 2026.11.21' }, {}],
    ['whose operator says nothing', { '1.get_info': '' }, {}],
    ['that tells of itself in an object', { '1.get_info': { version: '7.0.2' } }, {}],
  ])('%s', async (_, said, expected) => {
    expect(await graphene.about(asking(said))).toEqual(expected);
  });

  it('asks for peers only where that is not known to be denied, and for plugins only of open sets', async () => {
    const ask = asking({ '1.get_available_api_sets': three });
    await graphene.about(ask);
    expect(ask.calls).toEqual(['1.get_info []', '1.get_available_api_sets []', '1.get_config []']);
    const local = asking({ '1.get_available_api_sets': [...three, 'network_node_api'] });
    await graphene.about(local);
    expect(local.calls.at(-1)).toBe('network_node.get_info []');
  });
});

describe('the block at a height', () => {
  it.each<[string, Said, unknown]>([
    ['is in the header of the next one', { previous: `000003e8beef0002${'0'.repeat(24)}` }, 'beef0002'],
    ['must be of that height', { previous: `000003e9beef0002${'0'.repeat(24)}` }, 'target.rpc.result'],
    ['must be a block', { previous: '000003e8' }, 'target.rpc.result'],
    ['may be missing', null, undefined],
    ['may be refused', denied, undefined],
  ])('%s', async (_, said, expected) => {
    const ask = asking({ 'database.get_block_header': said });
    expect(await outcome(graphene.idAt!(ask, 1_000))).toBe(expected);
    expect(ask.calls).toEqual(['database.get_block_header [1001]']);
  });
});

describe('the stream', () => {
  const { stream } = graphene;
  if (stream?.kind !== 'socket') throw new Error('no socket');
  const good = { '1.login': true, '1.database': 2, '2.set_block_applied_callback': null };

  it('logs in, asks for the number of the database and subscribes', async () => {
    const ask = asking(good);
    await stream.subscribe(ask);
    expect(ask.calls).toEqual(['1.login ["",""]', '1.database []', '2.set_block_applied_callback [1]']);
  });

  it.each<[string, Record<string, Said>, unknown]>([
    ['a database of number 0', { '1.database': 0, '0.set_block_applied_callback': null }, undefined],
    ['a login that is refused', { '1.login': false }, 'target.ws.subscription'],
    ['a login answered oddly', { '1.login': 1 }, 'target.ws.subscription'],
    ['a login that fails', { '1.login': denied }, 'target.ws.subscription'],
    ['a login over a limit', { '1.login': faultError('target.rpc.limit') }, 'target.rpc.limit'],
    ['a database that is denied', { '1.database': denied }, 'target.ws.subscription'],
    ['a database without a number', { '1.database': 'two' }, 'target.ws.subscription'],
    [
      'a callback that is refused',
      { '2.set_block_applied_callback': unknownMethod },
      'target.ws.subscription',
    ],
    ['a callback answered oddly', { '2.set_block_applied_callback': true }, 'target.ws.subscription'],
  ])('%s', async (_, change, expected) => {
    expect(await outcome(stream.subscribe(asking({ ...good, ...change })))).toBe(expected);
  });

  const id = `05221a2bcafe0001${'a'.repeat(24)}`;
  it.each<[string, Json, unknown]>([
    ['a block', { method: 'notice', params: [1, [id]] }, { height: 0x0522_1a2b, id: 'cafe0001' }],
    [
      'the highest block that there can be',
      { method: 'notice', params: [1, [`ffffffff${'B'.repeat(32)}`]] },
      { height: 4_294_967_295, id: 'bbbbbbbb' },
    ],
    ['another callback', { method: 'notice', params: [2, [id]] }, undefined],
    ['a callback as text', { method: 'notice', params: ['1', [id]] }, undefined],
    ['a notice without params', { method: 'notice' }, undefined],
    ['another method', { method: 'callback', params: [1, [id]] }, undefined],
    ['a reply', { id: 1, result: [1, [id]] }, undefined],
    ['a list', [1, [id]], undefined],
    ['nothing told', { method: 'notice', params: [1] }, 'target.rpc.result'],
    ['no block told', { method: 'notice', params: [1, []] }, 'target.rpc.result'],
    ['a header told', { method: 'notice', params: [1, [{ previous: id }]] }, 'target.rpc.result'],
    ['a short id', { method: 'notice', params: [1, ['05221a2b']] }, 'target.rpc.result'],
  ])('pushes %s', async (_, message, expected) => {
    expect(await outcome(Promise.resolve().then(() => stream.pushed(message)))).toEqual(expected);
  });
});
