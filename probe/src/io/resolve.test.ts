import { createSocket } from 'node:dgram';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { makeResolve, parseHosts } from './resolve.ts';

const server = createSocket('udp4');
let servers: string[];
const rcode: Readonly<Record<string, number>> = { nxdomain: 3, servfail: 2, refused: 5 };

/** Answers by the first label of the name: an address, an empty answer, a code, or nothing at all. */
function answer(query: Buffer): Buffer | undefined {
  const label = query.subarray(13, 13 + (query[12] ?? 0)).toString();
  if (label === 'silent') return undefined;
  const end = query.indexOf(0, 12) + 5;
  const isA = query[end - 3] === 1;
  const has = label === 'both' || (label === 'four' && isA) || (label === 'six' && !isA);
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180 | (rcode[label] ?? 0), 2);
  head.writeUInt16BE(has ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const data = isA ? Buffer.from([192, 0, 2, 1]) : Buffer.from('20010db8000000000000000000000001', 'hex');
  const record = Buffer.concat([
    Buffer.from([0xc0, 12, 0, isA ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, data.length]),
    data,
  ]);
  return Buffer.concat([head, query.subarray(12, end), ...(has ? [record] : [])]);
}

beforeAll(async () => {
  server.on('message', (query, { port, address }) => {
    const said = answer(query);
    if (said) server.send(said, port, address);
  });
  await new Promise<void>((ready) => server.bind(0, '127.0.0.1', ready));
  servers = [`127.0.0.1:${server.address().port}`];
});
afterAll(() => void server.close());

async function resolved(host: string, hostsFile = '/dev/null'): Promise<string> {
  try {
    return (await makeResolve({ servers, hostsFile, timeoutMs: 100 })(host)).join(' ');
  } catch (thrown) {
    return thrown instanceof FaultError ? faultId(thrown.fault) : String(thrown);
  }
}

describe('a name', () => {
  it.each([
    ['four.example', '192.0.2.1'],
    ['both.example', '192.0.2.1'],
    ['six.example', '2001:db8::1'],
    ['empty.example', 'resolver.resolve.nodata'],
    ['nxdomain.example', 'resolver.resolve.nxdomain'],
    ['servfail.example', 'resolver.resolve.servfail'],
    ['refused.example', 'resolver.resolve.failed'],
    ['silent.example', 'resolver.resolve.timeout'],
    ['192.0.2.7', '192.0.2.7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['localhost', '127.0.0.1 ::1'],
    ['api.localhost', '127.0.0.1 ::1'],
  ])('%s is %s', async (host, expected) => {
    expect(await resolved(host)).toBe(expected);
  });

  it('in the hosts file is not asked for', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'highwater-hosts-')), 'hosts');
    writeFileSync(
      file,
      '# comment\n::1 nxdomain.example\n10.0.0.9  Nxdomain.Example other # x\nnonsense here\n',
    );
    expect(await resolved('NXDOMAIN.example', file)).toBe('10.0.0.9 ::1');
    expect([...parseHosts('10.0.0.9 a b').keys()]).toEqual(['a', 'b']);
  });
});
