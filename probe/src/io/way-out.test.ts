/** The rules of the way out, each for everything that opens a connection: what differs between them is where holes are. */
import type { Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import { createServer as createHttpsServer } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Phases } from '@highwater/config/domain.ts';
import { faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { type Certificates, makeCertificates } from '../../testing/certificates.ts';
import { serveDns } from '../../testing/fake-name-server.ts';
import { closedPort, listening, type Served, serveTcp } from '../../testing/servers.ts';
import { faultError } from '../fault.ts';
import { openDns } from './dns.ts';
import { openWay } from './exchange.ts';
import { shakeHands } from './handshake.ts';
import { openLink } from './link.ts';
import type { OpenTarget, Outside } from './outside.ts';
import { parseConsent } from './reach.ts';
import { makeResolve } from './resolve.ts';
import { openSocket } from './socket.ts';
import { totalTenths } from './stopwatch.ts';

/** What was reached, and how long each step took. */
interface Opened {
  readonly address: string;
  readonly phases: Phases;
}
type Open = (target: OpenTarget, outside: Outside, signal: AbortSignal) => Promise<Opened>;

const openers: Readonly<Record<'exchange' | 'socket' | 'link' | 'handshake', Open>> = {
  async exchange(target, outside, signal) {
    const way = openWay(target, outside, signal);
    try {
      return await way.exchange({ method: 'GET' });
    } finally {
      way.close();
    }
  },
  async socket(target, outside, signal) {
    using made = await openSocket(target, outside, {}, signal);
    return { address: made.address, phases: made.phases };
  },
  async link(target, outside, signal) {
    using made = await openLink(target, outside, { tls: true }, signal);
    // Answered with 400.
    made.send('hello\r\n\r\n');
    await made.next();
    return { address: made.address, phases: made.phases };
  },
  handshake: (target, outside, signal) => shakeHands(target, outside, {}, signal),
};
const each = Object.entries(openers);

let certificates: Certificates;
let server: Served;
/** Connections that servers have taken since, the names that TLS asked for, and the requests over them. */
let taken = 0;
const names: string[] = [];
const requests: IncomingMessage['headers'][] = [];
const open = new Set<Socket>();

/** Speaks TLS, HTTP and WebSocket. */
function serveAll(host: string, port = 0): Promise<Served> {
  const sockets = new WebSocketServer({ noServer: true });
  const SNICallback = (name: string, done: (failed: null) => void) => {
    names.push(name);
    done(null);
  };
  const made = createHttpsServer({ ...certificates.good, SNICallback }, (request, response) => {
    requests.push(request.headers);
    response.end('ok');
  });
  made.on('upgrade', (request: IncomingMessage, socket, head) => {
    requests.push(request.headers);
    sockets.handleUpgrade(request, socket, head, (way) => void way.on('error', () => undefined));
  });
  made.on('connection', (socket: Socket) => {
    taken += 1;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  return listening(made, 'https', { host, port });
}

beforeAll(async () => {
  certificates = makeCertificates();
  server = await serveAll('127.0.0.1');
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  taken = names.length = requests.length = 0;
});

const outside = (more: Partial<Outside> = {}): Outside => ({
  resolve: makeResolve(),
  consent: parseConsent(['config']),
  userAgent: 'Highwater/test',
  monotonic: () => performance.now(),
  secureContext: createSecureContext({ ca: certificates.ca }),
  roots: [certificates.ca],
  ...more,
});

const target = (more: Partial<OpenTarget> = {}): OpenTarget => ({
  url: `https://localhost:${server.port}`,
  allowPrivate: true,
  headers: {},
  ...more,
});

/** The address that was reached, or the fault, with the phases that ran. */
async function said(
  opener: Open,
  to: OpenTarget,
  out: Outside,
  timeoutMs = 5_000,
): Promise<readonly [string, Phases | undefined]> {
  try {
    const { address, phases } = await opener(to, out, AbortSignal.timeout(timeoutMs));
    return [address, phases];
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return [faultId(thrown.fault), thrown.phases];
  }
}

describe.each(each)('%s', (_, opener) => {
  it.each([
    ['the monitor does not allow it', { allowPrivate: false }, ['config']],
    ['the probe does not consent', {}, ['10.0.0.0/8']],
    ['it is written as the address of a node', { address: '127.0.0.1', allowPrivate: false }, ['config']],
    [
      'it serves the metadata of a cloud, whoever allows it',
      { address: '169.254.169.254' },
      ['config', '0.0.0.0/0'],
    ],
    ['it is this machine by another number', { address: '0.0.0.0' }, ['0.0.0.0/8']],
    ['it is IPv4 inside IPv6', { address6: '::ffff:127.0.0.1', allowPrivate: false }, ['config']],
  ])('connects to no private address: %s', async (__, more, consent) => {
    const [fault] = await said(opener, target(more), outside({ consent: parseConsent(consent) }));
    expect(fault).toBe('target.connect.private');
    expect(taken).toBe(0);
  });

  it('connects to none of several addresses that it may not reach', async () => {
    // The first refuses, so that the next has its turn.
    const resolve = async () => ['127.0.0.3', '127.0.0.1'];
    const consented = parseConsent(['127.0.0.3']);
    const to = target({ url: `https://name.test:${server.port}` });
    expect((await said(opener, to, outside({ resolve, consent: consented })))[0]).toBe(
      'target.connect.private',
    );
    expect(taken).toBe(0);
  });

  it('asks once where a name leads, and judges that, though the next answer is another (rebinding)', async () => {
    await using inside = await serveAll('127.0.0.2', server.port);
    let asked = 0;
    const resolve = async () => [(asked += 1) === 1 ? '127.0.0.1' : '127.0.0.2'];
    const out = outside({ resolve, consent: parseConsent(['127.0.0.1']) });
    expect((await said(opener, target(), out))[0]).toBe('127.0.0.1');
    expect([asked, taken]).toEqual([1, 1]);
    expect((await said(opener, target(), out))[0]).toBe('target.connect.private');
    expect([asked, taken]).toEqual([2, 1]);
    expect(inside.port).toBe(server.port);
  });

  it('asks a server by its address for the name of the service', async () => {
    const resolve = () => Promise.reject(faultError('resolver.resolve.nxdomain'));
    const [address] = await said(opener, target({ address: '127.0.0.1' }), outside({ resolve }));
    expect(address).toBe('127.0.0.1');
    expect(names).toEqual(['localhost']);
    for (const { host } of requests) expect(host).toBe(`localhost:${server.port}`);
  });

  it('asks for no name where there is none (RFC 6066 section 3)', async () => {
    expect((await said(opener, target({ url: server.url }), outside()))[0]).toBe('127.0.0.1');
    expect([taken, names]).toEqual([1, []]);
  });

  it('offers no compression', async () => {
    await said(opener, target(), outside());
    for (const headers of requests) {
      expect(headers['accept-encoding'] ?? 'identity').toBe('identity');
      expect(headers['sec-websocket-extensions']).toBeUndefined();
    }
  });

  it('tells the time of each step, which make up the whole', async () => {
    let ms = 0;
    const [, phases] = await said(opener, target(), outside({ monotonic: () => (ms += 1) }));
    if (!phases) throw new Error('no phases');
    expect(phases.resolve).toBeGreaterThan(0);
    expect(phases.connect).toBeGreaterThan(0);
    expect(phases.tls).toBeGreaterThan(0);
    // Nothing is said over a connection that is there for its certificate alone.
    expect(phases.firstByte > 0).toBe(opener !== openers.handshake);
    expect(totalTenths(phases)).toBeLessThanOrEqual(ms * 10);
  });

  it('tells the steps until it failed', async () => {
    const steps = async (to: OpenTarget, more: Partial<Outside> = {}) => {
      let ms = 0;
      const [fault, phases] = await said(opener, to, outside({ ...more, monotonic: () => (ms += 1) }));
      return [fault, ...Object.entries(phases ?? {}).flatMap(([name, tenths]) => (tenths > 0 ? [name] : []))];
    };
    const resolve = () => Promise.reject(faultError('resolver.resolve.nxdomain'));
    expect(await steps(target(), { resolve })).toEqual(['resolver.resolve.nxdomain', 'resolve']);
    const refusing = target({ url: `https://localhost:${await closedPort()}`, address: '127.0.0.1' });
    expect(await steps(refusing)).toEqual(['target.connect.refused', 'resolve', 'connect']);
    await using plain = await serveTcp((socket) => void socket.end('220 hello\r\n'));
    const other = target({ url: `https://localhost:${plain.port}` });
    expect(await steps(other)).toEqual(['target.tls.handshake', 'resolve', 'connect', 'tls']);
  });

  it('has one deadline, whichever step it passes in', async () => {
    const never = outside({ resolve: () => new Promise(() => undefined) });
    expect((await said(opener, target(), never, 100))[0]).toBe('resolver.resolve.timeout');
    await using mute = await serveTcp(() => undefined);
    const silent = target({ url: `https://localhost:${mute.port}` });
    expect((await said(opener, silent, outside(), 100))[0]).toBe('target.tls.timeout');
  });

  it('is nobody’s fault when the program ends', async () => {
    const ending = new AbortController();
    const never = outside({ resolve: () => new Promise(() => undefined) });
    const asked = opener(target(), never, ending.signal);
    ending.abort(new Error('the program ends'));
    await expect(asked).rejects.toThrow('the program ends');
    await using mute = await serveTcp(() => undefined);
    const later = new AbortController();
    const silent = target({ url: `https://localhost:${mute.port}` });
    const waiting = opener(silent, outside(), later.signal);
    setImmediate(() => later.abort(new Error('the program ends')));
    await expect(waiting).rejects.toThrow('the program ends');
  });

  it('leaves no connection behind', async () => {
    await Promise.all(Array.from({ length: 20 }, () => said(opener, target(), outside())));
    expect(taken).toBe(20);
    await expect.poll(() => open.size).toBe(0);
  });
});

describe('what is spoken after TLS', () => {
  it.each([
    ['exchange', 'target.http.timeout'],
    ['socket', 'target.http.timeout'],
    ['link', 'target.tcp.timeout'],
  ] as const)('%s has the same deadline there', async (name, expected) => {
    const mute = createTlsServer(certificates.good, () => undefined);
    await using silent = await listening(mute, 'https');
    const to = target({ url: `https://localhost:${silent.port}` });
    expect((await said(openers[name], to, outside(), 300))[0]).toBe(expected);
  });

  it('a second connection of one run is judged again', async () => {
    const closing = createHttpsServer(certificates.good, (_, response) => {
      response.writeHead(200, { connection: 'close' }).end('ok');
    });
    await using first = await listening(closing, 'https');
    await using inside = await serveAll('127.0.0.2', first.port);
    let asked = 0;
    const resolve = async () => [(asked += 1) === 1 ? '127.0.0.1' : '127.0.0.2'];
    const out = outside({ resolve, consent: parseConsent(['127.0.0.1']) });
    const to = target({ url: `https://localhost:${inside.port}` });
    const way = openWay(to, out, AbortSignal.timeout(5_000));
    expect((await way.exchange({ method: 'GET' })).body).toBe('ok');
    await expect(way.exchange({ method: 'GET' })).rejects.toThrow('target.connect.private');
    expect([asked, taken]).toEqual([2, 0]);
    way.close();
  });

  it('a redirect to the target’s own name is judged where that leads now', async () => {
    await using inside = await serveAll('127.0.0.2', server.port);
    let asked = 0;
    const resolve = async () => [(asked += 1) === 1 ? '127.0.0.1' : '127.0.0.2'];
    const near = createHttpsServer(certificates.good, (_, response) => {
      response.writeHead(302, { location: `https://localhost:${inside.port}/` }).end();
    });
    await using first = await listening(near, 'https');
    const out = outside({ resolve, consent: parseConsent(['127.0.0.1']) });
    const way = openWay(target({ url: `https://localhost:${first.port}` }), out, AbortSignal.timeout(5_000));
    const asking = way.exchange({ method: 'GET', maxRedirects: 3 });
    await expect(asking).rejects.toThrow('target.connect.private');
    expect([asked, taken]).toEqual([2, 0]);
    way.close();
  });

  it('a WebSocket follows no redirect', async () => {
    const near = createHttpsServer(certificates.good, () => undefined);
    near.on('upgrade', (_, socket) => {
      socket.end(`HTTP/1.1 302 Found\r\nlocation: ${server.url}/\r\ncontent-length: 0\r\n\r\n`);
    });
    await using first = await listening(near, 'https');
    const to = target({ url: `https://localhost:${first.port}` });
    expect((await said(openers.socket, to, outside()))[0]).toBe('target.ws.upgrade');
    expect(taken).toBe(0);
  });
});

describe('a name server', () => {
  const question = { name: 'x.test', type: 'A', recurse: false } as const;
  const ask = async (
    address: string,
    port: number,
    more: Partial<OpenTarget>,
    consent: readonly string[],
  ) => {
    const run = { signal: AbortSignal.timeout(200), timeoutMs: 200 };
    const out = outside({ consent: parseConsent(consent) });
    const way = openDns({ ...target(), ...more }, out, run, () => undefined);
    const failed: unknown = await way.ask({ ...question, address, port }).catch((thrown: unknown) => thrown);
    if (!(failed instanceof FaultError)) throw new Error('not refused', { cause: failed });
    return [faultId(failed.fault), failed.phases && totalTenths(failed.phases) > 0] as const;
  };

  it.each([
    ['127.0.0.1', { allowPrivate: false }, ['config']],
    ['127.0.0.1', {}, ['10.0.0.0/8']],
    ['169.254.169.253', {}, ['config']],
    ['0.0.0.0', {}, ['0.0.0.0/8']],
  ])('at %s is not asked with %j where the probe consents to %j', async (address, more, consent) => {
    await using mute = await serveDns(() => []);
    expect(await ask(address, mute.port, more, consent)).toEqual(['target.connect.private', undefined]);
    expect(mute.questions).toHaveLength(0);
  });

  it('has the deadline of the check and tells how long it was waited for', async () => {
    await using mute = await serveDns(() => []);
    expect(await ask('127.0.0.1', mute.port, {}, ['config'])).toEqual(['target.dns.timeout', true]);
  });
});
