/** `highwater verify`, on a bundle of a small world: whatever form it comes in, and whatever is wrong with it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkEvidence } from '@highwater/config/bundle/evidence.ts';
import { names } from '@highwater/config/bundle/files.ts';
import { assembleReport, assembledLogs } from '@highwater/config/bundle/testing/assemble.ts';
import { SMALL_ORIGIN, smallKey, smallKeys } from '@highwater/config/bundle/testing/small-config.ts';
import { smallBundle } from '@highwater/config/bundle/testing/small.ts';
import { nodeChecker } from '@highwater/config/node-checker.ts';
import { anchorLine } from '@highwater/config/report/anchor.ts';
import { renderCsv } from '@highwater/config/report/csv.ts';
import { renderMarkdown } from '@highwater/config/report/markdown.ts';
import { renderReadme } from '@highwater/config/report/readme.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { verifyCommand } from './commands/verify.ts';
import { Exit } from './exit.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const dir = mkdtempSync(join(tmpdir(), 'highwater-verify-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const folder = join(dir, 'report-2026-10');
const archive = join(dir, 'report-2026-10.tar');
const files = new Map<string, Uint8Array>();
let anchor = '';

beforeAll(async () => {
  const { files: evidence, assembly, range: minutes } = smallBundle();
  const read = (name: string) => Promise.resolve(evidence.get(name));
  const { counted, logged, trust, problems } = await checkEvidence({ read }, nodeChecker());
  // Else what is checked below is no good bundle.
  expect(problems.filter(({ kind }) => kind === 'mismatch')).toEqual([]);
  const report: Report = {
    version: 1,
    rule: 'rule/v1',
    month: '2026-10',
    revision: 1,
    minutes: { first: minutes.first, last: minutes.last },
    origin: SMALL_ORIGIN,
    operatorKey: trust.operatorKey,
    witnesses: { signed: trust.witnesses.signed.length, all: trust.witnesses.all },
    logs: assembledLogs(assembly),
    counted,
    logged,
    told: {
      site: { name: 'Example', url: 'https://status.example.com' },
      operator: 'Example',
      madeAt: 0,
      services: [],
      incidents: [],
      before: [],
    },
  };
  anchor = anchorLine(report);
  const documents = {
    markdown: renderMarkdown(report),
    csv: renderCsv(report),
    readme: renderReadme(report),
  };
  for (const [name, bytes] of [...evidence, ...assembleReport(assembly, report, documents)]) {
    files.set(name, bytes);
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  const inOrder = [...files.keys()].map((name) => `report-2026-10/${name}`);
  execFileSync('tar', ['-cf', archive, '-T', '-'], { cwd: dir, input: inOrder.join('\n') });
  writeFileSync(`${archive}.gz`, gzipSync(readFileSync(archive)));
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function verify(...args: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out.push(String(text));
    return true;
  });
  const before = process.exitCode;
  try {
    await verifyCommand()
      .exitOverride()
      .parseAsync([...args], { from: 'user' });
    return { code: Number(process.exitCode), out: out.join(''), err: '' };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { code: error.code, out: out.join(''), err: error.message };
  } finally {
    process.exitCode = before;
    written.mockRestore();
  }
}

const good = /^THE REPORT AGREES WITH ITS EVIDENCE\n/;

describe('a good bundle', () => {
  it.each([
    ['a folder', () => folder],
    ['what it was unpacked into', unpacked],
    ['.tar', () => archive],
    ['.tar.gz', () => `${archive}.gz`],
  ])('%s', async (_, path) => {
    const { code, out, err } = await verify(path());
    expect({ err, code }).toEqual({ err: '', code: 0 });
    expect(out).toMatch(good);
    expect(out).toContain('BELIEVED UNSEEN: the keys are those that the bundle itself names');
    expect(out).toMatch(/This does not prove:\n/);
    expect(out).toMatch(/\n {2}rpc {2}\d+\.\d{4} %|\n {2}web {2}/);
  });

  it('with the key, the policy and the anchor of the reader says so', async () => {
    const policy = join(dir, 'policy');
    writeFileSync(policy, files.get(names.policy) ?? '');
    writeFileSync(join(dir, 'anchors'), `# from a proposal\n${anchor}\n`);
    const known = ['--key', smallKeys.operator.vkey, '--policy', policy];
    for (const given of [anchor, join(dir, 'anchors')]) {
      const { code, out } = await verify(folder, ...known, '--anchor', given);
      expect(code).toBe(0);
      expect(out).not.toContain('BELIEVED UNSEEN');
      expect(out).toContain('the one that you gave');
      expect(out).toContain(`Anchor: ${anchor.replace('highwater ', '')} agrees.`);
    }
  });

  it('of one service says what was not checked, whatever id of it was given', async () => {
    for (const id of ['web', 'rpc/a']) {
      const { code, out } = await verify(`${archive}.gz`, '--monitor', id);
      expect(code).toBe(0);
      expect(out).toContain(`The figures of other services than ${id.split('/')[0] ?? ''}`);
    }
  });

  it('as JSON', async () => {
    const { code, out } = await verify(folder, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ verdict: 'good', problems: [], range: { month: '2026-10' } });
  });

  it('at its page is streamed whole, and file by file for one service', async () => {
    const asked: string[] = [];
    const server = createServer((req, res) => {
      const path = req.url ?? '';
      asked.push(path);
      const file = files.get(path.replace('/reports/2026-10/bundle/', ''));
      if (path === '/reports.json') res.end(JSON.stringify({ reports: [{ month: '2026-10' }] }));
      else if (path === '/reports/2026-10.tar.gz') res.end(readFileSync(`${archive}.gz`));
      else if (file === undefined) res.writeHead(404).end();
      else res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(file));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect((await verify(`${site}/reports/2026-10`)).out).toMatch(good);
      expect(asked).toEqual(['/reports/2026-10.tar.gz']);
      asked.length = 0;
      expect((await verify(site, '--monitor', 'web')).out).toMatch(good);
      expect(asked).not.toContain('/reports/2026-10.tar.gz');
      const bodies = asked.filter((path) => path.includes('/bodies/'));
      expect(bodies.length).toBeGreaterThan(0);
      expect(bodies.filter((path) => !path.includes('/web/'))).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

function unpacked(): string {
  mkdirSync(join(dir, 'unpacked'), { recursive: true });
  execFileSync('tar', ['-xf', archive, '-C', join(dir, 'unpacked')]);
  return join(dir, 'unpacked');
}

describe('a bundle with something wrong', () => {
  const bodies = () => [...files.keys()].find((name) => name.startsWith('bodies/')) ?? '';
  it.each<[string, number, (file: () => string) => [name: string, bytes: Uint8Array | undefined]]>([
    [
      'an observation that was changed',
      1,
      (file) => [file(), Uint8Array.from(files.get(file()) ?? [], (byte, i) => (i === 40 ? byte ^ 1 : byte))],
    ],
    ['observations that are gone', 2, (file) => [file(), undefined]],
    ['no report', 2, () => [names.report, undefined]],
    ['another README', 1, () => [names.readme, new TextEncoder().encode('believe me\n')]],
  ])('%s', async (_, code, change) => {
    const [name, bytes] = change(bodies);
    if (bytes === undefined) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), bytes);
    try {
      const ended = await verify(folder);
      expect(ended.code).toBe(code);
      expect(ended.out).toContain(`${code === 1 ? 'mismatch' : 'incomplete'}: ${name}: `);
    } finally {
      writeFileSync(join(folder, name), files.get(name) ?? '');
    }
  });

  it('an archive that is cut, also behind the last file', async () => {
    const whole = readFileSync(`${archive}.gz`);
    for (const length of [whole.length - 4, Math.floor(whole.length / 2)]) {
      writeFileSync(join(dir, 'cut.tar.gz'), whole.subarray(0, length));
      const { code, out } = await verify(join(dir, 'cut.tar.gz'));
      expect(code).toBe(2);
      expect(out).toContain('the archive can not be read (unexpected end of file); fetch it again');
    }
  });

  it('a key, or a state of the log, that is another one than the reader knows', async () => {
    const other = smallKey(SMALL_ORIGIN, 'another seed').vkey;
    const ofOther = await verify(folder, '--key', other);
    expect(ofOther.code).toBe(1);
    expect(ofOther.out).toMatch(/^IT IS SIGNED BY ANOTHER KEY THAN YOURS\n/);
    expect(ofOther.out).toContain(smallKeys.operator.vkey);
    expect(ofOther.out).toContain(other);
    const [, origin, size, root = ''] = anchor.split(' ');
    const forged = `${origin ?? ''} ${size ?? ''} ${'A'.repeat(root.length - 1)}=`;
    expect(await verify(folder, '--anchor', forged)).toMatchObject({ code: 1 });
  });
});

const LOG_KEY = smallKey(`${SMALL_ORIGIN}/2026`, 'a log').vkey;

it.each<[string, string | Uint8Array, string]>([
  ['hello.txt', 'hello\n', 'this is no bundle: it begins with "hello"'],
  ['empty.tar.gz', '', 'this is no bundle: it is empty'],
  ['packed.tar.gz', gzipSync('hello'), 'this is no bundle: it begins with "hello"'],
  ['saved.html', '<!DOCTYPE html><title>x</title>', 'this is no bundle: it is a web page that was saved'],
  ['report.json', '{"version":1}', 'this is no bundle: it begins as JSON does'],
  [
    'a.png',
    Buffer.from('89504e470d0a1a0a', 'hex'),
    'this is no bundle: it begins with the bytes 89 50 4e 47',
  ],
])('%s is no bundle, and nothing is missing of it', async (name, bytes, says) => {
  writeFileSync(join(dir, name), bytes);
  const { code, out, err } = await verify(join(dir, name));
  expect({ code, out }).toEqual({ code: 3, out: '' });
  expect(err).toContain(says);
});

it('an archive of something else is no bundle, and one that was packed again is told what to do', async () => {
  const packed = (name: string, ...inside: readonly string[]): string => {
    execFileSync('tar', ['-cf', join(dir, name), ...inside], { cwd: dir });
    return join(dir, name);
  };
  writeFileSync(join(dir, 'photo'), 'x');
  const other = await verify(packed('other.tar', 'photo'));
  expect([other.code, other.out]).toEqual([3, '']);
  expect(other.err).toContain('this is no bundle: it is an archive that begins with photo');
  const again = await verify(packed('again.tar', 'report-2026-10/keys', 'report-2026-10/range'));
  expect([again.code, again.out]).toEqual([3, '']);
  expect(again.err).toContain('it was packed again in another order; unpack it and verify the folder');
  const lacking = await verify(
    packed('lacking.tar', 'report-2026-10/keys', 'report-2026-10/policy'),
    '--json',
  );
  expect(lacking.code).toBe(2);
  expect(JSON.parse(lacking.out)).toMatchObject({ problems: [{ kind: 'incomplete', file: 'range' }] });
  expect(lacking.out).not.toContain('1970-01');
});

it.each<[readonly string[], string]>([
  [['/nowhere.tar.gz'], '/nowhere.tar.gz: there is no such file; write a bundle'],
  [[tmpdir()], 'this folder is no bundle'],
  [['FOLDER', '--key', LOG_KEY], `is the key of a log; the operator's is named ${SMALL_ORIGIN}`],
  [['FOLDER', '--monitor', 'web', '--monitor', 'rpc'], '--monitor is given twice (web, rpc); give one'],
  [['FOLDER', '--key', 'a', '--key', 'b'], '--key is given twice (a, b); give one'],
  [['status.example.com'], 'if it is a status page, write https://status.example.com'],
  [['FOLDER', '--key', 'mine'], '--key: not a verifier key'],
  [['FOLDER', '--policy', '/nowhere'], '--policy /nowhere: cannot be read'],
  [['FOLDER', '--anchor', '/nowhere'], '--anchor /nowhere: neither ORIGIN/YEAR SIZE ROOT nor a file'],
  [['FOLDER', '--anchor', 'a b'], '--anchor a b: it is not: ORIGIN/YEAR SIZE ROOT'],
  [['FOLDER', '--monitor', 'A b'], '--monitor A b: write a service'],
  [
    ['FOLDER', '--monitor', 'wbe'],
    '--monitor wbe: the report has no such service, node or monitor; did you mean web? its services are rpc, web',
  ],
  [['FOLDER', '--monitor', 'inner'], '--monitor inner: the report has no such service'],
])('%j is wrong usage, and says what to write', async (args, says) => {
  const { code, err } = await verify(...args.map((arg) => (arg === 'FOLDER' ? folder : arg)));
  expect(err).toContain(says);
  expect(err).toMatch(/^highwater verify: /);
  expect(code).toBe(3);
});
