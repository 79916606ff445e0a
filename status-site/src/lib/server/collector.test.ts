import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { aSnapshot } from '../../../../test/fixtures/snapshots.ts';
import { stubCollector, type StubCollector } from '../../../../test/fixtures/stub-collector.ts';
import { follow, type CollectorOptions } from './collector.ts';

let dataDir: string;
let collector: StubCollector;
let stop: AbortController;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'site-'));
  collector = await stubCollector();
  stop = new AbortController();
  lines = [];
});
afterEach(async () => {
  stop.abort();
  await collector.kill();
  await rm(dataDir, { recursive: true });
});

const start = (over: Partial<CollectorOptions> = {}) => {
  const log = pino(
    {},
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return follow({ collectorUrl: collector.url, dataDir, log, everyMs: 5, ...over }, stop.signal);
};
const becomes = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 10 });
const file = () => join(dataDir, 'site', 'snapshot.json');
const events = () => lines.map((line) => line['event']);

test('a new snapshot arrives, is parsed, and is on disk once following has ended', async () => {
  collector.body = aSnapshot(Date.now());
  const follower = await start();
  await becomes(() => expect(follower.frame().snapshot).toEqual(collector.body));
  stop.abort();
  await follower.stopped;
  expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual(collector.body);
});

test('an unchanged snapshot costs a 304, and is no news', async () => {
  collector.body = aSnapshot(Date.now());
  collector.etag = '"one"';
  const follower = await start();
  await becomes(() => expect(follower.version()).toBe(1));
  const { receivedAt } = follower.frame();
  const seen = collector.requests.length;
  await becomes(() => expect(collector.requests.length).toBeGreaterThan(seen + 2));
  expect(collector.requests.at(-1)?.headers['if-none-match']).toBe('"one"');
  expect(follower.version()).toBe(1);
  expect(follower.frame().receivedAt).toBe(receivedAt);
});

test('a token is sent where there is one, and is in no line of the log', async () => {
  const follower = await start({ token: 'canary-3f2a' });
  await becomes(() => expect(collector.requests.at(0)?.headers.authorization).toBe('Bearer canary-3f2a'));
  stop.abort();
  await follower.stopped;
  expect(JSON.stringify(lines)).not.toContain('canary');
});

test('the last good snapshot outlives the collector, and this process', async () => {
  collector.body = aSnapshot(Date.now());
  const first = await start();
  await becomes(() => expect(first.frame().snapshot).toBeDefined());
  stop.abort();
  await first.stopped;
  await collector.kill();
  stop = new AbortController();
  const second = await start();
  expect(second.frame().snapshot).toEqual(collector.body);
  await becomes(() => expect(second.frame().lostAt).toBeDefined());
});

test.each([
  ['not JSON', '<html>'],
  ['another version', { ...aSnapshot(0), version: 2 }],
  ['a field that nobody declared', { ...aSnapshot(0), secret: 'canary-77' }],
])('%s is refused, the last good one stays, and the log says so once', async (_, bad) => {
  const good = aSnapshot(Date.now());
  collector.body = good;
  const follower = await start();
  await becomes(() => expect(follower.frame().snapshot).toEqual(good));
  collector.body = bad;
  await becomes(() => expect(follower.frame().lostAt).toBeDefined());
  const seen = collector.requests.length;
  await becomes(() => expect(collector.requests.length).toBeGreaterThan(seen + 1));
  expect(follower.frame().snapshot).toEqual(good);
  expect(events().filter((event) => event === 'collector.lost')).toHaveLength(1);
  collector.body = good;
  await becomes(() => expect(follower.frame().lostAt).toBeUndefined());
  expect(events()).toContain('collector.found');
});

test('a kept snapshot that is damaged is no data, not a crash', async () => {
  await mkdir(join(dataDir, 'site'), { recursive: true });
  await writeFile(file(), '{"version":1,');
  const follower = await start();
  expect(follower.frame().snapshot).toBeUndefined();
  expect(events()).toContain('snapshot.unreadable');
});

test('a redirect is not followed: the token must not travel', async () => {
  const elsewhere = await stubCollector(aSnapshot(Date.now()));
  const { createServer } = await import('node:http');
  const server = createServer((_, res) =>
    res.writeHead(302, { location: `${elsewhere.url}/v1/snapshot` }).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as { port: number }).port;
  const follower = await start({ collectorUrl: `http://127.0.0.1:${port}`, token: 't' });
  await becomes(() => expect(follower.frame().lostAt).toBeDefined());
  expect(elsewhere.requests).toEqual([]);
  server.close();
  server.closeAllConnections();
  await elsewhere.kill();
});
