/** What the overview costs to serve, against a bare node:http server that sends the same bytes from memory. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startRole } from '../e2e/process.ts';
import { allUp } from '../fixtures/snapshots.ts';
import { interleaved, median, rounded, type Bench } from './bench.ts';

const run = promisify(execFile);
const runs = 5;
const seconds = 3;

interface Load {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** wrk on CPU 1, 64 connections; the servers are pinned to CPU 0. */
async function load(url: string): Promise<Load> {
  const { stdout } = await run('taskset', [
    '-c',
    '1',
    'wrk',
    '-t1',
    '-c64',
    `-d${seconds}s`,
    '--latency',
    url,
  ]).catch((cause: unknown) => {
    throw new Error('this bench needs wrk and taskset: apt-get install wrk util-linux', { cause });
  });
  const perSecond = Number(/Requests\/sec: +([\d.]+)/.exec(stdout)?.[1]);
  const [, p99, unit] = /99% +([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const inMs = { us: 0.001, ms: 1, s: 1_000 }[unit ?? ''] ?? Number.NaN;
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not every answer was good:\n${stdout}`);
  return { requestsPerSecond: perSecond, p99Ms: Number(p99) * inMs };
}

/** The least that Node can do: the same bytes and headers, ready in memory. */
async function startBare(bytes: Buffer): Promise<{ url: string; child: ChildProcess }> {
  const code = `
    const chunks = []; process.stdin.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks);
      const headers = { 'content-type': 'text/html', 'content-length': body.length };
      const server = require('node:http').createServer((_, answer) => answer.writeHead(200, headers).end(body));
      server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    });`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(bytes);
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${port.toString().trim()}/`, child };
}

async function pin(child: ChildProcess): Promise<void> {
  await run('taskset', ['-a', '-c', '-p', '0', String(child.pid)]);
}

export const bench: Bench = async function* (only) {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-bench-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const collector = createServer((_, answer) =>
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(allUp(Date.now()))),
  );
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  stack.defer(() => void collector.close());
  const at = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const site = stack.use(await startRole(['site', '--collector', at, '--data', dir, '--port', '0']));
  const bytes = Buffer.from(await (await fetch(site.url)).arrayBuffer());
  const bare = await startBare(bytes);
  stack.defer(() => void bare.child.kill());
  await pin(site.child);
  await pin(bare.child);

  const ours: Load[] = [];
  const theirs: Load[] = [];
  const both = await interleaved(
    runs,
    async () => (ours.push(await load(site.url)), ours.at(-1)?.requestsPerSecond ?? 0),
    async () => (theirs.push(await load(bare.url)), theirs.at(-1)?.requestsPerSecond ?? 0),
  );
  const against = 'bare node:http, same bytes';
  if (only === undefined || only === 'requests-per-second') {
    yield { bench: 'page', case: 'requests-per-second', against, ...both, unit: 'requests/s on one core' };
  }
  if (only === undefined || only === 'p99-ms') {
    const value = median(ours.map(({ p99Ms }) => p99Ms));
    const ratio = rounded(value / median(theirs.map(({ p99Ms }) => p99Ms)));
    yield {
      bench: 'page',
      case: 'p99-ms',
      against,
      ratio,
      value: rounded(value),
      unit: 'ms at 64 connections',
      runs,
    };
  }
};
