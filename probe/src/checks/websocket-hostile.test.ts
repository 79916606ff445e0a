/** Everything odd that a server can say, byte by byte over real connections, and the one fault that it is. */
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quickChain, testCheck, type TestChain, verdictOf } from '../../testing/check.ts';
import {
  type EvmCall,
  goodAnswer,
  header,
  push,
  type Said,
  serveEvmSocket,
} from '../../testing/evm-socket.ts';
import { hash } from '../../testing/rpc.ts';
import { acceptKey, closeFrame, frame, switching, text } from '../../testing/sockets.ts';

interface Odd {
  readonly upgrade?: (socket: Socket, head: string) => void;
  readonly said?: (call: EvmCall) => Said | undefined;
  readonly settings?: unknown;
  /** Only the deadline decides. */
  readonly waits?: boolean;
}
type Row = readonly [string, string, Odd];

const status = (line: string, ...headers: string[]) => ({
  upgrade: (socket: Socket) =>
    void socket.write([`HTTP/1.1 ${line}`, ...headers, 'content-length: 0', '', ''].join('\r\n')),
});
const rawUpgrade = (bytes: string | Buffer, then?: 'end' | 'reset') => ({
  upgrade: (socket: Socket) =>
    void socket.write(bytes, () =>
      then === 'end' ? socket.end() : then === 'reset' && socket.resetAndDestroy(),
    ),
});
const withHeaders = (...headers: string[]) => ({
  upgrade: (socket: Socket, head: string) => void socket.write(switching(head, ...headers)),
});
/** Sent right after the upgrade, in the same packet. */
const greeting = (...bytes: readonly (string | Buffer)[]) => ({
  upgrade: (socket: Socket, head: string) =>
    void socket.write(
      Buffer.concat([Buffer.from(switching(head)), ...bytes.map((each) => Buffer.from(each))]),
    ),
});
const on = (method: string, said: (call: EvmCall) => Said | undefined) => ({
  said: (call: EvmCall) => (call.method === method ? said(call) : undefined),
});
const ack = (said: (call: EvmCall) => Said) => on('eth_subscribe', said);
const tip = (said: (call: EvmCall) => Said) => on('eth_getBlockByNumber', said);
/** The subscription is acknowledged, then this head is pushed. */
const pushing = (...heads: unknown[]) => ack((call) => [goodAnswer(call), ...heads]);
const nothing: Said = [];
const cut: Said = (socket) => socket.end();
const dripping: Said = (socket, call) => {
  const bytes = text(JSON.stringify(goodAnswer(call)));
  let at = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(at, (at += 1))), 100);
  socket.once('close', () => clearInterval(timer));
};

const upgrades: Row[] = [
  ['200', 'target.ws.upgrade', status('200 OK')],
  ['301', 'target.ws.upgrade', status('301 Moved', 'location: /x')],
  ['400', 'target.ws.upgrade', status('400 Bad Request')],
  ['401', 'target.ws.upgrade', status('401 Unauthorized')],
  ['403', 'target.ws.refused', status('403 Forbidden')],
  ['429', 'target.ws.refused', status('429 Too Many Requests')],
  ['502', 'target.ws.upgrade', status('502 Bad Gateway')],
  [
    'a wrong Sec-WebSocket-Accept',
    'target.ws.protocol',
    rawUpgrade(
      'HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm90IHRoZSBhbnN3ZXI=\r\n\r\n',
    ),
  ],
  [
    'no Sec-WebSocket-Accept',
    'target.ws.protocol',
    rawUpgrade('HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
  ],
  [
    'another protocol to upgrade to',
    'target.ws.protocol',
    {
      upgrade: (socket, head) =>
        void socket.write(
          `HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(head)}\r\n\r\n`,
        ),
    },
  ],
  [
    'an extension not offered',
    'target.ws.protocol',
    withHeaders('Sec-WebSocket-Extensions: permessage-deflate'),
  ],
  ['a subprotocol not offered', 'target.ws.protocol', withHeaders('Sec-WebSocket-Protocol: graphql-ws')],
  ['no subprotocol although one was offered', 'target.ws.protocol', { settings: { protocols: ['a'] } }],
  [
    'another subprotocol',
    'target.ws.protocol',
    { settings: { protocols: ['a'] }, ...withHeaders('Sec-WebSocket-Protocol: b') },
  ],
  [
    'half an upgrade, then nothing',
    'target.http.timeout',
    rawUpgrade('HTTP/1.1 101 Switching Protocols\r\nUpgr'),
  ],
  [
    'half an upgrade, then the end',
    'target.http.reset',
    rawUpgrade('HTTP/1.1 101 Switching Protocols\r\nUpgr', 'end'),
  ],
  ['half an upgrade, then a reset', 'target.http.reset', rawUpgrade('HTTP/1.1 101 Switching', 'reset')],
  ['no answer at all', 'target.http.timeout', { upgrade: () => undefined }],
  ['the end at once', 'target.http.reset', { upgrade: (socket) => socket.end() }],
  ['a banner of another protocol', 'target.http.protocol', rawUpgrade('SSH-2.0-OpenSSH_9.9\r\n')],
  ['headers without end', 'target.http.headers', rawUpgrade(`HTTP/1.1 101 x\r\nx: ${'y'.repeat(20_000)}`)],
  ['a header that is none', 'target.http.protocol', rawUpgrade('HTTP/1.1 101 x\r\nno colon\r\n\r\n')],
];

const frames: Row[] = [
  ['garbage', 'target.ws.protocol', greeting(Buffer.from([0xff, 0xff, 0xff, 0xff]))],
  ['HTML', 'target.ws.protocol', greeting('<html><body>hello</body></html>')],
  ['a masked frame', 'target.ws.protocol', greeting(frame(0x81, '{}', true))],
  ['RSV1', 'target.ws.protocol', greeting(frame(0xc1, '{}'))],
  ['RSV2', 'target.ws.protocol', greeting(frame(0xa1, '{}'))],
  ['RSV3', 'target.ws.protocol', greeting(frame(0x91, '{}'))],
  ['an unknown opcode', 'target.ws.protocol', greeting(frame(0x83, '{}'))],
  ['a continuation of nothing', 'target.ws.protocol', greeting(frame(0x80, '{}'))],
  ['a text within a text', 'target.ws.protocol', greeting(frame(0x01, '{'), text('{}'))],
  ['a fragmented ping', 'target.ws.protocol', greeting(frame(0x09, 'x'))],
  ['a ping of 126 bytes', 'target.ws.protocol', greeting(frame(0x89, 'x'.repeat(126)))],
  ['binary', 'target.ws.protocol', greeting(frame(0x82, '{}'))],
  ['UTF-8 that is none', 'target.ws.protocol', greeting(frame(0x81, Buffer.from([0xff, 0xfe])))],
  ['a close frame of one byte', 'target.ws.protocol', greeting(frame(0x88, 'x'))],
  ['a close code that is none', 'target.ws.protocol', greeting(closeFrame(1005))],
  [
    'a close reason that is no UTF-8',
    'target.ws.protocol',
    greeting(frame(0x88, Buffer.from([3, 232, 0xff]))),
  ],
  ['a frame too large', 'target.ws.too-large', greeting(text('x'.repeat(5_000)))],
  [
    'a frame announced of 2^62 bytes',
    'target.ws.too-large',
    greeting(Buffer.from([0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0])),
  ],
  [
    'fragments too large together',
    'target.ws.too-large',
    greeting(frame(0x01, 'x'.repeat(3_000)), frame(0x80, 'x'.repeat(3_000))),
  ],
  [
    'the end without a close frame',
    'target.ws.closed',
    { upgrade: (socket, head) => void socket.end(switching(head)) },
  ],
  [
    'the end in the middle of a frame',
    'target.ws.closed',
    {
      upgrade: (socket, head) =>
        void socket.end(Buffer.concat([Buffer.from(switching(head)), text('{"id":1}').subarray(0, 5)])),
    },
  ],
  ['a reset', 'target.ws.closed', ack(() => (socket) => socket.resetAndDestroy())],
  ['a close frame 1008 before the subscription', 'target.ws.refused', greeting(closeFrame(1008, 'go away'))],
  ...[1000, 1001, 1002, 1011, 1013, 4000].map((code): Row => [
    `a close frame ${code} before the subscription`,
    'target.ws.closed',
    greeting(closeFrame(code, 'go away')),
  ]),
  ['a close frame 1008 after it', 'target.ws.refused', pushing(closeFrame(1008))],
  ...[1000, 1001, 1002, 1011, 1013, 4000].map((code): Row => [
    `a close frame ${code} after it`,
    'target.ws.closed',
    pushing(closeFrame(code)),
  ]),
  [
    'a close frame instead of the acknowledgement',
    'target.ws.closed',
    ack(() => [closeFrame(1013, 'try again later')]),
  ],
  [
    'the end in the middle of an answer',
    'target.ws.closed',
    ack((call) => (socket) => void socket.end(text(JSON.stringify(goodAnswer(call))).subarray(0, 20))),
  ],
  ['the end after the acknowledgement', 'target.ws.closed', tip(() => cut)],
];

const answers: Row[] = [
  ['silence', 'target.ws.timeout', ack(() => nothing)],
  ['pings only', 'target.ws.timeout', ack(() => [frame(0x89, 'a'), frame(0x89, 'b')])],
  ['pongs only', 'target.ws.timeout', ack(() => [frame(0x8a, 'a')])],
  [
    'half a frame',
    'target.ws.timeout',
    ack((call) => [text(JSON.stringify(goodAnswer(call))).subarray(0, 9)]),
  ],
  ['fragments that do not end', 'target.ws.timeout', ack(() => [frame(0x01, '{'), frame(0x00, '"')])],
  ['one byte now and then', 'target.ws.timeout', ack(() => dripping)],
  ['silence when asked for the tip', 'target.ws.timeout', tip(() => nothing)],
  ['an empty message', 'target.rpc.json', ack(() => [''])],
  ['no JSON', 'target.rpc.json', ack(() => ['hello'])],
  ['NaN', 'target.rpc.json', ack(({ id }) => [`{"id":${id},"result":NaN}`])],
  ['half a JSON text', 'target.rpc.json', ack(({ id }) => [`{"id":${id},"resu`])],
  [
    'JSON nested too deeply',
    'target.rpc.json',
    ack(({ id }) => [`{"id":${id},"result":${'['.repeat(70)}${']'.repeat(70)}}`]),
  ],
  ['a byte order mark', 'target.rpc.json', ack((call) => [`\ufeff${JSON.stringify(goodAnswer(call))}`])],
  ['a batch', 'target.rpc.shape', ack((call) => [[goodAnswer(call)]])],
  ['a number', 'target.rpc.shape', ack(() => ['7'])],
  ['null', 'target.rpc.shape', ack(() => ['null'])],
  ['an empty object', 'target.rpc.shape', ack(() => [{}])],
  ['result and error', 'target.rpc.shape', ack(({ id }) => [{ id, result: '0x1', error: { code: -1 } }])],
  ['neither result nor error', 'target.rpc.shape', ack(({ id }) => [{ id, jsonrpc: '2.0' }])],
  ['the id as text', 'target.rpc.id', ack(({ id }) => [{ id: String(id), result: '0x1' }])],
  ['a result with the id null', 'target.rpc.id', ack(() => [{ id: null, result: '0x1' }])],
  ['a result without an id', 'target.rpc.id', ack(() => [{ result: '0x1' }])],
  [
    'an id that was never asked',
    'target.rpc.id',
    { waits: true, ...ack(({ id }) => [{ id: id + 7, result: '0x1' }]) },
  ],
  [
    'an id beyond 2^53',
    'target.rpc.id',
    { waits: true, ...ack(() => ['{"id":9007199254740993,"result":"0x1"}']) },
  ],
  ['an error', 'target.ws.subscription', ack(({ id }) => [{ id, error: { code: -32000, message: 'no' } }])],
  ['an error without a code', 'target.ws.subscription', ack(({ id }) => [{ id, error: { message: 'no' } }])],
  [
    'an error with the id null',
    'target.ws.subscription',
    ack(() => [{ id: null, error: { code: -32700, message: 'what' } }]),
  ],
  [
    'no such method',
    'target.ws.subscription',
    ack(({ id }) => [{ id, error: { code: -32601, message: 'notifications not supported' } }]),
  ],
  [
    'a limit',
    'target.rpc.limit',
    ack(({ id }) => [{ id, error: { code: -32005, message: 'limit exceeded' } }]),
  ],
  ['an acknowledgement of null', 'target.ws.subscription', ack(({ id }) => [{ id, result: null }])],
  [
    'a subscription id of another type',
    'target.ws.subscription',
    ack(({ id }) => [{ id, result: { id: '0x1' } }]),
  ],
  ['an empty subscription id', 'target.ws.subscription', ack(({ id }) => [{ id, result: '' }])],
  ['a tip that is null', 'target.rpc.result', tip(({ id }) => [{ id, result: null }])],
  [
    'a tip with a number as height',
    'target.rpc.result',
    tip(({ id }) => [{ id, result: header(1, 'b', { number: 100 }) }]),
  ],
  [
    'a tip above 2^53',
    'target.rpc.result',
    tip(({ id }) => [{ id, result: header(1, 'b', { number: '0x20000000000000' }) }]),
  ],
  [
    'a tip as a number beyond 2^53',
    'target.rpc.result',
    tip(({ id }) => [`{"id":${id},"result":{"number":9007199254740993}}`]),
  ],
  ['a head without a number', 'target.rpc.result', pushing(push(header(101, 'b', { number: undefined })))],
  ['a head with a number as height', 'target.rpc.result', pushing(push(header(101, 'b', { number: 101 })))],
  ['a head with a negative height', 'target.rpc.result', pushing(push(header(101, 'b', { number: '-0x1' })))],
  [
    'a head with a padded height',
    'target.rpc.result',
    pushing(push(header(101, 'b', { number: '0x00065' }))),
  ],
  ['a head with a short hash', 'target.rpc.result', pushing(push(header(101, 'b', { hash: '0x12' })))],
  ['a head that is null', 'target.rpc.result', pushing(push(null))],
  ['a push without params', 'target.rpc.result', pushing({ method: 'eth_subscription' })],
  [
    'messages without end',
    'target.ws.too-large',
    ack(
      () => (socket) =>
        void socket.write(Buffer.concat(Array.from({ length: 2_500 }, () => text('{"id":"x"}')))),
    ),
  ],
];

/** What is odd and no fault. */
const fine: Row[] = [
  ['a good server', 'ok', {}],
  ['pushes before the acknowledgement', 'ok', ack((call) => [push(header(101)), goodAnswer(call)])],
  ['pushes before the tip', 'ok', tip((call) => [push(header(101)), push(header(102)), goodAnswer(call)])],
  ['the acknowledgement twice', 'ok', ack((call) => [goodAnswer(call), goodAnswer(call)])],
  [
    'a reply to the question before',
    'ok',
    tip((call) => [{ id: call.id - 1, result: 'late' }, goodAnswer(call)]),
  ],
  ['a ping before the answer', 'ok', ack((call) => [frame(0x89, 'x'), goodAnswer(call)])],
  [
    'an answer in fragments with a ping between',
    'ok',
    ack((call) => {
      const whole = JSON.stringify(goodAnswer(call));
      return [
        frame(0x01, whole.slice(0, 9)),
        frame(0x89, 'x'),
        frame(0x00, whole.slice(9, 12)),
        frame(0x80, whole.slice(12)),
      ];
    }),
  ],
  [
    'keys twice, the last one right',
    'ok',
    ack(({ id }) => [`{"id":0,"id":${id},"result":null,"result":"0x1"}`]),
  ],
  ['the error null beside the result', 'ok', ack(({ id }) => [{ id, result: '0x1', error: null }])],
  [
    'a tip that is refused',
    'ok',
    tip(({ id }) => [{ id, error: { code: -32601, message: 'no such method' } }]),
  ],
  ['pushes of something else', 'ok', pushing({ method: 'chain_newHead', params: {} }, push(header(101)))],
  ['no push at all', 'ok', {}],
  [
    'the same head twice, then a lower one',
    'ok',
    pushing(push(header(101)), push(header(101)), push(header(99, 'c'))),
  ],
];

const all: readonly Row[] = [...upgrades, ...frames, ...answers, ...fine];

interface Way {
  readonly write?: (socket: Socket, bytes: Buffer) => void;
  readonly chain?: TestChain;
  readonly timeoutMs?: number;
}

async function readingOf({ upgrade, said, settings = {} }: Odd, way: Way = {}) {
  const { write, chain = quickChain, timeoutMs = 10_000 } = way;
  await using server = await serveEvmSocket({
    ...(upgrade ? { upgrade } : {}),
    ...(said ? { said } : {}),
    ...(write ? { write } : {}),
  });
  const limited = { maxBytes: 4_096, ...(settings as object) };
  using check = testCheck('websocket', server.url, limited, { chain, timeoutMs });
  return await check.run();
}

describe('each odd answer has its own fault', () => {
  it.concurrent.each(all)('%s: %s', async (_, expected, odd) => {
    const timeoutMs = odd.waits || expected.endsWith('timeout') ? 1_000 : 10_000;
    expect(verdictOf(await readingOf(odd, { timeoutMs }))).toBe(
      expected === 'ok' ? 'ok' : `fail ${expected}`,
    );
  });

  it('there are enough of them, and none twice', () => {
    expect(all.length).toBeGreaterThan(100);
    expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
  });
});

describe('how the bytes are cut', () => {
  /** Sends each piece in a turn of its own, so that they arrive apart. */
  function cutting(cuts: readonly number[]): (socket: Socket, bytes: Buffer) => void {
    let at = 0;
    const queue: Buffer[] = [];
    let sending = false;
    const next = (socket: Socket) => {
      const piece = queue.shift();
      sending = piece !== undefined;
      if (piece && !socket.destroyed) socket.write(piece, () => setImmediate(next, socket));
    };
    return (socket, bytes) => {
      for (let from = 0; from < bytes.length;) {
        const size = cuts[(at += 1) % cuts.length] ?? 1;
        queue.push(bytes.subarray(from, from + size));
        from += size;
      }
      if (!sending) next(socket);
    };
  }

  it('never changes the reading', async () => {
    const heads = [push(header(101)), push(header(102, 'c', { parentHash: hash('b') }))];
    // Each decides before its last byte, or ends the wait for the first head: no clock has a say.
    const slowChain = { ...quickChain, blockTimeMs: 60_000 };
    const odd = fc.constantFrom<Odd>(
      pushing(...heads),
      tip((call) => [...heads, goodAnswer(call)]),
      tip((call) => [goodAnswer(call), ...heads]),
      ack((call) => [frame(0x89, 'ping'), { id: 'x' }, push(header(101)), goodAnswer(call)]),
      ack((call) => [goodAnswer(call), frame(0x82, 'binary')]),
      ack((call) => [goodAnswer(call), closeFrame(1011, 'ünruhig')]),
      ack(() => ['{"id":']),
      ack((call) => [push(null), goodAnswer(call)]),
      tip((call) => [goodAnswer(call), frame(0xf1, 'x')]),
      tip((call) => [goodAnswer(call), closeFrame(1001)]),
      greeting(closeFrame(1013)),
    );
    const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 300 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(odd, cuts, async (each, sizes) => {
        const whole = await readingOf(each, { chain: slowChain, timeoutMs: 5_000 });
        const pieces = await readingOf(each, { write: cutting(sizes), chain: slowChain, timeoutMs: 5_000 });
        expect(verdictOf(pieces)).toBe(verdictOf(whole));
        expect(pieces.facts['h']).toBe(whole.facts['h']);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
