import { expect, it } from 'vitest';
import { quickChain, testCheck, verdictOf } from '../../testing/check.ts';
import { serveSockets } from '../../testing/sockets.ts';
import { capped } from './capped.ts';

const soon = AbortSignal.timeout(60_000);

it('a link brings what is asked for and four messages of the largest size, and no byte more', async () => {
  const queue = ['1234567', 'é'.repeat(16), '0', '', 'x'];
  const link = capped({ send: () => undefined, next: () => Promise.resolve(queue.shift() ?? '') }, 8);
  link.send('x');
  expect(await link.next(soon)).toBe('1234567');
  expect(await link.next(soon)).toBe('é'.repeat(16));
  expect(await link.next(soon)).toBe('0');
  expect(await link.next(soon)).toBe('');
  await expect(link.next(soon)).rejects.toThrow('target.ws.too-large: over 40 bytes in all');
});

const each = `{"jsonrpc":"2.0","method":"x","params":["${'x'.repeat(1_048_000)}"]}`;
/** Pushes without end, of almost the largest size, as fast as they are taken. */
const pushing = () =>
  serveSockets((way) => {
    const more = () => void (way.readyState === way.OPEN && way.send(each, () => setImmediate(more)));
    way.once('message', more);
  });

it.each<[string, unknown]>([
  ['jsonrpc', { transport: 'websocket', methods: [{ method: 'x' }] }],
  ['websocket', {}],
  ['websocket', { script: [{ send: { id: 1 }, expect: { path: 'result' } }] }],
  ['websocket', { script: [{ send: 'x', expect: { contains: 'pong' } }] }],
])('a server that only pushes is left soon: %s %j', async (kind, settings) => {
  await using server = await pushing();
  using check = testCheck(kind, server.url, settings, { chain: quickChain, timeoutMs: 20_000 });
  const seen = await check.run();
  expect(verdictOf(seen)).toBe('fail target.ws.too-large');
  expect(seen.fault?.detail).toMatch(/over [0-9]+ bytes in all$/);
});
