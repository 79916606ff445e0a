import { createServer, request as httpRequest, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { highwater, startAnvil, startRole, until, type Process } from './process.ts';

/** What can be wrong with a node, each its own fault, told in a sentence by `check` and by `why`. */
interface Checked {
  readonly outcome: string;
  readonly fault?: string | { readonly id: string };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Stands before a real node and changes its answers. */
function changing(nodeUrl: string, change: (answer: Record<string, unknown>) => unknown): Server {
  const { hostname, port } = new URL(nodeUrl);
  return createServer((incoming, answer) => {
    const onward = httpRequest({
      hostname,
      port,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    onward.on('response', (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () => {
        const parsed = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
        answer.setHeader('content-type', 'application/json');
        answer.end(JSON.stringify(change(parsed)));
      });
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
}

describe('each fault has a name, a sentence and something to look at', () => {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-faults-'));
  const servers: Server[] = [];
  const nodes: Process[] = [];
  const urls: Record<string, string> = {};
  const config = join(dir, 'hw.yaml');

  const node = async (options: Parameters<typeof startAnvil>[0] = {}) => {
    const started = await startAnvil(options);
    nodes.push(started);
    return started;
  };
  const before = async (nodeUrl: string, change: (answer: Record<string, unknown>) => unknown) => {
    const server = changing(nodeUrl, change);
    servers.push(server);
    return listen(server);
  };

  beforeAll(async () => {
    const good = (await node()).url;
    urls['good'] = good;
    urls['otherchain'] = (await node({ chainId: 1 })).url;
    // Its only block is the genesis, made an hour ago.
    const anHourAgo = Math.floor(Date.now() / 1_000) - 3_600;
    urls['stopped'] = (await node({ blocks: ['--no-mining', '--timestamp', String(anHourAgo)] })).url;
    urls['error'] = await before(good, ({ id }) => ({
      jsonrpc: '2.0',
      id,
      error: { code: -32000, message: 'header not found' },
    }));
    urls['otherid'] = await before(good, (answer) => ({ ...answer, id: 'somebody-else' }));
    const closed = createServer();
    urls['refused'] = await listen(closed);
    closed.close();
    urls['name'] = 'http://no-such-name.invalid';
    const hung = await node();
    hung.signal('SIGSTOP');
    urls['hung'] = hung.url;
    const services = Object.entries(urls).map(
      ([id, url]) =>
        `  - { id: ${id}, name: ${id}, chain: devnet, nodes: [ { id: main, zone: z, url: "${url}", allowPrivate: true } ], ` +
        `checks: [ { kind: head, every: 5s, timeout: 1s }, { kind: jsonrpc, every: 5s, timeout: 1s, methods: [ { method: eth_blockNumber } ] } ] }`,
    );
    writeFileSync(
      config,
      `site: { name: Faults, url: "http://localhost:3000" }
chains: { devnet: { family: evm, chainId: 31337, blockTime: 1s, maxLag: 5, maxAge: 10s } }
services:
${services.join('\n')}
`,
    );
  }, 60_000);
  afterAll(async () => {
    for (const server of servers) server.close();
    for (const started of nodes) await started[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each([
    ['good', 'head', '-', 'up'],
    ['otherchain', 'head', 'target.head.chain', 'chain id'],
    ['stopped', 'head', 'target.head.old', 'newest block is older'],
    ['error', 'jsonrpc', 'target.rpc.error', 'header not found'],
    ['otherid', 'jsonrpc', 'target.rpc.id', 'another id'],
    ['refused', 'head', 'target.connect.refused', 'nothing listens'],
    ['name', 'head', 'resolver.resolve.', 'name'],
    ['hung', 'head', 'target.http.timeout', 'did not come before the deadline'],
  ])(
    '%s: %s is told as %s',
    async (service, check, fault, sentence) => {
      const args = ['check', `${service}/main/${check}`, '--config', config, '--data', join(dir, 'data')];
      const told = await highwater(args);
      expect(told.code, told.stderr).toBe(fault === '-' ? 0 : 1);
      expect(told.stdout).toContain(sentence);
      const machine = await highwater([...args, '--json']);
      const facts = JSON.parse(machine.stdout) as Checked;
      if (fault === '-') return expect(facts.outcome).toBe('ok');
      expect(JSON.stringify(facts)).toContain(fault.endsWith('.') ? 'resolver' : fault.split('.').at(-1));
      expect(told.stdout).toContain(fault);
      expect(told.stdout).toContain('Look at');
    },
    30_000,
  );

  it('a node far ahead is the cause of its verdict, and moves nothing else', async () => {
    const good = urls['good'] ?? '';
    const ahead = await before(good, (answer) => {
      const block = answer['result'];
      if (typeof block !== 'object' || block === null || !('number' in block)) return answer;
      const number = Number(block.number);
      return number === 0
        ? answer
        : { ...answer, result: { ...block, number: `0x${(number + 1_000).toString(16)}` } };
    });
    const file = join(dir, 'ahead.yaml');
    const data = join(dir, 'ahead');
    const made = await highwater(['probe', 'keygen', '--id', 'eu-1', '--data', data]);
    const key = made.stdout.trimEnd().split('\n').at(-1) ?? '';
    const list = [good, good, ahead].map(
      (url, i) => `{ id: n${i}, zone: z${i}, url: "${url}", allowPrivate: true }`,
    );
    writeFileSync(
      file,
      `site: { name: Ahead, url: "http://localhost:3000" }
regions: [ { id: eu, name: Europe } ]
probes: [ { id: eu-1, region: eu, key: "${key}" } ]
chains: { devnet: { family: evm, chainId: 31337, blockTime: 1s, maxLag: 5, maxAge: 10s } }
services:
  - id: rpc
    name: RPC
    chain: devnet
    nodes: [ ${list.join(', ')} ]
    checks: [ { kind: head, every: 1s, timeout: 500ms } ]
`,
    );
    const collector = await startRole(['collector', '--config', file, '--data', data, '--port', '0']);
    const probe = await startRole([
      ...['probe', '--id', 'eu-1', '--data', data, '--collector', collector.url, '--port', '0'],
      ...['--allow-private', 'config'],
    ]);
    try {
      const env = { HIGHWATER_COLLECTOR: collector.url, HIGHWATER_DATA: data, HIGHWATER_CONFIG: file };
      await until('the node is said to be ahead', 20_000, async () => {
        const { stdout } = await highwater(['status'], env);
        return /n2.*degraded/i.test(stdout) && /ahead/.test(stdout);
      });
      const { stdout } = await highwater(['why', 'rpc/n2/head'], env);
      expect(stdout).toMatch(/its node rpc\/n2 is degraded, because .*blocks ahead of/);
      expect(stdout).toMatch(/this node is (999|1000|1001) \(\d+ s\) ahead/);
      expect(stdout).toContain('Look at');
      const status = await highwater(['status', '--json'], env);
      const { nodes: judged, heads } = JSON.parse(status.stdout) as {
        nodes: { subject: string; status: string }[];
        heads: { height: number }[];
      };
      expect(Object.fromEntries(judged.map(({ subject, status: word }) => [subject, word]))).toEqual({
        'rpc/n0': 'up',
        'rpc/n1': 'up',
        'rpc/n2': 'degraded',
      });
      expect(heads).toHaveLength(1);
      expect(heads[0]?.height).toBeLessThan(1_000);
    } finally {
      await probe[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
    }
  }, 60_000);
});
