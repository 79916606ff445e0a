/** Who asks for much of the log and takes nothing: what the page holds for them is bounded, and they are let go. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LogServer, logServer, makeLog } from '../../test/fixtures/log-server.ts';
import { type LogAnswerBounds, logAnswers } from '../server/log-answer.ts';
import { openShelf, OVERHEAD_BYTES } from '../server/shelf.ts';
import { type Mirror, openMirror } from './lib/server/mirror.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const FIRST = '/log/2026/tile/entries/000';
const SECOND = '/log/2026/tile/entries/001';
const log = makeLog();
const stop = new AbortController();
let dataDir: string;
let collector: LogServer;
let mirror: Mirror;
let bundleBytes: number;
const servers: Server[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  // More than a kernel takes for who does not read.
  for (let i = 0; i < 512; i += 1) log.growWith('rpc/a/head 1740000000000 ok 100 -\n', 480);
  bundleBytes = log.file('tile/entries/000')?.length ?? 0;
  dataDir = await mkdtemp(join(tmpdir(), 'slow-'));
  collector = await logServer([2026, log]);
  const options = { collectorUrl: collector.url, dataDir, log: pino({ level: 'silent' }), mirrorEveryMs: 10 };
  mirror = await openMirror(options, stop.signal);
  await until(() => mirror.shown()?.size === 512);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
afterAll(async () => {
  stop.abort();
  await mirror.stopped;
  await collector.kill();
  await rm(dataDir, { recursive: true, force: true });
});

const until = (look: () => unknown) =>
  vi.waitFor(async () => expect(await look()).toBeTruthy(), { timeout: 30_000 });

async function serve(bounds: LogAnswerBounds): Promise<{ port: number; url: string; server: Server }> {
  const answer = logAnswers(mirror, bounds);
  const server = createServer((req, res) => void answer(req, res, req.url ?? '').catch(() => res.destroy()));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, server };
}

/** Asks and never reads. */
async function silent(port: number, path: string, times = 1): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  socket.pause();
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(times));
}
const connections = (server: Server) =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

describe('who takes nothing', () => {
  test('costs no bytes of their own, however many ask, and is let go', async () => {
    const { port, url, server } = await serve({ stallMs: 2_000 });
    expect((await (await fetch(url + FIRST)).arrayBuffer()).byteLength).toBe(bundleBytes);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 60; i += 1) await silent(port, FIRST, 4);
    // Behind them in the queue, so that they have been answered.
    expect((await (await fetch(url + FIRST)).arrayBuffer()).byteLength).toBe(bundleBytes);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * bundleBytes);
    await until(async () => (await connections(server)) <= 1);
  });

  test('fills the room at most: others are asked to come again, and are served when it was let go', async () => {
    const { port, url } = await serve({ stallMs: 1_000, shelfBytes: Math.floor(1.5 * bundleBytes) });
    await silent(port, FIRST);
    let statuses: number[] = [];
    await until(async () => {
      const answer = await fetch(url + SECOND);
      await answer.arrayBuffer();
      statuses = [...statuses, answer.status];
      if (answer.status === 503) expect(answer.headers.get('retry-after')).toBe('1');
      return statuses.includes(503) && answer.status === 200;
    });
    expect(new Set(statuses.slice(statuses.indexOf(503)))).toEqual(new Set([503, 200]));
  });

  test('HEAD, and who has it already, cost no reading of it', async () => {
    const { url } = await serve({ shelfBytes: 10 });
    const head = await fetch(url + FIRST, { method: 'HEAD' });
    const etag = head.headers.get('etag') ?? '';
    expect(head.status).toBe(200);
    const known = await fetch(url + FIRST, { headers: { 'if-none-match': etag } });
    expect(known.status).toBe(304);
    // There is no room to read it into.
    expect((await fetch(url + FIRST)).status).toBe(503);
  });
});

describe('the shelf', () => {
  const bytes = (length: number) => async () => new Uint8Array(length);

  test('makes what is asked for at once one time, and gives all the same', async () => {
    const shelf = openShelf(10_000);
    let made = 0;
    const make = async () => {
      made += 1;
      return new Uint8Array(100);
    };
    const all = await Promise.all([1, 2, 3].map(() => shelf.take('a', make)));
    expect(new Set(all.map((one) => (typeof one === 'object' ? one.bytes : one))).size).toBe(1);
    expect(made).toBe(1);
    expect(shelf.heldBytes()).toBe(100 + OVERHEAD_BYTES);
  });

  test('lets the longest unused go, never what is being read, and is never over its bound', async () => {
    const shelf = openShelf(3 * (100 + OVERHEAD_BYTES));
    const take = async (key: string) => {
      const taken = await shelf.take(key, bytes(100));
      return typeof taken === 'object' ? taken : undefined;
    };
    const a = await take('a');
    const b = await take('b');
    const c = await take('c');
    expect(await shelf.take('d', bytes(100))).toBe('full');
    b?.leave();
    b?.leave();
    expect((await take('d'))?.bytes.length).toBe(100);
    expect(await shelf.take('e', bytes(1))).toBe('full');
    a?.leave();
    c?.leave();
    expect((await take('a'))?.bytes).toBe(a?.bytes);
    expect((await take('e'))?.bytes.length).toBe(100);
    expect(shelf.heldBytes()).toBe(3 * (100 + OVERHEAD_BYTES));
  });

  test('keeps nothing of what is not there or fails', async () => {
    const shelf = openShelf(10_000);
    expect(await shelf.take('a', async () => undefined)).toBeUndefined();
    await expect(shelf.take('a', () => Promise.reject(new Error('disk')))).rejects.toThrow('disk');
    expect(await shelf.take('a', bytes(1))).toMatchObject({ bytes: new Uint8Array(1) });
  });
});
