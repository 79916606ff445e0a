import { createServer } from 'node:net';
import { createSecureContext } from 'node:tls';
import { gzipSync } from 'node:zlib';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultError, type ExchangeRequest } from '@highwater/config/kinds.ts';
import { Secret } from '@highwater/config/secrets.ts';
import { type Certificates, makeCertificates } from '../../testing/certificates.ts';
import {
  closedPort,
  listening,
  type Served,
  serveBytes,
  serveHttp,
  serveHttps,
  serveTcp,
} from '../../testing/servers.ts';
import { faultError } from '../fault.ts';
import { openWay } from './exchange.ts';
import type { OpenTarget, Outside } from './outside.ts';
import { parseConsent } from './reach.ts';
import { makeResolve } from './resolve.ts';
import { totalTenths } from './stopwatch.ts';

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

async function ask(
  to: OpenTarget,
  request: ExchangeRequest = { method: 'GET' },
  { timeoutMs = 5_000, out = outside }: { timeoutMs?: number; out?: Outside } = {},
) {
  const way = openWay(to, out, AbortSignal.timeout(timeoutMs));
  try {
    return await way.exchange(request);
  } finally {
    way.close();
  }
}

async function faultOfAsking(...args: Parameters<typeof ask>): Promise<string> {
  try {
    const answer = await ask(...args);
    return `answered ${answer.status}`;
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    const { source, operation, code } = thrown.fault;
    return `${source}.${operation}.${code}`;
  }
}

describe('an answer', () => {
  it('has status, headers, body, address and phases that sum to the latency', async () => {
    await using server = await serveHttp((request, response) => {
      response.setHeader('x-method', request.method ?? '');
      response.end(
        `hello ${request.url} ${request.headers['accept-encoding']} ${request.headers['user-agent']}`,
      );
    });
    const answer = await ask(target(`${server.url}/base/`), { method: 'GET', path: '/x?y=1' });
    expect(answer).toMatchObject({
      status: 200,
      body: 'hello /base/x?y=1 identity Highwater/test',
      address: '127.0.0.1',
    });
    expect(answer.headers['x-method']).toBe('GET');
    expect(answer.latencyTenths).toBe(totalTenths(answer.phases));
    expect(answer.latencyTenths).toBeGreaterThan(0);
  });

  it('uses one connection for the requests of one run, and survives a server that closes it', async () => {
    const ports = new Set<number>();
    let asked = 0;
    await using server = await serveTcp((socket) => {
      ports.add(socket.remotePort ?? 0);
      socket.on('data', () => {
        asked += 1;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        // Closed without a word after the second answer.
        if (asked === 2) socket.end();
      });
    });
    const way = openWay(target(server.url), outside, AbortSignal.timeout(5_000));
    for (let round = 0; round < 4; round += 1) {
      expect((await way.exchange({ method: 'POST', body: '{}' })).body).toBe('ok');
    }
    way.close();
    expect(ports.size).toBe(2);
  });

  it('is not asked for after the deadline: that passed in waiting for the one before', async () => {
    let asked = 0;
    await using server = await serveHttp((_, response) => {
      asked += 1;
      response.end('ok');
    });
    const over = AbortSignal.abort(new DOMException('over', 'TimeoutError'));
    const way = openWay(target(server.url.replace('127.0.0.1', 'localhost')), outside, over);
    const answer = await way.exchange({ method: 'GET' }).catch((thrown: unknown) => thrown);
    expect([(answer as FaultError).fault, asked]).toEqual([
      { source: 'target', operation: 'http', code: 'timeout' },
      0,
    ]);
    way.close();
  });

  it('goes to the pinned address with the name of the URL', async () => {
    await using server = await serveHttp((request, response) => void response.end(request.headers.host));
    const answer = await ask(target(`http://node.example:${server.port}`, { address: '127.0.0.1' }));
    expect(answer.body).toBe(`node.example:${server.port}`);
  });
});

describe('another port of the host', () => {
  it('is the target as much as its URL: pinned, with its headers; where that one leads to is not', async () => {
    const seen: string[] = [];
    const heard = (name: string, request: IncomingMessage) =>
      seen.push(`${name} ${request.headers.host} ${String(request.headers['x-token'])}`);
    await using elsewhere = await serveHttp((request, response) => {
      heard('elsewhere', request);
      response.end('there');
    });
    await using other = await serveHttp((request, response) => {
      heard('other', request);
      response.writeHead(302, { location: `http://node.example:${elsewhere.port}/` }).end();
    });
    const to = target('http://node.example:9/', {
      address: '127.0.0.1',
      headers: { 'X-Token': new Secret('s') },
    });
    const out: Outside = { ...outside, resolve: async () => ['127.0.0.1'] };
    const answer = await ask(to, { method: 'GET', port: other.port, maxRedirects: 1 }, { out });
    expect(answer.body).toBe('there');
    expect(seen).toEqual([
      `other node.example:${other.port} s`,
      `elsewhere node.example:${elsewhere.port} undefined`,
    ]);
  });

  it('does not lend its address to another host or port that it names', async () => {
    await using other = await serveHttp((_, response) => {
      response.writeHead(302, { location: 'http://node.example:9/' }).end();
    });
    const out: Outside = {
      ...outside,
      resolve: (host) => Promise.reject(faultError('resolver.resolve.nxdomain', host)),
    };
    const to = target('http://node.example:9/', { address: '127.0.0.1' });
    const asked = { method: 'GET', port: other.port, maxRedirects: 1 } as const;
    expect(await faultOfAsking(to, asked, { out })).toBe('resolver.resolve.nxdomain');
  });
});

describe('TLS', () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });
  const trusting = () => ({ ...outside, secureContext: createSecureContext({ ca: certificates.ca }) });

  it('is spoken with the name of the URL, and the earliest expiry is known', async () => {
    await using server = await serveHttps(certificates.good, (_, response) => void response.end('ok'));
    const answer = await ask(target(`https://localhost:${server.port}`), undefined, { out: trusting() });
    expect(answer.body).toBe('ok');
    expect(answer.phases.tls).toBeGreaterThan(0);
    expect(answer.certExpiresAt).toBe(Date.UTC(2099, 0, 1));
  });

  it.each([
    ['expired', 'target.tls.expired'],
    ['future', 'target.tls.not-yet-valid'],
    ['wrongHost', 'target.tls.wrong-host'],
    ['selfSigned', 'target.tls.self-signed'],
  ] as const)('a certificate that is %s is %s', async (which, expected) => {
    await using server = await serveHttps(certificates[which], (_, response) => void response.end('ok'));
    expect(
      await faultOfAsking(target(`https://localhost:${server.port}`), undefined, { out: trusting() }),
    ).toBe(expected);
  });

  it('an unknown issuer is target.tls.untrusted', async () => {
    await using server = await serveHttps(certificates.good, (_, response) => void response.end('ok'));
    expect(await faultOfAsking(target(`https://localhost:${server.port}`))).toBe('target.tls.untrusted');
  });

  it('a port that does not speak TLS is target.tls.handshake', async () => {
    await using server = await serveBytes('HTTP/1.1 400 Bad Request\r\n\r\n', 'end');
    expect(await faultOfAsking(target(`https://127.0.0.1:${server.port}`))).toBe('target.tls.handshake');
  });

  it('a handshake without an answer is target.tls.timeout', async () => {
    await using server = await serveTcp(() => undefined);
    const to = target(`https://127.0.0.1:${server.port}`);
    expect(await faultOfAsking(to, undefined, { timeoutMs: 150 })).toBe('target.tls.timeout');
  });
});

describe('each way to fail is its own fault', () => {
  it('nothing listens', async () => {
    expect(await faultOfAsking(target(`http://127.0.0.1:${await closedPort()}`))).toBe(
      'target.connect.refused',
    );
  });

  it('a name under .invalid', async () => {
    const out = { ...outside, resolve: makeResolve({ servers: [`127.0.0.1:${await closedPort()}`] }) };
    expect(await faultOfAsking(target('http://gone.invalid'), undefined, { out })).toBe(
      'resolver.resolve.failed',
    );
  });

  it.each([
    ['accepts and never answers', () => serveTcp(() => undefined), 'target.http.timeout'],
    ['sends one byte now and then', slowLoris, 'target.http.timeout'],
    [
      'stops in the middle of the body',
      () => serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
      'target.http.timeout',
    ],
    [
      'ends in the middle of the body',
      () => serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', 'end'),
      'target.http.reset',
    ],
    [
      'resets in the middle of the body',
      () => serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', 'reset'),
      'target.http.reset',
    ],
    [
      'ends in the middle of a chunk',
      () => serveBytes('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf', 'end'),
      'target.http.reset',
    ],
    [
      'closes without an answer',
      () => serveTcp((socket) => void socket.once('data', () => socket.end())),
      'target.http.reset',
    ],
    [
      'resets without an answer',
      () => serveTcp((socket) => void socket.once('data', () => socket.resetAndDestroy())),
      'target.http.reset',
    ],
    ['answers HTTP/0.9', () => serveBytes('<html>hello</html>', 'end'), 'target.http.protocol'],
    ['answers SSH', () => serveBytes('SSH-2.0-OpenSSH_9.2\r\n'), 'target.http.protocol'],
    [
      'answers an invalid chunk',
      () => serveBytes('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'),
      'target.http.protocol',
    ],
    ['sends headers without end', endlessHeaders, 'target.http.headers'],
    [
      'sends one huge header',
      () => serveBytes(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`),
      'target.http.headers',
    ],
    ['sends a body without end', endlessBody, 'target.http.too-large'],
    [
      'announces a huge body',
      () => serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n'),
      'target.http.too-large',
    ],
    [
      'sends a few short headers too many',
      () => serveBytes(`HTTP/1.1 200 OK\r\n${'a: 1\r\n'.repeat(201)}content-length: 0\r\n\r\n`),
      'target.http.headers',
    ],
    [
      'sends headers of many names',
      () =>
        serveBytes(
          `HTTP/1.1 200 OK\r\n${Array.from({ length: 201 }, (_, n) => `a${n}: 1\r\n`).join('')}\r\n`,
          'end',
        ),
      'target.http.headers',
    ],
    ['compresses', compressed, 'target.http.encoding'],
    ...['gzip', 'br', 'zstd', 'deflate', 'x-gzip', 'gzip, identity', 'identity, gzip', 'GZIP'].map(
      (encoding) =>
        [
          `says content-encoding ${encoding}`,
          () => serveBytes(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: 1\r\n\r\nx`),
          'target.http.encoding',
        ] as const,
    ),
    [
      'compresses in transfer',
      () => serveBytes('HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n'),
      'target.http.encoding',
    ],
    [
      'redirects',
      () => serveBytes('HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n'),
      'target.http.redirect',
    ],
  ] as const)('a server that %s', async (_, serve, expected) => {
    await using server = await serve();
    const timeoutMs = expected === 'target.http.timeout' ? 300 : 10_000;
    expect(await faultOfAsking(target(server.url), undefined, { timeoutMs })).toBe(expected);
  });

  it('an answer of exactly the cap is read, one byte more is not', async () => {
    await using server = await serveBytes(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
    );
    expect((await ask(target(server.url), { method: 'GET', maxBytes: 5 })).bytes).toBe(5);
    expect(await faultOfAsking(target(server.url), { method: 'GET', maxBytes: 4 })).toBe(
      'target.http.too-large',
    );
  });

  it('a fault carries the phases until then', async () => {
    await using server = await serveTcp(() => undefined);
    const startedAt = performance.now();
    const failed = await ask(target(server.url), undefined, { timeoutMs: 150 }).catch(
      (thrown: unknown) => thrown,
    );
    const tookMs = performance.now() - startedAt;
    expect(failed).toBeInstanceOf(FaultError);
    const phases = (failed as FaultError).phases;
    expect(phases?.firstByte).toBeGreaterThan(1_000);
    expect(phases?.firstByte).toBeLessThanOrEqual(Math.ceil(tookMs * 10));
  });

  it('the program ending is no fault', async () => {
    await using server = await serveTcp(() => undefined);
    const ending = new AbortController();
    const way = openWay(target(server.url), outside, ending.signal);
    const asked = way.exchange({ method: 'GET' });
    ending.abort(new Error('ending'));
    await expect(asked).rejects.toThrow('ending');
    way.close();
  });
});

describe('private addresses', () => {
  let server: Served;
  beforeAll(async () => {
    server = await serveHttp((_, response) => void response.end('reached'));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    ['an address', '127.0.0.1', undefined],
    ['another form of it', '0x7f.1', undefined],
    ['a number', '2130706433', undefined],
    ['IPv4 inside IPv6', '[::ffff:127.0.0.1]', undefined],
    ['the name localhost', 'localhost', undefined],
    ['a name pinned to one', 'public.example', '127.0.0.1'],
  ])('%s is refused unless the monitor allows it', async (_, host, address) => {
    const to = target(`http://${host}:${server.port}`, {
      allowPrivate: false,
      ...(address ? { address } : {}),
    });
    expect(await faultOfAsking(to)).toBe('target.connect.private');
    expect(await faultOfAsking({ ...to, allowPrivate: true })).toBe('answered 200');
  });

  it('are refused unless the probe consents as well', async () => {
    const out = { ...outside, consent: parseConsent(['10.0.0.0/8']) };
    expect(await faultOfAsking(target(server.url), undefined, { out })).toBe('target.connect.private');
  });

  it('are refused in a redirect too', async () => {
    await using other = await redirecting('http://169.254.169.254/latest/meta-data/');
    expect(await faultOfAsking(target(other.url), { method: 'GET', maxRedirects: 3 })).toBe(
      'target.connect.private',
    );
  });
});

describe('redirects', () => {
  it.each([
    ['another private address', '127.0.0.3', 'target.connect.private'],
    ['a name of a private address', 'localhost', 'target.connect.private'],
    ['another port of its own', '127.0.0.1', 'answered 200'],
  ])('lead a target that may be private to %s: %s, %s', async (_, host, expected) => {
    let taken = 0;
    const inner = createServer((socket) => {
      taken += 1;
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nwithin'));
    });
    await using inside = await listening(inner, 'http', { host: host === 'localhost' ? '127.0.0.1' : host });
    await using first = await redirecting(`http://${host}:${inside.port}/latest/admin`);
    const to = target(`http://127.0.0.1:${first.port}`);
    expect(await faultOfAsking(to, { method: 'GET', maxRedirects: 1 })).toBe(expected);
    expect(taken).toBe(expected === 'answered 200' ? 1 : 0);
  });

  it('are followed as often as allowed, each counted', async () => {
    await using server = await serveHttp((request, response) => {
      const hops = Number(request.url?.slice(1));
      if (hops === 0) return void response.end('there');
      response.writeHead(302, { location: `/${hops - 1}` }).end();
    });
    const follow = (hops: number) =>
      faultOfAsking(target(server.url), { method: 'GET', path: `/${hops}`, maxRedirects: 2 });
    expect(await follow(2)).toBe('answered 200');
    expect(await follow(3)).toBe('target.http.redirect');
  });

  it('never lead from https to http', async () => {
    const certificates = makeCertificates();
    await using server = await serveHttps(certificates.good, (_, response) => {
      response.writeHead(301, { location: 'http://example.org/' }).end();
    });
    const out = { ...outside, secureContext: createSecureContext({ ca: certificates.ca }) };
    const to = target(`https://localhost:${server.port}`);
    expect(await faultOfAsking(to, { method: 'GET', maxRedirects: 3 }, { out })).toBe('target.http.redirect');
  });

  it('carry a secret to its own origin alone', async () => {
    const seen: (string | undefined)[] = [];
    const hear = (name: string | string[] | undefined) => seen.push(Array.isArray(name) ? name.join() : name);
    await using far = await serveHttp((request, response) => {
      hear(request.headers['x-token']);
      response.end('far');
    });
    await using near = await serveHttp((request, response) => {
      hear(request.headers['x-token']);
      response.writeHead(307, { location: far.url }).end();
    });
    const to = target(near.url, { headers: { 'X-Token': new Secret('s3cret') } });
    expect((await ask(to, { method: 'GET', maxRedirects: 1 })).body).toBe('far');
    expect(seen).toEqual(['s3cret', undefined]);
  });

  it('give back no secret once they have led elsewhere, and carry on no header of the check that may be one', async () => {
    const seen: string[] = [];
    const hear = (name: string, { headers }: IncomingMessage) =>
      seen.push(
        [name, headers['x-token'], headers['x-own'], headers.cookie, headers.accept].map(String).join(' '),
      );
    const urls = { far: '' };
    await using near = await serveHttp((request, response) => {
      hear('near', request);
      if (request.url === '/back') return void response.end('back');
      response.writeHead(308, { location: urls.far }).end();
    });
    await using far = await serveHttp((request, response) => {
      hear('far', request);
      response.writeHead(307, { location: `${near.url}/back` }).end();
    });
    urls.far = `${far.url}/`;
    const to = target(near.url, { headers: { 'X-Token': new Secret('s3cret') } });
    const headers = { 'X-Own': 'own', Cookie: 'c', Accept: 'text/plain' };
    expect((await ask(to, { method: 'GET', maxRedirects: 2, headers })).body).toBe('back');
    expect(seen).toEqual([
      'near s3cret own c text/plain',
      'far undefined undefined undefined text/plain',
      'near undefined undefined undefined text/plain',
    ]);
  });

  it.each([
    ['in a circle', (hop: number) => `/${hop + 1}`, 11],
    ['to itself', () => '/', 11],
  ] as const)('%s end after ten, whatever a check allows', async (_, next, requests) => {
    let hops = 0;
    await using server = await serveHttp((__, response) => {
      hops += 1;
      response.writeHead(302, { location: next(hops) }).end();
    });
    expect(await faultOfAsking(target(server.url), { method: 'GET', maxRedirects: 1_000 })).toBe(
      'target.http.redirect',
    );
    expect(hops).toBe(requests);
  });

  it.each(['ftp://127.0.0.1/', 'file:///etc/passwd', 'javascript:1', 'ws://127.0.0.1/', 'http://', '//'])(
    'never lead to %s',
    async (location) => {
      await using server = await redirecting(location);
      expect(await faultOfAsking(target(server.url), { method: 'GET', maxRedirects: 3 })).toBe(
        'target.http.redirect',
      );
    },
  );

  it.each([300, 304, 305, 306])('are none with status %s', async (status) => {
    await using server = await serveBytes(
      `HTTP/1.1 ${status} X\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n`,
    );
    expect(await faultOfAsking(target(server.url), { method: 'GET', maxRedirects: 3 })).toBe(
      `answered ${status}`,
    );
  });

  it('are the answer where the check expects one', async () => {
    await using server = await redirecting('/elsewhere');
    expect((await ask(target(server.url), { method: 'GET', redirectIsAnswer: true })).status).toBe(302);
  });
});

function redirecting(location: string): Promise<Served> {
  return serveHttp((_, response) => void response.writeHead(302, { location }).end());
}

function compressed(): Promise<Served> {
  return serveHttp((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(1_000_000)));
  });
}

function slowLoris(): Promise<Served> {
  return serveTcp((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nx: ');
      const drip = setInterval(() => socket.write('a'), 20);
      socket.on('close', () => clearInterval(drip));
    });
  });
}

function endlessHeaders(): Promise<Served> {
  return serveTcp((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = () =>
        void (socket.destroyed || socket.write('x-more: aaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(50), more));
      more();
    });
  });
}

function endlessBody(): Promise<Served> {
  return serveHttp((_, response: ServerResponse) => {
    const more = () => void (response.destroyed || response.write('x'.repeat(65_536), more));
    more();
  });
}
