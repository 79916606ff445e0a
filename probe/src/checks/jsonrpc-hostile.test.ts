/**
 * The list of odd and hostile answers over HTTP, as bytes on a socket, each with the one fault that it is. What is
 * merely ugly but right is ok: nobody is woken for it.
 */
import type { Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import { faultId } from '@highwater/config/faults.ts';
import { serveTcp } from '../../testing/servers.ts';
import { runOnce } from '../once.ts';
import { maxJsonDepth } from './json.ts';

/** What the server writes for the request with this id, and then does with the connection. */
interface Answer {
  readonly bytes: Buffer;
  readonly then?: 'hold' | 'end' | 'reset' | 'drip' | 'flood';
}

const text = (bytes: string, then: Answer['then'] = 'hold'): Answer => ({ bytes: Buffer.from(bytes), then });

/** An answer as a good server frames it. */
function framed(body: string | Buffer, status = '200 OK', ...headers: string[]): Answer {
  const bytes = Buffer.from(body);
  const head = ['content-type: application/json', ...headers, `content-length: ${bytes.length}`];
  return { bytes: Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n`), bytes]) };
}

const good = (id: number) => `{"jsonrpc":"2.0","id":${id},"result":"0x1"}`;
const result = (id: number, json: string) => `{"jsonrpc":"2.0","id":${id},"result":${json}}`;
const error = (id: number | string, json = '{"code":-32000,"message":"no"}') =>
  `{"jsonrpc":"2.0","id":${id},"error":${json}}`;
const bare = (body: string, then: Answer['then']) => text(`HTTP/1.1 200 OK\r\n\r\n${body}`, then);
const head = (line: string, id: number, status = 'HTTP/1.1 200 OK') =>
  text(`${status}\r\n${line}content-length: ${good(id).length}\r\n\r\n${good(id)}`);
const chunked = (rest: string, then: Answer['then'] = 'hold') =>
  text(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${rest}`, then);
const chunk = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`;
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

async function drip(socket: Socket): Promise<void> {
  while (!socket.destroyed) {
    socket.write('x');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function flood(socket: Socket): void {
  const piece = 'x'.repeat(65_536);
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

/** Answers each request by its id; `number` counts the requests of all connections. */
function serve(answer: (id: number, number: number) => Answer) {
  let number = 0;
  return serveTcp((socket) => {
    let heard = '';
    socket.setNoDelay(true).on('data', (data: Buffer) => {
      heard += data.toString('latin1');
      const id = /"id":([0-9]+).*\}$/s.exec(heard)?.[1];
      if (id === undefined) return;
      heard = '';
      const { bytes, then } = answer(Number(id), (number += 1));
      socket.write(bytes, () => {
        if (then === 'end') socket.end();
        if (then === 'reset') socket.resetAndDestroy();
        if (then === 'drip') void drip(socket);
        if (then === 'flood') flood(socket);
      });
    });
  });
}

function ask(url: string, settings: unknown, timeoutMs = 10_000): Promise<Observation> {
  const target = { url, headers: {}, allowPrivate: true };
  return runOnce({ kind: 'jsonrpc', settings, target, timeoutMs, allowPrivate: ['config'] });
}

const saidBy = ({ outcome, fault }: Observation) => (fault ? `${outcome} ${faultId(fault)}` : outcome);

type Row = readonly [name: string, answer: (id: number) => Answer];
const table: Readonly<Record<string, readonly Row[]>> = {
  ok: [
    ['a good answer', (id) => framed(good(id))],
    ['a result without a version', (id) => framed(`{"id":${id},"result":"0x1"}`)],
    ['version 1.0, with error null', (id) => framed(`{"id":${id},"result":"0x1","error":null}`)],
    ['a result null', (id) => framed(result(id, 'null'))],
    ['a result false', (id) => framed(result(id, 'false'))],
    ['keys nobody asked for', (id) => framed(`{"usage":3,"id":${id},"result":1,"warning":"x"}`)],
    ['white space all around', (id) => framed(`\n\t ${good(id)} \r\n`)],
    ['the id as 7.0', (id) => framed(`{"id":${id}.0,"result":1}`)],
    ['duplicate keys, the last good', (id) => framed(`{"id":1,"id":${id},"result":"0x1"}`)],
    ['__proto__ in the result', (id) => framed(result(id, '{"__proto__":{"x":1}}'))],
    ['__proto__ beside the result', (id) => framed(`{"__proto__":{"error":1},"id":${id},"result":1}`)],
    ['constructor and toString', (id) => framed(result(id, '{"constructor":1,"toString":null}'))],
    ['a number beyond 2^53', (id) => framed(result(id, '18446744073709551615'))],
    ['minus zero', (id) => framed(result(id, '-0'))],
    ['1e400', (id) => framed(result(id, '1e400'))],
    ['a number of 100,000 digits', (id) => framed(result(id, '9'.repeat(100_000)))],
    ['as deep as is read', (id) => framed(result(id, nested(maxJsonDepth - 1)))],
    ['brackets in text', (id) => framed(result(id, JSON.stringify(`\\"${nested(100)}`)))],
    ['half a surrogate pair', (id) => framed(result(id, '"\\ud800"'))],
    ['text that is not UTF-8', (id) => framed(Buffer.from(result(id, '"\xff\xfe"'), 'latin1'))],
    ['an empty key', (id) => framed(result(id, '{"":{"":1}}'))],
    ['the type text/html', (id) => head('content-type: text/html\r\n', id)],
    ['no type', (id) => head('', id)],
    ['content-encoding: identity', (id) => framed(good(id), '200 OK', 'content-encoding: identity')],
    ['status 201', (id) => framed(good(id), '201 Created')],
    ['a status without words', (id) => framed(good(id), '200 ')],
    ['Retry-After beside a good answer', (id) => framed(good(id), '200 OK', 'retry-after: 5')],
    ['103 first', (id) => head('', id, 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK')],
    ['HTTP/1.0', (id) => text(`HTTP/1.0 200 OK\r\n\r\n${good(id)}`, 'end')],
    ['a body that ends with the connection', (id) => bare(good(id), 'end')],
    ['two chunks', (id) => chunked(`${chunk(good(id).slice(0, 9))}${chunk(good(id).slice(9))}0\r\n\r\n`)],
    ['chunks of a byte', (id) => chunked(`${[...good(id)].map(chunk).join('')}0\r\n\r\n`)],
    ['a chunk with an extension', (id) => chunked(`${chunk(good(id)).replace('\r\n', ';x=y\r\n')}0\r\n\r\n`)],
    ['trailers', (id) => chunked(`${chunk(good(id))}0\r\nx: y\r\n\r\n`)],
    ['the same answer twice', (id) => text(framed(good(id)).bytes.toString().repeat(2))],
  ],
  'fail target.rpc.error': [
    ['an error under 200', (id) => framed(error(id))],
    [
      'an error with result null',
      (id) => framed(`{"id":${id},"result":null,"error":{"code":-5,"message":"x"}}`),
    ],
    ['an error with id null', () => framed(error('null', '{"code":-32700,"message":"parse"}'))],
    ['an error without id', () => framed('{"error":{"code":-32700,"message":"parse"}}')],
    ['an error without code', (id) => framed(error(id, '{"message":"no such thing"}'))],
    ['an error without anything', (id) => framed(error(id, '{}'))],
    ['an error that is text', (id) => framed(error(id, '"broken"'))],
    ['an error that is a list', (id) => framed(error(id, '[1,2]'))],
    ['an error that is true', (id) => framed(error(id, 'true'))],
    ['a code that is text', (id) => framed(error(id, '{"code":"-32601","message":"x"}'))],
    ['a code beyond 2^53', (id) => framed(error(id, '{"code":-18446744073709551615,"message":"x"}'))],
    [
      'a message that is an object',
      (id) => framed(error(id, '{"code":1,"message":{"x":18446744073709551615}}')),
    ],
    ['an error under 400', (id) => framed(error(id), '400 Bad Request')],
    ['an error under 500', (id) => framed(error(id), '500 Internal Server Error')],
    ['an error under 500 with id null', () => framed(error('null'), '500 Internal Server Error')],
    ['an error under 404', (id) => framed(error(id, '{"code":-5,"message":"x"}'), '404 Not Found')],
    ['an error under 405', (id) => framed(error(id), '405 Method Not Allowed')],
  ],
  'fail target.rpc.method': [
    ['method not found', (id) => framed(error(id, '{"code":-32601,"message":"x"}'))],
    [
      'method not found under 404',
      (id) => framed(error(id, '{"code":-32601,"message":"x"}'), '404 Not Found'),
    ],
  ],
  'fail target.rpc.limit': [
    ['a limit by code', (id) => framed(error(id, '{"code":-32005,"message":"x"}'))],
    ['a limit by words', (id) => framed(error(id, '{"code":-32000,"message":"Rate limit exceeded"}'))],
    ['a limit by words without code', (id) => framed(error(id, '"too many requests"'))],
    ['a limit under 400', (id) => framed(error(id, '{"code":-32005,"message":"x"}'), '400 Bad Request')],
    ['429', () => framed('slow down', '429 Too Many Requests', 'retry-after: 60')],
    ['429 without a body', () => framed('', '429 Too Many Requests')],
    ['429 with another error', (id) => framed(error(id), '429 Too Many Requests')],
  ],
  'fail target.http.refused': [
    ['403 with an error', (id) => framed(error(id), '403 Forbidden')],
    ['403 with a good result', (id) => framed(good(id), '403 Forbidden')],
  ],
  'fail target.http.status': [
    ['400 with a page', () => framed('<html>bad</html>', '400 Bad Request')],
    ['400 with an error of nobody', () => framed('{"error":{"message":"bad"}}', '400 Bad Request')],
    ['401', () => framed('', '401 Unauthorized', 'www-authenticate: Basic')],
    ['401 with an error', (id) => framed(error(id), '401 Unauthorized')],
    ['404 with a page', () => framed('<html>not here</html>', '404 Not Found')],
    ['404 with JSON of another kind', () => framed('{"error":"Not Found"}', '404 Not Found')],
    ['500 with nothing', () => framed('', '500 Internal Server Error')],
    ['500 with an error for another id', (id) => framed(error(id + 1), '500 Internal Server Error')],
    ['500 with a good result', (id) => framed(good(id), '500 Internal Server Error')],
    ['500 with error null', (id) => framed(error(id, 'null'), '500 Internal Server Error')],
    ['500 with half an error', (id) => framed(error(id).slice(0, -1), '500 Internal Server Error')],
    ['502 with an error', (id) => framed(error(id), '502 Bad Gateway')],
    ['503 with a page', () => framed('<html>', '503 Service Unavailable', 'retry-after: 120')],
    ['503 with an error', (id) => framed(error(id), '503 Service Unavailable')],
    ['504 with an error', (id) => framed(error(id), '504 Gateway Timeout')],
    ['304', () => text('HTTP/1.1 304 Not Modified\r\n\r\n')],
    ['300 without a place', (id) => framed(good(id), '300 Multiple Choices')],
    ['999', (id) => framed(good(id), '999 Request Denied')],
  ],
  'fail target.rpc.id': [
    ['another id', (id) => framed(good(id + 1))],
    ['the id as text', (id) => framed(`{"id":"${id}","result":1}`)],
    ['the id in a list', (id) => framed(`{"id":[${id}],"result":1}`)],
    ['an id beyond 2^53', () => framed('{"id":18446744073709551615,"result":1}')],
    ['a result with id null', () => framed('{"id":null,"result":1}')],
    ['a result without id', () => framed('{"result":1}')],
    ['an error for another id', (id) => framed(error(id + 1))],
    ['duplicate keys, the last bad', (id) => framed(`{"id":${id},"id":1,"result":"0x1"}`)],
  ],
  'fail target.rpc.shape': [
    ['both result and error', (id) => framed(`{"id":${id},"result":1,"error":{"code":1,"message":"x"}}`)],
    ['neither', (id) => framed(`{"id":${id}}`)],
    ['neither, with both null', (id) => framed(`{"id":${id},"error":null}`)],
    ['the result only in __proto__', (id) => framed(`{"id":${id},"__proto__":{"result":1}}`)],
    ['an empty object', () => framed('{}')],
    ['a request', (id) => framed(`{"jsonrpc":"2.0","id":${id},"method":"x","params":[]}`)],
    ['a batch', (id) => framed(`[${good(id)}]`)],
    ['an empty batch', () => framed('[]')],
    ['a number', () => framed('42')],
    ['text', () => framed('"ok"')],
    ['null', () => framed('null')],
  ],
  'fail target.rpc.json': [
    ['nothing', () => framed('')],
    ['white space', () => framed(' \n')],
    ['204', () => text('HTTP/1.1 204 No Content\r\n\r\n')],
    ['a page', () => framed('<html>hello</html>')],
    ['a byte order mark', (id) => framed(`\ufeff${good(id)}`)],
    ['UTF-16', (id) => framed(Buffer.from(good(id), 'utf16le'))],
    ['gzip unannounced', (id) => framed(gzipSync(good(id)))],
    ['half of an answer', (id) => framed(good(id).slice(0, -4))],
    ['two answers', (id) => framed(good(id).repeat(2))],
    ['an answer a line', (id) => framed(`${good(id)}\n${good(id)}\n`)],
    ['a comma too many', (id) => framed(result(id, '[1,]'))],
    ['single quotes', (id) => framed(good(id).replaceAll('"', "'"))],
    ['a comment', (id) => framed(`/* x */${good(id)}`)],
    ['NaN', (id) => framed(result(id, 'NaN'))],
    ['Infinity', (id) => framed(result(id, '-Infinity'))],
    ['a hex number', (id) => framed(result(id, '0x1'))],
    ['a leading zero', (id) => framed(result(id, '01'))],
    ['a line break in text', (id) => framed(result(id, '"a\nb"'))],
    ['a NUL after it', (id) => framed(`${good(id)}\0`)],
    ['a JSONP call', (id) => framed(`call(${good(id)})`)],
    ['an event stream', (id) => framed(`data: ${good(id)}\n\n`)],
    ['deeper than is read', (id) => framed(result(id, nested(maxJsonDepth)))],
    ['brackets without end', () => framed('['.repeat(100_000))],
    ['objects without end', () => framed('{"a":'.repeat(100_000))],
    ['a length that is too short', (id) => text(`HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n${good(id)}`)],
  ],
  'fail target.http.redirect': [
    ['301', () => framed('', '301 Moved Permanently', 'location: /x')],
    ['307 elsewhere', () => framed('', '307 Temporary Redirect', 'location: https://example.com/')],
    ['302 with a good answer', (id) => framed(good(id), '302 Found', 'location: /x')],
  ],
  'fail target.http.encoding': [
    ['gzip', (id) => framed(gzipSync(good(id)), '200 OK', 'content-encoding: gzip')],
    ['br', (id) => framed(brotliCompressSync(good(id)), '200 OK', 'content-encoding: br')],
    ['gzip, said of plain text', (id) => framed(good(id), '200 OK', 'content-encoding: gzip')],
  ],
  'fail target.http.too-large': [
    ['text of more than a MiB', (id) => framed(result(id, `"${'x'.repeat(1_100_000)}"`))],
    ['a huge length', () => text('HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n')],
    ['a body without end', () => ({ ...bare('{', 'flood') })],
    ['a chunk without end', () => chunked('ffffffff\r\n', 'flood')],
  ],
  'fail target.http.headers': [
    ['a huge header', () => text(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`)],
    ['a header without end', () => text('HTTP/1.1 200 OK\r\nx: ', 'flood')],
    ['headers without end', () => text(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}`)],
  ],
  'fail target.http.reset': [
    ['closed without an answer', () => text('', 'end')],
    ['reset without an answer', () => text('', 'reset')],
    ['closed in the headers', () => text('HTTP/1.1 200 OK\r\ncontent-le', 'end')],
    [
      'a length that is too long',
      (id) =>
        text(
          framed(`${good(id)} `)
            .bytes.toString()
            .slice(0, -1),
          'end',
        ),
    ],
    ['reset in the body', () => text('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{', 'reset')],
    ['closed in a chunk', () => chunked('9\r\nhalf', 'end')],
    ['closed before the last chunk', (id) => chunked(chunk(good(id)), 'end')],
    // The client hangs up on these itself: it asked for no 1xx.
    ['100 first', (id) => head('', id, 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK')],
    ['100 and nothing after it', () => text('HTTP/1.1 100 Continue\r\n\r\n')],
    [
      '101',
      () => text('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
    ],
  ],
  'fail target.http.protocol': [
    ['HTTP/0.9', (id) => text(good(id), 'end')],
    ['SSH', () => text('SSH-2.0-OpenSSH_9.2\r\n')],
    ['HTTP/2', () => ({ bytes: Buffer.from([0, 0, 18, 4, 0, 0, 0, 0, 0]) })],
    ['TLS', () => ({ bytes: Buffer.from([21, 3, 1, 0, 2, 2, 70]) })],
    ['a status that is no number', (id) => head('', id, 'HTTP/1.1 OK')],
    ['a status of four digits', (id) => head('', id, 'HTTP/1.1 2000 OK')],
    ['HTTP/9.9', (id) => head('', id, 'HTTP/9.9 200 OK')],
    ['a header without colon', (id) => head('nonsense\r\n', id)],
    ['a space before the colon', (id) => head('x : y\r\n', id)],
    ['a NUL in a header', (id) => head('x: a\0b\r\n', id)],
    ['a length that is no number', (id) => text(`HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n${good(id)}`)],
    ['a length below zero', (id) => text(`HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n${good(id)}`)],
    ['two lengths', (id) => head('content-length: 5\r\n', id)],
    ['a length and chunks', (id) => head('transfer-encoding: chunked\r\n', id)],
    ['a chunk of no size', () => chunked('zz\r\n')],
    ['a chunk larger than it says', (id) => chunked(`5\r\n${good(id)}\r\n0\r\n\r\n`)],
  ],
  'fail target.http.timeout': [
    ['no answer', () => text('')],
    ['only the status', () => text('HTTP/1.1 200 OK\r\n')],
    ['a length that is too long, held', () => text('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{')],
    ['a body without length, held', (id) => bare(good(id), 'hold')],
    ['chunks without end', (id) => chunked(chunk(good(id)))],
    ['a byte now and then in the headers', () => text('HTTP/1.1 200 OK\r\nx: ', 'drip')],
    ['a byte now and then in the body', () => bare('{"', 'drip')],
  ],
};

const rows = Object.entries(table).flatMap(([expected, list]) =>
  list.map(([name, answer]) => ({ name, answer, expected })),
);

describe('an odd answer has its own fault', () => {
  it('is in a list of names that differ', () => {
    expect(rows.length).toBeGreaterThan(150);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  it.each(rows)('$name: $expected', async ({ answer, expected }) => {
    await using server = await serve(answer);
    const timeoutMs = expected.endsWith('.timeout') ? 300 : 10_000;
    expect(saidBy(await ask(server.url, { methods: [{ method: 'x' }] }, timeoutMs))).toBe(expected);
  });
});

describe('several questions on one connection', () => {
  const tenths = /^[0-9]+$/;
  const two = { methods: [{ method: 'a' }, { method: 'b' }] };

  it('a second copy of the first answer is not taken for the second', async () => {
    const twice = (id: number) => framed(good(id)).bytes;
    await using server = await serve((id, number) =>
      number === 1 ? { bytes: Buffer.concat([twice(id), twice(id)]) } : framed(good(id)),
    );
    const { outcome, facts } = await ask(server.url, two);
    expect(outcome).toBe('ok');
    expect(facts['m.b']).toMatch(tenths);
  });

  it('an answer that is one question late is the wrong one', async () => {
    let last = 0;
    await using server = await serve((id) => {
      const [late] = [last, (last = id)];
      return framed(good(late === 0 ? id : late));
    });
    const seen = await ask(server.url, two);
    expect(saidBy(seen)).toBe('fail target.rpc.id');
    expect(seen.facts['m.a']).toMatch(tenths);
    expect(seen.facts['m.b']).toBe('target.rpc.id');
  });

  it.each<[string, (id: number) => Answer]>([
    ['target.rpc.json', () => framed('<html>')],
    ['target.http.status', () => framed('', '503 Service Unavailable')],
    ['target.http.too-large', () => bare('', 'flood')],
    ['target.http.encoding', (id) => framed(gzipSync(good(id)), '200 OK', 'content-encoding: gzip')],
    ['target.http.redirect', () => framed('', '301 Moved Permanently', 'location: /x')],
  ])('%s for one of them does not hide the others', async (expected, answer) => {
    await using server = await serve((id, number) => (number === 1 ? answer(id) : framed(good(id))));
    const seen = await ask(server.url, two);
    expect(saidBy(seen)).toBe(`fail ${expected}`);
    expect(seen.fault?.detail).toMatch(/^a: /);
    expect(seen.facts['m.a']).toBe(expected);
    expect(seen.facts['m.b']).toMatch(tenths);
  });

  it.each<[string, (id: number) => Answer]>([
    ['target.http.reset', () => text('', 'reset')],
    ['target.http.protocol', () => text('SSH-2.0-x\r\n')],
    ['target.http.timeout', () => text('')],
  ])('%s is the end of the run', async (expected, answer) => {
    await using server = await serve((id) => answer(id));
    const seen = await ask(server.url, two, expected.endsWith('timeout') ? 300 : 10_000);
    expect(saidBy(seen)).toBe(`fail ${expected}`);
    expect(seen.facts).toEqual({ 'm.a': expected });
  });
});

describe('however the bytes of an answer are cut', () => {
  const answers: readonly ((id: number) => Answer)[] = [
    (id) => framed(result(id, '{"text":"\u00e9\u{1f30a}","wide":18446744073709551615,"b":[1,{}]}')),
    (id) => chunked(`${chunk(good(id))}0\r\n\r\n`),
    (id) => chunked(`${[...good(id)].map(chunk).join('')}0\r\n\r\n`),
    (id) => framed(error(id), '500 Internal Server Error'),
    (id) => framed(good(id).slice(0, -2)),
    (id) => framed(good(id + 1)),
    (id) => head('x : y\r\n', id),
    () => framed('', '429 Too Many Requests'),
  ];

  /** What is read when each answer arrives in pieces of these sizes, again and again. */
  async function read(answer: (id: number) => Answer, sizes: readonly number[]): Promise<string> {
    await using server = await serveTcp((socket) => {
      socket.setNoDelay(true).once('data', (data: Buffer) => {
        const id = Number(/"id":([0-9]+)/.exec(data.toString('latin1'))?.[1]);
        void inPieces(socket, answer(id).bytes, sizes);
      });
    });
    const seen = await ask(server.url, { methods: [{ method: 'x', equal: true }] });
    return `${saidBy(seen)} ${seen.fault?.detail?.replaceAll(/[0-9]{3,}/g, 'N')} ${seen.facts['e.x']}`;
  }

  async function inPieces(socket: Socket, bytes: Buffer, sizes: readonly number[]): Promise<void> {
    for (let from = 0, piece = 0; from < bytes.length && !socket.destroyed; piece += 1) {
      const size = sizes[piece % sizes.length] ?? 1;
      await new Promise<void>((done) => socket.write(bytes.subarray(from, from + size), () => done()));
      from += size;
    }
  }

  it('it is read the same', async () => {
    const whole = await Promise.all(answers.map((answer) => read(answer, [1_000_000])));
    expect(new Set(whole).size).toBe(answers.length - 1);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(answers.length - 1),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        async (which, sizes) => {
          const answer = answers[which] as (id: number) => Answer;
          expect(await read(answer, sizes)).toBe(whole[which]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
