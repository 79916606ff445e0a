import { expect, it } from 'vitest';
import { closedPort, serveHttp, serveTcp } from '../testing/servers.ts';
import { makeControls } from './controls.ts';
import { parseConsent } from './io/reach.ts';
import { makeResolve } from './io/resolve.ts';

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
  const declared = [
    good.url,
    odd.url,
    `tcp://127.0.0.1:${tcp.port}`,
    `http://127.0.0.1:${gone}`,
    `tcp://localhost:${gone}`,
  ];
  const reports = await makeControls(declared, outside).ask(0);
  expect(reports.map(({ failed, named, family }) => [failed, named, family])).toEqual([
    [false, false, '4'],
    [false, false, '4'],
    [false, false, '4'],
    [true, false, '4'],
    [true, true, '4'],
  ]);
});

it('controls are asked once for all that fails in a round, and at most once in two seconds', async () => {
  let asked = 0;
  await using server = await serveHttp((_, response) => {
    asked += 1;
    response.end();
  });
  clock = 10_000;
  const controls = makeControls([server.url], outside);
  await Promise.all([controls.ask(9_000), controls.ask(9_500), controls.ask(9_900)]);
  expect(asked).toBe(1);
  clock = 11_900;
  await controls.ask(11_800);
  expect(asked).toBe(1);
  clock = 12_100;
  await controls.ask(11_800);
  expect(asked).toBe(2);
  clock = 20_000;
  await controls.ask(12_000);
  expect(asked).toBe(2);
});

it('without declared controls nothing is asked', async () => {
  expect(await makeControls([], outside).ask(0)).toEqual([]);
});
