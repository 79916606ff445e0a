import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDiscord } from '../fixtures/discord.ts';
import { startSmtp } from '../fixtures/smtp.ts';
import { highwater, startAnvil, startRole, until } from './process.ts';

/**
 * A canary in each secret's place: the webhook's token, the SMTP password, a header for a node, the collector's
 * token, every private key. Everything is made to work and then to fail, for errors are where secrets get out;
 * then every byte that came out anywhere is searched.
 */
const canary = () => `canary${randomBytes(12).toString('hex')}`;

it('no secret in any log, metric, API answer, page, file but its own, or argv', async () => {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-canary-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const smtpPassword = canary();
  const headerSecret = canary();
  const token = canary();
  const discord = stack.use(await startDiscord());
  const webhookToken = discord.token;
  const smtp = stack.use(await startSmtp({ user: 'status', pass: smtpPassword }));
  const anvil = stack.use(await startAnvil());
  const made = await highwater(['probe', 'keygen', '--id', 'eu-1', '--data', join(dir, 'probe')]);
  const vkey = made.stdout.trimEnd().split('\n').at(-1) ?? '';
  const config = join(dir, 'hw.yaml');
  writeFileSync(
    config,
    `site: { name: Canary, url: "https://status.example.com" }
regions: [ { id: eu, name: Europe } ]
probes: [ { id: eu-1, region: eu, key: "${vkey}" } ]
chains: { devnet: { family: evm, chainId: 31337, blockTime: 1s, maxLag: 5, maxAge: 10s } }
services:
  - id: rpc
    name: RPC
    chain: devnet
    nodes: [ { id: main, zone: z, url: "${anvil.url}", allowPrivate: true, headers: { X-Token: env:HIGHWATER_SECRET_RPC } } ]
    checks: [ { kind: head, every: 1s, timeout: 500ms }, { kind: jsonrpc, every: 1s, timeout: 500ms, methods: [ { method: eth_blockNumber } ] } ]
alerts:
  channels:
    - { id: ops, kind: discord, webhook: env:TEST_DISCORD }
    - { id: mail, kind: email, smtp: env:TEST_SMTP, from: status@example.com, to: [oncall@example.com] }
  policies: [ { match: { impact: [major] }, steps: [ { notify: [ops, mail] } ] } ]
`,
  );
  const data = join(dir, 'data');
  const loud = { HIGHWATER_LOG_LEVEL: 'trace' };
  const env = {
    ...loud,
    HIGHWATER_TOKEN: token,
    TEST_DISCORD: discord.webhookUrl,
    TEST_SMTP: smtp.url,
  };
  const collector = stack.use(
    await startRole(['collector', '--config', config, '--data', data, '--port', '0'], env),
  );
  const shared = ['--config', config, '--data', data, '--collector', collector.url, '--port', '0'];
  const alerts = stack.use(await startRole(['alerts', ...shared], env));
  const site = stack.use(await startRole(['site', ...shared], env));
  const probe = stack.use(
    await startRole(
      ['probe', '--id', 'eu-1', '--data', join(dir, 'probe'), '--collector', collector.url, '--port', '0',
       '--allow-private', '127.0.0.0/8'],
      { ...loud, HIGHWATER_SECRET_RPC: headerSecret, HIGHWATER_SECRET_RPC_HOST: '127.0.0.1' },
    ),
  ); // prettier-ignore
  const roles = [collector, alerts, site, probe];

  const out: string[] = [];
  const read = async (url: string, init?: RequestInit) => {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
    const text = await answer.text();
    out.push(`${url} ${answer.status} ${JSON.stringify([...answer.headers])} ${text}`);
    return text;
  };
  await until('up on the page', 20_000, async () =>
    (await read(`${site.url}/api/v2/components.json`)).includes('"operational"'),
  );
  // Channels refuse first and then take the message: their errors quote what they were given.
  discord.fail({ kind: 'answer', status: 500, body: `{"message":"${webhookToken}"}` });
  smtp.refuse({ stage: 'auth', code: 454, message: `not now ${smtpPassword}`, times: 1 });
  anvil.signal('SIGSTOP');
  await until('told by both channels', 40_000, () => discord.messages.length > 0 && smtp.mails.length > 0);

  const paths = {
    [collector.url]: ['/v1/status', '/v1/snapshot', '/v1/events?after=0', '/v1/why?monitor=rpc/main/head',
      '/metrics', '/healthz', '/openapi.json', '/v1/nothing', '/v1/assignments?after=0'],
    [alerts.url]: ['/metrics', '/healthz', '/v1/alerts'],
    [probe.url]: ['/metrics', '/healthz'],
    [site.url]: ['/', '/services/rpc', '/incidents', '/api/v2/summary.json', '/api/services.json',
      '/history.atom', '/history.rss', '/badge/rpc.svg', '/badge/rpc.json', '/healthz', '/nothing'],
  }; // prettier-ignore
  for (const [base, list] of Object.entries(paths)) {
    for (const path of list) {
      await read(`${base}${path}`);
      await read(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } });
      await read(`${base}${path}`, { headers: { authorization: 'Bearer wrong' } });
    }
  }
  const cli = { ...env, HIGHWATER_COLLECTOR: collector.url, HIGHWATER_DATA: data, HIGHWATER_CONFIG: config };
  for (const args of [
    ['status'], ['status', '--json'], ['why', 'rpc/main/head'], ['config', 'check', config], ['doctor'],
    ['alerts', 'test', 'mail'], ['alerts', 'test', 'ops'],
    ['check', 'rpc/main/head'],
  ]) {
    const { stdout, stderr } = await highwater(args, cli);
    out.push(stdout, stderr);
  } // prettier-ignore
  for (const role of roles) {
    out.push(readFileSync(`/proc/${role.child.pid}/cmdline`, 'utf8'));
    out.push(role.output());
  }
  // Files: none but the keys themselves and the token's own may hold one.
  for await (const file of glob(`${dir}/**/*`, { withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    if (file.isFile() && !path.endsWith('.key') && !path.endsWith('/token')) {
      out.push(`${path} ${readFileSync(path, 'latin1')}`);
    }
  }

  const keys = [join(data, 'keys'), join(dir, 'probe', 'keys')].flatMap((folder) =>
    readdirSync(folder).map((name) =>
      readFileSync(join(folder, name), 'utf8').trim().split('+').slice(4).join('+'),
    ),
  );
  expect(keys.length).toBeGreaterThanOrEqual(2);
  expect(keys.every((key) => key.length > 40)).toBe(true);
  const secrets = [smtpPassword, headerSecret, token, webhookToken, ...keys];
  const forms = (secret: string) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ];
  const found = secrets.flatMap((secret, index) =>
    out
      .filter((text) => forms(secret).some((form) => text.includes(form)))
      .map((text) => `${index}: ${text.slice(0, 200)}`),
  );
  expect(found).toEqual([]);
  // The search does find what is there: the service's name is in pages, answers, logs, argv-free files alike.
  expect(out.filter((text) => text.includes('rpc/main/head')).length).toBeGreaterThan(5);
  expect(out.join('').length).toBeGreaterThan(20_000);
}, 120_000);
