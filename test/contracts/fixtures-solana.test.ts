/** The Solana fixture is a node to a client that was not made for it, and says what agave says. */
import { once } from 'node:events';
import {
  address,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  isSolanaError,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_NODE_UNHEALTHY,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SLOT_SKIPPED,
} from '@solana/kit';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { familyPresets } from '@highwater/config/presets.ts';
import { runOnce } from '../../probe/src/once.ts';
import { makeLedger } from '../fixtures/chains/ledger.ts';
import { type SolanaFixture, startSolana } from '../fixtures/chains/solana.ts';

const system = '11111111111111111111111111111111';

const newLedger = () => makeLedger({ seed: 'solana', blockTimeMs: 400 });
const request = (method: string, params?: unknown, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});
const send = (url: string, body: unknown, type = 'application/json') =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const error = (code: number, message: string, data?: unknown) => ({
  jsonrpc: '2.0',
  id: 1,
  error: {
    code,
    message: expect.stringContaining(message) as string,
    ...(data === undefined ? {} : { data }),
  },
});

describe('@solana/kit', () => {
  it('reads slots, times, the chain and numbers beyond 2^53', async () => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    const rpc = createSolanaRpc(node.url);
    expect(await rpc.getSlot({ commitment: 'processed' }).send()).toBe(1_000n);
    expect(await rpc.getSlot({ commitment: 'confirmed' }).send()).toBe(997n);
    expect(await rpc.getSlot({ commitment: 'finalized' }).send()).toBe(967n);
    expect(await rpc.getHealth().send()).toBe('ok');
    expect(await rpc.getGenesisHash().send()).toBe(node.genesis);
    expect((await rpc.getVersion().send())['solana-core']).toBe('3.1.4');
    expect(await rpc.getBlockTime(997n).send()).toBe(
      BigInt(Math.floor((ledger.block(997)?.at ?? 0) / 1_000)),
    );
    const { absoluteSlot, blockHeight, slotsInEpoch } = await rpc
      .getEpochInfo({ commitment: 'confirmed' })
      .send();
    expect([absoluteSlot, slotsInEpoch]).toEqual([997n, 432_000n]);
    expect(blockHeight).toBeLessThan(997n);
    const { context, value } = await rpc.getAccountInfo(address(system), { encoding: 'base64' }).send();
    expect(context.slot).toBe(997n);
    // The client leaves rentEpoch out of its types.
    expect(value).toMatchObject({ lamports: 1_000_000_000n, rentEpoch: 18_446_744_073_709_551_615n });
    expect((await rpc.getBalance(address(system)).send()).value).toBe(1_000_000_000n);
    expect((await rpc.getLatestBlockhash().send()).value.blockhash).toMatch(/^[1-9A-HJ-NP-Za-km-z]{43,44}$/);
  });

  it('knows its errors', async () => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    const rpc = createSolanaRpc(node.url);
    node.behind = 42;
    const unhealthy = await rpc
      .getHealth()
      .send()
      .catch((thrown: unknown) => thrown);
    expect(isSolanaError(unhealthy, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_NODE_UNHEALTHY)).toBe(true);
    expect(unhealthy).toMatchObject({ context: { numSlotsBehind: 42n } });
    const skipped = await rpc
      .getBlockTime(503n)
      .send()
      .catch((thrown: unknown) => thrown);
    expect(isSolanaError(skipped, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SLOT_SKIPPED)).toBe(true);
  });

  it('follows slots, over those that were skipped', async () => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    const subscriptions = createSolanaRpcSubscriptions(node.wsUrl);
    const over = new AbortController();
    const slots = await subscriptions.slotNotifications().subscribe({ abortSignal: over.signal });
    const seen = slots[Symbol.asyncIterator]();
    const nextSlot = async () => (await seen.next()).value as unknown;
    const first = nextSlot();
    ledger.make();
    expect(await first).toEqual({ parent: 1_000n, root: 969n, slot: 1_001n });
    const rest = [nextSlot(), nextSlot()];
    ledger.make(3);
    expect(await rest[0]).toEqual({ parent: 1_001n, root: 970n, slot: 1_002n });
    expect(await rest[1]).toEqual({ parent: 1_002n, root: 972n, slot: 1_004n });
    over.abort();
    expect((await seen.next()).done).toBe(true);
    expect(node.asked).toContain('slotSubscribe');
  });
});

describe('the Solana fixture over HTTP', () => {
  it.each<[string, (node: SolanaFixture) => void, unknown, object]>([
    [
      'a method that it does not have',
      () => undefined,
      request('eth_chainId', []),
      error(-32601, 'Method not found'),
    ],
    [
      'a method of the WebSocket',
      () => undefined,
      request('slotSubscribe', []),
      error(-32601, 'Method not found'),
    ],
    ['named parameters', () => undefined, request('getSlot', {}), error(-32602, 'Invalid params')],
    [
      'a commitment that is none',
      () => undefined,
      request('getSlot', [{ commitment: 'max' }]),
      error(-32602, 'unknown variant `max`'),
    ],
    ['text for a slot', () => undefined, request('getBlockTime', ['7']), error(-32602, 'invalid type')],
    ['a key that is none', () => undefined, request('getBalance', ['x']), error(-32602, 'Invalid param')],
    [
      'a slot ahead',
      () => undefined,
      request('getBlockTime', [1_001]),
      error(-32004, 'Block not available for slot 1001'),
    ],
    [
      'a skipped slot',
      () => undefined,
      request('getBlockTime', [503]),
      error(-32007, 'Slot 503 was skipped'),
    ],
    [
      'a skipped slot of long ago',
      (node) => (node.skippedCode = -32009),
      request('getBlockTime', [503]),
      error(-32009, 'missing in long-term storage'),
    ],
    [
      'a slot that is gone',
      (node) => (node.firstAvailable = 500),
      request('getBlockTime', [7]),
      error(-32001, 'Block 7 cleaned up'),
    ],
    [
      'a context that it does not have yet',
      () => undefined,
      request('getSlot', [{ commitment: 'processed', minContextSlot: 1_001 }]),
      error(-32016, 'Minimum context slot', { contextSlot: 1_000 }),
    ],
    [
      'its health when behind',
      (node) => (node.behind = 42),
      request('getHealth'),
      error(-32005, 'Node is behind by 42 slots', { numSlotsBehind: 42 }),
    ],
    [
      'its health when it can not tell',
      (node) => (node.behind = 'unknown'),
      request('getHealth'),
      error(-32005, 'Node is unhealthy', { numSlotsBehind: null }),
    ],
    ['no JSON', () => undefined, '{', { ...error(-32700, 'Parse error'), id: null }],
    [
      'no method',
      () => undefined,
      { jsonrpc: '2.0', id: 1 },
      { ...error(-32600, 'Invalid request'), id: null },
    ],
    ['an empty batch', () => undefined, [], { ...error(-32600, 'Invalid request'), id: null }],
  ])('answers %s with an error and 200', async (_, change, body, said) => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    change(node);
    const answer = await send(node.url, body);
    expect([answer.status, await answer.json()]).toEqual([200, said]);
  });

  it('answers batches, and notifications not at all', async () => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    const health = (id: unknown) => ({ jsonrpc: '2.0', result: 'ok', id });
    const batch = await send(node.url, [request('getHealth'), request('getHealth', [], 'b')]);
    expect(await batch.json()).toEqual([health(1), health('b')]);
    expect(await (await send(node.url, { jsonrpc: '2.0', method: 'getHealth' })).text()).toBe('');
  });

  it('has no time yet for a skipped slot that is not rooted, and sends numbers beyond 2^53 as numbers', async () => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    expect(await (await send(node.url, request('getBlockTime', [998]))).json()).toMatchObject({
      result: null,
    });
    expect(await (await send(node.url, request('getAccountInfo', [system]))).text()).toContain(
      '"rentEpoch":18446744073709551615,',
    );
  });

  it('takes JSON by POST alone, and tells balancers a word', async () => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    expect((await fetch(node.url)).status).toBe(405);
    expect((await send(node.url, request('getHealth'), 'text/plain')).status).toBe(415);
    const word = async () => (await fetch(`${node.url}/health`)).text();
    expect(await word()).toBe('ok');
    node.behind = 1;
    expect(await word()).toBe('behind');
    node.behind = 'unknown';
    expect(await word()).toBe('unknown');
  });
});

describe('the Solana fixture over its WebSocket', () => {
  it('subscribes by number, and ends what was begun', async () => {
    using ledger = newLedger();
    await using node = await startSolana({ view: ledger.view() });
    const socket = new WebSocket(node.wsUrl);
    await once(socket, 'open');
    const next = async () =>
      JSON.parse(String((await once(socket, 'message'))[0])) as Record<string, unknown>;
    const ask = (method: string, params?: unknown) => {
      const came = next();
      socket.send(JSON.stringify(request(method, params)));
      return came;
    };
    const { result: subscription } = await ask('slotSubscribe');
    expect(Number.isSafeInteger(subscription)).toBe(true);
    const pushed = next();
    ledger.make();
    const result = { parent: 1_000, root: 969, slot: 1_001 };
    expect(await pushed).toEqual({
      jsonrpc: '2.0',
      method: 'slotNotification',
      params: { result, subscription },
    });
    expect(await ask('getSlot', [])).toMatchObject(error(-32601, 'Method not found'));
    expect(await ask('slotUnsubscribe', [subscription])).toMatchObject({ result: true });
    ledger.make();
    expect(await ask('slotUnsubscribe', [subscription])).toMatchObject(
      error(-32602, 'Invalid subscription id.'),
    );
    node.subscriptions = 'refused';
    expect(await ask('slotSubscribe')).toMatchObject(error(-32603, 'too many subscriptions'));
    node.subscriptions = 'silent';
    const { result: silent } = await ask('slotSubscribe');
    ledger.make();
    expect(await ask('slotUnsubscribe', [silent])).toMatchObject({ result: true });
    const closed = once(socket, 'close');
    node.closeSockets(1006);
    expect((await closed)[0]).toBe(1006);
  });
});

it('answers what its services are asked by default', async () => {
  using ledger = newLedger();
  await using node = await startSolana({ view: ledger.view() });
  for (const { kind, every: _, id: __, ...settings } of familyPresets['solana'] ?? []) {
    const { outcome, fault } = await runOnce({
      kind: String(kind),
      settings,
      target: { url: node.url, headers: {}, allowPrivate: true },
      chain: {
        name: 's',
        family: 'solana',
        genesis: node.genesis,
        blockTimeMs: 400,
        maxLagBlocks: 150,
        maxAgeMs: 60_000,
      },
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });
    expect({ kind, outcome, fault }).toEqual({ kind, outcome: 'ok', fault: undefined });
  }
});
