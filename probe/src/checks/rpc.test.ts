/** What a status and a body say together; the whole list of odd answers is in jsonrpc-hostile.test.ts. */
import { describe, expect, it } from 'vitest';
import type { ExchangeRequest } from '@highwater/config/kinds.ts';
import type { Ask } from './ask.ts';
import { optional, resultOf } from './chains/family.ts';
import { isNotServed, openRpc } from './rpc.ts';

/** A way whose node answers each request so; `asked` has the requests. */
function answering(status: number, body: (id: number) => string) {
  const asked: ExchangeRequest[] = [];
  const ask: Ask = openRpc(
    {
      exchange: (request) => {
        asked.push(request);
        const id = Number(/"id":([0-9]+)/.exec(request.body ?? '')?.[1]);
        const phases = { resolve: 1, connect: 2, tls: 3, firstByte: 40, transfer: 5 };
        const text = body(id);
        return Promise.resolve({
          status,
          headers: {},
          body: text,
          bytes: text.length,
          phases,
          latencyTenths: 51,
          address: '',
        });
      },
    },
    {},
  );
  return { ask, asked };
}

const error = (json: string) => (id: number) => `{"jsonrpc":"2.0","id":${id},"error":${json}}`;
const unknownMethod = error('{"code":-32601,"message":"no such method"}');
const broken = error('{"message":"Assert Exception"}');

describe('an error', () => {
  it.each<[number, (id: number) => string, string, boolean]>([
    [200, unknownMethod, 'target.rpc.method: -32601: no such method', true],
    [404, unknownMethod, 'target.rpc.method: HTTP 404: -32601: no such method', true],
    [200, broken, 'target.rpc.error: no code: Assert Exception', true],
    [400, broken, 'target.rpc.error: HTTP 400: no code: Assert Exception', true],
    [500, () => '{"id":null,"error":{"code":-1,"message":"x"}}', 'target.rpc.error: HTTP 500: -1: x', true],
    [500, error('{"code":-32005}'), 'target.rpc.limit: HTTP 500: -32005: {"code":-32005}', false],
    [403, broken, 'target.http.refused: 403: Assert Exception', false],
    [503, broken, 'target.http.status: 503: Assert Exception', false],
    [429, broken, 'target.rpc.limit: 429: Assert Exception', false],
    [404, () => '{"message":"round not found"}', 'target.http.status: 404: round not found', false],
    [404, () => '{"error":"gone"}', 'target.http.status: 404', false],
    [500, () => '', 'target.http.status: 500', false],
  ])('under %i: %o is %s', async (status, body, said, refusal) => {
    const { error: found } = await answering(status, body).ask.call('x', []);
    expect([found?.message, found && isNotServed(found)]).toEqual([said, refusal]);
  });

  it('of a question that a good node may refuse is no answer; of one that it must answer it is thrown', async () => {
    for (const status of [200, 400, 403, 404, 429, 500]) {
      expect(await optional(answering(status, unknownMethod).ask, 'x', [])).toBeUndefined();
      await expect(resultOf(answering(status, broken).ask.call('x', []))).rejects.toThrow(/^target\./);
    }
    expect(await optional(answering(200, (id) => `{"id":${id},"result":false}`).ask, 'x', [])).toBe(false);
  });
});

describe('an answer of more parts than are read', () => {
  const long = `[0${',0'.repeat(250_000)}]`;
  const said = 'target.http.too-large: over 250000 commas, colons and brackets in its JSON';

  it('is its own fault, by POST and by GET', async () => {
    const { ask } = answering(200, (id) => `{"id":${id},"result":${long}}`);
    expect((await ask.call('x', [])).error?.message).toBe(said);
    expect((await ask.get('/x')).error?.message).toBe(said);
  });

  it('under another status is that status', async () => {
    const { ask } = answering(502, () => long);
    expect((await ask.call('x', [])).error?.message).toBe('target.http.status: 502');
  });
});

describe('a limit', () => {
  const said = (code: number, message: string) => error(JSON.stringify({ code, message }));

  it.each([
    [200, -32005, 'Limit exceeded'],
    [200, -32005, 'daily request count exceeded, request rate limited'],
    [500, -32005, 'Limit exceeded'],
    [200, -32029, 'x'],
    [200, -32097, 'x'],
    [200, -32999, 'RPC rate limit exceeded'],
    [200, 429, 'Your app has exceeded its compute units per second capacity'],
    [200, -32000, 'Rate limit exceeded'],
    [200, -32000, 'you are being rate-limited'],
    [200, -32000, 'too many requests from your IP'],
    [200, -32000, 'limit exceeded'],
    [400, -32007, '50/second request limit reached'],
    [200, -32000, 'daily request limit was exceeded'],
    [200, -32000, 'request quota used up'],
    [200, -32000, 'Daily quota exceeded'],
    [200, -32000, 'rate quota exceeded'],
    [200, -32000, 'throttled, try again'],
  ])('under %i: %i %s tells of what this client asked', async (status, code, message) => {
    const { error: found } = await answering(status, said(code, message)).ask.call('x', []);
    expect(found?.message).toMatch(/^target\.rpc\.limit: /);
  });

  it.each([
    [200, -32005, 'Node is behind by 42000 slots'],
    [200, -32005, 'Node is unhealthy'],
    [500, -32603, 'write failed: disk quota exceeded'],
    [200, -32603, 'write failed: disk quota exceeded'],
    [200, -32000, 'server capacity exceeded, shutting down'],
    [200, -32000, 'memory limit exceeded'],
    [200, -32000, 'open files limit reached'],
    [500, -32000, 'Rate limit exceeded'],
    [500, -32000, 'upstream: too many requests'],
  ])('under %i: not %i %s, which is of the server itself', async (status, code, message) => {
    const { error: found } = await answering(status, said(code, message)).ask.call('x', []);
    expect(found?.message).toMatch(/^target\.rpc\.error: /);
  });
});

describe('a request', () => {
  it('says an integer beyond 2^53 in its own digits', async () => {
    const { ask, asked } = answering(200, () => '{}');
    await ask.call('x', [18446744073709551615n, { deep: -1n }]);
    expect(asked[0]?.body).toMatch(/"params":\[18446744073709551615,\{"deep":-1\}\]\}$/);
  });

  it('is timed without the connection that it made', async () => {
    const { ask } = answering(200, () => '{}');
    expect([(await ask.call('x', [])).latencyTenths, (await ask.get('/x')).latencyTenths]).toEqual([45, 45]);
    expect(ask.phases('last')).toEqual({ resolve: 2, connect: 4, tls: 6, firstByte: 40, transfer: 5 });
    expect(ask.phases('all')).toEqual({ resolve: 2, connect: 4, tls: 6, firstByte: 80, transfer: 10 });
  });
});
