/** The built site over HTTP: what every answer promises. */
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { gunzipSync, gzipSync } from 'node:zlib';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { aDetail, detailsOf } from '../../test/fixtures/details.ts';
import { aService, aSnapshot, firstMinute, manyNodes, oneDown } from '../../test/fixtures/snapshots.ts';
import { startSite } from '../server/serve.ts';
import { siteUnderTest, type SiteUnderTest } from '../../test/fixtures/site.ts';

vi.setConfig({ testTimeout: 60_000 });

let site: SiteUnderTest;
beforeAll(async () => {
  site = await siteUnderTest(oneDown(Date.now()));
}, 120_000);
afterAll(async () => {
  await site[Symbol.asyncDispose]();
});

const get = (path: string, init?: RequestInit) => fetch(site.url + path, { redirect: 'manual', ...init });

/** Without fetch's own decoding and defaults. */
function raw(path: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const sent = request(site.url + path, { method, headers }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('error', reject).end();
    },
  );
}

const pages = ['/', '/services/polkadot-rpc', '/incidents', '/incidents/01K9ZC0INCIDENT1', '/maintenance'];
const machine = [
  '/api/v2/summary.json',
  '/api/v2/status.json',
  '/api/v2/components.json',
  '/api/v2/incidents.json',
  '/api/v2/incidents/unresolved.json',
  '/api/v2/scheduled-maintenances.json',
  '/api/v2/scheduled-maintenances/upcoming.json',
  '/api/v2/scheduled-maintenances/active.json',
  '/api/services.json',
  '/api/services/polkadot-rpc.json',
  '/history.atom',
  '/history.rss',
  '/maintenance.ics',
  '/badge/polkadot-rpc.svg',
  '/badge/polkadot-rpc.json?metric=uptime',
];

describe('pages', () => {
  test.each(pages)('%s answers with a strict policy and without any script', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(await answer.text()).not.toMatch(/<script|javascript:|style="/);
  });

  test('every link inside the site leads somewhere', async () => {
    const seen = new Set<string>();
    const queue = ['/'];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const answer = await get(path);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      if (!answer.headers.get('content-type')?.startsWith('text/html')) continue;
      const html = await answer.text();
      for (const [, href = ''] of html.matchAll(/(?:href|src)="(\/[^"#]*)/g)) queue.push(href);
    }
    expect(seen.size).toBeGreaterThan(10);
  });

  test.each(['/nope', '/services/nope', '/incidents/nope', '/maintenance/nope', '//evil.example/'])(
    '%s is not there, in style',
    async (path) => {
      const answer = await raw(path, {});
      expect(answer.status).toBe(404);
      expect(answer.body.toString()).toContain('There is no such page');
      expect(answer.headers['cache-control']).toBe('no-cache');
    },
  );
});

describe('machine-readable answers', () => {
  test.each(machine)('%s may be read from anywhere, and is inert', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    if (path.includes('.json')) expect(await answer.json()).toBeTypeOf('object');
  });

  test('a preflight is answered', async () => {
    const answer = await get('/api/v2/summary.json', { method: 'OPTIONS' });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, HEAD');
  });

  test.each([
    ['/badge/polkadot-rpc.svg?metric=nope', 400, 'metric must be one of'],
    ['/badge/polkadot-rpc.json?metric=nope', 400, 'metric must be one of'],
    ['/badge/nope.svg', 404, 'no service'],
    ['/api/services/nope.json', 404, 'no service'],
    ['/api/v2/nope.json', 404, 'not found'],
    ['/api/v2/constructor.json', 404, 'not found'],
  ])('%s is refused with %i and a reason', async (path, status, text) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBeTruthy();
    expect(await answer.text()).toContain(text);
  });

  test('health says that it lives and how old its data is, and is never cached', async () => {
    const answer = await get('/healthz');
    expect(await answer.json()).toMatchObject({ status: 'ok', data: 'fresh', collectorLostAt: null });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});

describe('HTTP', () => {
  test.each([...pages, ...machine])(
    '%s carries the cache rule and an ETag that spares the body',
    async (path) => {
      const first = await get(path);
      expect(first.headers.get('cache-control')).toBe(
        'public, max-age=5, stale-while-revalidate=60, stale-if-error=86400',
      );
      const etag = first.headers.get('etag') ?? '';
      // A page tells ages, so the next frame may be another page: then its ETag is another, too.
      const again = await get(path, { headers: { 'if-none-match': `"other", ${etag}` } });
      expect([again.status, again.headers.get('etag') === etag]).toEqual(
        again.status === 304 ? [304, true] : [200, false],
      );
    },
  );

  test('an answer that did not change is 304', async () => {
    const etag = (await get('/api/v2/status.json')).headers.get('etag') ?? '';
    for (const header of [etag, '*', etag.replace('W/', '')])
      expect((await get('/api/v2/status.json', { headers: { 'if-none-match': header } })).status).toBe(304);
    expect((await get('/api/v2/status.json', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('gzip where it is accepted, plain where it is not', async () => {
    const packed = await raw('/', { 'accept-encoding': 'br, gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).toString()).toContain('<h1>Outage: Polkadot RPC</h1>');
    expect(packed.headers['vary']).toBe('accept-encoding');
    for (const accept of ['identity', 'gzip;q=0', 'br'])
      expect((await raw('/', { 'accept-encoding': accept })).headers['content-encoding']).toBeUndefined();
  });

  test('HEAD is GET without the body', async () => {
    const answer = await raw('/', {}, 'HEAD');
    expect(answer.status).toBe(200);
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(1_000);
    expect(answer.body).toHaveLength(0);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
    '%s is refused: this site can only be read',
    async (method) => {
      const answer = await raw('/', {}, method);
      expect(answer.status).toBe(405);
      expect(answer.headers['allow']).toBe('GET, HEAD, OPTIONS');
    },
  );

  test('a query makes no other page', async () => {
    const plain = await raw('/api/v2/summary.json', {});
    expect((await raw('/api/v2/summary.json?x=<script>', {})).body.equals(plain.body)).toBe(true);
  });

  test('the Host header shows in no page', async () => {
    for (const path of [...pages, '/api/v2/summary.json', '/history.atom'])
      expect(
        (await raw(path, { host: 'evil.example', 'x-forwarded-host': 'evil.example' })).body.toString(),
      ).not.toContain('evil.example');
  });

  test('assets may be kept for a year', async () => {
    const [, css = ''] = /href="(\/_app\/immutable\/[^"]+\.css)"/.exec(await (await get('/')).text()) ?? [];
    const answer = await get(css);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    '/../../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/_app/../../server/index.js',
    `/${'x'.repeat(3_000)}`,
  ])('%s finds nothing', async (path) => {
    const answer = await raw(path, {});
    expect([400, 404, 414]).toContain(answer.status);
  });

  test('an address that is no path, or broken, breaks nothing', async () => {
    for (const path of ['/%', '/%00', '/services/%ff', '/incidents/%2e%2e'])
      expect((await raw(path, {})).status).toBeLessThan(500);
    expect((await get('/')).status).toBe(200);
  });
});

describe('without the collector', () => {
  test('no data yet: every page and every answer is 200 and says so', async () => {
    await using empty = await siteUnderTest();
    expect(await (await fetch(empty.url)).text()).toContain('<h1>No data yet</h1>');
    for (const path of [
      '/incidents',
      '/api/v2/summary.json',
      '/api/services.json',
      '/history.atom',
      '/history.rss',
      '/badge/x.svg',
      '/healthz',
    ])
      expect({ path, status: (await fetch(empty.url + path)).status }).toEqual({ path, status: 200 });
  });

  test('killed: 200 from what is known, in under 100 ms, never green, with its age', async () => {
    const now = Date.now();
    await using alone = await siteUnderTest(aSnapshot(now, { generatedAt: now, observedAt: now }));
    expect(await (await fetch(alone.url)).text()).toContain('All systems operational');
    // Only now does it grow stale soon: a slow machine may take longer than that to ask for its first page.
    await alone.show(aSnapshot(now, { generatedAt: now + 1, observedAt: now, staleAfterMs: 300 }));
    await alone.collector.kill();
    await vi.waitFor(
      async () => expect(await (await fetch(alone.url)).text()).toContain('<h1>No current data since'),
      { timeout: 8_000, interval: 50 },
    );
    // The best of several: what else runs on this machine is not the page's time.
    let quickestMs = Infinity;
    for (let tries = 0; tries < 5; tries += 1) {
      const startedAt = performance.now();
      const answer = await fetch(`${alone.url}/services/ethereum-rpc`);
      const html = await answer.text();
      quickestMs = Math.min(quickestMs, performance.now() - startedAt);
      expect(answer.status).toBe(200);
      expect(html).not.toContain('tone-up');
      expect(html).toContain('says nothing about now');
    }
    expect(quickestMs).toBeLessThan(100);
    const summary = (await (await fetch(`${alone.url}/api/v2/summary.json`)).json()) as {
      status: { indicator: string };
      components: { status: string }[];
    };
    expect(summary.status.indicator).toBe('minor');
    expect(summary.components.map((row) => row.status)).not.toContain('operational');
  });

  test('first minute: nothing is green', async () => {
    await using young = await siteUnderTest(firstMinute(Date.now()));
    expect(await (await fetch(young.url)).text()).not.toContain('tone-up');
  });
});

describe('numbers and charts', () => {
  let figured: SiteUnderTest;
  beforeAll(async () => {
    figured = await siteUnderTest();
    const now = Date.now();
    const many = manyNodes(now).services;
    const shown = { ...oneDown(now), services: [...oneDown(now).services, ...many] };
    await figured.show(shown, detailsOf(now, shown));
  }, 120_000);
  afterAll(async () => {
    await figured[Symbol.asyncDispose]();
  });
  const ask = (path: string) => fetch(figured.url + path);

  test.each([
    '/services/polkadot-rpc',
    '/services/many-rpc',
    '/services/many-rpc?node=node-7',
    '/services/many-rpc?node=node-7&method=eth_blockNumber&region=us',
  ])('%s is under 64 KB compressed, without a script or a style of its own', async (path) => {
    const answer = await ask(path);
    const html = await answer.text();
    expect(answer.status).toBe(200);
    expect(html).toContain('Latency by method and region');
    expect(html).not.toMatch(/<script|javascript:|style="/);
    expect(gzipSync(html).length).toBeLessThan(64 * 1024);
  });

  test.each(['method=nope', 'region=nope', 'node=nope', 'method=', 'region=us&method=nope', 'method=%00'])(
    'a page of ?%s is not there, and is not kept',
    async (query) => {
      const answer = await ask(`/services/ethereum-rpc?${query}`);
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'no-cache']);
    },
  );

  test('what else an address asks for makes no other page, and neither does its order', async () => {
    const etag = async (query: string) => (await ask(`/services/ethereum-rpc${query}`)).headers.get('etag');
    // Nothing is new from here on, so that a frame lasts five seconds; what is asked for in two of them is asked for again.
    figured.collector.etag = '"same"';
    try {
      await vi.waitFor(
        async () => {
          const [plain, other] = [await etag(''), await etag('?x=1&y=<script>')];
          const [one, two] = [await etag('?method=*&region=us'), await etag('?x=1&region=us&method=*')];
          expect([plain === other, one === two, plain === one]).toEqual([true, true, false]);
        },
        { timeout: 15_000 },
      );
    } finally {
      figured.collector.etag = undefined;
    }
  });

  test('the API has them as they came, and null where none came', async () => {
    const now = Date.now();
    const [first] = oneDown(now).services;
    const told = (await (await ask(`/api/services/${first?.id}.json`)).json()) as {
      detail: { service: string };
    };
    expect(told.detail.service).toBe(first?.id);
    expect(Object.keys(told.detail)).toEqual(Object.keys(aDetail(now, aService(now))));
    const without = (await (await get('/api/services/polkadot-rpc.json')).json()) as { detail: unknown };
    expect(without.detail).toBeNull();
  });

  test.each([
    ['30d', 200, { label: 'uptime 30d', message: '99.9699%', color: 'brightgreen' }],
    ['24h', 200, { label: 'uptime 24h', message: '100.0000%', color: 'brightgreen' }],
    ['90d', 200, { label: 'uptime 90d', message: '99.9699%' }],
    ['2001-01', 404, { error: 'this period is not counted' }],
    ['1h', 400, { error: 'period is of uptime, and one of 24h, 7d, 30d, 90d or a month as 2026-11' }],
  ])('the badge of uptime over %s answers %i', async (period, status, said) => {
    const answer = await ask(`/badge/ethereum-rpc.json?metric=uptime&period=${period}`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject(said);
  });

  test('with the collector dead they are shown all the same, with their age', async () => {
    const now = Date.now();
    await using alone = await siteUnderTest();
    const shown = aSnapshot(now);
    await alone.show(shown, detailsOf(now, shown));
    await alone.collector.kill();
    await vi.waitFor(
      async () =>
        expect(await (await fetch(`${alone.url}/healthz`)).json()).not.toMatchObject({
          collectorLostAt: null,
        }),
      { timeout: 15_000 },
    );
    const html = await (await fetch(`${alone.url}/services/ethereum-rpc`)).text();
    expect(html).toContain('These figures and charts were made');
    expect(html).toContain('99.9699 %');
  });
});

describe('life', () => {
  test('a port in use is an error that names the flag', async () => {
    const port = Number(new URL(site.url).port);
    const options = {
      collectorUrl: site.collector.url,
      dataDir: tmpdir(),
      host: '127.0.0.1',
      port,
      log: pino({ level: 'silent' }),
    };
    await expect(startSite(options, new AbortController().signal)).rejects.toThrow(
      `Port ${port} is in use on 127.0.0.1: choose another with --port`,
    );
  });

  test('it ends when told to, with a connection still open', async () => {
    await using short = await siteUnderTest(aSnapshot(Date.now()));
    await fetch(short.url);
    short.stop();
    await short.stopped;
    await expect(fetch(short.url)).rejects.toThrow();
  });
});
