import { createSecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { FaultError, type SocketLink, type SocketRequest } from '@highwater/config/kinds.ts';
import { Secret } from '@highwater/config/secrets.ts';
import { WebSocketServer } from 'ws';
import { makeCertificates } from '../../testing/certificates.ts';
import { closedPort, serveHttp, serveHttps } from '../../testing/servers.ts';
import { closeFrame, frame, serveRaw, serveSockets, switching, text } from '../../testing/sockets.ts';
import { openWay } from './exchange.ts';
import type { OpenTarget, Outside } from './outside.ts';
import { parseConsent } from './reach.ts';
import { makeResolve } from './resolve.ts';
import { openSocket } from './socket.ts';

const outside: Outside = {
  resolve: makeResolve(),
  consent: parseConsent(['config']),
  userAgent: 'Highwater/test',
  monotonic: () => performance.now(),
};
const target = (url: string, more: Partial<OpenTarget> = {}): OpenTarget => ({
  url,
  allowPrivate: true,
  headers: {},
  ...more,
});
const soon = (ms = 5_000) => AbortSignal.timeout(ms);

function open(url: string, request: SocketRequest = {}, more: Partial<OpenTarget> = {}, ms = 5_000) {
  return openSocket(target(url, more), outside, request, soon(ms));
}

async function faultIn(work: () => Promise<unknown>): Promise<string> {
  try {
    return `answered ${JSON.stringify(await work())}`;
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return faultId(thrown.fault);
  }
}

/** Opens and reads one message. */
async function firstOf(url: string, request: SocketRequest = {}, ms = 5_000): Promise<string> {
  using link = await open(url, request);
  return await link.next(soon(ms));
}

describe('an open WebSocket', () => {
  it('carries texts both ways, in order, and knows phases, address and subprotocol', async () => {
    await using server = await serveSockets(
      (socket, path) =>
        socket.on('message', (data: Buffer) =>
          [1, 2].forEach((i) => socket.send(`${path} ${data.toString()} ${i}`)),
        ),
      { protocols: (offered) => (offered.has('b') ? 'b' : false) },
    );
    using link = await open(`${server.url}/base`, { path: '/ws?x=1', protocols: ['a', 'b'] });
    link.send('hello');
    expect([await link.next(soon()), await link.next(soon())]).toEqual([
      '/base/ws?x=1 hello 1',
      '/base/ws?x=1 hello 2',
    ]);
    expect(link).toMatchObject({ protocol: 'b', address: '127.0.0.1', closed: undefined });
    expect(link.phases.firstByte).toBeGreaterThan(0);
    expect(link.phases.transfer).toBe(0);
  });

  it.each(['http', 'ws'])('is asked for by a URL of %s, which is asked over HTTP as well', async (scheme) => {
    await using server = await serveSockets((socket) => socket.send('hello'));
    const url = server.url.replace('http', scheme);
    expect(await firstOf(url)).toBe('hello');
    const way = openWay(target(url), outside, soon());
    expect((await way.exchange({ method: 'GET' })).status).toBe(426);
    way.close();
  });

  it.each(['https', 'wss'])('speaks TLS with the name of a URL of %s, and so does HTTP', async (scheme) => {
    const certificates = makeCertificates();
    const sockets = new WebSocketServer({ noServer: true });
    await using server = await serveHttps(certificates.good, (_, response) => void response.end('plain'), {
      upgrade: (request, socket, head) =>
        sockets.handleUpgrade(request, socket, head, (way) => way.send('secured')),
    });
    const trusting = { ...outside, secureContext: createSecureContext({ ca: certificates.ca }) };
    const to = target(`${scheme}://localhost:${server.port}`);
    using link = await openSocket(to, trusting, {}, soon());
    expect(await link.next(soon())).toBe('secured');
    expect(link.phases.tls).toBeGreaterThan(0);
    expect(link.certExpiresAt).toBe(Date.UTC(2099, 0, 1));
    const way = openWay(to, trusting, soon());
    expect((await way.exchange({ method: 'GET' })).body).toBe('plain');
    way.close();
    expect(await faultIn(() => openSocket(to, outside, {}, soon()))).toBe('target.tls.untrusted');
  });

  it("sends the target's headers, and its own name, to another port that the check names too", async () => {
    const seen: string[] = [];
    await using server = await serveRaw({
      upgrade: (socket, head) => {
        seen.push(head.toLowerCase());
        socket.write(switching(head));
      },
    });
    const headers = { 'X-Token': new Secret('geheim') };
    const url = `http://user:pass@node.example:9/rpc`;
    using link = await open(url, { port: server.port }, { headers, address: '127.0.0.1' });
    expect(link.address).toBe('127.0.0.1');
    expect(seen[0]).toContain('get /rpc http/1.1');
    expect(seen[0]).toContain(`host: node.example:${server.port}`);
    expect(seen[0]).toContain('x-token: geheim');
    expect(seen[0]).toContain('user-agent: highwater/test');
    expect(seen[0]).toContain(
      `authorization: basic ${Buffer.from('user:pass').toString('base64')}`.toLowerCase(),
    );
    expect(seen[0]).not.toContain('sec-websocket-extensions');
  });

  it('gives out what came before its end, then says why it ended', async () => {
    await using server = await serveSockets((socket) => {
      socket.send('one');
      socket.send('two');
      socket.close(1011, 'going\ndown');
    });
    using link = await open(server.url);
    expect([await link.next(soon()), await link.next(soon())]).toEqual(['one', 'two']);
    const ended = link.next(soon());
    await expect(ended).rejects.toMatchObject({
      fault: { operation: 'ws', code: 'closed', detail: '1011: going down' },
    });
    expect(link.closed).toEqual({ code: 1011, reason: 'going down' });
    expect(() => link.send('x')).toThrow(FaultError);
  });

  it('answers pings', async () => {
    await using server = await serveSockets((socket) => {
      socket.on('pong', (data) => socket.send(`pong ${data.toString()}`));
      socket.ping('are you there');
    });
    expect(await firstOf(server.url)).toBe('pong are you there');
  });
});

describe('each way to fail is its own fault', () => {
  it.each([
    [200, 'upgrade'],
    [401, 'upgrade'],
    [403, 'refused'],
    [429, 'refused'],
    [502, 'upgrade'],
  ])('an upgrade answered with %d', async (status, code) => {
    await using server = await serveHttp((_, response) => void response.writeHead(status).end('no'));
    const failed = open(server.url);
    await expect(failed).rejects.toMatchObject({ fault: { operation: 'ws', code } });
    await expect(failed).rejects.toThrow(String(status));
  });

  it('a redirect is not followed', async () => {
    await using server = await serveHttp(
      (_, response) => void response.writeHead(301, { location: 'https://x.example/' }).end(),
    );
    await expect(open(server.url)).rejects.toThrow('target.ws.upgrade: 301 to https://x.example/');
  });

  it('an answer with too many short headers', async () => {
    const answered = (count: number) =>
      serveRaw({
        upgrade: (socket, head) =>
          void socket.write(switching(head, ...Array.from({ length: count }, (_, n) => `a${n}: 1`))),
      });
    // Three are of the answer itself.
    await using most = await answered(197);
    using link = await open(most.url);
    expect(link.closed).toBeUndefined();
    await using more = await answered(198);
    expect(await faultIn(() => open(more.url))).toBe('target.http.headers');
  });

  it('no listener, no answer, an end before the answer, endless headers, something else', async () => {
    expect(await faultIn(async () => open(`ws://127.0.0.1:${await closedPort()}`))).toBe(
      'target.connect.refused',
    );
    await using silent = await serveRaw({ upgrade: () => undefined });
    expect(await faultIn(() => open(silent.url, {}, {}, 100))).toBe('target.http.timeout');
    await using ending = await serveRaw({ upgrade: (socket) => socket.end() });
    expect(await faultIn(() => open(ending.url))).toBe('target.http.reset');
    await using endless = await serveRaw({
      upgrade: (socket) => socket.write(`HTTP/1.1 101 x\r\nx: ${'y'.repeat(20_000)}`),
    });
    expect(await faultIn(() => open(endless.url))).toBe('target.http.headers');
    await using other = await serveRaw({ upgrade: (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n') });
    expect(await faultIn(() => open(other.url))).toBe('target.http.protocol');
  });

  it('after the deadline is not opened: that passed in waiting for what came before', async () => {
    const over = AbortSignal.abort(new DOMException('over', 'TimeoutError'));
    const opened = () => openSocket(target('ws://localhost:1'), outside, {}, over);
    expect(await faultIn(opened)).toBe('target.http.timeout');
  });

  it('a private address that nobody allowed', async () => {
    await using server = await serveSockets(() => undefined);
    expect(await faultIn(() => open(server.url, {}, { allowPrivate: false }))).toBe('target.connect.private');
  });

  it.each<[string, string, (socket: { write(bytes: Buffer): void; end(): void }) => void]>([
    ['a binary message', 'target.ws.protocol', (socket) => socket.write(frame(0x82, 'x'))],
    ['a masked frame', 'target.ws.protocol', (socket) => socket.write(frame(0x81, 'x', true))],
    ['a reserved bit', 'target.ws.protocol', (socket) => socket.write(frame(0xc1, 'x'))],
    ['bad UTF-8', 'target.ws.protocol', (socket) => socket.write(frame(0x81, Buffer.from([0xc3, 0x28])))],
    ['a large frame', 'target.ws.too-large', (socket) => socket.write(text('x'.repeat(1_025)))],
    ['a cut-off', 'target.ws.closed', (socket) => socket.end()],
    ['a close frame', 'target.ws.closed', (socket) => socket.write(closeFrame(1001, 'bye'))],
    ['a close by policy', 'target.ws.refused', (socket) => socket.write(closeFrame(1008, 'policy'))],
    ['nothing', 'target.ws.timeout', () => undefined],
  ])('%s is %s', async (_, expected, act) => {
    await using server = await serveRaw({
      upgrade: (socket, head) => {
        socket.write(switching(head));
        act(socket);
      },
    });
    expect(await faultIn(() => firstOf(server.url, { maxBytes: 1_024 }, 150))).toBe(expected);
  });

  it.each([
    ['messages', 1_001, 'x'],
    ['bytes', 5, 'x'.repeat(1_000)],
  ])('more %s than are kept', async (_, count, payload) => {
    await using server = await serveRaw({
      upgrade: (socket, head) =>
        socket.write(
          Buffer.concat([
            Buffer.from(switching(head)),
            ...Array.from({ length: count }, () => text(payload)),
          ]),
        ),
    });
    using link = await open(server.url, { maxBytes: 1_024 });
    const read: string[] = [];
    await expect.poll(() => link.closed).toBeDefined();
    const all = async () => {
      for (;;) read.push(await link.next(soon()));
    };
    expect(await faultIn(all)).toBe('target.ws.too-large');
    expect(read).toHaveLength(count - 1);
  });
});

describe('nothing stays behind', () => {
  const sockets = () =>
    process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|TLSWrap|Timeout/.test(name)).length;

  it('after a link was disposed, while it waits or while it is made', async () => {
    await using server = await serveSockets(() => undefined);
    await using mute = await serveRaw({ upgrade: () => undefined });
    const before = sockets();
    const signal = new AbortController();
    const links: SocketLink[] = [];
    for (let i = 0; i < 20; i += 1)
      links.push(await openSocket(target(server.url), outside, {}, signal.signal));
    const waits = links.map((link) => link.next(signal.signal));
    const made = openSocket(target(mute.url), outside, {}, signal.signal);
    for (const link of links) link[Symbol.dispose]();
    signal.abort(new Error('over'));
    const ended = await Promise.allSettled([...waits, made]);
    expect(ended.every(({ status }) => status === 'rejected')).toBe(true);
    await expect.poll(() => server.clients.size).toBe(0);
    await expect.poll(sockets).toBeLessThanOrEqual(before);
  });
});
