import { once as onceOf } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { Secret } from '@highwater/config/secrets.ts';
import { serveHttp } from '../testing/servers.ts';
import { echoesOf } from './echoes.ts';
import { faultError } from './fault.ts';
import { tellOnce } from './once.ts';
import { secretShelf } from './secrets.ts';

const canary = 'Bearer cAn"ary\\/5f1d+Xq9&zz';
const word = canary.slice('Bearer '.length);
const pair = `Basic ${Buffer.from('user:pass-CANARY-77').toString('base64')}`;

const target = (value: string) => ({
  url: 'http://127.0.0.1',
  allowPrivate: true,
  headers: { 'X-Plain': 'plain text', 'X-Token': new Secret(value) },
});

/** What a check would read of an answer with this text. */
async function read(text: string, value = canary): Promise<string> {
  const answer = {
    status: 200,
    headers: { 'x-echo': text },
    body: text,
    bytes: text.length,
    phases: { resolve: 0, connect: 0, tls: 0, firstByte: 0, transfer: 0 },
    latencyTenths: 0,
    address: '127.0.0.1',
  };
  const told = await echoesOf(target(value))?.answered(() => Promise.resolve(answer));
  expect(told?.headers['x-echo']).toBe(told?.body);
  return told?.body ?? '';
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const everyEscape = [...word].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('');

describe('a secret that comes back', () => {
  it.each([
    ['as written', `you sent ${canary}.`],
    ['without its scheme', `no such token: ${word}`],
    ['in other case', `no such token: ${word.toLowerCase()}`],
    ['in JSON', JSON.stringify({ a: `sent ${canary}` })],
    ['in JSON that escapes slashes', JSON.stringify({ a: word }).replaceAll('/', '\\/')],
    ['in JSON that escapes for HTML', JSON.stringify({ a: word }).replaceAll('&', '\\u0026')],
    ['in JSON that escapes all', `{"a":"${everyEscape}"}`],
    ['in a URL', `/login?token=${encodeURIComponent(canary)}&x=1`],
    ['in a form', new URLSearchParams({ token: canary }).toString()],
    ['in HTML', `<b>${word.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}</b>`],
    ['in HTML by number', `<b>${word.replaceAll('&', '&#38;').replaceAll('"', '&#x22;')}</b>`],
    ['in Base64', `token ${base64(canary)}`],
    ['in Base64, one byte in', base64(`x${word} and more`)],
    ['in Base64, two bytes in', base64(`xy${word} and more`)],
    ['in Base64 of URLs', Buffer.from(`xyz${word}`).toString('base64url')],
  ])('%s is not read', async (_, text) => {
    const said = await read(text);
    expect(said).toContain('[redacted]');
    for (const form of [said, decodeURIComponent(said.replaceAll('+', ' '))]) {
      expect(form.toLowerCase()).not.toContain('ary');
      expect(form).not.toContain(base64(word).slice(4, -4));
      expect(form).not.toContain(everyEscape.slice(0, 30));
    }
  });

  it('in another order of the pair', async () => {
    expect(await read('user user, password pass-CANARY-77', pair)).toBe('user user, password [redacted]');
  });

  it('and is short is hidden only as the whole', async () => {
    expect(await read('no', 'no')).toBe('[redacted]');
    expect(await read('there is no block', 'no')).toBe('there is no block');
  });

  it('leaves what else is there', async () => {
    const text = '{"a":"Bearer of news","plain text":1}';
    expect(await read(text)).toBe(text);
  });

  it('is not told where a fault cut it', async () => {
    const cut = faultError('target.http.redirect', `${'x'.repeat(240)}${canary}`);
    const asked = echoesOf(target(canary))?.answered(() => Promise.reject(cut));
    await expect(asked).rejects.toMatchObject({ fault: { detail: `${'x'.repeat(240)}[redacted]…` } });
  });
});

it('a target without secrets has no echoes', () => {
  expect(echoesOf({ url: 'http://127.0.0.1', allowPrivate: true, headers: { a: 'b' } })).toBeUndefined();
});

/** All that comes out of one check of a server at this URL. */
async function told(url: string, kind: string, settings: unknown): Promise<string> {
  const env = { HIGHWATER_SECRET_US: canary, HIGHWATER_SECRET_US_HOST: '127.0.0.1' };
  const said = await tellOnce({
    kind,
    settings,
    target: { url, allowPrivate: true, headers: { 'X-Token': 'env:HIGHWATER_SECRET_US' } },
    chain: {
      name: 'c',
      family: 'evm',
      chainId: 1,
      blockTimeMs: 12_000,
      maxLag: 5,
      maxAgeMs: 60_000,
    } as never,
    secrets: secretShelf('/nonexistent', env),
    timeoutMs: 5_000,
    allowPrivate: ['config'],
  });
  return JSON.stringify(said);
}

const block = { number: '0x10', hash: `0x${'a'.repeat(64)}`, timestamp: '0x65000000' };

/** Answers each path by what it was sent. */
function answerTo(path: string, token: string, body: string): string {
  if (path === '/cut') return `${'x'.repeat(65)}${token}`;
  if (path === '/json') return JSON.stringify({ a: `sent ${token}` });
  if (path !== '/rpc') return `you sent ${token}`;
  const { id, method } = JSON.parse(body) as { id: number; method: string };
  const results: Record<string, unknown> = {
    eth_chainId: '0x1',
    web3_clientVersion: `Geth/${token}`,
    eth_getBlockByNumber: block,
  };
  return JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? false });
}

describe('a server that echoes what it was sent is told without it', () => {
  it.each([
    ['in a header', '/', 'http', { responseHeaders: { 'x-echo': 'nope' } }],
    ['in a body', '/', 'http', { contains: 'nope' }],
    ['in a body that is cut', '/cut', 'http', { contains: 'nope' }],
    ['in JSON', '/json', 'http', { json: { a: 'nope' } }],
    ['as where a redirect leads', '/redirect', 'http', {}],
    ['as the version of a client', '/rpc', 'head', {}],
    ['as a result', '/rpc', 'jsonrpc', { methods: [{ method: 'web3_clientVersion', equals: 'nope' }] }],
  ])('%s', async (_, path, kind, settings) => {
    let sent = 0;
    await using server = await serveHttp((request, response) => {
      const token = String(request.headers['x-token']);
      if (token === canary) sent += 1;
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        response.setHeader('x-echo', token);
        if (path === '/redirect') {
          response.writeHead(302, { location: `/${'x'.repeat(230)}${encodeURIComponent(token)}` }).end();
        } else response.end(answerTo(path, token, body));
      });
    });
    const said = await told(`${server.url}${path}`, kind, settings);
    expect(sent).toBeGreaterThan(0);
    expect(said).toMatch(/redacted/);
    expect(said).not.toMatch(/can.{0,4}ary|Bearer|cAn/i);
  });

  it.each([
    ['in a message', 'message'],
    ['as why it closes', 'close'],
  ])('%s of a WebSocket', async (_, how) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    try {
      await onceOf(server, 'listening');
      server.on('connection', (socket, request) => {
        const token = String(request.headers['x-token']);
        socket.on('message', () =>
          how === 'close'
            ? socket.close(4_000, token)
            : socket.send(JSON.stringify({ id: 1, result: token })),
        );
      });
      const { port } = server.address() as { port: number };
      const script = [{ send: { id: 1 }, expect: { path: 'result', equals: 'nope' } }];
      const said = await told(`ws://127.0.0.1:${port}`, 'websocket', { script });
      expect(said).toContain('[redacted]');
      expect(said).not.toMatch(/can.{0,4}ary|Bearer|cAn/i);
    } finally {
      for (const socket of server.clients) socket.terminate();
      server.close();
    }
  });
});
