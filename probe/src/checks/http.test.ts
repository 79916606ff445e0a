import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { serveHttp } from '../../testing/servers.ts';
import { runOnce } from '../once.ts';
import { http } from './http.ts';
import { settings as schema } from './http-settings.ts';
import { unexpected } from './http-verdict.ts';

const ask = (url: string, settings: unknown) =>
  runOnce({
    kind: 'http',
    settings,
    target: { url, headers: {}, allowPrivate: true },
    timeoutMs: 5_000,
    allowPrivate: ['config'],
  });

/** JSON that takes too long to read. */
const manyParts = `["ok"${',0'.repeat(250_000)}]`;

describe('an http check', () => {
  it.each<[object, number, string, string]>([
    [{}, 200, 'x', 'ok'],
    [{}, 204, '', 'ok'],
    [{}, 500, 'x', 'fail target.http.status'],
    [{}, 404, 'x', 'fail target.http.status'],
    [{ status: 404 }, 404, 'x', 'ok'],
    [{ status: 404 }, 200, 'x', 'fail target.http.status'],
    [{ status: [200, '400-499'] }, 418, 'x', 'ok'],
    [{ status: [200, '400-499'] }, 500, 'x', 'fail target.http.status'],
    [{ contains: 'ok' }, 200, 'all ok', 'ok'],
    [{ contains: 'ok' }, 200, 'error', 'fail target.http.body'],
    [{ json: { 'a.b': true } }, 200, '{"a":{"b":true}}', 'ok'],
    [{ json: { 'a.b': true } }, 200, '{"a":{"b":false}}', 'fail target.http.body'],
    [{ json: { 'a.b': true } }, 200, '{"a":1}', 'fail target.http.body'],
    [{ json: { a: 1 } }, 200, '<html>', 'fail target.http.body'],
    [{ contains: ['all', 'ok'] }, 200, 'all ok', 'ok'],
    [{ contains: ['all', 'ok'] }, 200, 'all', 'fail target.http.body'],
    [{ lacks: 'error' }, 200, 'all ok', 'ok'],
    [{ lacks: ['error', 'maintenance'] }, 200, 'in maintenance', 'fail target.http.body'],
    [{ matches: '^<title>My .*</title>$' }, 200, '<title>My page</title>', 'ok'],
    [{ matches: '^<title>My .*</title>$' }, 200, '<title>Error</title>', 'fail target.http.body'],
    [{ maxBytes: 3 }, 200, 'four', 'fail target.http.too-large'],
    [{ contains: 'ok' }, 200, manyParts, 'ok'],
    [{ json: { '0': 'ok' } }, 200, manyParts, 'fail target.http.too-large'],
    [{ method: 'HEAD' }, 200, 'x', 'ok'],
  ])('with %j of %i %j is %s', async (settings, status, body, expected) => {
    await using server = await serveHttp((_, response) => void response.writeHead(status).end(body));
    const { outcome, fault, facts } = await ask(server.url, settings);
    expect(fault ? `${outcome} ${faultId(fault)}` : outcome).toBe(expected);
    if (!('maxBytes' in settings)) expect(facts['sc']).toBe(String(status));
  });

  it('is degraded when it is slower than its limit', async () => {
    await using server = await serveHttp((_, response) => void setTimeout(() => response.end('ok'), 50));
    const { outcome, fault } = await ask(server.url, { slow: '10ms' });
    expect([outcome, fault && faultId(fault)]).toEqual(['degraded', 'target.http.slow']);
  });

  it('takes a redirect for a fault unless it expects one', async () => {
    await using server = await serveHttp(
      (_, response) => void response.writeHead(301, { location: '/x' }).end(),
    );
    expect((await ask(server.url, {})).fault?.code).toBe('redirect');
    expect((await ask(server.url, { status: 301 })).outcome).toBe('ok');
  });

  it('holds a redirect to where it leads, or follows it so far', async () => {
    await using server = await serveHttp((request, response) => {
      const at = Number(request.url?.slice(1));
      if (at === 0) return void response.end('there');
      response.writeHead(308, { location: `/${at - 1}` }).end();
    });
    const verdict = async (path: string, settings: object) => {
      const { outcome, fault, facts } = await ask(server.url, { path, ...settings });
      return [fault ? `${outcome} ${faultId(fault)}` : outcome, facts['sc']];
    };
    expect(await verdict('/1', { status: 308, responseHeaders: { location: '/0' } })).toEqual(['ok', '308']);
    expect(await verdict('/2', { status: 308, responseHeaders: { Location: '/0' } })).toEqual([
      'fail target.http.wrong-header',
      '308',
    ]);
    expect(await verdict('/2', { redirects: 2, contains: 'there' })).toEqual(['ok', '200']);
    expect((await verdict('/3', { redirects: 2 }))[0]).toBe('fail target.http.redirect');
  });

  it.each<[object, string]>([
    [{ 'content-type': { contains: 'json' } }, 'ok'],
    [{ 'Content-Type': 'application/json; charset=utf-8' }, 'ok'],
    [
      { 'content-type': 'application/json' },
      'content-type is "application/json; charset=utf-8", expected "application/json"',
    ],
    [{ 'x-a': { matches: '^[0-9]+$' } }, 'ok'],
    [{ 'x-a': { matches: '^[a-z]+$' } }, 'x-a is "12", expected a match of ^[a-z]+$'],
    [{ 'x-b': { exists: false }, 'x-a': { exists: true } }, 'ok'],
    [{ 'x-a': { exists: false } }, 'x-a is "12", expected missing'],
    [{ 'x-b': { exists: true } }, 'x-b is missing, expected there'],
    [{ 'x-b': { matches: '.*' } }, 'x-b is missing, expected a match of .*'],
    [{ 'x-twice': 'a, b' }, 'ok'],
    [{ 'x-a': { contains: '1', matches: '2$' } }, 'ok'],
    [{ constructor: { exists: false } }, 'ok'],
  ])('with the headers %j: %s', async (responseHeaders, expected) => {
    await using server = await serveHttp((_, response) => {
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'x-a': '12',
        'x-twice': ['a', 'b'],
      };
      response.writeHead(200, headers).end('{}');
    });
    const { outcome, fault } = await ask(server.url, { responseHeaders });
    expect(fault ? fault.detail : outcome).toBe(expected);
    if (fault) expect(faultId(fault)).toBe('target.http.wrong-header');
  });

  it('sends the headers that it is told to; those of the node win', async () => {
    await using server = await serveHttp((request, response) =>
      response.end(JSON.stringify(request.headers)),
    );
    const observation = await runOnce({
      kind: 'http',
      settings: {
        method: 'POST',
        body: 'a=1',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Own': 'check', 'X-Check': '1' },
        json: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-own': 'node',
          'x-check': '1',
          'accept-encoding': 'identity',
          'content-length': '3',
        },
      },
      target: { url: server.url, headers: { 'x-own': 'node' }, allowPrivate: true },
      timeoutMs: 5_000,
      allowPrivate: ['config'],
    });
    expect([observation.outcome, observation.fault?.detail]).toEqual(['ok', undefined]);
  });

  it('ends an expression that would take for ever', async () => {
    await using server = await serveHttp((_, response) => response.end(`${'a'.repeat(60_000)}!`));
    const { fault } = await ask(server.url, { matches: '^(a+)+$', json: { a: { matches: '(a+)+$' } } });
    expect(fault?.detail).toBe('^(a+)+$: not known: the expressions take over 100 ms on what came');
  });

  it('posts a body to a path', async () => {
    await using server = await serveHttp((request, response) => {
      request.on('data', (chunk: Buffer) =>
        response.end(`${request.method} ${request.url} ${chunk.toString()}`),
      );
    });
    const { outcome } = await ask(`${server.url}/v1`, {
      method: 'POST',
      path: '/q?x=1',
      body: 'hi',
      contains: 'POST /v1/q?x=1 hi',
    });
    expect(outcome).toBe('ok');
  });

  it.each([
    [{ redirects: 4 }],
    [{ status: 99 }],
    [{ status: 'ok' }],
    [{ path: 'x' }],
    [{ slow: 5 }],
    [{ what: 1 }],
    [{ body: '{}' }],
    [{ method: 'HEAD', contains: 'x' }],
    [{ method: 'HEAD', json: { a: 1 } }],
    [{ matches: '(' }],
    [{ matches: 'x'.repeat(201) }],
    [{ headers: { Host: 'x' } }],
    [{ headers: { 'X-A': '1', 'x-a': '2' } }],
    [{ headers: { 'X-A': 'a\nb' } }],
    [{ responseHeaders: { 'x-a': {} } }],
    [{ responseHeaders: { 'x-a': { exists: false, contains: 'x' } } }],
    [{ responseHeaders: { 'x a': 'x' } }],
    [{ status: '299-200' }],
  ])('refuses the settings %j', (settings) => {
    expect(() => http.prepare(settings)).toThrow();
  });

  it('with settings that cannot be read, or of an unknown kind, is skipped', async () => {
    const { outcome, fault } = await ask('http://127.0.0.1:1', { what: 1 });
    expect([outcome, fault && faultId(fault)]).toEqual(['skipped', 'probe.config.kind']);
  });
});

const answer = (body: string) => ({ status: 503, headers: { server: 'x' }, body, latencyTenths: 123 });

describe('what is asked of an answer', () => {
  it('is told thing by thing to whoever reads it, the first that fails being the fault', () => {
    const wanted = schema.parse({
      responseHeaders: { server: 'nginx', 'x-a': { exists: false } },
      contains: 'ok',
      lacks: 'error',
      json: { height: { min: 5, max: 9 } },
      slow: '10ms',
    });
    const told: string[] = [];
    const found = unexpected(answer('{"height":7,"said":"an error"}'), wanted, (each) =>
      told.push(`${each.held ? '+' : '-'} ${each.what}: ${each.found ?? ''}`),
    );
    expect(found && faultId(found)).toBe('target.http.status');
    expect(told).toEqual([
      '- the status is 200-299: 503',
      '- the header server is "nginx": "x"',
      '+ the header x-a is missing: missing',
      '- the body has "ok": a body that begins with "{\\"height\\":7,\\"said\\":\\"an error\\"}"',
      '- the body lacks "error": "eight\\":7,\\"said\\":\\"an error\\"}"',
      '+ height is at least 5: 7',
      '+ height is at most 9: 7',
      '- it takes at most 10 ms: 12.3 ms',
    ]);
  });
});

describe('how much is read', () => {
  it('is 16 MiB at most, and 4 MiB of JSON', () => {
    const json = { a: 1 };
    expect(schema.safeParse({ maxBytes: 16_777_216 }).success).toBe(true);
    expect(schema.safeParse({ maxBytes: 16_777_217 }).success).toBe(false);
    expect(schema.safeParse({ maxBytes: 4_194_304, json }).success).toBe(true);
    expect(schema.safeParse({ maxBytes: 4_194_305, json }).error?.issues).toMatchObject([
      {
        path: ['maxBytes'],
        message: 'too large for a body that is read as JSON, write at most 4194304 or remove json',
      },
    ]);
  });
});

describe('the line that repeats it', () => {
  const asked = {
    target: {
      url: 'https://rpc.example.com/key?a=1',
      address: '192.0.2.1',
      headers: { 'X-Token': 'env:HIGHWATER_SECRET_US', 'X-Tenant': 'own' },
      allowPrivate: false,
    },
    timeoutMs: 2_500,
  };
  it.each<[object, string]>([
    [{}, "-i -H 'accept-encoding: identity' -H 'x-tenant: own' -H @- 'https://rpc.example.com/key?a=1'"],
    [
      { method: 'HEAD', path: '/x', redirects: 2 },
      "-I -H 'accept-encoding: identity' -H 'x-tenant: own' -H @- 'https://rpc.example.com/key/x?a=1'",
    ],
    [
      { method: 'POST', body: "it's", headers: { 'X-Tenant': 'no', Accept: '*/*' } },
      "-i -H 'accept-encoding: identity' -H 'x-tenant: own' -H 'accept: */*' -H 'content-type: application/json' -H @- --data-raw 'it'\\''s' 'https://rpc.example.com/key?a=1'",
    ],
    [
      { method: 'POST' },
      "-i -X POST -H 'accept-encoding: identity' -H 'x-tenant: own' -H @- 'https://rpc.example.com/key?a=1'",
    ],
  ])('of %j', (settings, line) => {
    expect(http.repeat(settings, asked)).toBe(
      String.raw`printf '%s: %s\n' x-token "$HIGHWATER_SECRET_US" | curl -sS -A Highwater/0.1 --max-time 2.5 --resolve rpc.example.com:443:192.0.2.1 ${line}`,
    );
  });
});
