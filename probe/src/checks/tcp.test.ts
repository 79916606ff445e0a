import { createServer as createTlsServer, createSecureContext } from 'node:tls';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { formatLine, parseLine } from '@highwater/config/proof/line.ts';
import { makeCertificates } from '../../testing/certificates.ts';
import { testCheck, testHouse, verdictOf } from '../../testing/check.ts';
import { closedPort, listening, serveTcp } from '../../testing/servers.ts';
import { totalTenths } from '../io/stopwatch.ts';
import { tcp } from './tcp.ts';

async function ask(port: number, settings: unknown = {}, timeoutMs = 5_000) {
  using check = testCheck('tcp', `http://127.0.0.1:${port}`, settings, { timeoutMs });
  const seen = await check.run();
  expect(parseLine(formatLine(seen))).not.toHaveProperty('error');
  return seen;
}

/** Writes the pieces one after the other, each when the one before is on its way. */
function inPieces(socket: Socket, pieces: readonly (string | Buffer)[], then: () => void): void {
  const [first, ...rest] = pieces;
  if (first === undefined) return then();
  socket.write(first, () => setImmediate(() => inPieces(socket, rest, then)));
}

const banner = (...pieces: (string | Buffer)[]) =>
  serveTcp((socket) => inPieces(socket, pieces, () => undefined));

const redis = () =>
  serveTcp((socket) => {
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString();
      if (heard.endsWith('PING\r\n')) socket.write('+PONG\r\n');
    });
  });

describe('a connection', () => {
  it('is enough where nothing is expected', async () => {
    await using server = await serveTcp(() => undefined);
    const seen = await ask(server.port);
    expect([verdictOf(seen), seen.facts]).toEqual(['ok', {}]);
    expect(seen.phases).toMatchObject({ firstByte: 0, transfer: 0, tls: 0 });
    expect(seen.latencyTenths).toBeGreaterThan(0);
  });

  it('carries what is sent, and what comes is waited for', async () => {
    await using server = await redis();
    const seen = await ask(server.port, { send: 'PING\r\n', expect: { contains: '+PONG' } });
    expect(verdictOf(seen)).toBe('ok');
    expect(seen.phases?.firstByte).toBeGreaterThan(0);
    expect(seen.phases && totalTenths(seen.phases)).toBe(seen.latencyTenths);
  });

  it('goes to a port of the same host, over a URL of any scheme', async () => {
    await using server = await banner('SSH-2.0-OpenSSH_9.9\r\n');
    for (const url of ['https://127.0.0.1', 'ws://127.0.0.1:1/x']) {
      using check = testCheck('tcp', url, { port: server.port, expect: { contains: 'SSH-2.0' } });
      expect(verdictOf(await check.run())).toBe('ok');
    }
    using plain = testCheck('tcp', `https://127.0.0.1:${server.port}`, { expect: { contains: 'SSH-2.0' } });
    expect(verdictOf(await plain.run())).toBe('ok');
  });

  it('speaks TLS first where told so, with a certificate that must be good', async () => {
    const made = makeCertificates();
    const serve = (certificate: typeof made.good) =>
      listening(
        createTlsServer(certificate, (socket) => void socket.on('error', () => undefined).write('220 ready')),
        'https',
      );
    const outside = { ...testHouse.outside, secureContext: createSecureContext({ ca: made.ca }) };
    const verdict = async (port: number) => {
      const settings = { tls: true, expect: { contains: '220' } };
      using check = testCheck('tcp', `http://localhost:${port}`, settings, {
        house: { ...testHouse, outside },
      });
      return check.run();
    };
    await using good = await serve(made.good);
    const seen = await verdict(good.port);
    expect([verdictOf(seen), seen.facts]).toEqual(['ok', { ce: String(Date.UTC(2099, 0, 1)) }]);
    expect(seen.phases?.tls).toBeGreaterThan(0);
    await using expired = await serve(made.expired);
    expect(verdictOf(await verdict(expired.port))).toBe('fail target.tls.expired');
  });

  it('that is slow is degraded', async () => {
    await using server = await serveTcp((socket) => void setTimeout(() => socket.write('ready'), 60));
    const seen = await ask(server.port, { expect: { contains: 'ready' }, slow: '50ms' });
    expect(verdictOf(seen)).toBe('degraded target.tcp.slow');
    expect(seen.fault?.detail).toMatch(/^[0-9.]+ ms, limit 50 ms$/);
  });
});

describe('what is expected', () => {
  it.each<[string, readonly (string | Buffer)[], object]>([
    ['in one piece', ['220 mail ESMTP\r\n'], { contains: 'ESMTP' }],
    ['across pieces', ['22', '0 ma', 'il E', 'SM', 'TP'], { contains: '0 mail ESMTP' }],
    ['byte by byte', [...'220 mail ESMTP'], { contains: 'ESMTP' }],
    ['beside bytes that are no text', [Buffer.from([0xff, 0, 0xc3]), 'ready'], { contains: 'ready' }],
    [
      'in UTF-8, cut in the middle of a letter',
      [Buffer.from('gr\xc3', 'latin1'), Buffer.from('\xbcn', 'latin1')],
      { contains: 'grün' },
    ],
    ['by an expression', ['220 mail ESMTP\r\n'], { matches: '^220 .*ESMTP' }],
    ['by an expression across pieces', ['22', '0 ma', 'il E', 'SMTP'], { matches: '^220 .*ESMTP$' }],
    ['by an expression, in many pieces', [...'220 mail ESMTP'], { matches: '^220 .*ESMTP' }],
  ])('is found %s', async (_, pieces, expected) => {
    await using server = await banner(...pieces);
    expect(verdictOf(await ask(server.port, { expect: expected }))).toBe('ok');
  });

  it('is found when it is the last that comes, before the end', async () => {
    await using server = await serveTcp((socket) => void socket.end('bye'));
    expect(verdictOf(await ask(server.port, { expect: { contains: 'bye' } }))).toBe('ok');
    expect(verdictOf(await ask(server.port, { expect: { matches: 'bye$' } }))).toBe('ok');
  });

  it.each<[string, number, object, string]>([
    ['the last byte that is read', 1_000, { contains: 'ready' }, 'ok'],
    ['one byte later', 999, { contains: 'ready' }, 'fail target.tcp.too-large'],
    ['the last byte that is read, by an expression', 1_000, { matches: 'ready' }, 'ok'],
    ['one byte later, by an expression', 999, { matches: 'ready' }, 'fail target.tcp.too-large'],
  ])('that ends with %s', async (_, maxBytes, expected, verdict) => {
    await using server = await banner('x'.repeat(995) + 'ready');
    expect(verdictOf(await ask(server.port, { expect: expected, maxBytes }))).toBe(verdict);
  });

  it('is looked for beyond 64 KiB, but by an expression in the first 64 KiB alone', async () => {
    await using server = await serveTcp((socket) => void socket.end('x'.repeat(65_536) + 'ready'));
    const look = (expected: object) => ask(server.port, { expect: expected, maxBytes: 131_072 });
    expect(verdictOf(await look({ contains: 'ready' }))).toBe('ok');
    expect(verdictOf(await look({ matches: 'ready' }))).toBe('fail target.tcp.unexpected');
    expect(verdictOf(await look({ matches: 'x{900}' }))).toBe('ok');
  });
});

describe('each way to fail is its own fault', () => {
  const drip = (socket: Socket) => {
    const timer = setInterval(() => socket.write('x'), 10);
    socket.on('close', () => clearInterval(timer));
  };
  const endless = (socket: Socket) => {
    const bytes = Buffer.alloc(65_536, 'x');
    const more = () => void (socket.destroyed || socket.write(bytes, more));
    more();
  };
  const expected = { expect: { contains: 'ready' } };
  it.each<[string, string, RegExp, (socket: Socket) => void]>([
    ['silence', 'timeout', /^expected "ready", nothing came$/, () => undefined],
    ['one byte now and then', 'timeout', /^expected "ready", came "x+"$/, drip],
    ['another text, and no end', 'timeout', /^expected "ready", came "busy"$/, (s) => void s.write('busy')],
    ['an end', 'closed', /by the server, before anything came/, (s) => void s.end()],
    [
      'another text, and the end',
      'unexpected',
      /^expected "ready", came "421 too busy"$/,
      (s) => void s.end('421 too busy\r\n'),
    ],
    [
      'a reset',
      'closed',
      /^ECONNRESET; expected "ready", nothing came$/,
      (s) => void setTimeout(() => s.resetAndDestroy(), 20),
    ],
    [
      'a reset after a text',
      'closed',
      /^ECONNRESET; expected "ready", came "half"$/,
      (s) => void s.write('half', () => setTimeout(() => s.resetAndDestroy(), 20)),
    ],
    ['bytes without end', 'too-large', /^65536 bytes without "ready"$/, endless],
  ])('%s: %s', async (_, code, detail, act) => {
    await using server = await serveTcp(act);
    const seen = await ask(server.port, expected, code === 'timeout' ? 250 : 5_000);
    expect(verdictOf(seen)).toBe(`fail target.tcp.${code}`);
    expect(seen.fault?.detail).toMatch(detail);
    if (code === 'timeout') expect(seen.latencyTenths).toBeGreaterThan(2_000);
  });

  it('no listener', async () => {
    expect(verdictOf(await ask(await closedPort()))).toBe('fail target.connect.refused');
  });

  it('an address that nobody allowed', async () => {
    await using server = await serveTcp(() => undefined);
    using check = testCheck('tcp', server.url);
    Object.assign(check.prepared.monitor.target, { allowPrivate: false });
    expect(verdictOf(await check.run())).toBe('fail target.connect.private');
  });

  it('an expression that takes for ever on what came is given up', async () => {
    await using server = await banner(`${'a'.repeat(40_000)}!`);
    const before = process.cpuUsage();
    const seen = await ask(server.port, { expect: { matches: '^(a+)+$' } });
    expect(verdictOf(seen)).toBe('fail target.tcp.unexpected');
    expect(seen.fault?.detail).toBe('the expression takes over 100 ms on what came');
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });

  it('an expression of which each try is dear is given up in all', async () => {
    await using server = await serveTcp((socket) => {
      let sent = 0;
      const timer = setInterval(() => socket.write('a'.repeat((sent += 1) === 1 ? 1_500 : 10)), 10);
      socket.on('close', () => clearInterval(timer));
    });
    const seen = await ask(server.port, { expect: { matches: 'a*a*!' } }, 10_000);
    expect(seen.fault?.detail).toBe('the expression takes over 100 ms on what came');
  });

  it('what came is shown as one short line, whatever it is', async () => {
    await using server = await serveTcp((socket) => void socket.end('\u202e\n\u0007evil\r\n'.repeat(100)));
    const { fault } = await ask(server.port, { expect: { contains: 'ready' } });
    expect(fault?.detail).not.toMatch(/\p{C}/u);
    expect(fault?.detail?.length).toBeLessThanOrEqual(256);
  });
});

describe('settings', () => {
  it.each([
    [{ send: 'PING' }, 'nothing is expected in answer'],
    [{ expect: {} }, 'neither contains nor matches'],
    [{ expect: { contains: 'a', matches: 'a' } }, 'neither contains nor matches'],
    [{ expect: { matches: '(' } }, 'not a regular expression'],
    [{ expect: { matches: 'a'.repeat(201) } }, 'too long'],
    [{ expect: { contains: '' } }, 'empty'],
    [{ expect: { contains: 'x' }, maxBytes: 2_000_000 }, 'write 1 to 1048576'],
    [{ port: 0 }, 'write 1 to 65535'],
  ])('%j is refused: %s', (settings, message) => {
    expect(JSON.stringify(tcp.settings.safeParse(settings).error?.issues)).toContain(message);
  });
});
