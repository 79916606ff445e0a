/** A bundle at the page: by real sockets, with whatever a page may answer. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { names } from '@highwater/config/bundle/files.ts';
import { formatRange } from '@highwater/config/bundle/range.ts';
import { Exit } from './exit.ts';
import { httpArchive, newestReport, reportPlace } from './http-archive.ts';
import { type HttpFiles, httpFiles } from './http-files.ts';

interface Page {
  readonly site: string;
  readonly files: HttpFiles;
  /** Paths behind `/bundle/` in the order in which they came. */
  readonly asked: string[];
}

async function page(listener: RequestListener, work: (page: Page) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push((req.url ?? '').replace('/reports/2026-10/bundle/', ''));
    listener(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const files = httpFiles(`${site}/reports/2026-10`, { deadlineMs: 30_000, pauseMs: 1 });
  try {
    await work({ site, files, asked });
  } finally {
    files.close();
    server.closeAllConnections();
    server.close();
  }
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
const day = (date: string) => Date.parse(date) / 86_400_000;

it('gives a file as it is and as gzip, counts it decoded, and has none where there is none', async () => {
  const listener: RequestListener = (req, res) => {
    if (req.url === '/reports/2026-10/bundle/keys') res.end('plain');
    else if (req.url === '/reports/2026-10/bundle/policy')
      res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'.repeat(1_000)));
    else res.writeHead(req.url?.endsWith('.note') ? 410 : 404).end('nothing');
  };
  await page(listener, async ({ files }) => {
    expect(text(await files.read(names.keys, 10))).toBe('plain');
    expect(text(await files.read(names.policy, 1_000))).toBe('a'.repeat(1_000));
    expect(files.bytes()).toBe(1_005);
    expect(await files.read(names.report, 10)).toBeUndefined();
    expect(await files.read(names.note, 10)).toBeUndefined();
    await expect(files.read('../keys', 10)).rejects.toThrow('this is no file of a bundle');
  });
});

it('stops at the bytes that are allowed, also when they were packed well', async () => {
  const packed = gzipSync(Buffer.alloc(50_000_000));
  const listener: RequestListener = (_, res) => {
    res.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
  };
  await page(listener, async ({ files, asked }) => {
    await expect(files.read(names.keys, 1_000)).rejects.toMatchObject({
      name: 'BundleError',
      file: names.keys,
      message: 'it has over 1000 bytes',
    });
    expect(files.bytes()).toBeLessThan(5_000_000);
    expect(asked).toEqual([names.keys]);
  });
});

it.each<[string, RequestListener, string, number]>([
  [
    'a redirect',
    (_, res) => res.writeHead(302, { location: 'https://else.example/x\u00e9' }).end(),
    'it leads elsewhere (302, to https://else.example/x?), which is not followed',
    1,
  ],
  ['a refusal', (_, res) => res.writeHead(403).end(), 'it is refused (403)', 1],
  [
    'a page',
    (_, res) => res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>'),
    'a page came in its place; is this a report of Highwater?',
    1,
  ],
  ['a fault', (_, res) => res.writeHead(502).end(), 'it can not be fetched (it answers 502)', 3],
  ['an end', (req) => req.socket.destroy(), 'it can not be fetched (UND_ERR_SOCKET)', 3],
  [
    'half an answer',
    (req, res) => res.writeHead(200, { 'content-length': '10' }).write('12345', () => req.socket.destroy()),
    'it can not be fetched (UND_ERR_SOCKET)',
    3,
  ],
  ['too many requests', (_, res) => res.writeHead(429).end(), 'it can not be fetched (it answers 429)', 3],
])('%s is told, and asked again where that may help', async (_, listener, says, times) => {
  await page(listener, async ({ files, asked }) => {
    await expect(files.read(names.keys, 1_000)).rejects.toMatchObject({ file: names.keys, message: says });
    expect(asked).toHaveLength(times);
  });
});

it('a fault that passes is got over', async () => {
  let count = 0;
  const listener: RequestListener = (_, res) => {
    count += 1;
    if (count === 1) res.writeHead(503).end();
    else res.end('there');
  };
  await page(listener, async ({ files }) => expect(text(await files.read(names.keys, 10))).toBe('there'));
});

it('an answer that does not come is given up', async () => {
  const listener: RequestListener = () => undefined;
  await page(listener, async ({ site }) => {
    const files = httpFiles(`${site}/reports/2026-10`, { deadlineMs: 20, pauseMs: 1 });
    await expect(files.read(names.keys, 10)).rejects.toThrow(
      'it can not be fetched (not there within 0.02 s)',
    );
  });
});

it('asks ahead for entries as the range tells, and for bodies as the day before had them', async () => {
  const range = formatRange({
    month: '2026-10',
    origin: 'status.example.com/log',
    trees: [
      { year: 2026, start: 300, size: 800 },
      { year: 2027, start: 0, size: 10 },
    ],
    leaves: [],
    before: [],
  });
  const listener: RequestListener = (req, res) => {
    if (req.url?.endsWith('/range')) res.end(range);
    else if (req.url?.endsWith('/web/001')) res.writeHead(404).end();
    else res.end((req.url ?? '').replace('/reports/2026-10/bundle/', ''));
  };
  const entries = [1, 2, 3].map((tile) => names.entries(2026, tile));
  const last = names.entries(2027, 0);
  const [first, second] = [day('2026-10-01'), day('2026-10-02')];
  await page(listener, async ({ files, asked }) => {
    await files.read(names.range, 1_000);
    expect(asked).toEqual([names.range]);
    await files.read(names.frontier(2026), 100);
    // Asked for in any order, each once.
    for (const name of [...entries, last]) expect(text(await files.read(name, 100))).toBe(name);
    expect(asked.toSorted()).toEqual([names.range, names.frontier(2026), ...entries, last].toSorted());
    asked.length = 0;
    for (const name of ['chain.x', 'web']) await files.read(names.bodies(first, name, 0), 100);
    await files.read(names.bodies(first, 'web', 1), 100);
    expect(asked).toHaveLength(3);
    expect(text(await files.read(names.bodies(second, 'chain.x', 0), 100))).toBe(
      names.bodies(second, 'chain.x', 0),
    );
    expect(text(await files.read(names.bodies(second, 'web', 0), 100))).toBe(names.bodies(second, 'web', 0));
    // Nothing that was not there the day before, and nothing twice.
    expect(asked).not.toContain(names.bodies(second, 'web', 1));
    expect(new Set(asked).size).toBe(asked.length);
  });
});

it.each<[string, ReturnType<typeof reportPlace>]>([
  ['https://s.example/reports/2026-10', { report: 'https://s.example/reports/2026-10' }],
  ['https://s.example/reports/2026-10/', { report: 'https://s.example/reports/2026-10' }],
  ['https://s.example/x/reports/2026-10.tar.gz?a#b', { report: 'https://s.example/x/reports/2026-10' }],
  ['HTTP://s.example:81/reports/2026-10.json', { report: 'http://s.example:81/reports/2026-10' }],
  ['https://s.example/reports/2026-13', { site: 'https://s.example/reports/2026-13' }],
  ['https://s.example', { site: 'https://s.example' }],
  ['https://s.example/', { site: 'https://s.example' }],
  ['https://s.example/verify', { site: 'https://s.example' }],
  ['https://s.example/reports', { site: 'https://s.example' }],
  ['report-2026-10.tar.gz', undefined],
  ['ftp://s.example/reports/2026-10', undefined],
])('%s means %j', (typed, place) => {
  expect(reportPlace(typed)).toEqual(place);
});

it('the newest report of a site is that of the list; where there is none it is told what to write', async () => {
  let [status, body] = [
    200,
    JSON.stringify({ reports: [{ month: '2026-09' }, { month: '2026-10' }, { month: 'x' }] }),
  ];
  await page(
    (_, res) => res.writeHead(status).end(body),
    async ({ site }) => {
      expect(await newestReport(site, 2)).toBe(`${site}/reports/2026-10`);
      const refused = async (says: string) =>
        expect(newestReport(site, 2)).rejects.toThrow(
          new Exit(
            2,
            `highwater verify: ${site}/reports.json ${says}; write which report: ${site}/reports/YYYY-MM`,
          ),
        );
      [status, body] = [404, 'no'];
      await refused('does not tell which reports there are (404)');
      [status, body] = [200, '<html>'];
      await refused('is no list of reports');
      body = '{"reports":[]}';
      await refused('has no report yet');
    },
  );
});

it('an archive comes as it is, and what keeps it from coming is told', async () => {
  const listener: RequestListener = (req, res) => {
    if (req.url === '/reports/2026-10.tar.gz') res.end('archive');
    else if (req.url === '/reports/2026-11.tar.gz') res.writeHead(302, { location: '/x' }).end();
    else if (req.url === '/reports/2026-12.tar.gz') res.writeHead(200).write('begins');
    else res.writeHead(404).end();
  };
  await page(listener, async ({ site }) => {
    const archive = await httpArchive(`${site}/reports/2026-10`, 2);
    expect(Buffer.concat(await archive.toArray()).toString()).toBe('archive');
    await expect(httpArchive(`${site}/reports/2026-11`, 2)).rejects.toThrow('leads elsewhere (302, to /x)');
    await expect(httpArchive(`${site}/reports/2026-09`, 2)).rejects.toThrow(
      'is not there; is the month right?',
    );
    const stuck = await httpArchive(`${site}/reports/2026-12`, 2, 30);
    await expect(stuck.toArray()).rejects.toThrow('nothing came for 0.03 s');
  });
});
