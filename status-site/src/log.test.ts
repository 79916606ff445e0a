/** The mirrored log over HTTP from the built site, and what the pages say of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { encodeHex } from '@highwater/config/proof/bytes.ts';
import { sha256 } from '@highwater/config/keys.ts';
import pino from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { logServer, makeLog, operator, type LogServer } from '../../test/fixtures/log-server.ts';
import { oneDown } from '../../test/fixtures/snapshots.ts';
import { ensureBuilt } from '../server/build.ts';
import { startSite } from '../server/serve.ts';

vi.setConfig({ testTimeout: 60_000 });

const silent = pino({ level: 'silent' });
const log = makeLog();
let collector: LogServer;
let dataDir: string;
let stop: AbortController;
let site: Awaited<ReturnType<typeof startSite>>;

const start = async () => {
  stop = new AbortController();
  const options = {
    collectorUrl: collector.url,
    dataDir,
    host: '127.0.0.1',
    port: 0,
    log: silent,
    everyMs: 10,
  };
  site = await startSite({ ...options, mirrorEveryMs: 10 }, stop.signal);
};
const end = async () => {
  stop.abort();
  await site.stopped;
};

beforeAll(async () => {
  await ensureBuilt(silent);
  dataDir = await mkdtemp(join(tmpdir(), 'site-log-'));
  collector = await logServer();
  const snapshot = Buffer.from(JSON.stringify(oneDown(Date.now())));
  collector.err = (path, res) => path === '/v1/snapshot' && Boolean(res.writeHead(200).end(snapshot));
  await start();
}, 120_000);
afterAll(async () => {
  await end();
  await collector.kill();
  await rm(dataDir, { recursive: true, force: true });
});

/** Without fetch's own decoding. */
function raw(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{
    status: number;
    headers: Record<string, string | string[] | undefined>;
    body: Buffer;
  }>((resolve, reject) => {
    const sent = request(site.url + path, { method, headers }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject).end();
  });
}
const until = (look: () => unknown) =>
  vi.waitFor(async () => expect(await look()).toBeTruthy(), { timeout: 20_000 });

const paths = () => ({
  keys: '/log/keys',
  checkpoint: '/log/2026/checkpoint',
  tile: '/log/2026/tile/0/001.p/44',
  bundle: '/log/2026/tile/entries/000',
  body: `/log/2026/body/${log.names[0] ?? ''}`,
});

test('before there is a log each address says so, and pages are silent of it', async () => {
  for (const path of ['/log/keys', '/log/2026/checkpoint', '/log/x']) {
    const answer = await raw(path);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([404, '*']);
    expect(answer.body.toString()).toMatch(/holds no log yet/);
  }
  const page = await raw('/log');
  expect([page.status, page.body.toString().includes('No log is here yet')]).toEqual([200, true]);
  expect((await raw('/')).body.toString()).not.toContain('/log');
  expect(JSON.parse((await raw('/healthz')).body.toString())).toMatchObject({ log: null });
});

test('then all of it is served, to anyone, with what caches need', async () => {
  log.grow(300);
  collector.logs.set(2026, log);
  await until(async () => (await raw(paths().body)).status === 200);
  const { keys, checkpoint, tile, bundle, body } = paths();
  expect((await raw(keys)).body.toString()).toBe(`operator ${operator.vkey}\nlog ${log.key.vkey}\n`);
  expect((await raw(checkpoint)).body.toString()).toBe(log.checkpoint());
  expect((await raw(tile)).body.equals(log.file('tile/0/001.p/44') ?? Buffer.of())).toBe(true);
  expect((await raw('/log/2026/tile/0/001.p/7')).body.equals(log.file('tile/0/001.p/7') ?? Buffer.of())).toBe(
    true,
  );
  for (const path of [keys, checkpoint, tile, bundle, body]) {
    const { status, headers } = await raw(path);
    const isFixed = path.includes('tile') || path.includes('body');
    expect([path, status, headers['access-control-allow-origin'], headers['x-content-type-options']]).toEqual(
      [path, 200, '*', 'nosniff'],
    );
    expect(headers['content-type']).toBe(
      path.includes('tile') ? 'application/octet-stream' : 'text/plain; charset=utf-8',
    );
    expect(headers['cache-control']).toMatch(isFixed ? /max-age=31536000, immutable/ : /max-age=2\b/);
    const again = await raw(path, { 'if-none-match': String(headers['etag']) });
    expect([path, again.status, again.body.length]).toEqual([path, 304, 0]);
    const head = await raw(path, {}, 'HEAD');
    expect([head.status, head.body.length, head.headers['etag']]).toEqual([200, 0, headers['etag']]);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const refused = await raw(path, {}, method);
      expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS']);
    }
    expect((await raw(path, {}, 'OPTIONS')).headers['access-control-allow-methods']).toBe('GET, HEAD');
  }
});

test('entries and long bodies are packed for who asks', async () => {
  const { bundle } = paths();
  const packed = await raw(bundle, { 'accept-encoding': 'gzip' });
  expect([packed.headers['content-encoding'], packed.headers['vary']]).toEqual(['gzip', 'accept-encoding']);
  expect(gunzipSync(packed.body).equals(log.file('tile/entries/000') ?? Buffer.of())).toBe(true);
  expect((await raw(bundle)).headers['content-encoding']).toBeUndefined();
  const long = log.growWith(
    Array.from({ length: 40_000 }, (_, i) => `rpc/a/head ${1_740_100_000_000 + i} ok 100 -\n`).join(''),
  );
  await until(async () => (await raw(`/log/2026/body/${long}`)).status === 200);
  const body = await raw(`/log/2026/body/${long}`, { 'accept-encoding': 'gzip' });
  expect(body.headers['content-encoding']).toBe('gzip');
  expect(encodeHex(sha256(gunzipSync(body.body)))).toBe(long);
  expect(encodeHex(sha256((await raw(`/log/2026/body/${long}`)).body))).toBe(long);
});

test.each([
  '/log/2026/tile/0/001.p/46',
  '/log/2026/tile/0/1',
  '/log/2026/tile/../key',
  '/log/2026/key',
  '/log/2026/bodies.json',
  '/log/2026/refused',
  '/log/2026/body/abc',
  '/log/2025/checkpoint',
  '/log/operator',
  '/log/2026/',
  '/log/',
])('%s is nothing that is served', async (path) => {
  expect((await raw(path)).status).toBe(404);
});

test('each page says how large it is and when it was checked; /log says how to check', async () => {
  await until(async () => (await raw('/')).body.toString().includes('301 entries'));
  const page = (await raw('/')).body.toString();
  expect(page).toMatch(
    /Log <a[^>]* href="\/log"[^>]*>status\.example\/log\/2026<\/a>: 301 entries,\s+the newest seen/,
  );
  const how = (await raw('/log')).body.toString();
  for (const part of [log.key.vkey.slice(0, 40), '/log/2026/checkpoint', '/log/keys', 'tlog-tiles']) {
    expect(how).toContain(part);
  }
});

test('with the collector dead, and after a restart, it is all there', async () => {
  await collector.kill();
  await end();
  await start();
  const { checkpoint, body, bundle } = paths();
  expect((await raw(checkpoint)).body.toString()).toBe(log.checkpoint());
  expect(encodeHex(sha256((await raw(body)).body))).toBe(log.names[0]);
  expect((await raw(bundle)).body.equals(log.file('tile/entries/000') ?? Buffer.of())).toBe(true);
  expect(JSON.parse((await raw('/healthz')).body.toString())).toMatchObject({
    log: { origin: 'status.example/log/2026', size: 301, refused: null },
  });
});

test('a hundred who ask at once all get it', async () => {
  const all = await Promise.all(Array.from({ length: 100 }, () => raw(paths().bundle)));
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
});
