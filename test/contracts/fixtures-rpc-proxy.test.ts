import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startAnvil, until, type Process } from '../e2e/process.ts';
import { pushedOn, type RpcProxy, startRpcProxy } from '../fixtures/chains/rpc-proxy.ts';

/** The proxy changes what it is told to, over HTTP and WebSocket alike, and nothing else: before a real node. */
interface Block {
  readonly number: string;
  readonly hash: string;
}

async function call<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const headers = { 'content-type': 'application/json' };
  const answer = (await (await fetch(url, { method: 'POST', headers, body })).json()) as { result: T };
  return answer.result;
}

/** The same over a WebSocket of its own. */
async function callOnSocket(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => resolve(data.toString()));
    socket.on('open', () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'x', method, params })));
  });
  socket.close();
  return (JSON.parse(answer) as { result: unknown }).result;
}

describe('a proxy before a real node', () => {
  const started = Math.floor(Date.now() / 1_000);
  const options = { blocks: ['--no-mining', '--timestamp', String(started)] };
  let node: Process;
  let other: Process;
  let proxy: RpcProxy;
  beforeAll(async () => {
    [node, other] = await Promise.all([startAnvil(options), startAnvil(options)]);
    // Two of one genesis make the same blocks at the same time, unless something in them differs.
    await call(other.url, 'anvil_setCoinbase', `0x${'01'.repeat(20)}`);
    await call(node.url, 'anvil_mine', '0xa', '0x0');
    await call(other.url, 'anvil_mine', '0xa', '0x0');
    proxy = await startRpcProxy(node.url);
  }, 30_000);
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  const latest = () => call<Block>(proxy.url, 'eth_getBlockByNumber', 'latest', false);

  it('changes nothing unless told to', async () => {
    proxy.behave({});
    expect(await latest()).toEqual(await call(node.url, 'eth_getBlockByNumber', 'latest', false));
    expect(await call(proxy.url, 'eth_chainId')).toBe('0x7a69');
    expect(await callOnSocket(proxy.url, 'eth_blockNumber')).toBe('0xa');
  });

  it('is held at a height: what is newer is not there', async () => {
    proxy.behave({ holdAt: 7 });
    expect(await latest()).toEqual(await call(node.url, 'eth_getBlockByNumber', '0x7', false));
    expect(await call(proxy.url, 'eth_blockNumber')).toBe('0x7');
    expect(await call(proxy.url, 'eth_getBlockByNumber', '0x8', false)).toBeNull();
    expect(await callOnSocket(proxy.url, 'eth_getBlockByNumber', 'latest', false)).toMatchObject({
      number: '0x7',
    });
  });

  it('lies about its height, not about older blocks', async () => {
    proxy.behave({ ahead: 1_000 });
    expect(await latest()).toMatchObject({ number: '0x3f2' });
    expect(await callOnSocket(proxy.url, 'eth_blockNumber')).toBe('0x3f2');
    expect(await call(proxy.url, 'eth_getBlockByNumber', '0x7', false)).toMatchObject({ number: '0x7' });
    expect(await call(proxy.url, 'eth_getBlockByNumber', '0x3f2', false)).toBeNull();
  });

  it('says another chain id', async () => {
    proxy.behave({ chainId: 999 });
    expect(await call(proxy.url, 'eth_chainId')).toBe('0x3e7');
    expect(await call(proxy.url, 'net_version')).toBe('999');
    expect(await callOnSocket(proxy.url, 'eth_chainId')).toBe('0x3e7');
  });

  it('pushes by the same rules, and ends what it pushes on when it is gone', async () => {
    proxy.behave({});
    const heights: number[] = [];
    const socket = new WebSocket(proxy.url.replace('http', 'ws'));
    socket.on('message', (data: Buffer) => {
      const { params } = JSON.parse(data.toString()) as { params?: { result: Block } };
      if (params) heights.push(Number(params.result.number));
    });
    await callOn(socket, 'eth_subscribe', 'newHeads');
    const mine = () => call(node.url, 'anvil_mine', '0x1', '0x0');
    await mine();
    await until('a block', 5_000, () => heights.length === 1);
    proxy.behave({ ahead: 1_000 });
    await mine();
    await until('a block of a liar', 5_000, () => heights.length === 2);
    proxy.behave({ gone: true });
    await until('its end', 5_000, () => socket.readyState === WebSocket.CLOSED);
    await expect(latest()).rejects.toThrow();
    expect(heights).toEqual([11, 1_012]);
  });

  it('pushes no block above the one that it is held at', () => {
    const push = (number: string) => ({ method: 'eth_subscription', params: { result: { number } } });
    expect(pushedOn(push('0x8'), { holdAt: 7 })).toBeUndefined();
    expect(pushedOn(push('0x7'), { holdAt: 7 })).toEqual(push('0x7'));
  });

  it('moves to another node of the same genesis, whose later blocks are others', async () => {
    proxy.behave({});
    const at = (height: string) => call<Block>(proxy.url, 'eth_getBlockByNumber', height, false);
    const before = [await at('0x0'), await at('0x5')];
    proxy.moveTo(other.url);
    const after = [await at('0x0'), await at('0x5')];
    expect(after[0]?.hash).toBe(before[0]?.hash);
    expect(after[1]?.hash).not.toBe(before[1]?.hash);
    expect(after[1]?.number).toBe(before[1]?.number);
  });
});

async function callOn(socket: WebSocket, method: string, ...params: unknown[]): Promise<void> {
  if (socket.readyState !== WebSocket.OPEN) await new Promise((open) => socket.once('open', open));
  const answered = new Promise((answer) => socket.once('message', answer));
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  await answered;
}
