import { createServer as createTlsServer, createSecureContext } from 'node:tls';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { makeCertificates } from '../../testing/certificates.ts';
import { testCheck, testHouse, verdictOf } from '../../testing/check.ts';
import { listening, serveTcp } from '../../testing/servers.ts';

const handles = () =>
  process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|TLSWrap|ConnectWrap|Timeout/.test(name))
    .length;

const rounds = 150;

describe('many rounds, good and bad', () => {
  it('of tls and tcp leave no socket or timer behind, here or at the server', async () => {
    const made = makeCertificates();
    const outside = {
      ...testHouse.outside,
      secureContext: createSecureContext({ ca: made.ca }),
      roots: [made.ca],
    };
    const house = { ...testHouse, outside };
    const open = new Set<unknown>();
    const serve = (certificate: typeof made.good) => {
      const server = createTlsServer(certificate, (socket) => void socket.on('error', () => undefined));
      server.on('connection', (socket: Socket) => open.add(socket.on('close', () => open.delete(socket))));
      return listening(server, 'https');
    };
    await using good = await serve(made.good);
    await using expired = await serve(made.expired);
    await using rude = await serveTcp((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    await using polite = await serveTcp((socket) => {
      open.add(socket.on('close', () => open.delete(socket)));
      socket.write('220 ready\r\n');
    });
    const matches = { expect: { matches: '^220 ' } };
    const cases = [
      [testCheck('tls', `https://localhost:${good.port}`, {}, { house }), 'ok'],
      [testCheck('tls', `https://localhost:${expired.port}`, {}, { house }), 'fail target.tls.expired'],
      [testCheck('tls', rude.url, {}, { house }), 'fail target.tls.handshake'],
      [testCheck('tcp', polite.url, {}), 'ok'],
      [testCheck('tcp', polite.url, matches), 'ok'],
      [testCheck('tcp', polite.url, { ...matches, maxBytes: 3 }), 'fail target.tcp.too-large'],
    ] as const;
    const round = async () => {
      for (const [check, verdict] of cases) expect(verdictOf(await check.run())).toBe(verdict);
    };
    await round();
    await expect.poll(() => open.size).toBe(0);
    const before = handles();
    for (let i = 0; i < rounds; i += 1) await round();
    await expect.poll(() => open.size).toBe(0);
    // Polling has a timer of its own; what a check leaves behind would be here once for each round.
    await expect.poll(handles).toBeLessThan(before + 5);
  }, 120_000);
});
