import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { generateSigningKey, parseVerifier, saveSigningKey } from '@highwater/config/keys.ts';
import { configReference } from '@highwater/config/docs.ts';
import { commands } from './commands/index.ts';
import { plannedCommands } from './commands/planned.ts';
import { tables } from './tables.ts';

// Each starts a process, on machines that may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const launcher = fileURLToPath(new URL('./highwater', import.meta.url));
const testdata = fileURLToPath(new URL('../config/testdata/', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'highwater-cli-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface How {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly node?: string;
  readonly file?: string;
}

/** Runs the command as a person would, with a data folder of the test's own. */
async function hw(args: readonly string[], how: How = {}): Promise<Ended> {
  const { INIT_CWD: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    HIGHWATER_DATA: join(dir, 'data'),
    HIGHWATER_COLLECTOR: 'http://127.0.0.1:9',
    ...how.env,
  };
  const child = spawn(how.node ?? process.execPath, [how.file ?? launcher, ...args], {
    cwd: how.cwd ?? dir,
    env,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

describe('config check', () => {
  it('prints every mistake of a file with its place, and ends with 2', async () => {
    const { code, out, err } = await hw(['config', 'check', 'many-at-once.yaml'], {
      cwd: join(testdata, 'bad'),
    });
    expect(out).toBe(readFileSync(join(testdata, 'bad', 'many-at-once.txt'), 'utf8'));
    expect(err).toBe('14 mistakes\n');
    expect(code).toBe(2);
  });

  it('says what a good file holds, and ends with 0', async () => {
    const { code, out } = await hw(['config', 'check', join(testdata, 'good', 'smallest.yaml')]);
    expect(out).toBe('good: 1 services, 1 nodes, 2 monitors, 1 regions, 0 probes, 0 channels\n');
    expect(code).toBe(0);
  });

  it('finds the default config good, from any folder', async () => {
    expect(await hw(['config', 'check'])).toMatchObject({ code: 0, err: '' });
  });

  it('gives the same as JSON', async () => {
    const { code, out } = await hw(['config', 'check', join(testdata, 'bad', 'unknown-kind.yaml'), '--json']);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      problems: [{ line: 8, column: 17, path: 'services[0].checks[0].kind', value: '"htpp"' }],
    });
    expect(code).toBe(2);
  });

  it('names a file that is not there, and what to do', async () => {
    const { code, err } = await hw(['config', 'check', 'nowhere.yaml']);
    expect(err).toMatch(/^highwater: nowhere\.yaml: cannot be read \(ENOENT\), name another with --config/);
    expect(code).toBe(2);
    const asked = await hw(['config', 'check', 'nowhere.yaml', '--json']);
    expect(asked.code).toBe(2);
    expect(JSON.parse(asked.out)).toMatchObject({
      ok: false,
      problems: [{ file: 'nowhere.yaml', message: expect.stringMatching(/^cannot be read/) as unknown }],
    });
  });

  it('refuses bytes that are not UTF-8, and a file that is too large', async () => {
    writeFileSync(join(dir, 'latin1.yaml'), Buffer.from([0x73, 0xe9, 0x0a]));
    writeFileSync(join(dir, 'huge.yaml'), Buffer.alloc(1024 * 1024 + 1, 0x23));
    expect((await hw(['config', 'check', 'latin1.yaml'])).out).toContain(
      'latin1.yaml:1:1 (file): (bytes): not UTF-8',
    );
    expect((await hw(['config', 'check', 'huge.yaml'])).out).toContain('larger than 1 MiB');
  });

  it('resolves a file against the folder that npm was called in', async () => {
    const { code } = await hw(['config', 'check', 'smallest.yaml'], {
      env: { INIT_CWD: join(testdata, 'good') },
    });
    expect(code).toBe(0);
  });
});

describe('what may be written', () => {
  it('config schema is a JSON Schema with the kinds in it', async () => {
    const schema = JSON.parse((await hw(['config', 'schema'])).out) as {
      $schema: string;
      properties: object;
    };
    expect(schema.$schema).toContain('2020-12');
    expect(Object.keys(schema.properties)).toContain('services');
    expect(JSON.stringify(schema)).toContain('"const":"jsonrpc"');
  });

  it('docs/config.md is what config docs prints', () => {
    const kept = readFileSync(new URL('../docs/config.md', import.meta.url), 'utf8');
    expect(kept, 'run: bin/highwater config docs > docs/config.md').toBe(configReference(tables));
  });
});

describe('init', () => {
  it('writes a config that is good, and never over another', async () => {
    const made = await hw(['init', 'new.yaml']);
    expect(made).toMatchObject({ code: 0 });
    expect(await hw(['config', 'check', 'new.yaml'])).toMatchObject({ code: 0 });
    // The key is named after site.url, which the reader is about to change.
    expect(existsSync(join(dir, 'data', 'keys', 'operator.key'))).toBe(false);
    expect(made.out).toContain(`${launcher} up --config new.yaml --data new-data\n`);
    const again = await hw(['init', 'new.yaml']);
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toContain('exists already and is not overwritten');
  });

  it('whose site.url is changed later names the remedy, in collector, up and doctor', async () => {
    const config = readFileSync(join(testdata, 'good', 'smallest.yaml'), 'utf8');
    writeFileSync(join(dir, 'old.yaml'), config);
    const data = join(dir, 'of-old');
    saveSigningKey(join(data, 'keys', 'operator.key'), generateSigningKey('old.example/log'));
    saveSigningKey(join(data, 'keys', 'log-2026.key'), generateSigningKey('old.example/log/2026'));
    for (const command of ['collector', 'up']) {
      const { code, err } = await hw([command, '--config', 'old.yaml', '--data', data]);
      expect(code).toBe(1);
      expect(err).toContain('is of old.example/log, this config is for ');
      expect(err).toContain('log: { origin: "old.example/log" }');
      expect(err).toContain('another folder with --data');
    }
    const { code, out } = await hw(['doctor', '--config', 'old.yaml', '--data', data]);
    expect(code).toBe(1);
    expect(out).toContain('log: { origin: "old.example/log" }');
    writeFileSync(join(dir, 'old.yaml'), `log: { origin: "old.example/log" }\n${config}`);
    const { out: later } = await hw(['doctor', '--config', 'old.yaml', '--data', data]);
    expect(later).toMatch(/ready +keys +operator\.key/);
    expect(later).toMatch(/ready +keys +log-2026\.key/);
    expect(later).toMatch(/advice +log +No witness cosigns this log/);
  });

  it.each(['bitshares', 'polkadot', 'algorand', 'evm'])('--from %s is good as it is', async (name) => {
    expect(await hw(['init', '--from', name, `from-${name}.yaml`])).toMatchObject({ code: 0 });
    const checked = await hw(['config', 'check', `from-${name}.yaml`]);
    expect(checked).toMatchObject({ code: 0, err: '' });
  });

  it('names what there is', async () => {
    expect(await hw(['init', '--from', 'dogecoin'])).toMatchObject({
      code: 2,
      err: 'highwater: init --from dogecoin: unknown, write bitshares, polkadot, algorand, evm\n',
    });
  });
});

describe('probe keygen and enroll', () => {
  it('print a key on the last line, and the lines that make the config know it', async () => {
    const made = await hw(['probe', 'keygen', '--id', 'eu-1']);
    expect(made.code).toBe(0);
    const vkey = made.out.trimEnd().split('\n').at(-1) ?? '';
    expect(parseVerifier(vkey).name).toBe('eu-1');
    expect(made.out + made.err).not.toContain('PRIVATE');
    expect(statSync(join(dir, 'data', 'keys', 'eu-1.key')).mode & 0o777).toBe(0o600);

    const enrolled = await hw(['probe', 'enroll', vkey, '--region', 'here']);
    const smallest = readFileSync(join(testdata, 'good', 'smallest.yaml'), 'utf8');
    writeFileSync(join(dir, 'enrolled.yaml'), `regions: [ { id: here } ]\n${enrolled.out}${smallest}`);
    expect(await hw(['config', 'check', 'enrolled.yaml'])).toMatchObject({ code: 0 });
  });

  it('never overwrite a key, and take no malformed one', async () => {
    await hw(['probe', 'keygen', '--id', 'us-1']);
    const again = await hw(['probe', 'keygen', '--id', 'us-1']);
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toContain('never overwritten');
    expect(await hw(['probe', 'keygen', '--id', '../x'])).toMatchObject({ code: 2 });
    expect(await hw(['probe', 'enroll', 'eu-1+00000000+AA', '--region', 'eu'])).toMatchObject({ code: 2 });
  });
});

describe('explain', () => {
  it('says what a fault means and what to look at', async () => {
    const { code, out } = await hw(['explain', 'target.head.old']);
    expect(out).toContain('its head stands still');
    expect(out).toContain('Look at: ');
    expect(code).toBe(0);
  });

  it('explains each of several, and names the one that there is not', async () => {
    const faults = ['target.head.old', 'ahead', 'target.connect.refused'];
    const both = await hw(['explain', ...faults, '--json']);
    expect((JSON.parse(both.out) as { fault: string }[]).map(({ fault }) => fault)).toEqual(faults);
    const words = await hw(['explain', 'tls', 'expired', '--json']);
    expect(JSON.parse(words.out)).toMatchObject([{ fault: 'target.tls.expired' }]);
    const lost = await hw(['explain', 'ahead', 'target.head.odl']);
    expect(lost).toMatchObject({ code: 2, out: '' });
    expect(lost.err).toContain('explain target.head.odl: no such fault, did you mean target.head.old?');
  });

  it('finds faults by a word, and suggests one for a typing error', async () => {
    const found = JSON.parse((await hw(['explain', 'timeout', '--json'])).out) as { fault: string }[];
    expect(found.map(({ fault }) => fault)).toContain('target.connect.timeout');
    const lost = await hw(['explain', 'target.head.odl']);
    expect(lost).toMatchObject({ code: 2 });
    expect(lost.err).toContain('did you mean target.head.old?');
  });
});

describe('check', () => {
  const server = createServer((request, response) => {
    const { url, headers } = request;
    if (url === '/token/v2/status') {
      const message = `not for ${headers['x-algo-api-token'] as string}`;
      return void response.writeHead(401).end(JSON.stringify({ message }));
    }
    const isGood = url === '/good' || (url === '/private' && headers['authorization'] === 'Bearer CANARY');
    response.writeHead(isGood ? 200 : 503).end('hello');
  });
  server.listen(0, '127.0.0.1');
  afterAll(() => void server.close());
  const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

  it('asks once and ends with 0 when it is up', async () => {
    const { code, out } = await hw(['check', url('/good'), '--kind', 'http']);
    expect(out).toMatch(/^http of http:\/\/127\.0\.0\.1:\d+\/good: up in /);
    expect(out).toContain('first byte');
    expect(code).toBe(0);
  });

  it('gives one object with all that was seen, and a line that repeats it', async () => {
    const told = JSON.parse((await hw(['check', url('/good'), '--kind', 'http', '--json'])).out) as object;
    expect(told).toMatchObject({
      monitor: 'url/url/http',
      kind: 'http',
      outcome: 'ok',
      timeoutMs: 10_000,
      address: '127.0.0.1',
      facts: { sc: '200' },
      calls: [{ what: 'GET /good' }],
      assertions: expect.arrayContaining([expect.objectContaining({ held: true })]) as unknown,
      repeat: expect.stringMatching(/^curl .* http:/) as unknown,
    });
    const { out } = await hw(['check', '--help']);
    for (const key of Object.keys(told)) expect(out, key).toContain(key);
  });

  it('asks over one address family alone', async () => {
    const family = (which: string) => hw(['check', url('/good'), '--kind', 'http', '--family', which]);
    expect((await family('4')).out).toContain('curl -sS -A Highwater/0.1 -4');
    expect((await family('6')).err).toContain('--family');
    expect((await family('5')).err).toContain('highwater check: --family: 5: write 4 or 6');
    const apart = ['--kind', 'http', '--set', '{"family":"apart"}'];
    const both = await hw(['check', url('/good').replace('127.0.0.1', 'localhost'), ...apart]);
    expect(both).toMatchObject({ code: 2, out: '' });
    expect(both.err).toContain(
      '--family: "apart": makes a check of each family, and one is asked here, write',
    );
  });

  it('explains a fault in sentences, and ends with 1', async () => {
    const { code, out } = await hw(['check', url('/bad'), '--kind', 'http']);
    expect(out).toContain('target.http.status: 503');
    expect(out).toContain('Look at: ');
    expect(out).toContain('Usual causes:');
    expect(out).toMatch(/✗ not so .*503/);
    expect(out).toMatch(/repeat it with\n {2}curl /);
    expect(code).toBe(1);
    const facts = JSON.parse((await hw(['check', url('/bad'), '--kind', 'http', '--json'])).out) as object;
    expect(facts).toMatchObject({ outcome: 'fail', fault: { id: 'target.http.status' } });
  });

  it('sends a token that the caller names, and never shows it', async () => {
    const env = { MY_TOKEN: 'Bearer CANARY' };
    const flags = ['--kind', 'http', '--header', 'Authorization: env:MY_TOKEN', '--header', 'X-Other: 1'];
    const { code, out } = await hw(['check', url('/private'), ...flags], { env });
    expect([code, out]).toEqual([0, expect.stringMatching(/: up in /)]);
    const told = ['--kind', 'head', '--chain', 'algorand', '--header', 'X-Algo-API-Token: env:MY_TOKEN'];
    for (const more of [[], ['--json']]) {
      const refused = await hw(['check', url('/token'), ...told, ...more], { env });
      expect(refused.out).toContain('GET /v2/status: 401: not for [redacted]');
      expect(refused.out).toContain('$MY_TOKEN');
      expect(refused.out + refused.err).not.toContain('CANARY');
    }
  });

  it('asks a monitor of the config', async () => {
    writeFileSync(
      join(dir, 'check.yaml'),
      `site: { name: My Nodes, url: "http://localhost" }
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: home, url: "${url('')}", allowPrivate: true } ]
    checks: [ { kind: http, every: 1m, path: /good } ]
`,
    );
    expect(await hw(['check', 'web/main/http', '--config', 'check.yaml'])).toMatchObject({ code: 0 });
    const headers = ['--header', 'X-A: 1', '--config', 'check.yaml'];
    expect((await hw(['check', 'web/main/http', ...headers])).err).toContain('--header: for a URL');
    const lost = await hw(['check', 'web/main/htpt', '--config', 'check.yaml']);
    expect(lost).toMatchObject({ code: 2 });
    expect(lost.err).toContain('did you mean web/main/http?');
  });

  it.each([
    ['127.0.0.1:18944', 'http'],
    ['rpc.example.com:443/ws', 'tcp'],
    ['[::1]:80', 'http'],
    ['rpc.example.com', 'tcp'],
  ])('says of %s with %s how a place is written, and lists no monitors', async (subject, kind) => {
    const { code, err } = await hw(['check', subject, '--kind', kind]);
    expect(err).toBe(
      `highwater check: ${subject}: a URL begins with http://, https://, ws:// or wss://; with --kind tcp or tls HOST:PORT will do, with --kind dns a NAME; a monitor is service/node/check\n`,
    );
    expect(code).toBe(2);
  });

  it('asks a port that is written as one', async () => {
    const at = new URL(url('/')).host;
    for (const place of [at, `tcp://${at}`]) {
      const { code, out } = await hw(['check', place, '--kind', 'tcp']);
      expect(out).toContain(`tcp of ${at}: up in `);
      expect(code).toBe(0);
    }
  });

  it('asks a URL for a chain of the config', async () => {
    writeFileSync(
      join(dir, 'devnet.yaml'),
      `site: { name: My Nodes, url: "http://localhost" }
chains: { devnet: { family: evm, chainId: 31337, blockTime: 1s } }
services:
  - { id: rpc, name: RPC, chain: devnet, nodes: [ { id: a, zone: home, url: "https://rpc.example.com" } ] }
`,
    );
    const flags = ['--kind', 'head', '--chain', 'devnet', '--config', 'devnet.yaml'];
    const { code, out } = await hw(['check', url('/bad'), ...flags]);
    expect(out).toContain('target.http.status: eth_chainId: 503');
    expect(code).toBe(1);
  });

  it.each([
    [['--kind', 'http', '--set', '{"family":"x"}'], '--set family: "x"'],
    [['--kind', 'htpt'], '--kind: "htpt": unknown kind, did you mean http?'],
    [['--kind', 'head', '--chain', 'etherium'], '--chain: "etherium": unknown chain, did you mean ethereum?'],
    [['--kind', 'http', '--set', '{"pathh":"/"}'], '--set pathh: (text): unknown key, did you mean path?'],
    [['--kind', 'http', '--set', '['], '--set: not a JSON object'],
    [
      ['--kind', 'http', '--set', '{"headers":{"X-Token":"x"}}'],
      "--set headers.X-Token: [hidden]: the settings of a check are published, add --header 'NAME: env:VARIABLE'",
    ],
    [['--kind', 'head'], '--kind: "head": needs a chain, add --chain NAME'],
    [[], 'a URL needs --kind'],
    [['--kind', 'http', '--header', 'X-Token: x'], '--header: X-Token: a secret would be seen by others'],
  ])('refuses %s by the name of the flag', async (flags, message) => {
    const { code, err } = await hw(['check', url('/good'), ...flags]);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('asking the collector', () => {
  const answers = new Map<string, unknown>();
  const server = createServer((request, response) => {
    const answer = answers.get((request.url ?? '').split('?')[0] ?? '');
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: 'no such monitor', at: 0 }));
  });
  server.listen(0, '127.0.0.1');
  afterAll(() => void server.close());
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const verdict = (subject: string, status: string) => ({
    subject,
    status,
    since: 0,
    because: 'votes',
    votes: [],
  });
  const status = (of: string) => ({
    at: 60_000,
    site: 'My Nodes',
    services: [verdict('rpc', of)],
    nodes: [verdict('rpc/main', of)],
    monitors: [verdict('rpc/main/head', of)],
    heads: [
      {
        chain: 'ethereum',
        height: 7,
        at: 59_000,
        nodes: 1,
        references: 0,
        state: 'stalled',
        because: 'no new block',
        blockTimeMs: 12_000,
      },
    ],
    probes: [{ id: 'local', region: 'here', lastHeardAt: 59_000, clockBoundMs: 3, current: true }],
    incidents: [],
  });

  it('status ends with 0 when nothing is down, 1 when something is, 3 without a collector', async () => {
    answers.set('/v1/status', status('up'));
    const up = await hw(['status', '--collector', url()]);
    expect(up).toMatchObject({ code: 0, err: '' });
    expect(up.out).toMatch(/ethereum +7 +stalled +1 s ago +a block in 12 s +no new block/);
    answers.set('/v1/status', status('down'));
    const down = await hw(['status', '--collector', url(), '--json']);
    expect(down.code).toBe(1);
    expect(JSON.parse(down.out)).toMatchObject({ site: 'My Nodes' });
    expect(up.out).not.toContain('unwell');
    const unwell = { state: 'offline', since: 0, because: 'its probe is offline; its answers do not count' };
    const [probe] = status('up').probes;
    answers.set('/v1/status', {
      ...status('up'),
      unwellRegions: [{ region: 'here', name: 'Frankfurt', ...unwell }],
      probes: [{ ...probe, unwell }],
    });
    const ill = await hw(['status', '--collector', url()]);
    expect(ill.out).toMatch(
      /regions that are unwell\n +here +Frankfurt +for 60 s +its probe is offline; its answers/,
    );
    expect(ill.out).toMatch(/local +here +offline +heard/);
    const none = await hw(['status']);
    expect(none.code).toBe(3);
    expect(none.err).toMatch(/^highwater: no collector at http:\/\/127\.0\.0\.1:9 /);
  });

  it('why shows votes and lines, with control characters of targets taken out', async () => {
    answers.set('/v1/why', {
      monitor: 'rpc/main/head',
      at: 60_000,
      verdict: {
        ...verdict('rpc/main/head', 'down'),
        votes: [
          { region: 'here', status: 'down', at: 59_000, fault: 'target.head.old', detail: 'evil\u001b[2J' },
        ],
      },
      lines: [
        {
          probe: 'local',
          region: 'here',
          receivedAt: 59_000,
          line: 'rpc/main/head 0 fail 10 target.head.old',
        },
      ],
      head: {
        chain: 'ethereum',
        height: 7,
        state: 'moving',
        because: '5 blocks behind the height that 2 of 3 nodes agree on',
        blockTimeMs: 12_000,
        lagBlocks: 5,
        lagMs: 60_000,
      },
    });
    const { code, out } = await hw(['why', 'rpc/main/head', '--collector', url()]);
    expect(code).toBe(0);
    expect(out).toContain('rpc/main/head is down');
    expect(out).toContain('its head stands still');
    expect(out).toContain(
      'head of ethereum: 7, moving, a block in 12 s\nthis node is 5 (60 s) behind: 5 blocks',
    );
    expect(out).not.toContain('\u001b');
  });

  it('a refusal is one line, and plain http to another machine is refused', async () => {
    answers.delete('/v1/why');
    const refused = await hw(['why', 'rpc/main/none', '--collector', url()]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.err).toContain('no such monitor');
    answers.set('/v1/status', status('up'));
    expect((await hw(['why', 'rpc/main/haed', '--collector', url()])).err).toBe(
      'highwater why: rpc/main/haed: no such monitor, did you mean rpc/main/head?\n',
    );
    const wide = await hw(['status', '--collector', 'http://192.0.2.1:4000']);
    expect(wide).toMatchObject({ code: 2 });
    expect(wide.err).toContain('--insecure');
  });
});

describe('alerts', () => {
  const calls: { path: string; authorization: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers } = request;
      calls.push({ path: url, authorization: headers.authorization, body: Buffer.concat(chunks).toString() });
      const gone = url.includes('/webhooks/404/');
      response.writeHead(gone ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(gone ? { message: 'Unknown Webhook', code: 10015 } : { id: '7', at: 0 }));
    });
  });
  server.listen(0, '127.0.0.1');
  afterAll(() => void server.close());
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = join(dir, 'alerts.yaml');
  const smallest = readFileSync(join(testdata, 'good', 'smallest.yaml'), 'utf8');
  writeFileSync(
    config,
    `${smallest}alerts: { channels: [ { id: ops, kind: discord, webhook: env:TEST_HOOK } ] }\n`,
  );

  it('test sends a message that says so, and the secret is nowhere to be seen', async () => {
    const env = { TEST_HOOK: `${url()}/api/webhooks/1/CANARY` };
    const sent = await hw(['alerts', 'test', 'ops', '--config', config], { env });
    expect(sent).toMatchObject({ code: 0, out: 'ops: delivered\n', err: '' });
    expect(calls.at(-1)?.path).toContain('/api/webhooks/1/CANARY');
    expect(calls.at(-1)?.body).toMatch(/test/i);
    const gone = await hw(['alerts', 'test', 'ops', '--config', config], {
      env: { TEST_HOOK: `${url()}/api/webhooks/404/CANARY` },
    });
    expect(gone.code).toBe(1);
    expect(gone.out).toContain('ops: not delivered (somebody has to mend it)');
    expect(gone.out + gone.err).not.toContain('CANARY');
    expect(await hw(['alerts', 'test', 'opps', '--config', config], { env })).toMatchObject({
      code: 2,
      err: 'highwater alerts test: opps: no such channel, there are: ops\n',
    });
  });

  it('ack says who, with the token of the data folder', async () => {
    const data = join(dir, 'acks');
    mkdirSync(data);
    writeFileSync(join(data, 'token'), 'token-of-the-data-folder\n');
    const acked = await hw(['alerts', 'ack', 'inc-1', '--by', 'Ada', '--collector', url(), '--data', data]);
    expect(acked).toMatchObject({ code: 0, out: 'inc-1: acknowledged by Ada\n' });
    expect(calls.at(-1)).toEqual({
      path: '/v1/alerts/inc-1/ack',
      authorization: 'Bearer token-of-the-data-folder',
      body: '{"by":"Ada"}',
    });
  });

  it('list without the role ends with 3, and what is not built yet with 3', async () => {
    const none = await hw(['alerts', 'list', '--alerts', 'http://127.0.0.1:9']);
    expect(none).toMatchObject({ code: 3 });
    expect(none.err).toContain('no alerts role at http://127.0.0.1:9');
    expect(await hw(['alerts', 'silence', 'x'])).toMatchObject({ code: 3 });
  });
});

describe('doctor', () => {
  const env = Object.fromEntries(
    ['SITE', 'COLLECTOR', 'ALERTS', 'PROBE'].map((role) => [`HIGHWATER_${role}_PORT`, '0']),
  );
  it('ends with 0 when nothing is missing, and writes nothing', async () => {
    const data = join(dir, 'none');
    const { code, out } = await hw(
      ['doctor', '--config', join(testdata, 'good', 'smallest.yaml'), '--data', data, '--json'],
      { env },
    );
    const { ready, findings } = JSON.parse(out) as {
      ready: boolean;
      findings: { about: string; state: string }[];
    };
    expect({ code, ready }).toEqual({ code: 0, ready: true });
    expect(findings).toContainEqual(expect.objectContaining({ about: 'alerts', state: 'advice' }));
    expect(existsSync(data)).toBe(false);
  });

  it('names secrets that are missing, and a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = String((server.address() as AddressInfo).port);
    const config = join(testdata, 'good', 'everything-so-far.yaml');
    const { code, out } = await hw(['doctor', '--config', config], {
      env: { ...env, HIGHWATER_SITE_PORT: taken },
    });
    server.close();
    expect(out).toContain('env:DISCORD_WEBHOOK cannot be fetched');
    expect(out).toContain('set HIGHWATER_SECRET_US and HIGHWATER_SECRET_US_HOST');
    expect(out).toContain(`site ${taken}: in use by another program`);
    expect(code).toBe(1);
  });
});

describe('the command line itself', () => {
  it('knows every command in its help, and each teaches by example', async () => {
    const { code, out } = await hw(['--help']);
    expect(code).toBe(0);
    const planned = Object.keys(plannedCommands);
    for (const name of Object.keys(commands).filter((each) => !planned.includes(each))) {
      expect(out).toContain(`\n  ${name}`);
    }
    expect(out).toContain(`\nNot in this version: ${planned.join(', ')}.\n`);
    for (const name of planned) expect(out).not.toContain(`\n  ${name}`);
    for (const name of [
      'config',
      'init',
      'status',
      'uptime',
      'why',
      'explain',
      'report',
      'verify',
      'check',
      'alerts',
      'doctor',
      'probe',
      'collector',
      'site',
      'backup',
      'restore',
      'rebuild',
      'up',
    ]) {
      const help = await hw([name, '--help']);
      expect([name, help.code]).toEqual([name, 0]);
      expect(help.out).toMatch(name === 'config' ? /check/ : /xample|step by step/);
    }
  });

  it('refuses by name what is not built yet, with 3', async () => {
    const names = Object.keys(plannedCommands);
    const ended = await Promise.all(names.map((name) => hw([name, 'x', '--flag'])));
    expect(ended.map(({ code, err }) => [code, err])).toEqual(
      names.map((name) => [3, `highwater: ${name}: not in this version\n`]),
    );
  });

  it('wrong usage ends with 2, and that of verify with 3', async () => {
    expect(await hw(['verify'])).toMatchObject({ code: 3 });
    expect(await hw(['verify', 'x', '--moniter', 'y'])).toMatchObject({ code: 3 });
    expect(await hw(['sttaus'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean status?') as string,
    });
    expect(await hw(['status', '--wat'])).toMatchObject({ code: 2 });
    expect(await hw(['probe', 'keygen'])).toMatchObject({ code: 2 });
    expect(await hw(['probe'])).toMatchObject({ code: 2 });
  });

  it('works through a symlink', async () => {
    symlinkSync(launcher, join(dir, 'link'));
    expect(await hw(['--version'], { file: join(dir, 'link') })).toMatchObject({ code: 0, out: '0.1.0\n' });
  });

  const old = oldNode();
  it.skipIf(old === undefined)(
    'finds the right Node when called with an old one, exit code and all',
    async () => {
      const env = { PATH: '/usr/bin:/bin' };
      expect(await hw(['--version'], { node: old ?? '', env })).toMatchObject({ code: 0, out: '0.1.0\n' });
      expect(await hw(['verify'], { node: old ?? '', env, cwd: '/' })).toMatchObject({ code: 3 });
    },
  );
});

/** A Node on this machine that is too old for the program. */
function oldNode(): string | undefined {
  const folders = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  return ['/usr/bin', '/usr/local/bin', ...folders]
    .map((folder) => join(folder, 'node'))
    .find((file) => existsSync(file) && file !== process.execPath);
}
