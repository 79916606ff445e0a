/** The Substrate fixture is a node to a client that was not made for it, and says what jsonrpsee says. */
import { once } from 'node:events';
import { ApiPromise, WsProvider } from '@polkadot/api';
import type { ApiOptions } from '@polkadot/api/types';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { makeLedger } from '../fixtures/chains/ledger.ts';
import { startSubstrate, type SubstrateFixture } from '../fixtures/chains/substrate.ts';

const timestampKey = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb';

const newLedger = (seed: string) => makeLedger({ seed, blockTimeMs: 6_000, height: 1_000 });

const post = (url: string, body: unknown) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const request = (method: string, params: unknown[] = [], id = 1) => ({ jsonrpc: '2.0', id, method, params });
const call = async (url: string, method: string, params: unknown[] = []) => {
  const { result, error } = (await (await post(url, request(method, params))).json()) as Record<
    string,
    unknown
  >;
  return error ?? result;
};

describe('@polkadot/api', () => {
  it('connects and follows heads and finalized heads', async () => {
    using ledger = newLedger('polkadot-api');
    await using node = await startSubstrate({ view: ledger.view() });
    const provider = new WsProvider(node.wsUrl, false);
    await provider.connect();
    // It tells of each error that it gets over, such as of a runtime that has metadata of one version only.
    using _ = vi.spyOn(console, 'error').mockReturnValue();
    using __ = vi.spyOn(console, 'warn').mockReturnValue();
    // Its own types were not made for exactOptionalPropertyTypes.
    const options = { provider: provider as ApiOptions['provider'], throwOnConnect: true } as ApiOptions;
    const api = await ApiPromise.create(options);
    try {
      expect(api.genesisHash.toHex()).toBe(node.genesis);
      expect(api.runtimeVersion.specName.toString()).toBe('polkadot');
      expect((await api.rpc.system.chain()).toString()).toBe('Polkadot');
      expect((await api.rpc.system.health()).peers.toNumber()).toBe(25);
      const then = await api.at(await api.rpc.chain.getBlockHash(990));
      expect(String(await then.query['timestamp']?.['now']?.())).toBe(String(ledger.head.at - 60_000));

      const heads = follow((told) =>
        api.rpc.chain.subscribeNewHeads((header) => told(header.number.toNumber())),
      );
      const finalized = follow((told) =>
        api.rpc.chain.subscribeFinalizedHeads((header) => told(header.number.toNumber())),
      );
      expect(await heads.next()).toBe(1_000);
      expect(await finalized.next()).toBe(998);
      ledger.make();
      expect(await heads.next()).toBe(1_001);
      expect(await finalized.next()).toBe(999);
      const best = await api.rpc.chain.getHeader();
      expect(best.parentHash.toHex()).toBe((await api.rpc.chain.getBlockHash(1_000)).toHex());
      const head = await api.rpc.chain.getFinalizedHead();
      expect((await api.rpc.chain.getHeader(head)).number.toNumber()).toBe(999);
      await heads.end();
      await finalized.end();
    } finally {
      await api.disconnect();
    }
  });
});

describe('over HTTP', () => {
  const served = async (work: (node: SubstrateFixture) => Promise<void>) => {
    using ledger = newLedger('http');
    await using node = await startSubstrate({ view: ledger.view() });
    await work(node);
  };

  it('answers errors as jsonrpsee and Substrate do, under status 200', () =>
    served(async ({ url }) => {
      expect(await call(url, 'chain_getBlockHash', [1_001])).toBeNull();
      expect(await call(url, 'chain_getHeader', [`0x${'0'.repeat(64)}`])).toBeNull();
      for (const [method, params, code, message] of [
        ['system_peers', [], -32601, 'RPC call is unsafe to be called externally'],
        ['eth_chainId', [], -32601, 'Method not found'],
        ['toString', [], -32601, 'Method not found'],
        ['chain_getBlockHash', ['latest'], -32602, 'Invalid params'],
        ['chain_subscribeNewHeads', [], -32603, 'Internal error'],
        ['chain_unsubscribeNewHeads', ['x'], -32603, 'Internal error'],
      ] as const) {
        expect([method, await call(url, method, [...params])]).toEqual([method, { code, message }]);
      }
      const gone = await call(url, 'state_getStorage', [timestampKey, `0x${'0'.repeat(64)}`]);
      expect(gone).toMatchObject({ code: 4003 });
      for (const [body, code] of [
        ['{', -32700],
        ['[]', -32600],
        ['7', -32600],
        ['{"id":1,"method":"system_health"}', -32600],
      ] as const) {
        const answer = await post(url, body);
        expect([body, answer.status, await answer.json()]).toMatchObject([body, 200, { error: { code } }]);
      }
    }));

  it('answers batches and keeps silent on notifications', () =>
    served(async ({ url }) => {
      const batch = [
        request('system_chain', [], 7),
        { jsonrpc: '2.0', method: 'system_chain' },
        request('x', [], 8),
      ];
      expect(await (await post(url, batch)).json()).toEqual([
        { jsonrpc: '2.0', id: 7, result: 'Polkadot' },
        { jsonrpc: '2.0', id: 8, error: { code: -32601, message: 'Method not found' } },
      ]);
      expect(await (await post(url, { jsonrpc: '2.0', method: 'system_chain' })).text()).toBe('');
    }));

  it('tells its health', () =>
    served(async ({ url, health }) => {
      const ready = async () => (await fetch(`${url}/health/readiness`)).status;
      expect(await (await fetch(`${url}/health`)).json()).toEqual(health);
      expect(await ready()).toBe(200);
      health.isSyncing = true;
      expect(await ready()).toBe(500);
      Object.assign(health, { isSyncing: false, peers: 0 });
      expect(await ready()).toBe(500);
      expect(await (await fetch(`${url}/health`)).json()).toEqual(health);
      expect((await fetch(url)).status).toBe(405);
      expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(415);
    }));

  it('keeps the time of a block in storage, lowest byte first', async () => {
    using ledger = newLedger('time');
    await using node = await startSubstrate({ view: ledger.view() });
    const hash = await call(node.url, 'chain_getBlockHash', [990]);
    const stored = String(await call(node.url, 'state_getStorage', [timestampKey, hash]));
    const bytes = Buffer.from(stored.slice(2), 'hex');
    expect([bytes.length, Number(bytes.readBigUInt64LE())]).toEqual([8, ledger.head.at - 60_000]);
    expect(await call(node.url, 'state_getStorage', ['0x00', hash])).toBeNull();
  });
});

describe('over WebSocket', () => {
  const opened = async (node: SubstrateFixture) => {
    const socket = new WebSocket(node.wsUrl);
    const messages = follow<Record<string, unknown>>((told) => {
      socket.on('message', (data: Buffer) => told(JSON.parse(data.toString()) as Record<string, unknown>));
      return Promise.resolve(() => socket.terminate());
    });
    await once(socket, 'open');
    const ask = (method: string, params: unknown[] = []) =>
      socket.send(JSON.stringify(request(method, params)));
    return { socket, ask, next: () => messages.next(), [Symbol.dispose]: () => socket.terminate() };
  };
  const number = (push: Record<string, unknown>) =>
    (push['params'] as { result: { number: string } }).result.number;

  it('acknowledges, pushes the head at once, then each new one, until it is told to stop', async () => {
    using ledger = newLedger('pushes');
    await using node = await startSubstrate({ view: ledger.view() });
    using client = await opened(node);
    client.ask('chain_subscribeNewHeads');
    const { result: id } = await client.next();
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    const first = await client.next();
    expect(first).toMatchObject({ jsonrpc: '2.0', method: 'chain_newHead', params: { subscription: id } });
    expect(number(first)).toBe('0x3e8');
    ledger.make();
    const second = await client.next();
    expect(number(second)).toBe('0x3e9');
    expect(second).toMatchObject({
      params: { result: { parentHash: `0x${ledger.block(1_000)?.hash ?? ''}` } },
    });
    // A reorganisation pushes the same height again, with another parent.
    node.view.fork(1_000);
    const again = await client.next();
    expect(number(again)).toBe('0x3e9');
    expect(again).not.toEqual(second);
    node.view.hold();
    ledger.make();
    node.view.release();
    ledger.make();
    expect(number(await client.next())).toBe('0x3eb');
    client.ask('chain_unsubscribeNewHeads', [id]);
    expect(await client.next()).toMatchObject({ result: true });
    ledger.make();
    client.ask('chain_unsubscribeNewHeads', [id]);
    expect(await client.next()).toMatchObject({ result: false });
  });

  it('holds finality back by its gap', async () => {
    using ledger = newLedger('finality');
    await using node = await startSubstrate({ view: ledger.view() });
    using client = await opened(node);
    client.ask('chain_subscribeFinalizedHeads');
    await client.next();
    expect(number(await client.next())).toBe('0x3e6');
    node.finalityGap = 3;
    // Finality has not moved by this one.
    ledger.make();
    ledger.make();
    expect(number(await client.next())).toBe('0x3e7');
    expect(await call(node.url, 'chain_getFinalizedHead')).toBe(`0x${ledger.block(999)?.hash ?? ''}`);
  });

  it('can be silent, refuse, and close', async () => {
    using ledger = newLedger('silent');
    await using node = await startSubstrate({ view: ledger.view() });
    using client = await opened(node);
    node.subscriptions = 'silent';
    client.ask('chain_subscribeNewHeads');
    expect(await client.next()).toHaveProperty('result');
    ledger.make();
    client.ask('system_chain');
    expect(await client.next()).toMatchObject({ result: 'Polkadot' });
    node.subscriptions = 'refused';
    client.ask('chain_subscribeNewHeads');
    expect(await client.next()).toMatchObject({ error: { code: -32006 } });
    expect(node.openSockets()).toBe(1);
    const closed = once(client.socket, 'close');
    node.closeSockets(1013, 'too busy');
    expect(String(await closed)).toBe('1013,too busy');
    using other = await opened(node);
    const cut = once(other.socket, 'close');
    node.closeSockets(1006);
    expect((await cut)[0]).toBe(1006);
  });
});

/** What a subscription tells, one after another. */
function follow<T>(subscribe: (told: (value: T) => void) => Promise<() => void>): {
  next(): Promise<T>;
  end(): Promise<void>;
} {
  const kept: T[] = [];
  const waiting: ((value: T) => void)[] = [];
  const ending = subscribe((value) => {
    const first = waiting.shift();
    if (first) first(value);
    else kept.push(value);
  });
  return {
    async next() {
      await ending;
      const first = kept.shift();
      return first === undefined ? new Promise((told) => waiting.push(told)) : first;
    },
    end: async () => (await ending)(),
  };
}
