/** The lines by which a person repeats a check, run as they are printed, by a shell and the real tools. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInChains } from '@highwater/config/built-in-chains.ts';
import type { Chain, Target } from '@highwater/config/model.ts';
import { checks } from '../../probe/src/checks/index.ts';
import { printfWords } from '../../probe/src/repeat-socket.ts';
import { makeCertificates } from '../../probe/testing/certificates.ts';
import { goodEvm, serveRpc } from '../../probe/testing/rpc.ts';
import { serveHttp, serveHttps, serveTcp } from '../../probe/testing/servers.ts';
import { missing, startNamed } from '../fixtures/name-servers.ts';

const run = promisify(execFile);

const has = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
const absent = ['curl', 'openssl', 'dig', 'nc'].filter((tool) => !has(tool));
if (absent.length > 0) {
  const said = `${absent.join(', ')} not installed: apt-get install curl openssl dnsutils netcat-openbsd`;
  if (process.env['CI'] === 'true') throw new Error(said);
  console.warn(`${said}; without them the lines that repeat a check are not all tried`);
}
const without = (...tools: string[]): boolean => tools.some((tool) => absent.includes(tool));

const chainOf = (name: string): Chain => {
  const found = builtInChains[name];
  if (!found) throw new Error(`${name} is not built in`);
  return { ...found, name, references: [] };
};

const lineOf = (kind: string, url: string, settings: object, more: Partial<Target> = {}, chain?: Chain) => {
  const target = { url, headers: {}, allowPrivate: true, ...more };
  const line = checks[kind]?.repeat(settings, { target, timeoutMs: 5_000, ...(chain ? { chain } : {}) });
  if (line === undefined) throw new Error(`${kind} has no such line`);
  expect(line).not.toMatch(/[\n\r]/);
  return line;
};
const typed = async (line: string, env: NodeJS.ProcessEnv = {}, shell = 'bash'): Promise<string> => {
  const { stdout } = await run(shell, ['-c', line], { env: { ...process.env, ...env }, timeout: 20_000 });
  return stdout;
};

describe.skipIf(without('curl'))('the line of a node', () => {
  const settings = {
    methods: [
      { method: 'eth_chainId' },
      {
        method: 'eth_getBlockByNumber',
        params: ['{{head-5}}', false],
        id: "it's $HOME `x` \\".replaceAll(/[^a-z]/g, '-'),
      },
      { method: 'echo', params: ['it\'s $HOME `id` \\ "quoted" \u00e4 \n\t!'] },
    ],
  };

  it('asks the same methods, and nothing in them is read by the shell', async () => {
    await using node = await serveRpc((call) => ({ jsonrpc: '2.0', id: call.id, result: call.params }));
    const out = await typed(lineOf('jsonrpc', node.url, settings, {}, chainOf('ethereum')));
    expect(out).toContain('"id":7331');
    expect(node.calls.map(({ method, params }) => [method, params])).toEqual([
      ['eth_chainId', []],
      ['eth_getBlockByNumber', ['0x1', false]],
      ['echo', settings.methods[2]?.params],
    ]);
  });

  it.each(
    Object.entries(builtInChains).filter(
      ([, { family }], index, all) => all.findIndex(([, each]) => each.family === family) === index,
    ),
  )('asks a node of %s for its height', async (name, { family }) => {
    const asked: string[] = [];
    await using node = await serveHttp((request, response) => {
      let body = '';
      request.on('data', (data: Buffer) => (body += data.toString()));
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${body}`);
        response.end('{}');
      });
    });
    await typed(lineOf('head', `${node.url}/key`, {}, {}, chainOf(name)));
    const questions: Readonly<Record<string, string>> = {
      algorand: 'GET /key/v2/status ',
      bitcoin: 'POST /key {"jsonrpc":"2.0","id":7331,"method":"getblockchaininfo","params":[]}',
      cosmos: 'POST /key {"jsonrpc":"2.0","id":7331,"method":"status","params":{}}',
      evm: 'POST /key {"jsonrpc":"2.0","id":7331,"method":"eth_getBlockByNumber","params":["latest",false]}',
      graphene:
        'POST /key {"jsonrpc":"2.0","id":7331,"method":"call","params":["database","get_dynamic_global_properties",[]]}',
      solana:
        'POST /key {"jsonrpc":"2.0","id":7331,"method":"getSlot","params":[{"commitment":"confirmed"}]}',
      substrate: 'POST /key {"jsonrpc":"2.0","id":7331,"method":"chain_getHeader","params":[]}',
    };
    expect(asked).toEqual([questions[family]]);
  });

  it.each(['bash', 'sh'])('goes to the pinned address, and has secrets as %s finds them', async (shell) => {
    const seen: (string | undefined)[] = [];
    await using node = await serveHttp((request, response) => {
      seen.push(
        request.headers.host,
        request.headers['x-token'] as string,
        request.headers['x-file'] as string,
      );
      response.end(
        JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          result: goodEvm({ id: 1, method: 'eth_chainId', params: [] }),
        }),
      );
    });
    const dir = await mkdtemp(join(tmpdir(), 'highwater-repeat-'));
    const file = join(dir, "the operator's");
    writeFileSync(file, 'from a file\n');
    const headers = { 'X-Token': 'env:HIGHWATER_SECRET_A', 'X-File': `file:${file}` };
    const at = { address: '127.0.0.1', headers };
    const url = `http://rpc.hw.test:${node.port}`;
    const line = lineOf('jsonrpc', url, { methods: [{ method: 'eth_chainId' }] }, at);
    expect(line).toContain('"$HIGHWATER_SECRET_A"');
    // A curl before the real one that notes its arguments.
    const real = execFileSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).trim();
    const noted = join(dir, 'arguments');
    writeFileSync(
      join(dir, 'curl'),
      `#!/bin/sh\necho "$@" > '${noted.replaceAll("'", "'\\''")}'\nexec ${real} "$@"\n`,
      { mode: 0o755 },
    );
    const env = { HIGHWATER_SECRET_A: 'CANARY $HOME', PATH: `${dir}:${process.env['PATH']}` };
    expect(await typed(line, env, shell)).toContain('"result":"0x7a69"');
    const words = readFileSync(noted, 'utf8');
    expect(words).toContain('@-');
    expect(words).not.toMatch(/CANARY|from a file/);
    expect(seen).toEqual([`rpc.hw.test:${node.port}`, 'CANARY $HOME', 'from a file']);
    await rm(dir, { recursive: true });
  });
});

describe.skipIf(without('curl'))('the line of a URL that redirects', () => {
  it('follows, but not with a secret, which would go wherever it is led', async () => {
    const seen: unknown[] = [];
    await using other = await serveHttp((request, response) => {
      seen.push(request.headers['x-token']);
      response.end('elsewhere');
    });
    await using node = await serveHttp((request, response) => {
      seen.push(request.headers['x-token']);
      response.writeHead(302, { location: other.url }).end();
    });
    const line = (headers: Record<string, string>) => lineOf('http', node.url, { redirects: 2 }, { headers });
    expect(await typed(line({}))).toContain('elsewhere');
    const env = { HIGHWATER_SECRET_A: 'CANARY' };
    expect(await typed(line({ 'X-Token': 'env:HIGHWATER_SECRET_A' }), env)).toMatch(/^HTTP\/1\.1 302 /);
    expect(seen).toEqual([undefined, undefined, 'CANARY']);
  });
});

describe.skipIf(without('openssl'))('the line of a certificate', () => {
  it('shows the certificate, good or not, with the fingerprint that the check compares', async () => {
    const { expired } = makeCertificates();
    await using server = await serveHttps(expired, (_, response) => void response.end());
    const url = `https://localhost:${server.port}`;
    const line = lineOf('tls', url, {}, { address: '127.0.0.1' });
    // It ends as the certificate deserves.
    const failed: unknown = await typed(line).catch((thrown: unknown) => thrown);
    expect(failed).toBeInstanceOf(Error);
    const out = String((failed as { stdout?: unknown }).stdout);
    const printed = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], {
      input: expired.cert,
    });
    expect(out).toContain(printed.toString().trim());
    expect(out).toContain('notAfter=');
  });
});

describe('the line of a connection', () => {
  const said = "PING it's 100% $HOME `x` \\\t\r\n";
  const echo = () =>
    serveTcp((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => socket.end(`came ${data.toString('hex')}`));
    });

  it.skipIf(without('nc'))('sends the same bytes and shows what comes', async () => {
    await using server = await echo();
    const settings = { send: said, expect: { contains: 'x' } };
    const out = await typed(lineOf('tcp', `http://127.0.0.1:${server.port}`, settings));
    expect(out).toBe(`came ${Buffer.from(said).toString('hex')}`);
  });

  it.skipIf(without('nc'))('only connects where nothing is expected', async () => {
    await using server = await echo();
    await typed(lineOf('tcp', `http://127.0.0.1:${server.port}`, {}));
    await expect(typed(lineOf('tcp', 'http://127.0.0.1:1', {}))).rejects.toThrow('Command failed');
  });

  it.skipIf(without('openssl'))('sends them over TLS too', async () => {
    const { good, ca } = makeCertificates();
    await using server = await serveHttps(
      good,
      (request, response) => void response.end(`at ${request.url}`),
    );
    const settings = {
      tls: true,
      send: 'GET /it HTTP/1.0\r\n\r\n',
      expect: { contains: 'at /it' },
    };
    const line = lineOf('tcp', `https://localhost:${server.port}`, settings);
    const folder = await mkdtemp(join(tmpdir(), 'repeat-'));
    const file = join(folder, 'root.pem');
    writeFileSync(file, ca);
    expect(await typed(line, { SSL_CERT_FILE: file })).toContain('at /it');
    await rm(folder, { recursive: true });
    await expect(typed(line)).rejects.toThrow('certificate verify failed');
  });

  it('has any text as printf will say it, in the plainest shell', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const out = execFileSync('sh', ['-c', printfWords(text)]);
        expect(out).toEqual(Buffer.from(text));
      }),
      { numRuns: 60 },
    );
  });
});

describe.skipIf(without('dig') || missing !== undefined)('the line of a name', () => {
  let server: Awaited<ReturnType<typeof startNamed>>;
  beforeAll(async () => {
    server = await startNamed([
      {
        name: 'hw.test',
        serial: 7,
        records: [
          ['hw.test.', 60, 'NS', 'ns1.hw.test.'],
          ['ns1.hw.test.', 60, 'A', '127.0.0.1'],
          ['rpc.hw.test.', 30, 'A', '192.0.2.10'],
        ],
      },
    ]);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('asks the same server for the same name, and not to look further', async () => {
    const settings = { servers: [`${server.address}:${server.port}`], soaEqual: true };
    const out = await typed(lineOf('dns', 'https://rpc.hw.test', settings));
    expect(out).toMatch(/rpc\.hw\.test\.\s+30\s+IN\s+A\s+192\.0\.2\.10/);
    expect(out).toMatch(/flags: qr aa[^d]*;/);
    expect(out).toMatch(/SOA\s+\S+ \S+ 7 /);
  });
});

describe('the line of a WebSocket', () => {
  const target = { headers: { Authorization: 'env:HIGHWATER_SECRET_A' }, address: '192.0.2.1' };

  it.each([
    ['wss://a.example/ws', {}, {}, undefined, 'wscat -c wss://a.example/ws'],
    [
      'https://a.example',
      { protocols: ['a', 'b'], headers: { Origin: 'https://w.example' }, script: [{ send: { id: 1 } }] },
      {},
      undefined,
      `wscat -c wss://a.example/ -s a -s b -H 'origin: https://w.example' -x '{"id":1}' -w 5`,
    ],
    [
      'wss://a.example:8443/',
      {},
      target,
      undefined,
      `wscat -n --host a.example:8443 -c wss://192.0.2.1:8443/ -H 'authorization: '"$HIGHWATER_SECRET_A"`,
    ],
    [
      'wss://a.example/',
      {},
      {},
      'ethereum',
      `wscat -c wss://a.example/ -x '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}' -w 5`,
    ],
    [
      'ws://a.example/',
      {},
      {},
      'bitshares',
      `wscat -c ws://a.example/ -x '{"jsonrpc":"2.0","id":1,"method":"call","params":["database","set_block_applied_callback",[1]]}' -w 5`,
    ],
  ])('%s with %j and %j on %s: as its manual has the arguments', (url, settings, more, chain, line) => {
    expect(lineOf('websocket', url, settings, more, chain === undefined ? undefined : chainOf(chain))).toBe(
      line,
    );
  });
});
