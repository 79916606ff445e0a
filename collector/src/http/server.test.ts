import { connect } from 'node:net';
import { Secret } from '@highwater/config/secrets.ts';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { bell } from '../bell.ts';
import { eventually } from '../testing/house.ts';
import { readBody } from './body.ts';
import { json } from './reply.ts';
import type { Route } from './routes.ts';
import { listen } from './server.ts';

const says = { summary: '', gives: {} };
const ending = new AbortController();
afterEach(() => ending.abort());

it('held reads and slow bodies leave room for the other calls, and each pool has its own end', async () => {
  const held = bell();
  let calls = 0;
  const hold: Route['handle'] = async ({ signal }) => {
    calls += 1;
    await held.next(held.rung(), 60_000, signal);
    return json(200, {});
  };
  const take: Route['handle'] = async ({ request }) => {
    calls += 1;
    await readBody(request);
    return json(200, {});
  };
  const routes: Route[] = [
    { method: 'GET', path: '/v1/events', access: 'read', says, handle: hold },
    { method: 'POST', path: '/v1/frames', access: 'open', says, handle: take },
    { method: 'GET', path: '/healthz', access: 'open', says, handle: async () => json(200, {}) },
  ];
  const { server, url } = await listen({
    host: '127.0.0.1',
    port: 0,
    token: new Secret('0123456789abcdef'),
    routes,
    clock: { now: () => 0, monotonic: () => 0 },
    log: pino({ level: 'silent' }),
    signal: ending.signal,
    places: 2,
  });
  try {
    const reads = [1, 2].map(() => fetch(`${url}/v1/events`));
    await eventually(async () => calls === 2);
    const third = await fetch(`${url}/v1/events`);
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '1']);
    const post = async (): Promise<number> =>
      (await fetch(`${url}/v1/frames`, { method: 'POST', body: 'x' })).status;
    expect(await post()).toBe(200);

    const slow = [1, 2].map(() => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('POST /v1/frames HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\n');
      return socket;
    });
    await eventually(async () => calls === 5);
    expect(await post()).toBe(429);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    held.ring();
    expect((await Promise.all(reads)).map(({ status }) => status)).toEqual([200, 200]);
    for (const socket of slow) socket.destroy();
    await eventually(async () => (await post()) === 200);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
