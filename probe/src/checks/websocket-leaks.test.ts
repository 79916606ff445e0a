import { describe, expect, it } from 'vitest';
import { getEventListeners } from 'node:events';
import type { LastingWay } from '@highwater/config/kinds.ts';
import { quickChain, testCheck, testHouse, verdictOf } from '../../testing/check.ts';
import { goodAnswer, header, push, serveEvmSocket } from '../../testing/evm-socket.ts';

const handles = () => {
  const kinds = process
    .getActiveResourcesInfo()
    .filter((name) => /TCPSocketWrap|TLSWrap|ConnectWrap|Timeout/.test(name));
  return kinds.length;
};

describe('a thousand rounds', () => {
  it('leave no socket, timer or listener behind beside the one connection that stays', async () => {
    await using server = await serveEvmSocket({
      said: (call) => (call.method === 'eth_subscribe' ? [goodAnswer(call), push(header(101))] : undefined),
    });
    using check = testCheck('websocket', server.url, {}, { chain: quickChain, timeoutMs: 10_000 });
    let longLived: AbortSignal | undefined;
    const round = async () => expect(verdictOf(await check.run())).toBe('ok');
    await round();
    const spy = (way: LastingWay) => {
      longLived = way.signal;
      return { [Symbol.dispose]: () => undefined };
    };
    check.prepared.lasting.take('spy', spy, testHouse);
    await expect.poll(() => server.sockets.size).toBe(1);
    const before = {
      handles: handles(),
      listeners: longLived && getEventListeners(longLived, 'abort').length,
    };
    for (let i = 0; i < 1_000; i += 1) await round();
    await expect.poll(() => server.sockets.size).toBe(1);
    await expect.poll(handles).toBeLessThanOrEqual(before.handles);
    expect(longLived && getEventListeners(longLived, 'abort').length).toBe(before.listeners);
    check[Symbol.dispose]();
    await expect.poll(() => server.sockets.size).toBe(0);
    await expect.poll(handles).toBeLessThan(before.handles);
  }, 120_000);
});
