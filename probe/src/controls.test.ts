import { createServer, type Server, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { closedPort, serveHttp, serveTcp } from '../testing/servers.ts';
import { makeControls } from './controls.ts';
import { faultError } from './fault.ts';
import { parseConsent } from './io/reach.ts';
import { makeResolve } from './io/resolve.ts';
import type { ControlReport } from './self.ts';

let clock = 0;
const outside = {
  resolve: makeResolve(),
  consent: parseConsent(['config']),
  userAgent: 'Highwater/test',
  monotonic: () => clock,
};

it('a control that answers anything is well, one that is not reached has failed', async () => {
  await using good = await serveHttp((_, response) => void response.writeHead(500).end());
  await using odd = await serveTcp((socket) => void socket.once('data', () => socket.end('SSH-2.0-x\r\n')));
  await using tcp = await serveTcp(() => undefined);
  const gone = await closedPort();
  const declared = [good.url, odd.url, `tcp://127.0.0.1:${tcp.port}`, `http://127.0.0.1:${gone}`];
  const reports = await makeControls(declared, outside).ask();
  expect(reports.map(({ failed, named, family }) => [failed, named, family])).toEqual([
    [false, false, '4'],
    [false, false, '4'],
    [false, false, '4'],
    [true, false, '4'],
  ]);
});

/** Listens on one of the two loopback addresses alone. */
async function listenOn(host: string): Promise<{ port: number } & Disposable> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((ready) => server.listen(0, host, ready));
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

it('a name is asked over IPv4 and over IPv6 apart, an address in its own family', async () => {
  using four = await listenOn('127.0.0.1');
  using six = await listenOn('::1');
  const asked = async (control: string) =>
    (await makeControls([control], outside).ask()).map(
      ({ family, failed }) => `${family} ${failed ? 'failed' : 'well'}`,
    );
  expect(await asked(`tcp://localhost:${four.port}`)).toEqual(['4 well', '6 failed']);
  expect(await asked(`tcp://localhost:${six.port}`)).toEqual(['4 failed', '6 well']);
  expect(await asked(`tcp://127.0.0.1:${six.port}`)).toEqual(['4 failed']);
  expect(await asked(`tcp://[::1]:${six.port}`)).toEqual(['6 well']);
});

it.each([
  ['only an IPv4 address', { 4: ['127.0.0.1'], 6: 'resolver.resolve.nodata' }, ['4 failed']],
  ['only an IPv6 address', { 4: 'resolver.resolve.nodata', 6: ['::1'] }, ['6 failed']],
  [
    'one that answers for IPv4 and not for IPv6',
    { 4: ['127.0.0.1'], 6: 'resolver.resolve.timeout' },
    ['4 failed'],
  ],
  ['none', { 4: 'resolver.resolve.nodata', 6: 'resolver.resolve.nodata' }, ['name failed']],
  [
    'no answer from the resolver',
    { 4: 'resolver.resolve.servfail', 6: 'resolver.resolve.servfail' },
    ['name failed'],
  ],
] as const)('a name with %s', async (_, said, expected) => {
  const port = await closedPort();
  const resolve = (_: string, family?: 4 | 6) => {
    const found = said[family ?? 4];
    return typeof found === 'string' ? Promise.reject(faultError(found)) : Promise.resolve(found);
  };
  const reports = await makeControls([`tcp://control.example:${port}`], { ...outside, resolve }).ask();
  expect(reports.map(({ family, failed }) => `${family} ${failed ? 'failed' : 'well'}`)).toEqual(expected);
});

it('controls are asked at most once in two seconds, and what they said before that is never said again', async () => {
  let asked = 0;
  const server = await serveHttp((_, response) => {
    asked += 1;
    response.end();
  });
  const failed = (reports: readonly ControlReport[]) => reports.map((report) => report.failed);
  clock = 10_000;
  const controls = makeControls([server.url], outside);
  await Promise.all([controls.ask(), controls.ask(), controls.ask()]);
  expect(asked).toBe(1);
  clock = 11_999;
  expect(failed(await controls.ask())).toEqual([false]);
  expect(asked).toBe(1);
  clock = 12_000;
  expect(failed(await controls.ask())).toEqual([false]);
  expect(asked).toBe(2);
  // The network goes while a check runs that began before the controls were asked.
  await server[Symbol.asyncDispose]();
  clock = 14_000;
  expect(failed(await controls.ask())).toEqual([true]);
});

it('without declared controls nothing is asked', async () => {
  expect(await makeControls([], outside).ask()).toEqual([]);
});
