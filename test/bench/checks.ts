/**
 * CPU of one whole check (fresh connection, phases, caps, observation, line) against a bare undici Client that
 * asks the same. 64 in flight; the target is another process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { formatLine } from '@highwater/config/proof/line.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { Client } from 'undici';
import { checks } from '../../probe/src/checks/index.ts';
import { parseConsent } from '../../probe/src/io/reach.ts';
import { makeResolve } from '../../probe/src/io/resolve.ts';
import { observe, prepare, type House } from '../../probe/src/observe.ts';
import { secretShelf } from '../../probe/src/secrets.ts';
import { cpuMicroseconds, interleaved, type Bench } from './bench.ts';

const runs = 5;
const checksPerRun = 4_000;
const inFlight = 64;

/** Answers GET with `ok` and any POST with a JSON-RPC result that carries the id asked for. */
async function startTarget(): Promise<{ url: string } & Disposable> {
  const code = `
    const server = require('node:http').createServer((request, answer) => {
      if (request.method === 'GET') return answer.end('ok');
      let body = ''; request.on('data', (chunk) => (body += chunk)).on('end', () =>
        answer.end(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: '0x10' })));
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: `http://127.0.0.1:${port.toString().trim()}`,
    [Symbol.dispose]: () => void child.kill(),
  };
}

/** Microseconds of CPU per call. */
async function perCall(call: () => Promise<void>): Promise<number> {
  let left = checksPerRun;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  const total = await cpuMicroseconds(async () => {
    await Promise.all(Array.from({ length: inFlight }, worker));
  });
  return total / checksPerRun;
}

function ourCheck(kind: string, settings: unknown, url: string): () => Promise<void> {
  const monitor: AssignedMonitor = {
    id: `bench/node/${kind}`,
    kind,
    settings,
    target: { url, headers: {}, allowPrivate: true },
    intervalMs: 10_000,
    timeoutMs: 5_000,
    recheckAfterMs: 1_000,
    fall: 2,
  };
  const house: House = {
    outside: {
      resolve: makeResolve(),
      consent: parseConsent(['127.0.0.0/8']),
      userAgent: 'bench',
      monotonic: () => performance.now(),
    },
    secrets: secretShelf('.'),
    now: () => Date.now(),
    clockBoundMs: () => 0,
    broke: (_, thrown) => {
      throw thrown;
    },
  };
  const prepared = prepare(monitor, [], checks);
  const ending = new AbortController().signal;
  return async () => {
    const { observation } = await observe(prepared, { dueAt: Date.now(), recheck: false }, house, ending);
    if (observation.outcome !== 'ok') throw new Error(formatLine(observation));
    formatLine(observation);
  };
}

function bareRequest(url: string, body?: string): () => Promise<void> {
  return async () => {
    const client = new Client(url);
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await client.request({
      path: '/',
      method: body === undefined ? 'GET' : 'POST',
      headers,
      body: body ?? null,
    });
    await answer.body.text();
    await client.destroy();
  };
}

export const bench: Bench = async function* (only) {
  using target = await startTarget();
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] });
  const cases = {
    http: [ourCheck('http', {}, target.url), bareRequest(target.url)],
    jsonrpc: [
      ourCheck('jsonrpc', { methods: [{ method: 'eth_blockNumber' }] }, target.url),
      bareRequest(target.url, call),
    ],
  } as const;
  for (const [name, [ours, theirs]] of Object.entries(cases)) {
    if (only !== undefined && only !== name) continue;
    const figures = await interleaved(
      runs,
      () => perCall(ours),
      () => perCall(theirs),
    );
    yield {
      bench: 'checks',
      case: name,
      against: 'bare undici Client',
      ...figures,
      unit: 'us CPU per check',
    };
  }
};
