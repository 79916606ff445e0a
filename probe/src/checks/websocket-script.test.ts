import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { shiftedHouse, testCheck, until, verdictOf } from '../../testing/check.ts';
import { serveSockets } from '../../testing/sockets.ts';
import { websocket } from './websocket.ts';

describe('a script', () => {
  const told = (way: WebSocket, payload: string) => {
    const said = payload.startsWith('{')
      ? (JSON.parse(payload) as { id?: unknown; method?: string })
      : undefined;
    if (payload === 'ping') way.send('pong');
    if (payload === 'long') way.send(`["ok"${',0'.repeat(250_000)}]`);
    if (said?.method === 'echo') {
      way.send(JSON.stringify({ event: 'other' }));
      way.send(JSON.stringify({ id: said.id, result: { status: 'ok' } }));
    }
    if (said?.method === 'wrong') way.send(JSON.stringify({ id: said.id, result: 'no' }));
    if (said?.method === 'ticks')
      for (let i = 0; i < 3; i += 1) way.send(JSON.stringify({ method: 'tick', i }));
  };
  const talking = () =>
    serveSockets((way) => void way.on('message', (data: Buffer) => told(way, data.toString())));

  it.each<[string, unknown[], string]>([
    ['a text', [{ send: 'ping', expect: { contains: 'pong' } }], 'ok'],
    ['nothing expected', [{ send: 'hello' }], 'ok'],
    ['text in a long message', [{ send: 'long', expect: { contains: 'ok' } }], 'ok'],
    [
      'a path into JSON of more parts than are read',
      [{ send: 'long', expect: { path: '0', equals: 'ok' } }],
      'fail target.ws.too-large',
    ],
    [
      'JSON by its id, with others between',
      [{ send: { id: 7, method: 'echo' }, expect: { path: 'result.status', equals: 'ok' } }],
      'ok',
    ],
    [
      'JSON written as text',
      [{ send: '{"id":"a","method":"echo"}', expect: { path: 'result.status' } }],
      'ok',
    ],
    [
      'several steps',
      [
        { send: 'ping', expect: { contains: 'pong' } },
        { send: { id: 1, method: 'echo' }, expect: { path: 'result', equals: { status: 'ok' } } },
      ],
      'ok',
    ],
    [
      'another answer',
      [{ send: { id: 1, method: 'wrong' }, expect: { path: 'result', equals: 'yes' } }],
      'fail target.ws.unexpected',
    ],
    [
      'no answer in time',
      [{ send: 'hello', expect: { contains: 'pong' }, within: '50ms' }],
      'fail target.ws.unexpected',
    ],
    [
      'an answer that never fits',
      [{ send: { method: 'ticks' }, expect: { contains: 'tock' }, within: '50ms' }],
      'fail target.ws.unexpected',
    ],
  ])('%s', async (_, script, expected) => {
    await using server = await talking();
    using check = testCheck('websocket', server.url, { script });
    expect(verdictOf(await check.run())).toBe(expected);
  });

  it('says the step, what was expected and what came', async () => {
    await using server = await talking();
    const script = [
      { send: 'hi' },
      { send: { id: 1, method: 'wrong' }, expect: { path: 'result', equals: 'yes' } },
    ];
    using check = testCheck('websocket', server.url, { script });
    expect((await check.run()).fault?.detail).toBe(
      String.raw`step 2: expected result to be "yes", came "{\"id\":1,\"result\":\"no\"}"`,
    );
  });

  it('and what must keep coming after it', async () => {
    const { house, forward } = shiftedHouse();
    await using server = await talking();
    const settings = {
      script: [{ send: { method: 'ticks' } }],
      receive: { matching: { path: 'method', equals: 'tick' }, within: '1m' },
    };
    using check = testCheck('websocket', server.url, settings, { house });
    expect(verdictOf(await check.run())).toBe('ok');
    await until(check, ({ facts }) => facts['age'] !== undefined);
    forward(59_000);
    expect(verdictOf(await check.run())).toBe('ok');
    forward(2_000);
    expect(verdictOf(await check.run())).toBe('fail target.ws.silent');
  });

  it('with nothing to say is a handshake, and slow is degraded', async () => {
    await using server = await serveSockets(() => undefined);
    using check = testCheck('websocket', server.url, {
      slow: '1ms',
      headers: { Origin: 'https://x.example' },
    });
    const seen = await check.run();
    expect(['ok', 'degraded target.ws.slow']).toContain(verdictOf(seen));
    expect(verdictOf(seen) === 'ok').toBe(seen.latencyTenths <= 10);
  });

  it.each<[unknown, string]>([
    [{ subscribe: 'blocks' }, 'neither heads nor none'],
    [{ subscribe: 'heads', script: [{ send: 'x' }] }, 'no chain'],
    [{ protocols: ['a', 'a'] }, 'twice'],
    [{ protocols: ['a b'] }, 'subprotocol'],
    [{ headers: { 'Sec-WebSocket-Key': 'x' } }, 'made for each handshake'],
    [{ headers: { Origin: 'a\r\nb: c' } }, 'ASCII'],
    [{ script: [{ send: 'x', expect: {} }] }, 'neither contains nor path'],
    [{ script: [{ send: 'x', expect: { contains: 'a', path: 'b' } }] }, 'neither contains nor path'],
    [{ script: [{ send: [[[[[[[[[1]]]]]]]]] }] }, 'nested'],
    [{ script: [{ send: 2 ** 60 }] }, 'digits'],
    [{ script: [] }, ''],
    [{ receive: { matching: { contains: 'x' } } }, ''],
  ])('settings %j are refused', (written, message) => {
    expect(() => websocket.prepare(written)).toThrow(message);
  });
});
