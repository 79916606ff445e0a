import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { serveHttp } from '../../testing/servers.ts';
import { runOnce } from '../once.ts';
import { http } from './http.ts';

const ask = (url: string, settings: unknown) =>
  runOnce({
    kind: 'http',
    settings,
    target: { url, headers: {}, allowPrivate: true },
    timeoutMs: 1_000,
    allowPrivate: ['config'],
  });

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
    [{ maxBytes: 3 }, 200, 'four', 'fail target.http.too-large'],
    [{ method: 'HEAD' }, 200, 'x', 'ok'],
  ])('with %j of %i %j is %s', async (settings, status, body, expected) => {
    await using server = await serveHttp((_, response) => void response.writeHead(status).end(body));
    const { outcome, fault, facts } = await ask(server.url, settings);
    expect(fault ? `${outcome} ${faultId(fault)}` : outcome).toBe(expected);
    if (expected !== 'fail target.http.too-large') expect(facts['sc']).toBe(String(status));
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
  ])('refuses the settings %j', (settings) => {
    expect(() => http.prepare(settings)).toThrow();
  });

  it('with settings that cannot be read, or of an unknown kind, is skipped', async () => {
    const { outcome, fault } = await ask('http://127.0.0.1:1', { what: 1 });
    expect([outcome, fault && faultId(fault)]).toEqual(['skipped', 'probe.config.kind']);
  });
});
