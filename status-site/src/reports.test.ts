/** Monthly reports over HTTP: what is kept answers while the collector is dead, the rest comes through from it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { formatReport, type Report } from '@highwater/config/report/report.ts';
import { sampleReport } from '@highwater/config/report/testing/sample.ts';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { listOf, monthsBefore, reportsOf } from '../../test/fixtures/reports.ts';
import { oneDown } from '../../test/fixtures/snapshots.ts';
import { siteUnderTest, type SiteUnderTest } from '../../test/fixtures/site.ts';
import { stubCollector, type StubCollector, type StubFile } from '../../test/fixtures/stub-collector.ts';
import { reportFileOf } from '../server/report-answer.ts';
import { startSite } from '../server/serve.ts';
import { followReports, type Reports } from './lib/server/reports.ts';

vi.setConfig({ testTimeout: 60_000 });

const report = sampleReport();
const mebibyte = gzipSync(Buffer.alloc(1024 * 1024));
const silent = pino({ level: 'silent' });

let site: SiteUnderTest;
beforeAll(async () => {
  site = await siteUnderTest(oneDown(Date.now()));
  await site.publish([report, ...monthsBefore(report, 3)]);
}, 120_000);
afterAll(async () => {
  await site[Symbol.asyncDispose]();
});

/** Without fetch's own decoding. */
function raw(url: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const sent = request(url, { method, headers }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('error', reject).end();
    },
  );
}

describe('pages', () => {
  test.each(['/reports', '/reports/2026-10', '/reports/2026-09'])(
    '%s has a strict policy and no script',
    async (path) => {
      const answer = await fetch(site.url + path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await answer.text()).not.toMatch(/<script|javascript:|style="/);
    },
  );

  test.each([
    '/reports/2026-01',
    '/reports/2026-13',
    '/reports/nope',
    '/reports/2026-10/bundle',
    '/reports/2026-10.exe',
  ])('%s is not there', async (path) => {
    expect((await fetch(site.url + path)).status).toBe(404);
  });

  test('a report says nothing about now, so it is the same bytes each time, and 304', async () => {
    const first = await raw(`${site.url}/reports/2026-10`);
    await site.show(oneDown(Date.now()));
    const again = await raw(`${site.url}/reports/2026-10`);
    expect(again.body.equals(first.body)).toBe(true);
    const etag = String(first.headers['etag']);
    expect((await raw(`${site.url}/reports/2026-10`, { 'if-none-match': etag })).status).toBe(304);
  });

  test('there is a way to the reports from every page, and from a service to its part of each', async () => {
    expect(await (await fetch(site.url)).text()).toContain('href="/reports"');
    await using other = await siteUnderTest(oneDown(Date.now()));
    const services = report.told.services.map((one) =>
      one.id === 'rpc' ? { ...one, id: 'ethereum-rpc' } : one,
    );
    const renamed = JSON.parse(formatReport(report).replaceAll('"rpc"', '"ethereum-rpc"')) as Report;
    await other.publish([{ ...renamed, told: { ...renamed.told, services } }]);
    await vi.waitFor(async () =>
      expect(await (await fetch(`${other.url}/services/ethereum-rpc`)).text()).toContain(
        'href="/reports/2026-10#service-ethereum-rpc"',
      ),
    );
  });

  test('none yet: what a report is, and when the first comes', async () => {
    await using young = await siteUnderTest(oneDown(Date.now()));
    await young.publish([], { next: { month: '2026-11', dueAt: Date.UTC(2026, 11, 3) } });
    await vi.waitFor(async () => {
      const html = await (await fetch(`${young.url}/reports`)).text();
      expect(html).toContain('There is no report yet');
      expect(html).toContain('The report of November 2026 is due on 3 Dec 2026');
    });
  });

  test('that one is being made is said', async () => {
    await using busy = await siteUnderTest(oneDown(Date.now()));
    const making = {
      month: '2026-10',
      revision: 1,
      isDraft: false,
      phase: 'bodies' as const,
      doneBytes: 50,
      allBytes: 200,
      of: 'x',
      since: 1,
    };
    await busy.publish([], { making });
    await vi.waitFor(async () =>
      expect(await (await fetch(`${busy.url}/reports`)).text()).toContain(
        'The report of October 2026 is being made: 25 % of its evidence is read.',
      ),
    );
  });
});

describe('files', () => {
  test.each([
    ['json', 'application/json', formatReport(report)],
    ['md', 'text/markdown; charset=utf-8', '# 2026-10, revision 2\n'],
    ['csv', 'text/csv; charset=utf-8', 'month,revision\n2026-10,2\n'],
  ])('.%s as it is, from anywhere, packed where that is asked for', async (form, type, text) => {
    const url = `${site.url}/reports/2026-10.${form}`;
    const plain = await raw(url);
    expect(plain.status).toBe(200);
    expect(plain.headers).toMatchObject({
      'content-type': type,
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=60, stale-if-error=86400',
      'content-length': String(Buffer.byteLength(text)),
    });
    expect(plain.body.toString()).toBe(text);
    const packed = await raw(url, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).toString()).toBe(text);
    const etag = String(plain.headers['etag']);
    expect((await raw(url, { 'if-none-match': etag })).status).toBe(304);
    expect((await raw(url, {}, 'HEAD')).body).toHaveLength(0);
  });

  test('of a revision they may be kept for ever', async () => {
    for (const path of ['2026-10.json', '2026-10.tar.gz', '2026-10/bundle/logs/2026/entries/x001/234'])
      expect((await raw(`${site.url}/reports/${path}?revision=2`)).headers['cache-control']).toBe(
        'public, max-age=31536000, immutable',
      );
    expect((await raw(`${site.url}/reports/2026-10.json?revision=7`)).status).toBe(404);
    expect((await raw(`${site.url}/reports/2026-10.json?revision=x`)).status).toBe(404);
  });

  test('an archive that is asked for by its revision is called as the command calls it', async () => {
    const answer = await raw(`${site.url}/reports/2026-10.tar.gz?revision=2`);
    expect(answer.headers['content-disposition']).toBe('attachment; filename="report-2026-10-r2.tar.gz"');
  });

  test('the archive comes through as it is', async () => {
    const answer = await raw(`${site.url}/reports/2026-10.tar.gz`, { 'accept-encoding': 'gzip' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="report-2026-10.tar.gz"',
    });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(gunzipSync(answer.body).toString()).toBe('archive of 2026-10, revision 2');
  });

  test('a file of the bundle comes through packed, and is unpacked for whoever asks so', async () => {
    const url = `${site.url}/reports/2026-10/bundle/logs/2026/entries/x001/234`;
    const packed = await raw(url, { 'accept-encoding': 'gzip' });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', 'access-control-allow-origin': '*' });
    expect(gunzipSync(packed.body).toString()).toBe('entries of 2026-10');
    const plain = await raw(url);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toBe('entries of 2026-10');
  });

  test.each([
    '/reports/2026-10/bundle/../../../v1/snapshot',
    '/reports/2026-10/bundle/%2e%2e/snapshot',
    '/reports/2026-10/bundle/a//b',
    '/reports/2026-10/bundle/.hidden',
    `/reports/2026-10/bundle/${'x'.repeat(500)}`,
    '/reports/2026-10/bundle/missing',
  ])('%s finds nothing, and no other address of the collector', async (path) => {
    const before = site.collector.requests.length;
    // As it stands: a URL would take the dots out.
    const status = await new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(site.url);
      request({ hostname, port, path }, (res) => resolve(res.resume().statusCode ?? 0))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
    const asked = site.collector.requests.slice(before).map((req) => req.url ?? '');
    expect(asked.filter((url) => url.includes('..') || url.includes('%2e'))).toEqual([]);
  });

  test('only what is a file of a report is taken for one', () => {
    expect(reportFileOf('/reports/2026-10.tar.gz')).toEqual({ month: '2026-10', form: 'tar.gz', name: '' });
    expect(reportFileOf('/reports/2026-10/bundle/keys')).toEqual({
      month: '2026-10',
      form: 'bundle',
      name: 'keys',
    });
    for (const path of ['/reports', '/reports/2026-10', '/reports/2026-99.json', '/reports/2026-10.jsonx'])
      expect(reportFileOf(path)).toBeUndefined();
  });
});

describe('without the collector', () => {
  test('after a restart: list, page and forms from the disk; what only it has is 503 with a reason', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'site-reports-'));
    const collector = await stubCollector(oneDown(Date.now()));
    collector.reports = reportsOf([report]);
    const start = async (stop: AbortController) =>
      startSite(
        {
          collectorUrl: collector.url,
          dataDir,
          host: '127.0.0.1',
          port: 0,
          log: silent,
          everyMs: 10,
          reportsEveryMs: 20,
        },
        stop.signal,
      );
    try {
      const stop = new AbortController();
      const first = await start(stop);
      await vi.waitFor(async () => expect((await fetch(`${first.url}/reports/2026-10`)).status).toBe(200));
      stop.abort();
      await first.stopped;
      await collector.kill();

      const again = new AbortController();
      const second = await start(again);
      expect(await (await fetch(`${second.url}/reports`)).text()).toContain('October 2026');
      expect(await (await fetch(`${second.url}/reports/2026-10`)).text()).toContain(
        'Uptime report, October 2026',
      );
      expect(await (await fetch(`${second.url}/reports/2026-10.json`)).text()).toBe(formatReport(report));
      expect((await fetch(`${second.url}/reports/2026-10.csv`)).status).toBe(200);
      for (const path of ['2026-10.tar.gz', '2026-10/bundle/keys']) {
        const answer = await fetch(`${second.url}/reports/${path}`);
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60']);
        expect(await answer.text()).toContain('does not answer at this moment');
      }
      again.abort();
      await second.stopped;
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe('what a collector can say', () => {
  let dataDir: string;
  let collector: StubCollector;
  beforeAll(async () => {
    collector = await stubCollector();
  });
  afterAll(() => collector.kill());

  async function following(
    files: ReadonlyMap<string, StubFile>,
    use: (reports: Reports, dir: string) => Promise<void>,
    keptBytes?: number,
  ): Promise<void> {
    dataDir = await mkdtemp(join(tmpdir(), 'reports-'));
    collector.reports = files;
    const stop = new AbortController();
    const options = { collectorUrl: collector.url, dataDir, log: silent, reportsEveryMs: 10 };
    const reports = await followReports(
      { ...options, ...(keptBytes === undefined ? {} : { keptBytes }) },
      stop.signal,
    );
    try {
      await use(reports, join(dataDir, 'site', 'reports'));
    } finally {
      stop.abort();
      await reports.stopped;
      await rm(dataDir, { recursive: true, force: true });
    }
  }
  /** So many looks at the list have been made since. */
  const looks = async (count: number): Promise<void> => {
    const asked = () => collector.requests.filter((req) => req.url === '/v1/reports').length;
    const end = asked() + count;
    await vi.waitFor(() => expect(asked()).toBeGreaterThanOrEqual(end), { timeout: 10_000 });
  };
  const json = '/v1/reports/2026-10/report.json?revision=2';

  test.each([
    ['no JSON', '<html>'],
    ['not as it is written', JSON.stringify(report)],
    ['of another month', formatReport({ ...report, month: '2026-09' })],
    ['of another revision', formatReport({ ...report, revision: 3 })],
    ['with a field too many', formatReport(report).replace('{', '{ "x": 1,')],
  ])('a report that is %s is not kept', async (_, body) => {
    await following(new Map([...reportsOf([report]), [json, { body }]]), async (reports, dir) => {
      await looks(2);
      expect(reports.held('2026-10')).toBeUndefined();
      expect(await readdir(dir)).not.toContain('2026-10.2.json');
    });
  });

  test('a list that is none changes nothing', async () => {
    await following(reportsOf([report]), async (reports) => {
      await vi.waitFor(() => expect(reports.held('2026-10')).toBeDefined());
      collector.reports = new Map([['/v1/reports', { body: '{"at":1}' }]]);
      await looks(2);
      expect(reports.shown().list?.reports).toHaveLength(1);
    });
  });

  test('what was published stays, also when a collector that was made anew does not know it', async () => {
    await following(reportsOf([report]), async (reports) => {
      await vi.waitFor(() => expect(reports.held('2026-10')).toBeDefined());
      collector.reports = reportsOf([]);
      await looks(2);
      expect(reports.shown().list?.reports.map(({ month }) => month)).toEqual(['2026-10']);
      expect(await reports.shown().read('2026-10')).toEqual(report);
    });
  });

  test('a new revision takes the place of the one before', async () => {
    const first = { ...report, revision: 1 };
    delete first.supersedes;
    await following(reportsOf([first]), async (reports, dir) => {
      await vi.waitFor(() => expect(reports.held('2026-10')?.revision).toBe(1));
      collector.reports = reportsOf([report, first]);
      await vi.waitFor(async () =>
        expect((await readdir(dir)).sort()).toEqual([
          '2026-10.2.csv',
          '2026-10.2.json',
          '2026-10.2.md',
          'list.json',
        ]),
      );
      expect(reports.shown().revisionOf('2026-10')).toBe(2);
    });
  });

  test('what is kept is bounded: the newest are', async () => {
    const months = [report, ...monthsBefore(report, 3)];
    const room = formatReport(report).length * 2 + 1_000;
    await following(
      reportsOf(months),
      async (reports) => {
        await looks(3);
        expect(months.filter(({ month }) => reports.held(month)).map(({ month }) => month)).toEqual([
          '2026-10',
          '2026-09',
        ]);
      },
      room,
    );
  });

  test('a damaged file is told as not there, and half of a report is taken away', async () => {
    await following(reportsOf([report]), async (reports, dir) => {
      await vi.waitFor(() => expect(reports.held('2026-10')).toBeDefined());
      const file = join(dir, '2026-10.2.json');
      await writeFile(file, (await readFile(file, 'utf8')).replace('"up": 44492', '"up": -1'));
      expect(await reports.shown().read('2026-10')).toBeUndefined();
    });
  });

  test('months without number are cut to the newest', async () => {
    const list = listOf([report]);
    const many = Array.from({ length: 400 }, (_, index) => ({
      ...list.reports[0],
      month: `${2000 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`,
    }));
    await following(
      new Map([['/v1/reports', { body: JSON.stringify({ ...list, reports: many }) }]]),
      async (reports) => {
        await vi.waitFor(() => expect(reports.shown().list).toBeDefined());
        const listed = reports.shown().list?.reports ?? [];
        expect([listed.length, listed[0]?.month]).toEqual([240, '2033-04']);
      },
    );
  });

  test('a bundle that unpacks to more than a file may have ends, and not the page', async () => {
    // Members one after the other are one gzip file.
    const bomb = Buffer.concat(Array.from({ length: 300 }, () => mebibyte));
    site.collector.reports = new Map([
      ...reportsOf([report]),
      ['/v1/reports/2026-10/bundle/keys', { body: bomb, headers: { 'content-encoding': 'gzip' } }],
    ]);
    await expect(raw(`${site.url}/reports/2026-10/bundle/keys`)).rejects.toThrow();
    expect((await fetch(`${site.url}/reports`)).status).toBe(200);
  });
});
