import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OperatorStatus, type Why } from '@highwater/config/wire.ts';
import { serveHttp } from '../../probe/testing/servers.ts';
import { getJson, highwater, type Process, startRole, until } from './process.ts';

/** One server, watched by two checks that differ in what a refusal is, until it limits. */
describe('a server that limits', () => {
  const stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const config = join(dir, 'highwater.yaml');
  let status = 200;
  let collector: Process;
  afterAll(() => stack.disposeAsync());

  beforeAll(async () => {
    const server = stack.use(await serveHttp((_, response) => void response.writeHead(status).end('ok')));
    const made = await highwater(['probe', 'keygen', '--id', 'eu-1', '--data', join(dir, 'eu')]);
    writeFileSync(
      config,
      `site: { name: Test, url: "https://status.example.com" }
regions: [ { id: eu, name: Frankfurt } ]
probes: [ { id: eu-1, region: eu, key: "${made.stdout.trimEnd().split('\n').at(-1)}" } ]
services:
  - id: web
    name: Web
    nodes: [ { id: main, zone: eu, url: "${server.url}", allowPrivate: true } ]
    checks:
      - { kind: http, id: own, every: 1s, timeout: 500ms }
      - { kind: http, id: others, every: 1s, timeout: 500ms, refusals: skip }
`,
    );
    const data = join(dir, 'data');
    collector = stack.use(await startRole(['collector', '--config', config, '--data', data, '--port', '0']));
    const args = ['probe', '--id', 'eu-1', '--data', join(dir, 'eu'), '--collector', collector.url];
    stack.use(await startRole([...args, '--allow-private', '127.0.0.0/8', '--port', '0']));
  }, 60_000);

  const verdicts = async () => {
    const { monitors } = await getJson<OperatorStatus>(`${collector.url}/v1/status`);
    return Object.fromEntries(monitors.map(({ subject, status }) => [subject, status]));
  };
  const both = (own: string, others: string) => async () => {
    const now = await verdicts();
    return now['web/main/own'] === own && now['web/main/others'] === others;
  };

  it('is down by the check that it belongs to, and unknown by the one that skips, until it answers', async () => {
    await until('both are up', 30_000, both('up', 'up'));
    status = 429;
    await until('one is down, one unknown', 30_000, both('down', 'unknown'));
    const why = await getJson<Why>(`${collector.url}/v1/why?monitor=web/main/others`);
    expect(why.verdict.because).toContain('target.http.refused');
    expect(why.lines[0]?.line).toMatch(/ skipped [0-9]+ target\.http\.refused .*sc=429/);
    // A server in trouble of its own is told by both.
    status = 503;
    await until('both are down', 30_000, both('down', 'down'));
    status = 200;
    await until('both are up again', 30_000, both('up', 'up'));
  });

  it('is told as refused by `check`, which is no good answer', async () => {
    status = 403;
    const told = await highwater(['check', 'web/main/others', '--config', config]);
    expect(told.stdout).toMatch(
      /^http of http:\/\/127\.0\.0\.1:[0-9]+: skipped in .*: it refuses us \(403\); by refusals: skip that counts neither way$/m,
    );
    expect(told.stdout).toContain('target.http.refused: 403');
    expect((await highwater(['check', 'web/main/own', '--config', config])).stdout).toContain(': not up in ');
  });
});
