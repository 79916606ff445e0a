import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fault, faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { testCheck, testHouse } from '../../testing/check.ts';
import { own, packetFor, record } from '../../testing/fake-name-server.ts';
import { type Served, serveHttp } from '../../testing/servers.ts';
import type { House } from '../observe.ts';
import { openWay } from './exchange.ts';
import type { OpenTarget } from './outside.ts';
import { makeResolve } from './resolve.ts';

const nameServer = createSocket('udp4');
/** Types asked for since, by number. */
const asked: string[] = [];
let house: House;
/** One port, each address with its own voice. */
let four: Served;
let six: Served;

const loopback = { 1: [127, 0, 0, 1], 28: [...Array<number>(15).fill(0), 1] } as const;
/** Which types the first label of a name has. */
const has: Readonly<Record<string, readonly number[]>> = { both: [1, 28], four: [1], six: [28] };

beforeAll(async () => {
  nameServer.on('message', (query, { port, address }) => {
    const label = query.subarray(13, 13 + (query[12] ?? 0)).toString();
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4);
    asked.push(`${label} ${type === 1 ? 'A' : 'AAAA'}`);
    const data = type === 1 ? loopback[1] : loopback[28];
    const answers = (has[label] ?? []).includes(type) ? [record(type, data, { name: own })] : [];
    nameServer.send(packetFor(query, { question: query.subarray(12, end), answers }), port, address);
  });
  await new Promise<void>((ready) => nameServer.bind(0, '127.0.0.1', ready));
  const resolve = makeResolve({
    servers: [`127.0.0.1:${nameServer.address().port}`],
    hostsFile: '/dev/null',
  });
  house = { ...testHouse, outside: { ...testHouse.outside, resolve } };
  four = await serveHttp((_, response) => void response.end('over 4'));
  six = await serveHttp((_, response) => void response.end('over 6'), { host: '::1', port: four.port });
});
afterAll(async () => {
  nameServer.close();
  await four[Symbol.asyncDispose]();
  await six[Symbol.asyncDispose]();
});

/** What came back, or the fault and its detail. */
async function heard(url: string, more: Partial<OpenTarget> = {}): Promise<string> {
  asked.length = 0;
  const target = { url, allowPrivate: true, headers: {}, ...more };
  const way = openWay(target, house.outside, AbortSignal.timeout(5_000));
  try {
    return (await way.exchange({ method: 'GET', maxRedirects: 1 })).body;
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return told(thrown.fault);
  } finally {
    way.close();
  }
}

const told = (fault: Fault | undefined) => (fault ? `${faultId(fault)} ${fault.detail ?? ''}`.trim() : 'ok');

const no6 = 'resolver.resolve.nodata no IPv6 address (AAAA)';
const no4 = 'resolver.resolve.nodata no IPv4 address (A)';

describe('a name', () => {
  it.each([
    ['both.test', 4, 'over 4', ['both A']],
    ['both.test', 6, 'over 6', ['both AAAA']],
    ['both.test', undefined, 'over 4', ['both A']],
    ['six.test', undefined, 'over 6', ['six A', 'six AAAA']],
    ['four.test', 4, 'over 4', ['four A']],
    ['four.test', 6, no6, ['four AAAA']],
    ['six.test', 4, no4, ['six A']],
    ['six.test', 6, 'over 6', ['six AAAA']],
    ['none.test', undefined, 'resolver.resolve.nodata neither A nor AAAA', ['none A', 'none AAAA']],
    ['localhost', 4, 'over 4', []],
    ['localhost', 6, 'over 6', []],
    ['127.0.0.1', 6, no6, []],
    ['[::1]', 4, no4, []],
    ['[::1]', 6, 'over 6', []],
  ] as const)('%s over %s', async (host, family, expected, questions) => {
    expect(await heard(`http://${host}:${four.port}`, { family })).toBe(expected);
    // Nobody is asked for what is not used.
    expect(asked).toEqual(questions);
  });

  it('that a redirect leads to is asked over the same family', async () => {
    await using near = await serveHttp(
      (_, response) => void response.writeHead(302, { location: `http://four.test:${four.port}` }).end(),
      { host: '::1' },
    );
    expect(await heard(`http://four.test:${near.port}`, { family: 6, address6: '::1' })).toBe(no6);
    expect(await heard(`http://four.test:${near.port}`, { address6: '::1' })).toBe('over 4');
  });
});

describe('addresses that are written', () => {
  const both = { address: '127.0.0.1', address6: '::1' };
  const refusing = { address: '127.0.0.2', address6: '::1' };
  it.each([
    [both, 4, 'over 4'],
    [both, 6, 'over 6'],
    [both, undefined, 'over 4'],
    [{ address6: '::1' }, undefined, 'over 6'],
    // The next when one refuses, as with a name's.
    [refusing, undefined, 'over 6'],
    [refusing, 4, 'target.connect.refused'],
    [{ address: '127.0.0.1' }, 6, 'resolver.resolve.nodata none written for IPv6'],
    [{ address6: '::1' }, 4, 'resolver.resolve.nodata none written for IPv4'],
  ] as const)('%j over %s', async (addresses, family, expected) => {
    const said = await heard(`http://both.test:${four.port}`, { ...addresses, family });
    expect(said.startsWith(expected), said).toBe(true);
    expect(asked).toEqual([]);
  });
});

describe('every kind', () => {
  it.each(['http', 'tcp', 'websocket', 'tls'])(
    '%s asks its target over the family of the check',
    async (kind) => {
      const scheme = kind === 'websocket' ? 'ws' : 'http';
      const target = { family: 6 } as const;
      using check = testCheck(kind, `${scheme}://four.test:${four.port}`, {}, { house, target });
      expect(told((await check.run()).fault)).toBe(no6);
    },
  );

  it('dns asks over it the name servers that are named', async () => {
    const settings = { name: 'four.test', servers: [`four.test:${nameServer.address().port}`] };
    const over = async (family: 4 | 6) => {
      using check = testCheck('dns', 'http://four.test', settings, { house, target: { family } });
      return told((await check.run()).fault);
    };
    expect(await over(4)).toBe('ok');
    expect(await over(6)).toContain('resolver.resolve.nodata');
  });
});
