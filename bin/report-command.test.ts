/** `highwater report` against a collector that answers by the schemas of wire-reports.ts. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PublishedReport, ReportList } from '@highwater/config/wire-reports.ts';
import { reportCommand } from './commands/report.ts';
import { Exit } from './exit.ts';
import { reportListText } from './report-text.ts';

const root = mkdtempSync(join(tmpdir(), 'highwater-report-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let out = '';
beforeEach(() => void (out = mkdtempSync(join(root, 'out-'))));

const at = Date.UTC(2026, 10, 3);
const published = (revision: number): PublishedReport => ({
  month: '2026-10',
  revision,
  madeAt: at,
  leaf: 'x',
  bytes: 1_234_567,
  files: 9,
  services: [
    {
      id: 'rpc',
      name: 'RPC',
      up: 44_600,
      down: 40,
      unknown: 0,
      stalled: 0,
      degraded: 0,
      maintenance: 0,
      uptime: '99.9103 %',
      coverage: '100.0000 %',
      incomplete: false,
    },
  ],
});
const empty: ReportList = { at, reports: [], drafts: [] };
const making = (doneBytes: number): ReportList => ({
  ...empty,
  making: {
    month: '2026-10',
    revision: 1,
    isDraft: false,
    phase: 'bodies',
    doneBytes,
    allBytes: 10,
    of: 'x',
    since: at,
  },
});

interface Collector {
  /** One after the other; the last one stays. */
  readonly lists: ReportList[];
  readonly post: { readonly status: number; readonly body: unknown };
}

async function run(collector: Collector, ...args: readonly string[]) {
  const asked: string[] = [];
  const lists = [...collector.lists];
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    const path = req.url ?? '';
    if (req.method === 'POST') {
      const parts: Buffer[] = [];
      req.on('data', (part: Buffer) => parts.push(part));
      req.on('end', () => {
        asked.push(`POST ${path} ${Buffer.concat(parts).toString()}`);
        res.writeHead(collector.post.status).end(JSON.stringify(collector.post.body));
      });
    } else if (path === '/v1/reports') {
      res.end(JSON.stringify(lists.length > 1 ? lists.shift() : lists[0]));
    } else {
      asked.push(path);
      res.end(`the bytes of ${path}`);
    }
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const said: string[] = [];
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    await reportCommand()
      .exitOverride()
      .parseAsync([...args, '--collector', url, '--data', root], { from: 'user' });
    return { code: 0, said: said.join(''), err: '', asked };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { code: error.code, said: said.join(''), err: error.message, asked };
  } finally {
    written.mockRestore();
    server.closeAllConnections();
    server.close();
  }
}

const there = (revision: number, isMade = true) => ({
  status: isMade ? 200 : 202,
  body: { result: isMade ? 'there' : 'making', month: '2026-10', revision, at },
});

describe('a report', () => {
  it('that is there is written whole, and again without harm', async () => {
    const collector = { lists: [{ ...empty, reports: [published(1)] }], post: there(1) };
    for (const again of [false, true]) {
      const { code, said, asked } = await run(collector, '2026-10', '--out', out);
      expect(code).toBe(0);
      expect(asked).toEqual([
        'POST /v1/reports/2026-10 {}',
        ...['tar.gz', 'report.json', 'report.md', 'report.csv'].map(
          (file) => `/v1/reports/2026-10/${file}?revision=1`,
        ),
      ]);
      expect(readdirSync(out).toSorted()).toEqual(
        ['csv', 'json', 'md', 'tar.gz'].map((form) => `report-2026-10.${form}`),
      );
      expect(readFileSync(join(out, 'report-2026-10.tar.gz'), 'utf8')).toBe(
        'the bytes of /v1/reports/2026-10/tar.gz?revision=1',
      );
      expect(said).toContain('rpc      99.9103 %  known 100.0000 %  40 min down');
      expect(said).toContain(`verify ${join(out, 'report-2026-10.tar.gz')}`);
      expect(said.includes('was there, the same')).toBe(again);
    }
  });

  it('never writes over another file', async () => {
    const file = join(out, 'report-2026-10.md');
    writeFileSync(file, 'mine');
    const collector = { lists: [{ ...empty, reports: [published(1)] }], post: there(1) };
    const { code, err } = await run(collector, '2026-10', '--out', out);
    expect(code).toBe(1);
    expect(err).toContain(
      'report-2026-10.md: another file has this name, and stays; move it, or give --out DIR',
    );
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(readdirSync(out).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('that has to be made is waited for; a revision has its own names', async () => {
    const lists = [
      { ...empty, reports: [published(1)] },
      { ...making(5), reports: [published(1)] },
      { ...empty, reports: [published(2), published(1)] },
    ];
    const { code, said, asked } = await run(
      { lists, post: there(2, false) },
      '2026-10',
      '--revise',
      '--out',
      out,
    );
    expect(code).toBe(0);
    expect(asked[0]).toBe('POST /v1/reports/2026-10 {"revise":true}');
    expect(said).toContain('report of 2026-10, revision 2');
    expect(existsSync(join(out, 'report-2026-10-r2.tar.gz'))).toBe(true);
  });

  it('a draft is called one, and nothing of it is to be verified', async () => {
    const draft = { month: '2026-10', madeAt: at + 1, until: at + 9, bytes: 1 };
    const lists = [
      { ...empty, drafts: [{ ...draft, madeAt: at - 1 }] },
      { ...empty, drafts: [draft] },
    ];
    const { code, said, asked } = await run(
      { lists, post: there(0, false) },
      '2026-10',
      '--draft',
      '--out',
      out,
    );
    expect(code).toBe(0);
    expect(asked.slice(0, 2)).toEqual([
      'POST /v1/reports/2026-10?draft=1 {}',
      '/v1/reports/2026-10/tar.gz?draft=1',
    ]);
    expect(said).toMatch(/^DRAFT of 2026-10: unsigned, in no log\n/);
    expect(said).toContain('ends with 2: nobody has signed a draft');
    expect(existsSync(join(out, 'report-2026-10-draft.md'))).toBe(true);

    // The next one takes its place: nobody keeps drafts.
    writeFileSync(join(out, 'report-2026-10-draft.md'), 'the one before');
    const again = await run({ lists, post: there(0, false) }, '2026-10', '--draft', '--out', out);
    expect(again.code).toBe(0);
    expect(readFileSync(join(out, 'report-2026-10-draft.md'), 'utf8')).not.toContain('the one before');
  });

  it('that fails is told with its reason, an old failure is not', async () => {
    const failed = (tries: number, because: string) => ({
      ...empty,
      failed: { month: '2026-10', because, tries },
    });
    const lists = [failed(1, 'of before'), failed(1, 'of before'), failed(2, 'the disk is full')];
    const { code, err } = await run({ lists, post: there(1, false) }, '2026-10', '--out', out);
    expect([code, err]).toEqual([1, 'highwater report: 2026-10 can not be made: the disk is full']);
  });

  it('that has not settled is refused with the time, and with what to do', async () => {
    const body = {
      error: 'the report of 2026-10 is made at 2026-11-03T00:00:00Z',
      remedy: 'ask for a draft',
      at,
    };
    const { code, err } = await run({ lists: [empty], post: { status: 409, body } }, '2026-10', '--out', out);
    expect(code).toBe(1);
    expect(err).toContain('the report of 2026-10 is made at 2026-11-03T00:00:00Z; ask for a draft');
    expect(readdirSync(out)).toEqual([]);
  });

  it('has a place to be written to before anything is asked for', async () => {
    writeFileSync(join(out, 'file'), '');
    for (const [typed, says] of [
      [join(out, 'file'), 'it is a file; give a folder'],
      [join(out, 'file', 'inner'), 'a part of that path is a file; give a folder that you may write to'],
    ] as const) {
      const { code, err, asked } = await run({ lists: [empty], post: there(1) }, '2026-10', '--out', typed);
      expect([code, asked]).toEqual([2, []]);
      expect(err).toBe(`highwater report: --out ${typed}: ${says}`);
    }
  });

  it('of a collector whose token is not here says which folder to give', async () => {
    const body = { error: 'this call needs a token', remedy: 'send Authorization: Bearer TOKEN', at };
    const { err } = await run({ lists: [empty], post: { status: 401, body } }, '2026-10', '--out', out);
    expect(err).toContain('this call needs a token; give --data DIR');
    expect(err).not.toContain('Authorization');
  });

  it.each([
    [['2026-13'], '2026-13: not a month'],
    [['2026-10', '--draft', '--revise'], 'give one of them'],
  ])('%j is wrong usage', async (args, says) => {
    const { code, err } = await run({ lists: [empty], post: there(1) }, ...args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });
});

it('the list tells months, what is being made, what failed, drafts, and what is next', async () => {
  const list: ReportList = {
    ...making(5),
    reports: [{ ...published(2), differences: 3 }, published(1)],
    failed: { month: '2026-09', because: 'no\u001b room', tries: 2 },
    drafts: [{ month: '2026-11', madeAt: at, until: at + 86_400_000, bytes: 5 }],
    next: { month: '2026-11', dueAt: Date.UTC(2026, 11, 3) },
  };
  expect(reportListText(list)).toMatchInlineSnapshot(`
    "month    revision  made                     services  bundle
    2026-10  2         2026-11-03 00:00:00 UTC  1         1.2 MB  3 differences to revision 1
    2026-10  1         2026-11-03 00:00:00 UTC  1         1.2 MB
    being made: 2026-10: 50 %, bodies: x
    FAILED: 2026-09, 2 tries: no� room
    draft: 2026-11, made 2026-11-03 00:00:00 UTC, kept until 2026-11-04 00:00:00 UTC
    next: 2026-11, made by itself at 2026-12-03 00:00:00 UTC
    "
  `);
  expect(reportListText(empty)).toBe('no report yet\n');
  const { code, said } = await run({ lists: [list], post: there(1) }, 'list');
  expect([code, said]).toEqual([0, reportListText(list)]);
});
