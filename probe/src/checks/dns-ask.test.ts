import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { formatLine } from '@highwater/config/proof/line.ts';
import { shiftedHouse, testCheck, testHouse, verdictOf } from '../../testing/check.ts';
import { nameOf, own, packetFor, record, serveDns } from '../../testing/fake-name-server.ts';

const a = record(1, [192, 0, 2, 1]);
const ok = 'ok';
const malformed = 'fail target.dns.malformed';
const silent = 'fail target.dns.timeout';
const wrongId = (asked: Buffer) => packetFor(asked, { id: asked.readUInt16BE(0) ^ 1, answers: [a] });

type Stream = (asked: Buffer, socket: Socket) => void;
const run = async (tcp: Stream, timeoutMs: number) => {
  await using server = await serveDns((asked) => [packetFor(asked, { flags: 0x8600 })], tcp);
  const settings = { servers: [`127.0.0.1:${server.port}`], aa: true };
  using check = testCheck('dns', 'https://rpc.hw.test', settings, { timeoutMs });
  const seen = await check.run();
  formatLine(seen);
  return seen;
};

describe('odd streams, after a truncated answer', () => {
  const framed = (message: Buffer) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    return Buffer.concat([length, message]);
  };
  const good = (asked: Buffer) => framed(packetFor(asked, { answers: [a] }));
  it.each<[what: string, tcp: Stream, verdict: string, detail?: string]>([
    ['a good one', (asked, socket) => void socket.write(good(asked)), ok],
    ['byte by byte', (asked, socket) => good(asked).forEach((byte) => socket.write(Buffer.from([byte]))), ok],
    [
      'another id first',
      (asked, socket) => void socket.write(Buffer.concat([framed(wrongId(asked)), good(asked)])),
      ok,
    ],
    ['nothing', () => undefined, silent, 'over TCP'],
    ['closed at once', (_, socket) => void socket.end(), malformed, 'closed after 0 bytes'],
    [
      'closed within',
      (asked, socket) => void socket.end(good(asked).subarray(0, 20)),
      malformed,
      'closed after 20 bytes',
    ],
    ['cut off', (_, socket) => void socket.resetAndDestroy(), 'fail target.connect.reset'],
    [
      'truncated again',
      (asked, socket) => void socket.write(framed(packetFor(asked, { flags: 0x8600 }))),
      malformed,
    ],
    [
      'messages of no bytes',
      (_, socket) => void socket.write(Buffer.alloc(200_000)),
      malformed,
      'that answer something else',
    ],
    [
      'others without end',
      (asked, socket) => {
        const other = Buffer.concat(Array.from({ length: 5_000 }, () => framed(wrongId(asked))));
        socket.write(other);
      },
      malformed,
      'that answer something else',
    ],
    [
      '1001 records',
      (asked, socket) =>
        void socket.write(framed(packetFor(asked, { answers: Array.from({ length: 1_001 }, () => a) }))),
      malformed,
      '1001 records',
    ],
    [
      '1000 records',
      (asked, socket) =>
        void socket.write(framed(packetFor(asked, { answers: Array.from({ length: 1_000 }, () => a) }))),
      ok,
    ],
  ])('%s', async (_what, tcp, verdict, detail = '') => {
    const seen = await run(tcp, verdict === silent ? 150 : 5_000);
    expect(verdictOf(seen)).toBe(verdict);
    expect(seen.fault?.detail ?? '').toContain(detail);
  });
});

describe('over UDP', () => {
  it('one lost packet is no fault: the question is sent again, the same', async () => {
    await using server = await serveDns((asked, n) => (n === 0 ? [] : [packetFor(asked, { answers: [a] })]));
    using check = testCheck(
      'dns',
      'https://rpc.hw.test',
      { servers: [`127.0.0.1:${server.port}`] },
      { timeoutMs: 900 },
    );
    expect(verdictOf(await check.run())).toBe('ok');
    expect(server.questions.length).toBe(2);
    expect(server.questions[0]?.equals(server.questions[1] ?? Buffer.alloc(0))).toBe(true);
  });

  it('it is sent twice and no more', async () => {
    await using server = await serveDns(() => []);
    using check = testCheck(
      'dns',
      'https://rpc.hw.test',
      { servers: [`127.0.0.1:${server.port}`] },
      { timeoutMs: 200 },
    );
    expect(verdictOf(await check.run())).toBe('fail target.dns.timeout');
    expect(server.questions.length).toBe(2);
  });

  it('asks resolvers to look further, and servers of a zone not to', async () => {
    await using server = await serveDns((asked) => [packetFor(asked, { flags: 0x84a0, answers: [a] })]);
    const flags: number[] = [];
    for (const settings of [{}, { aa: true }, { dnssec: 'ad' }, { ttl: { max: '1h' } }]) {
      using check = testCheck('dns', 'https://rpc.hw.test', {
        servers: [`127.0.0.1:${server.port}`],
        ...settings,
      });
      expect(verdictOf(await check.run())).toBe('ok');
      flags.push(server.questions.at(-1)?.readUInt16BE(2) ?? 0);
    }
    expect(flags).toEqual([0x0120, 0, 0x0120, 0]);
  });

  it('the serial beside an answer is taken as it comes', async () => {
    const soa = record(6, Buffer.concat([own, own, Buffer.alloc(20, 1)]), { name: nameOf('hw', 'test') });
    const authority = (asked: Buffer) => packetFor(asked, { counts: [1, 0, 1, 0], rest: soa });
    await using server = await serveDns((asked, n) => [
      n === 0 ? packetFor(asked, { answers: [a] }) : authority(asked),
    ]);
    const settings = { servers: [`127.0.0.1:${server.port}`], soaEqual: true };
    using check = testCheck('dns', 'https://rpc.hw.test', settings);
    expect((await check.run()).facts['serial']).toBe(String(0x01010101));
    expect(server.questions.length).toBe(2);
  });

  it('a server that says nothing of its zone has no version of it', async () => {
    const elsewhere = record(6, Buffer.concat([own, own, Buffer.alloc(20)]), { name: nameOf('other') });
    await using server = await serveDns((asked) => [
      packetFor(asked, { counts: [1, 1, 1, 0], answers: [a], rest: elsewhere }),
    ]);
    const settings = { servers: [`127.0.0.1:${server.port}`], soaEqual: true };
    using check = testCheck('dns', 'https://rpc.hw.test', settings);
    const seen = await check.run();
    expect([verdictOf(seen), seen.fault?.detail]).toEqual([
      'fail target.dns.soa',
      `127.0.0.1:${server.port}: gives no SOA for rpc.hw.test or what it is under`,
    ]);
  });

  it('where the servers are is asked again after trouble, and else kept', async () => {
    let good = true;
    await using server = await serveDns((asked) => {
      const type = asked.readUInt16BE(asked.length - 15);
      const found = type === 2 ? [record(2, nameOf('localhost'))] : good ? [a] : [];
      return [packetFor(asked, { answers: found })];
    });
    const outside = {
      ...testHouse.outside,
      resolvers: [`127.0.0.1:${server.port}`],
      resolve: async () => ['127.0.0.1'],
    };
    using check = testCheck(
      'dns',
      'https://rpc.hw.test',
      { port: server.port },
      { house: { ...testHouse, outside } },
    );
    const asked: number[] = [];
    for (const round of [true, true, false, true, true]) {
      good = round;
      const before = server.questions.length;
      expect((await check.run()).outcome).toBe(round ? 'ok' : 'fail');
      asked.push(server.questions.length - before);
    }
    expect(asked).toEqual([2, 1, 1, 2, 1]);
  });

  it('a slow answer is degraded where there is a limit', async () => {
    const { house, forward } = shiftedHouse();
    await using server = await serveDns((asked) => {
      forward(201);
      return [packetFor(asked, { answers: [a] })];
    });
    for (const [slow, verdict] of [
      ['200ms', 'degraded target.dns.slow'],
      ['1m', ok],
    ]) {
      const settings = { servers: [`127.0.0.1:${server.port}`], slow };
      using check = testCheck('dns', 'https://rpc.hw.test', settings, { house });
      expect(verdictOf(await check.run())).toBe(verdict);
    }
  });
});
