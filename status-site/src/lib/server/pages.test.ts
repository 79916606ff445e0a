import { gunzipSync } from 'node:zlib';
import { expect, test, vi, afterEach, beforeEach } from 'vitest';
import { pagesOf } from '../../../server/pages.ts';
import { cacheControl, isMachine } from '../../../server/headers.ts';
import { aSnapshot } from '../../../../test/fixtures/snapshots.ts';
import { freshness, type Frame } from '../frame.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** A site whose page is what `text` says, counting renderings. */
function world(text = 'x'.repeat(2_000)) {
  const world = {
    version: 0,
    renders: [] as string[],
    status: 200,
    text,
    headers: { 'content-type': 'text/html', 'x-sveltekit-page': 'true' } as Record<string, string>,
  };
  const follower = { frame: (): Frame => ({ now: Date.now() }), version: () => world.version };
  const pages = pagesOf(follower, async (address, frame) => {
    world.renders.push(`${address} at ${frame.now}`);
    return new Response(world.text, { status: world.status, headers: world.headers });
  });
  return { world, pages };
}

test('many who ask at once cost one rendering', async () => {
  const { world: site, pages } = world();
  const all = await Promise.all(Array.from({ length: 100 }, () => pages.get('/')));
  expect(new Set(all).size).toBe(1);
  expect(site.renders).toEqual(['/ at 1000000']);
});

test('a frame lasts five seconds, or until something changed', async () => {
  const { world: site, pages } = world();
  await pages.get('/');
  vi.setSystemTime(1_004_999);
  await pages.get('/');
  expect(site.renders).toHaveLength(1);
  vi.setSystemTime(1_005_000);
  await pages.get('/');
  expect(site.renders).toHaveLength(2);
  site.version += 1;
  await pages.get('/');
  expect(site.renders).toHaveLength(3);
});

test('a frame ends the moment its data becomes stale', async () => {
  const snapshot = aSnapshot(1_000_000, {
    generatedAt: 1_000_000,
    observedAt: 1_000_000,
    staleAfterMs: 2_000,
  });
  const seen: string[] = [];
  const follower = {
    frame: (): Frame => ({ now: Date.now(), snapshot, receivedAt: 1_000_000 }),
    version: () => 0,
  };
  const pages = pagesOf(follower, async (_, frame) => {
    seen.push(freshness(frame).kind);
    return new Response('');
  });
  await pages.get('/');
  vi.setSystemTime(1_002_000);
  await pages.get('/');
  vi.setSystemTime(1_002_001);
  await pages.get('/');
  expect(seen).toEqual(['fresh', 'stale']);
});

test('a clock that steps back does not freeze the page', async () => {
  const { world: site, pages } = world();
  await pages.get('/');
  vi.setSystemTime(500_000);
  await pages.get('/');
  expect(site.renders).toHaveLength(2);
});

test('what does not exist is not kept, nor what forbids it', async () => {
  const { world: site, pages } = world();
  site.status = 404;
  await pages.get('/nope');
  await pages.get('/nope');
  expect(site.renders).toHaveLength(2);
  site.status = 200;
  site.headers['cache-control'] = 'no-store';
  await pages.get('/healthz');
  await pages.get('/healthz');
  expect(site.renders).toHaveLength(4);
});

test('a failed rendering is tried again', async () => {
  let failing = true;
  const pages = pagesOf({ frame: () => ({ now: Date.now() }), version: () => 0 }, async () => {
    if (failing) throw new Error('no');
    return new Response('yes');
  });
  await expect(pages.get('/')).rejects.toThrow('no');
  failing = false;
  expect((await pages.get('/')).body.toString()).toBe('yes');
});

test('the ETag is of the bytes alone, gzip is the same bytes, small answers are not packed', async () => {
  const { world: site, pages } = world();
  const first = await pages.get('/');
  expect(gunzipSync((await first.gzipped()) ?? '').toString()).toBe(site.text);
  site.version += 1;
  expect((await pages.get('/')).etag).toBe(first.etag);
  site.version += 1;
  site.text = 'short';
  const short = await pages.get('/');
  expect(short.etag).not.toBe(first.etag);
  expect(short.gzipped()).toBeUndefined();
});

test('headers say the charset, and nothing of what made the page', async () => {
  const { pages } = world();
  expect((await pages.get('/')).headers).toEqual({ 'content-type': 'text/html; charset=utf-8' });
});

test.each([
  '/api/v2/summary.json',
  '/api/services.json',
  '/badge/x.svg',
  '/history.atom',
  '/history.rss',
  '/healthz',
])('%s is for machines', (path) => {
  expect(isMachine(path)).toBe(true);
});
test.each(['/', '/incidents', '/services/api', '/history.atomic', '/badge'])('%s is a page', (path) => {
  expect(isMachine(path)).toBe(false);
});

test('the cache rule is the promised one', () => {
  expect(cacheControl).toBe('public, max-age=5, stale-while-revalidate=60, stale-if-error=86400');
});
