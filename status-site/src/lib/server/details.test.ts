import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PublicSnapshot } from '@highwater/config/public.ts';
import { aDetail } from '../../../../test/fixtures/details.ts';
import { aService, aSnapshot } from '../../../../test/fixtures/snapshots.ts';
import { stubCollector, type StubCollector } from '../../../../test/fixtures/stub-collector.ts';
import { followDetails, MAX_DETAIL_BYTES, type DetailOptions } from './details.ts';

const now = Date.now();
let dataDir: string;
let collector: StubCollector;
let stop: AbortController;
let lines: Record<string, unknown>[];
let snapshot: PublicSnapshot | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'site-'));
  collector = await stubCollector();
  stop = new AbortController();
  lines = [];
  snapshot = services('rpc');
});
afterEach(async () => {
  stop.abort();
  await collector.kill();
  await rm(dataDir, { recursive: true });
});

function services(...ids: string[]): PublicSnapshot {
  return aSnapshot(now, { services: ids.map((id) => aService(now, { id })) });
}
const detailOf = (id: string, generatedAt = now) => aDetail(now, aService(now, { id }), { generatedAt });
const said = (...details: object[]) =>
  new Map(details.map((detail) => [(detail as { service: string }).service, detail]));
const start = (over: Partial<DetailOptions> = {}) => {
  const log = pino(
    {},
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const often = { everyMs: 5, detailEveryMs: 5 };
  return followDetails(
    { collectorUrl: collector.url, dataDir, log, ...often, ...over },
    () => snapshot,
    stop.signal,
  );
};
const asks = (id: string) => collector.requests.filter(({ url }) => url === `/v1/services/${id}`).length;
const folder = () => join(dataDir, 'site', 'details');
/** A limit, not a wait. */
const soon = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { timeout: 15_000 });
const events = () => lines.map((line) => line['event']);

test('each service that the snapshot names is followed, and what changes is news', async () => {
  snapshot = services('a', 'b');
  collector.details = said(detailOf('a'), detailOf('b'));
  const details = await start();
  await soon(() => expect([...details.all().keys()].sort()).toEqual(['a', 'b']));
  const before = details.version();
  collector.details = said(detailOf('a', now + 1), detailOf('b'));
  await soon(() => expect(details.all().get('a')?.generatedAt).toBe(now + 1));
  expect(details.version()).toBeGreaterThan(before);
});

test('each is asked for at most once in its time, however often it is looked', async () => {
  collector.details = said(detailOf('rpc'));
  const details = await start({ detailEveryMs: 3_600_000 });
  await soon(() => expect(details.all().size).toBe(1));
  // A new service comes: by then there were rounds, and the old one was not asked for again.
  snapshot = services('rpc', 'new');
  collector.details = said(detailOf('rpc'), detailOf('new'));
  await soon(() => expect(details.all().size).toBe(2));
  expect([asks('rpc'), asks('new')]).toEqual([1, 1]);
});

test('what did not change costs a 304, and is no news', async () => {
  collector.details = said(detailOf('rpc'));
  collector.etag = '"one"';
  const details = await start();
  await soon(() => expect(asks('rpc')).toBeGreaterThan(3));
  expect(collector.requests.at(-1)?.headers['if-none-match']).toBe('"one"');
  // One for what was on disk, which is nothing, and one for what came.
  expect(details.version()).toBe(2);
});

test('two at once, and no more', async () => {
  let open = 0;
  let most = 0;
  const slow: Server = createServer((_, res) => {
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      res.writeHead(404).end();
    }, 20);
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  snapshot = services(...Array.from({ length: 9 }, (_, index) => `s${index}`));
  let asked = 0;
  slow.on('request', () => (asked += 1));
  await start({ collectorUrl: `http://127.0.0.1:${(slow.address() as AddressInfo).port}` });
  await soon(() => expect(asked).toBeGreaterThan(8));
  expect(most).toBe(2);
  stop.abort();
  slow.closeAllConnections();
  slow.close();
});

test('the last good one outlives the collector, and this process', async () => {
  collector.details = said(detailOf('rpc'));
  const first = await start();
  await soon(() => expect(first.all().size).toBe(1));
  stop.abort();
  await first.stopped;
  await collector.kill();
  stop = new AbortController();
  const second = await start();
  expect(second.all().get('rpc')).toEqual(detailOf('rpc'));
  await soon(() => expect(events()).toContain('detail.lost'));
  expect(second.all().get('rpc')).toEqual(detailOf('rpc'));
});

test.each([
  ['not JSON', '<html>'],
  ['another version', { ...detailOf('rpc'), version: 2 }],
  ['a field that nobody declared', { ...detailOf('rpc'), secret: 'canary-77' }],
  ['another service', detailOf('other')],
  ['too much', `"${'x'.repeat(MAX_DETAIL_BYTES)}"`],
])(
  '%s is refused, the last good one stays in memory and on disk, and the log says so once',
  async (_, bad) => {
    const good = detailOf('rpc');
    collector.details = said(good);
    const details = await start();
    await soon(() => expect(details.all().size).toBe(1));
    collector.details = new Map([['rpc', bad]]);
    await soon(() => expect(events()).toContain('detail.lost'));
    const seen = asks('rpc');
    await soon(() => expect(asks('rpc')).toBeGreaterThan(seen + 1));
    expect(details.all().get('rpc')).toEqual(good);
    expect(events().filter((event) => event === 'detail.lost')).toHaveLength(1);
    stop.abort();
    await details.stopped;
    const [file = ''] = await readdir(folder());
    expect(JSON.parse(await readFile(join(folder(), file), 'utf8'))).toEqual(good);
  },
);

test('what the collector has no more, and what the snapshot names no more, is forgotten, on disk as well', async () => {
  snapshot = services('a', 'b', 'c');
  collector.details = said(detailOf('a'), detailOf('b'), detailOf('c'));
  const details = await start();
  await soon(() => expect(details.all().size).toBe(3));
  collector.details = said(detailOf('b'), detailOf('c'));
  await soon(() => expect([...details.all().keys()].sort()).toEqual(['b', 'c']));
  snapshot = services('b');
  await soon(() => expect([...details.all().keys()]).toEqual(['b']));
  await soon(async () => expect(await readdir(folder())).toHaveLength(1));
});

test('before the first snapshot nobody is asked, and what is kept is kept', async () => {
  collector.details = said(detailOf('rpc'));
  const first = await start();
  await soon(() => expect(first.all().size).toBe(1));
  stop.abort();
  await first.stopped;
  stop = new AbortController();
  snapshot = undefined;
  const seen = collector.requests.length;
  const second = await start();
  expect(second.all().size).toBe(1);
  stop.abort();
  await second.stopped;
  expect(collector.requests.length).toBe(seen);
});

test.each(['..', '.', 'a/../../v1/snapshot', 'a?b', '%2e%2e', '', 'x'.repeat(64)])(
  'an id like %j leads nowhere',
  async (id) => {
    snapshot = services(id, 'good');
    collector.details = said(detailOf('good'));
    const details = await start();
    await soon(() => expect(details.all().size).toBe(1));
    await soon(() => expect(asks('good')).toBeGreaterThan(1));
    expect(new Set(collector.requests.map(({ url }) => url))).toEqual(new Set(['/v1/services/good']));
  },
);

test('what was kept and is damaged, or of another name, is as if it had never come', async () => {
  await mkdir(folder(), { recursive: true });
  await writeFile(join(folder(), 'damaged.json'), '{"version":1,');
  await writeFile(join(folder(), 'other.json'), JSON.stringify(detailOf('rpc')));
  const details = await start();
  expect(details.all().size).toBe(0);
  expect(events().filter((event) => event === 'detail.unreadable')).toHaveLength(2);
});
