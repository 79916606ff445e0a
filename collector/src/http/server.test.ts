import { connect, type Socket } from 'node:net';
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

const open = (path: string, handle: Route['handle']): Route => ({
  method: 'GET',
  path,
  access: 'open',
  says,
  handle,
});

async function serving(
  routes: readonly Route[],
  bounds: Partial<Parameters<typeof listen>[0]>,
  work: (url: string, lines: string[]) => Promise<void>,
): Promise<void> {
  const lines: string[] = [];
  const { server, url } = await listen({
    host: '127.0.0.1',
    port: 0,
    token: new Secret('0123456789abcdef'),
    routes,
    clock: { now: () => 0, monotonic: () => 0 },
    log: pino({ level: 'error' }, { write: (line: string) => void lines.push(line) }),
    signal: ending.signal,
    ...bounds,
  });
  try {
    await work(url, lines);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

it('who takes nothing of a whole answer keeps its place and its bytes until let go', async () => {
  const bytes = new Uint8Array(20_000_000);
  let calls = 0;
  const big = open('/big', async () => {
    calls += 1;
    return { status: 200, body: bytes };
  });
  const small = open('/small', async () => json(200, {}));
  const bounds = { stallMs: 1_000, untakenBytes: 50_000_000 };
  await serving([big, { ...small, pool: 'small' }], { ...bounds, places: 3 }, async (url) => {
    const sockets: Socket[] = [];
    const silent = async (): Promise<void> => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      socket.pause();
      const before = calls;
      socket.write('GET /big HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
      await eventually(async () => calls > before);
    };
    const status = async (path: string): Promise<number> => {
      const answer = await fetch(url + path);
      await answer.arrayBuffer();
      return answer.status;
    };
    try {
      await silent();
      await silent();
      // There is a third place, but no room for so many bytes.
      expect(await status('/big')).toBe(503);
      expect(await status('/small')).toBe(200);
      await eventually(async () => (await status('/big')) === 200);
      await silent();
      await silent();
      await silent();
      await eventually(async () => (await status('/big')) === 200);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

it.each(['//', '///', 'http://', 'http://[', '*'])(
  '%s is no path: the caller is told, and the log is silent',
  async (target) => {
    await serving([open('/healthz', async () => json(200, {}))], {}, async (url, lines) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(`GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
      let said = '';
      for await (const part of socket) said += String(part);
      expect(said).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(lines).toEqual([]);
    });
  },
);
