import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { type FakeNameServer, nameOf, packetFor, record, serveDns } from '../../testing/fake-name-server.ts';
import { testCheck, testHouse } from '../../testing/check.ts';
import { closedPort } from '../../testing/servers.ts';
import { observe } from '../observe.ts';
import { zoneOf } from './dns-zone.ts';

const ns = (...labels: string[]) => record(2, nameOf(...labels));
const find = (
  servers: readonly (FakeNameServer | string)[],
  name = 'a.b.test',
  signal = AbortSignal.timeout(5_000),
) =>
  zoneOf(
    name,
    servers.map((server) => (typeof server === 'string' ? server : `127.0.0.1:${server.port}`)),
    { signal, againAfterMs: 50, monotonic: () => performance.now() },
  );
const faultIn = async (promise: Promise<unknown>): Promise<string> => {
  const thrown = await promise.catch((caught: unknown) => caught);
  return thrown instanceof FaultError ? faultId(thrown.fault) : 'no fault';
};
/** What was asked for. */
const nameIn = (question: Buffer): string => {
  const labels: string[] = [];
  for (let at = 12; question.readUInt8(at) > 0; at += 1 + question.readUInt8(at)) {
    labels.push(question.toString('latin1', at + 1, at + 1 + question.readUInt8(at)));
  }
  return labels.join('.');
};

describe('the zone of a name', () => {
  it('is the first of it and its parents with name servers of its own', async () => {
    await using resolver = await serveDns((asked) => [
      packetFor(
        asked,
        nameIn(asked) === 'b.test'
          ? { answers: [ns('ns2', 'b', 'test'), ns('ns1', 'b', 'test'), ns('ns1', 'b', 'test')] }
          : {},
      ),
    ]);
    expect(await find([resolver])).toEqual({ zone: 'b.test', servers: ['ns1.b.test', 'ns2.b.test'] });
    expect(resolver.questions.map(nameIn)).toEqual(['a.b.test', 'b.test']);
    expect(resolver.questions[0]?.readUInt16BE(2)).toBe(0x0120);
  });

  it('is not that of an alias, nor what is said of other names', async () => {
    const alias = [
      record(5, nameOf('c', 'elsewhere')),
      record(2, nameOf('ns', 'elsewhere'), { name: nameOf('c', 'elsewhere') }),
    ];
    await using resolver = await serveDns((asked) => [
      packetFor(asked, { answers: nameIn(asked) === 'test' ? [ns('ns', 'test')] : alias }),
    ]);
    expect((await find([resolver])).zone).toBe('test');
  });

  it('is sought no further up than sixteen parents, and never at the root', async () => {
    await using resolver = await serveDns((asked) => [packetFor(asked, { flags: 0x8183 })]);
    expect(await faultIn(find([resolver]))).toBe('resolver.resolve.nxdomain');
    expect(resolver.questions.map(nameIn)).toEqual(['a.b.test', 'b.test', 'test']);
    const deep = Array.from({ length: 40 }, () => 'x').join('.');
    expect(await faultIn(find([resolver], deep))).toBe('resolver.resolve.nxdomain');
    expect(resolver.questions).toHaveLength(3 + 16);
  });

  it.each<[what: string, flags: number | undefined, fault: string]>([
    ['SERVFAIL', 0x8182, 'resolver.resolve.servfail'],
    ['REFUSED', 0x8185, 'resolver.resolve.failed'],
    ['silence', undefined, 'resolver.resolve.timeout'],
  ])('%s is the fault of the resolver, and the next is asked', async (_, flags, fault) => {
    await using bad = await serveDns((asked) => (flags === undefined ? [] : [packetFor(asked, { flags })]));
    await using good = await serveDns((asked) => [packetFor(asked, { answers: [ns('ns', 'test')] })]);
    expect(await faultIn(find([bad]))).toBe(fault);
    expect((await find([bad, good])).zone).toBe('a.b.test');
  });

  it('three resolvers are asked at most; without one nothing is', async () => {
    await using good = await serveDns((asked) => [packetFor(asked, { answers: [ns('ns', 'test')] })]);
    const closed = `127.0.0.1:${await closedPort()}`;
    expect(await faultIn(find([closed, closed, closed, good]))).toBe('resolver.resolve.failed');
    expect(good.questions).toHaveLength(0);
    expect(await faultIn(find([]))).toBe('resolver.resolve.failed');
  });

  it('is a fault of the resolver at the deadline', async () => {
    await using silent = await serveDns(() => []);
    expect(await faultIn(find([silent, silent, silent], 'a.test', AbortSignal.timeout(60)))).toBe(
      'resolver.resolve.timeout',
    );
  });
});

describe('the program ending', () => {
  it.each([
    ['while a name server is asked', (port: number) => ({ servers: [`127.0.0.1:${port}`] })],
    ['while the zone is sought', () => ({})],
  ])('%s is no fault', async (_, settings) => {
    const ending = new AbortController();
    await using silent = await serveDns(() => {
      ending.abort();
      return [];
    });
    const outside = { ...testHouse.outside, resolvers: [`127.0.0.1:${silent.port}`] };
    using check = testCheck('dns', 'https://rpc.hw.test', settings(silent.port));
    const run = observe(
      check.prepared,
      { dueAt: 0, recheck: false },
      { ...testHouse, outside },
      ending.signal,
    );
    await expect(run).rejects.toHaveProperty('name', 'AbortError');
  });
});
