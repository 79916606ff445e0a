import { once } from 'node:events';
import { connect } from 'node:net';
import { Secret } from '@highwater/config/secrets.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../testing/house.ts';
import { findRoute, type Route } from './routes.ts';
import { listen } from './server.ts';

const says = { summary: '', gives: {} };
const PART = new Uint8Array(65_536).fill(7);

let made = 0;
let ended = 0;
async function* parts(count: number): AsyncGenerator<Uint8Array> {
  try {
    for (let i = 0; i < count; i += 1) {
      made += 1;
      yield PART;
      if (i === 3 && count === 5) throw new Error('the disk is gone');
    }
  } finally {
    ended += 1;
  }
}

const routes: Route[] = [
  {
    method: 'GET',
    path: '/long/:count',
    access: 'open',
    pool: 'long',
    says,
    handle: async ({ params }) => ({ status: 200, body: parts(Number(params['count'])) }),
  },
  {
    method: 'GET',
    path: '/bytes/*rest',
    access: 'open',
    says,
    handle: async ({ params }) => ({
      status: 200,
      body: Uint8Array.of(0, 255, 0xc3, 0x28),
      headers: { rest: params['rest'] ?? '' },
    }),
  },
];

let running: Awaited<ReturnType<typeof listen>>;
beforeEach(async () => {
  made = ended = 0;
  running = await listen({
    host: '127.0.0.1',
    port: 0,
    token: new Secret('0123456789abcdef'),
    routes,
    clock: { now: () => 0, monotonic: () => 0 },
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    places: 2,
  });
});
afterEach(async () => {
  running.server.closeAllConnections();
  await new Promise((resolve) => running.server.close(resolve));
});

it('bytes go out as they are, and a path of several segments is one parameter', async () => {
  const answer = await fetch(`${running.url}/bytes/x001/067.p/8`);
  expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0, 255, 0xc3, 0x28]);
  expect([answer.headers.get('rest'), answer.headers.get('content-length')]).toEqual(['x001/067.p/8', '4']);
  expect((await fetch(`${running.url}/bytes/x001%2F067`)).status).toBe(404);
  expect((await fetch(`${running.url}/bytes`)).status).toBe(404);
  expect((await fetch(`${running.url}/bytes/a/b`, { method: 'POST' })).status).toBe(405);
  expect(findRoute(routes, 'GET', '/bytes/')).toMatchObject({ params: { rest: '' } });
});

it('a long answer is whole, and one that fails on the way is cut off, never ended', async () => {
  const whole = await fetch(`${running.url}/long/40`);
  expect((await whole.arrayBuffer()).byteLength).toBe(40 * PART.length);
  const broken = await fetch(`${running.url}/long/5`);
  await expect(broken.arrayBuffer()).rejects.toThrow();
  expect(ended).toBe(2);
});

it('HEAD makes nothing of it', async () => {
  expect((await fetch(`${running.url}/long/40`, { method: 'HEAD' })).status).toBe(200);
  expect(made).toBe(0);
});

it('who does not read gets no more than the buffers hold, keeps his place, and gives it back when he goes', async () => {
  const sockets = [1, 2].map(() => {
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    socket.pause();
    socket.write('GET /long/100000 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  let before = -1;
  await eventually(async () => {
    const isStill = made > 0 && made === before;
    before = made;
    return isStill && (await fetch(`${running.url}/long/1`)).status === 429;
  });
  expect(made).toBeLessThan(2_000);
  expect((await fetch(`${running.url}/bytes/other`)).status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await eventually(async () => (await fetch(`${running.url}/long/1`)).status === 200);
  expect(made).toBeLessThan(2_000);
});
