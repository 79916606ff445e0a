import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import type { WebSocket } from 'ws';
import { quickChain, testCheck, testHouse, type TestCheck, verdictOf } from '../../testing/check.ts';
import { type EvmCall, goodAnswer, header, push, serveEvmSocket } from '../../testing/evm-socket.ts';
import { hash } from '../../testing/rpc.ts';
import { serveHttp } from '../../testing/servers.ts';
import { closeFrame, serveSockets, text } from '../../testing/sockets.ts';
import { websocket } from './websocket.ts';

/** A clock that can be put forward. */
function shiftedHouse() {
  let aheadMs = 0;
  const outside = { ...testHouse.outside, monotonic: () => performance.now() + aheadMs };
  return { house: { ...testHouse, outside }, forward: (ms: number) => (aheadMs += ms) };
}

/** An EVM node whose tip is set and whose pushes are sent by hand. */
async function node() {
  let height = 100;
  let accepting = true;
  const subscribed = new Set<Socket>();
  const server = await serveEvmSocket({
    said: (call: EvmCall) => (socket: Socket) => {
      if (call.method === 'eth_subscribe') {
        if (!accepting) return void socket.end();
        subscribed.add(socket);
        socket.once('close', () => subscribed.delete(socket));
      }
      const result = call.method === 'eth_subscribe' ? '0x1' : header(height);
      socket.write(text(JSON.stringify({ ...(goodAnswer(call) as object), result })));
    },
  });
  const pushAll = (head: Record<string, unknown>) => {
    for (const socket of subscribed) socket.write(text(JSON.stringify(push(head))));
  };
  return {
    server,
    subscribed,
    subscriptions: () => server.calls.filter(({ method }) => method === 'eth_subscribe').length,
    pushAll,
    at: (now: number) => (height = now),
    accept: (yes: boolean) => (accepting = yes),
    cut: (bytes?: Buffer) => subscribed.forEach((socket) => (bytes ? socket.end(bytes) : socket.destroy())),
  };
}

/** Runs rounds until one says it. */
async function until(check: TestCheck, wanted: (seen: Observation) => boolean): Promise<Observation> {
  for (let round = 0; round < 400; round += 1) {
    const seen = await check.run();
    formatLine(seen);
    if (wanted(seen)) return seen;
    await new Promise((resume) => setTimeout(resume, 10));
  }
  throw new Error('no round says it');
}

interface Subscribed {
  readonly subscribed: ReadonlySet<Socket>;
  readonly subscriptions: () => number;
}

/** The long-lived connection alone is left. */
async function settled({ subscribed, subscriptions }: Subscribed) {
  await expect.poll(() => subscribed.size === 1 && subscriptions() >= 2).toBe(true);
}

/** Another one was made. */
async function remade({ subscriptions }: Subscribed) {
  const before = subscriptions();
  await expect.poll(subscriptions, { timeout: 5_000 }).toBeGreaterThan(before);
}

const chained = (url: string, house = testHouse) =>
  testCheck('websocket', url, {}, { chain: quickChain, house });

describe('a chain', () => {
  it('is subscribed to afresh each round, and one connection stays', async () => {
    const evm = await node();
    const { pushAll } = evm;
    await using server = evm.server;
    using check = chained(server.url);
    const first = await check.run();
    expect(verdictOf(first)).toBe('ok');
    expect(first.facts).toMatchObject({ h: '100', id: 'bbbbbbbb' });
    expect(Number(first.facts['ack'])).toBeGreaterThan(0);
    expect(first.phases).toMatchObject({ tls: 0 });
    expect(first.latencyTenths).toBe(
      Object.values(first.phases ?? {}).reduce((sum: number, each: number) => sum + each, 0),
    );
    await settled(evm);
    pushAll(header(101));
    const seen = await until(check, ({ facts }) => facts['age'] !== undefined);
    expect(Number(seen.facts['age'])).toBeLessThan(60_000);
    await settled(evm);
  });

  it('pushes seen on the fresh connection give the time until the first', async () => {
    await using server = await serveEvmSocket({
      said: (call) => (call.method === 'eth_subscribe' ? [goodAnswer(call), push(header(101))] : undefined),
    });
    using check = chained(server.url);
    const { facts } = await check.run();
    expect(Number(facts['first'])).toBeGreaterThanOrEqual(Number(facts['ack']));
  });

  it('has its repeats, reorganisations and gaps told once', async () => {
    const evm = await node();
    const { pushAll } = evm;
    await using server = evm.server;
    using check = chained(server.url);
    await check.run();
    await settled(evm);
    const say = (height: number, name: string, parent: string) =>
      pushAll(header(height, name, { parentHash: hash(parent) }));
    say(101, '1', '0');
    say(102, '2', '1');
    say(102, '2', '1');
    say(102, '3', '1');
    say(103, '4', '3');
    const seen = await until(
      check,
      ({ facts }) => facts['rep'] !== undefined && facts['reorg'] !== undefined,
    );
    expect(seen.facts).toMatchObject({ rep: '1', reorg: '1' });
    expect(verdictOf(seen)).toBe('ok');
    expect((await check.run()).facts).not.toHaveProperty('rep');
    await settled(evm);
    say(107, '8', '7');
    const gapped = await until(check, ({ outcome }) => outcome !== 'ok');
    expect(verdictOf(gapped)).toBe('degraded target.ws.gap');
    expect(gapped.facts['gap']).toBe('3');
    expect(verdictOf(await check.run())).toBe('ok');
  });

  it('that stands still is no fault of the socket, but one that goes on unheard is', async () => {
    const { house, forward } = shiftedHouse();
    const evm = await node();
    const { pushAll, at } = evm;
    await using server = evm.server;
    using check = chained(server.url, house);
    await check.run();
    await settled(evm);
    at(101);
    pushAll(header(101));
    await until(check, ({ facts }) => facts['age'] !== undefined);
    forward(600_000);
    // The limit is 30 s, but there is nothing to push.
    expect(verdictOf(await check.run())).toBe('ok');
    at(102);
    // The newest block may be on its way.
    expect(verdictOf(await check.run())).toBe('ok');
    const silent = await check.run();
    expect(verdictOf(silent)).toBe('fail target.ws.silent');
    expect(silent.fault?.detail).toMatch(/^nothing for 6\d\d s, limit 30s$/);
    // Made anew, it is silent until a block comes.
    await remade(evm);
    expect(verdictOf(await check.run())).toBe('fail target.ws.silent');
    await settled(evm);
    pushAll(header(102));
    expect(verdictOf(await until(check, ({ outcome }) => outcome === 'ok'))).toBe('ok');
  });

  it('whose subscribers are cut off again and again', async () => {
    const evm = await node();
    const { cut, pushAll } = evm;
    await using server = evm.server;
    using check = chained(server.url);
    await check.run();
    await settled(evm);
    for (let i = 0; i < 2; i += 1) {
      pushAll(header(101 + i));
      cut(closeFrame(1013, 'busy'));
      await remade(evm);
      await settled(evm);
    }
    const seen = await check.run();
    expect(verdictOf(seen)).toBe('degraded target.ws.dropped');
    expect(seen.facts).toMatchObject({ lost: '2', cc: '1013' });
    expect(seen.fault?.detail).toContain('2 times');
    expect(verdictOf(await check.run())).toBe('ok');
  });

  it('whose pushes cannot be read', async () => {
    const evm = await node();
    const { pushAll } = evm;
    await using server = evm.server;
    using check = chained(server.url);
    await check.run();
    await settled(evm);
    pushAll({ number: 7 });
    await expect.poll(() => evm.subscribed.size).toBe(0);
    expect(verdictOf(await check.run())).toBe('fail target.rpc.result');
  });

  it('that sends without end is let go', async () => {
    const evm = await node();
    const { pushAll } = evm;
    await using server = evm.server;
    using check = chained(server.url);
    await check.run();
    await settled(evm);
    for (let i = 0; i < 1_100; i += 1) pushAll(header(101));
    await expect.poll(() => evm.subscribed.size).toBe(0);
    const seen = await check.run();
    expect(verdictOf(seen)).toBe('fail target.ws.too-large');
    expect(seen.fault?.detail).toBe('over 1000 messages in 10 s');
  });

  it('that lets nobody stay although fresh connections work', async () => {
    const { house, forward } = shiftedHouse();
    const evm = await node();
    const { cut } = evm;
    await using server = evm.server;
    using check = chained(server.url, house);
    await check.run();
    await settled(evm);
    cut();
    await expect.poll(() => server.sockets.size).toBe(0);
    forward(31_000);
    const seen = await check.run();
    expect(verdictOf(seen)).toBe('fail target.ws.silent');
    expect(seen.fault?.detail).toMatch(/^the long-lived connection is down for \d+ s: target.ws.closed 1006/);
  });

  it('that fails outright still says what became of the long-lived connection', async () => {
    const evm = await node();
    const { pushAll, accept } = evm;
    await using server = evm.server;
    using check = chained(server.url);
    await check.run();
    await settled(evm);
    pushAll(header(101));
    await until(check, ({ facts }) => facts['age'] !== undefined);
    accept(false);
    const seen = await check.run();
    expect(verdictOf(seen)).toBe('fail target.ws.closed');
    expect(seen.facts).toHaveProperty('age');
    formatLine(seen);
  });

  it('without a subscription of its family gets a handshake, unless heads are asked for', async () => {
    await using server = await serveSockets(() => undefined);
    const chain = { ...quickChain, family: 'bitcoin' };
    using plain = testCheck('websocket', server.url, {}, { chain });
    expect(verdictOf(await plain.run())).toBe('ok');
    using heads = testCheck('websocket', server.url, { subscribe: 'heads' }, { chain });
    expect(verdictOf(await heads.run())).toBe('skipped probe.config.kind');
    expect(websocket.needsChainFor?.({ subscribe: 'heads' })).toBe(true);
    expect(websocket.needsChainFor?.({})).toBe(false);
  });
});

describe('a chain that is polled', () => {
  const algorand = { ...quickChain, family: 'algorand' };

  /** algod: its status, its block, and a wait that is answered when the round comes. */
  async function algod() {
    let round = 100;
    const waiting = new Set<() => void>();
    let cut = false;
    const server = await serveHttp((request, response) => {
      const path = request.url ?? '';
      const say = (value: unknown) =>
        void response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
      if (path.startsWith('/v2/status/wait-for-block-after/')) {
        if (cut) return void request.socket.destroy();
        const after = Number(path.split('/').at(-1));
        const answer = () => say({ 'last-round': round });
        if (round > after) return answer();
        waiting.add(answer);
        return void request.socket.once('close', () => waiting.delete(answer));
      }
      if (path === '/v2/status') return say({ 'last-round': round, 'catchup-time': 0 });
      return say({ block: { rnd: round, ts: Math.floor(Date.now() / 1_000) } });
    });
    return {
      server,
      waiting,
      next: () => {
        round += 1;
        for (const answer of waiting) answer();
        waiting.clear();
      },
      at: () => round,
      cut: () => (cut = true),
    };
  }

  it('is waited for over HTTP, and its blocks are counted alike', async () => {
    const { server, waiting, next } = await algod();
    await using _ = server;
    using check = testCheck('websocket', server.url, {}, { chain: algorand });
    const first = await check.run();
    expect(verdictOf(first)).toBe('ok');
    expect(first.facts).toMatchObject({ h: '100' });
    await expect.poll(() => waiting.size).toBe(1);
    next();
    const seen = await until(check, ({ facts }) => facts['age'] !== undefined);
    expect(verdictOf(seen)).toBe('ok');
    await expect.poll(() => waiting.size).toBe(1);
    check[Symbol.dispose]();
    await expect.poll(() => waiting.size).toBe(0);
  });

  it('says what cuts the polls off', async () => {
    const { house, forward } = shiftedHouse();
    const { server, waiting, next, cut } = await algod();
    await using _ = server;
    using check = testCheck('websocket', server.url, {}, { chain: algorand, house });
    await check.run();
    await expect.poll(() => waiting.size).toBe(1);
    cut();
    next();
    await until(check, ({ facts }) => facts['lost'] !== undefined);
    forward(31_000);
    const seen = await check.run();
    expect(verdictOf(seen)).toBe('fail target.ws.silent');
    expect(seen.fault?.detail).toContain('target.http.reset');
  });
});

describe('a script', () => {
  const told = (way: WebSocket, payload: string) => {
    const said = payload.startsWith('{')
      ? (JSON.parse(payload) as { id?: unknown; method?: string })
      : undefined;
    if (payload === 'ping') way.send('pong');
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
