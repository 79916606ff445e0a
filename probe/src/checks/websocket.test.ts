import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { formatLine } from '@highwater/config/proof/line.ts';
import {
  quickChain,
  shiftedHouse,
  type TestCheck,
  testCheck,
  testHouse,
  until,
  verdictOf,
} from '../../testing/check.ts';
import { type EvmCall, goodAnswer, header, push, serveEvmSocket } from '../../testing/evm-socket.ts';
import { hash } from '../../testing/rpc.ts';
import { serveHttp } from '../../testing/servers.ts';
import { closeFrame, serveSockets, text } from '../../testing/sockets.ts';
import { websocket } from './websocket.ts';

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

/** Of so many rounds, before each of which something happens. */
async function verdicts(check: TestCheck, rounds: number, before: (round: number) => void) {
  const said: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    before(round);
    said.push(verdictOf(await check.run()));
  }
  return said;
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

  it('that pushed one block far too high, and nothing after it, is silent', async () => {
    const { house, forward } = shiftedHouse();
    const evm = await node();
    await using server = evm.server;
    using check = chained(server.url, house);
    await check.run();
    await settled(evm);
    evm.pushAll(header(5_000_000));
    await until(check, ({ facts }) => facts['age'] !== undefined);
    forward(31_000);
    expect(await verdicts(check, 4, (round) => evm.at(101 + round))).toContain('fail target.ws.silent');
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
    const waiting = new Set<(said?: number) => void>();
    const afters: number[] = [];
    let cut = false;
    const server = await serveHttp((request, response) => {
      const path = request.url ?? '';
      const say = (value: unknown) =>
        void response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
      if (path.startsWith('/v2/status/wait-for-block-after/')) {
        if (cut) return void request.socket.destroy();
        const after = Number(path.split('/').at(-1));
        afters.push(after);
        const answer = (said = round) => say({ 'last-round': said });
        if (round > after) return answer();
        waiting.add(answer);
        return void request.socket.once('close', () => waiting.delete(answer));
      }
      if (path === '/v2/status') return say({ 'last-round': round, 'catchup-time': 0 });
      return say({ block: { rnd: round, ts: Math.floor(Date.now() / 1_000), gh: `${'A'.repeat(43)}=` } });
    });
    return {
      server,
      waiting,
      afters,
      /** The chain goes on, and who waits is not told. */
      move: () => (round += 1),
      /** Who waits is told the round, or another one. */
      tell: (said?: number) => {
        for (const answer of waiting) answer(said);
        waiting.clear();
      },
      at: () => round,
      cut: () => (cut = true),
    };
  }

  it('is waited for over HTTP, and its blocks are counted alike', async () => {
    const { server, waiting, move, tell } = await algod();
    await using _ = server;
    using check = testCheck('websocket', server.url, {}, { chain: algorand });
    const first = await check.run();
    expect(verdictOf(first)).toBe('ok');
    expect(first.facts).toMatchObject({ h: '100' });
    await expect.poll(() => waiting.size).toBe(1);
    move();
    tell();
    const seen = await until(check, ({ facts }) => facts['age'] !== undefined);
    expect(verdictOf(seen)).toBe('ok');
    await expect.poll(() => waiting.size).toBe(1);
    check[Symbol.dispose]();
    await expect.poll(() => waiting.size).toBe(0);
  });

  it('is silent when nothing comes after one round that was made up, and waited for from where it is', async () => {
    const { house, forward } = shiftedHouse();
    const { server, waiting, move, tell, afters } = await algod();
    await using _ = server;
    using check = testCheck('websocket', server.url, {}, { chain: algorand, house });
    await check.run();
    await expect.poll(() => waiting.size).toBe(1);
    tell(5_000_000);
    await expect.poll(() => afters).toEqual([0, 100, 5_000_000]);
    forward(31_000);
    expect(await verdicts(check, 4, move)).toContain('fail target.ws.silent');
  });

  it('is waited for from the round that it tells after one that was made up', async () => {
    const { server, waiting, move, tell, afters } = await algod();
    await using _ = server;
    using check = testCheck('websocket', server.url, {}, { chain: algorand });
    await check.run();
    for (const said of [5_000_000, undefined, undefined]) {
      await expect.poll(() => waiting.size).toBe(1);
      move();
      tell(said);
    }
    await expect.poll(() => afters).toEqual([0, 100, 5_000_000, 102, 103]);
  });

  it('says what cuts the polls off', async () => {
    const { house, forward } = shiftedHouse();
    const { server, waiting, move, tell, cut } = await algod();
    await using _ = server;
    using check = testCheck('websocket', server.url, {}, { chain: algorand, house });
    await check.run();
    await expect.poll(() => waiting.size).toBe(1);
    cut();
    move();
    tell();
    await until(check, ({ facts }) => facts['lost'] !== undefined);
    forward(31_000);
    const seen = await check.run();
    expect(verdictOf(seen)).toBe('fail target.ws.silent');
    expect(seen.fault?.detail).toContain('target.http.reset');
  });
});
