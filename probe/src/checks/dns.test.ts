import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import {
  freePort,
  missing,
  type NameServer,
  startNamed,
  startPdns,
  type TestZone,
} from '../../../test/fixtures/name-servers.ts';
import { testCheck, testHouse, verdictOf } from '../../testing/check.ts';
import { closedPort } from '../../testing/servers.ts';
import { parseConsent } from '../io/reach.ts';
import { makeResolve } from '../io/resolve.ts';

if (missing !== undefined) {
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(`${missing}; without them dns checks are not tried on real servers`);
}

const long = 'x'.repeat(100);
const zone = (serial: number, more: TestZone['records'] = []): TestZone => ({
  name: 'hw.test',
  serial,
  records: [
    ['hw.test.', 60, 'NS', 'ns1.hw.test.'],
    ['hw.test.', 60, 'NS', 'ns2.hw.test.'],
    ['ns1.hw.test.', 60, 'A', '127.0.0.1'],
    ['ns2.hw.test.', 60, 'A', '127.0.0.2'],
    ['hw.test.', 60, 'MX', '10 mail.hw.test.'],
    ['hw.test.', 60, 'CAA', '0 issue "ca.test"'],
    ['hw.test.', 60, 'TXT', '"v=spf1 " "-all"'],
    ['rpc.hw.test.', 30, 'A', '192.0.2.10'],
    ['rpc.hw.test.', 30, 'A', '192.0.2.20'],
    ['rpc.hw.test.', 30, 'AAAA', '2001:db8::10'],
    ['www.hw.test.', 300, 'CNAME', 'rpc.hw.test.'],
    ['away.hw.test.', 300, 'CNAME', 'rpc.elsewhere.test.'],
    ['_rpc._tcp.hw.test.', 60, 'SRV', '0 5 443 rpc.hw.test.'],
    ...Array.from({ length: 40 }, (_, i) => ['big.hw.test.', 60, 'TXT', `"${i} ${long}"`] as const),
    ...more,
  ],
});

const servers: Record<'named' | 'pdns', NameServer> = {} as never;

describe.skipIf(missing !== undefined)('a dns check of real servers', () => {
  beforeAll(async () => {
    servers.named = await startNamed([zone(7)]);
    servers.pdns = await startPdns([zone(7)]);
  });
  afterAll(async () => {
    await Promise.all(Object.values(servers).map((server) => server[Symbol.asyncDispose]()));
  });

  const at = ({ address, port }: NameServer) => `${address}:${port}`;
  const ask = async (
    settings: object,
    options: { host?: string; timeoutMs?: number } = {},
  ): Promise<Observation> => {
    const { host = 'rpc.hw.test', timeoutMs = 5_000 } = options;
    using check = testCheck('dns', `https://${host}`, settings, { timeoutMs });
    const seen = await check.run();
    formatLine(seen);
    return seen;
  };

  const both = ['192.0.2.10', '192.0.2.20'];
  it.each<[name: string, settings: object, verdict: string]>([
    ['rpc', {}, 'ok'],
    ['rpc', { exact: both }, 'ok'],
    ['rpc', { exact: [...both, '192.0.2.30'] }, 'fail target.dns.unexpected'],
    ['rpc', { exact: ['192.0.2.10'] }, 'fail target.dns.unexpected'],
    ['rpc', { contains: ['192.0.2.20'] }, 'ok'],
    ['rpc', { contains: ['192.0.2.21'] }, 'fail target.dns.unexpected'],
    ['rpc', { count: 2 }, 'ok'],
    ['rpc', { count: 3 }, 'fail target.dns.count'],
    ['rpc', { contains: ['192.0.2.20'], count: 3 }, 'fail target.dns.count'],
    ['rpc', { ttl: { min: '30s', max: '30s' } }, 'ok'],
    ['rpc', { ttl: { max: '29s' } }, 'fail target.dns.ttl'],
    ['rpc', { ttl: { min: '31s' } }, 'fail target.dns.ttl'],
    ['rpc', { aa: true }, 'ok'],
    ['rpc', { soaEqual: true }, 'ok'],
    ['rpc', { type: 'AAAA', exact: ['2001:DB8:0::10'] }, 'ok'],
    ['rpc', { type: 'TXT' }, 'fail target.dns.count'],
    ['RPC', { exact: both }, 'ok'],
    ['www', { exact: both }, 'ok'],
    ['www', { ttl: { max: '30s' } }, 'fail target.dns.ttl'],
    ['www', { type: 'CNAME', exact: ['RPC.hw.test.'] }, 'ok'],
    ['www', { soaEqual: true }, 'ok'],
    ['away', {}, 'fail target.dns.count'],
    ['away', { type: 'CNAME', exact: ['rpc.elsewhere.test'] }, 'ok'],
    ['hw.test', { type: 'NS', exact: ['ns1.hw.test', 'ns2.hw.test'] }, 'ok'],
    ['hw.test', { type: 'MX', exact: ['10 mail.hw.test'] }, 'ok'],
    ['hw.test', { type: 'CAA', exact: ['0 issue "ca.test"'] }, 'ok'],
    ['hw.test', { type: 'TXT', exact: ['v=spf1 -all'] }, 'ok'],
    ['hw.test', { type: 'SOA', exact: ['ns1.hw.test hostmaster.hw.test 7 3600 600 604800 60'] }, 'ok'],
    ['_rpc._tcp', { type: 'SRV', exact: ['0 5 443 rpc.hw.test'] }, 'ok'],
    ['gone', {}, 'fail target.dns.rcode'],
    ['gone', { rcode: 'NXDOMAIN' }, 'ok'],
    ['gone', { rcode: 'NXDOMAIN', soaEqual: true }, 'ok'],
    ['rpc', { rcode: 'NXDOMAIN' }, 'fail target.dns.rcode'],
    ['rpc.other.test', {}, 'fail target.dns.rcode'],
    ['rpc.other.test', { rcode: 'REFUSED' }, 'ok'],
    ['rpc', { dnssec: 'ad' }, 'fail target.dns.unexpected'],
  ])('of %s with %j is %s, by BIND and by PowerDNS', async (name, settings, verdict) => {
    const full = name.includes('.') && !name.startsWith('_') ? name : `${name}.hw.test`;
    for (const server of Object.values(servers)) {
      const seen = await ask({ name: full, servers: [at(server)], ...settings });
      expect([at(server), verdictOf(seen), seen.fault?.detail]).toEqual([
        at(server),
        verdict,
        seen.fault?.detail,
      ]);
    }
  });

  it('says what is missing, what is too much, and where', async () => {
    const seen = await ask({ servers: [at(servers.named)], exact: ['192.0.2.10', '192.0.2.30'] });
    expect(seen.fault?.detail).toBe(`${at(servers.named)}: missing: 192.0.2.30, too much: 192.0.2.20`);
    expect((await ask({ servers: [at(servers.named)], name: 'away.hw.test' })).fault?.detail).toBe(
      `${at(servers.named)}: 0 of type A, at least 1 expected, an alias for rpc.elsewhere.test`,
    );
  });

  it('keeps counts, TTL and serial', async () => {
    const { facts, phases } = await ask({ servers: [at(servers.named), at(servers.pdns)], soaEqual: true });
    expect(facts).toEqual({ asked: '2', answered: '2', v: '2', ttl: '30', serial: '7' });
    expect([phases?.connect, phases?.firstByte]).toEqual([0, expect.any(Number)]);
    expect(phases?.firstByte).toBeGreaterThan(0);
  });

  it('asks over TCP when the answer is truncated', async () => {
    for (const server of Object.values(servers)) {
      const seen = await ask({ name: 'big.hw.test', type: 'TXT', servers: [at(server)], count: 40 });
      expect([verdictOf(seen), seen.facts['v']]).toEqual(['ok', '40']);
      expect(seen.phases?.connect).toBeGreaterThan(0);
    }
  });

  it('names the server that differs, and fails', async () => {
    await using other = await startNamed([zone(7, [['rpc.hw.test.', 30, 'A', '192.0.2.66']])]);
    const seen = await ask({ servers: [at(servers.pdns), at(other)], exact: both });
    expect([verdictOf(seen), seen.fault?.detail]).toEqual([
      'fail target.dns.unexpected',
      `${at(other)}: too much: 192.0.2.66`,
    ]);
  });

  it('fails where one says that the name is not there, since that is believed', async () => {
    await using empty = await startNamed([
      {
        name: 'hw.test',
        serial: 7,
        records: [
          ['hw.test.', 60, 'NS', 'ns.hw.test.'],
          ['ns.hw.test.', 60, 'A', '127.0.0.1'],
        ],
      },
    ]);
    const seen = await ask({ servers: [at(servers.pdns), at(empty)] });
    expect([verdictOf(seen), seen.fault?.detail]).toEqual([
      'fail target.dns.rcode',
      `${at(empty)}: NXDOMAIN`,
    ]);
  });

  it('sees that one has an older zone', async () => {
    await using older = await startNamed([zone(6)]);
    const list = [at(servers.pdns), at(older)];
    const seen = await ask({ servers: list, soaEqual: true, exact: both });
    expect([verdictOf(seen), seen.fault?.detail]).toEqual([
      'fail target.dns.soa',
      `${at(servers.pdns)}: 7; ${at(older)}: 6`,
    ]);
    expect(seen.facts['serial']).toBe('6');
    expect(verdictOf(await ask({ servers: list, exact: both }))).toBe('ok');
  });

  it('is degraded by a lame server while another answers, and fails by lame ones alone', async () => {
    // It knows who has the zone, and says only that.
    await using root = await startNamed([
      {
        name: 'test',
        serial: 1,
        records: [
          ['test.', 60, 'NS', 'ns.test.'],
          ['ns.test.', 60, 'A', '127.0.0.1'],
          ['hw.test.', 60, 'NS', 'ns1.hw.test.'],
          ['ns1.hw.test.', 60, 'A', '127.0.0.1'],
        ],
      },
    ]);
    const alone = await ask({ servers: [at(root)], aa: true });
    expect([verdictOf(alone), alone.fault?.detail]).toEqual([
      'fail target.dns.lame',
      `${at(root)}: answers without authority`,
    ]);
    const seen = await ask({ servers: [at(servers.named), at(root)], aa: true });
    expect(verdictOf(seen)).toBe('degraded target.dns.lame');
    expect(seen.facts).toMatchObject({ asked: '2', answered: '2', v: '2' });
  });

  it('is degraded by a server that is refused or closed while another answers, and names both', async () => {
    await using refusing = await startNamed([zone(7)], { moreOptions: 'allow-query { none; };' });
    const closed = `127.0.0.1:${await closedPort()}`;
    const seen = await ask({ servers: [at(refusing), closed, at(servers.pdns)] });
    expect([verdictOf(seen), seen.fault?.detail]).toEqual([
      'degraded target.dns.rcode',
      `${at(refusing)}: REFUSED; ${closed}: refused ECONNREFUSED`,
    ]);
    expect(seen.facts).toMatchObject({ asked: '3', answered: '2' });
    expect(verdictOf(await ask({ servers: [closed] }))).toBe('fail target.connect.refused');
  });

  it('times out at a stopped server, by its deadline, and is degraded while another answers', async () => {
    await using stopped = await startPdns([zone(7)]);
    stopped.signal('SIGSTOP');
    const seen = await ask({ servers: [at(stopped)] }, { timeoutMs: 300 });
    expect([verdictOf(seen), seen.fault?.detail]).toEqual([
      'fail target.dns.timeout',
      `${at(stopped)}: timeout`,
    ]);
    expect(seen.latencyTenths).toBeGreaterThanOrEqual(2_900);
    const beside = await ask({ servers: [at(stopped), at(servers.named)] }, { timeoutMs: 1_500 });
    expect(verdictOf(beside)).toBe('degraded target.dns.timeout');
  });

  describe('without servers', () => {
    const port = freePort();
    const started: NameServer[] = [];
    beforeAll(async () => {
      const sub: TestZone = {
        name: 'deep.hw.test',
        serial: 3,
        records: [
          ['deep.hw.test.', 60, 'NS', 'ns2.hw.test.'],
          ['rpc.deep.hw.test.', 60, 'A', '192.0.2.77'],
        ],
      };
      const delegated = zone(7, [['deep.hw.test.', 60, 'NS', 'ns2.hw.test.']]);
      started.push(await startNamed([delegated], { port: await port }));
      started.push(await startPdns([delegated, sub], { port: await port, address: '127.0.0.2' }));
    });
    afterAll(() => Promise.all(started.map((server) => server[Symbol.asyncDispose]())));

    const found = async (host: string, settings: object, allow = ['config'], resolver = '127.0.0.2') => {
      const own = [`${resolver}:${await port}`];
      const resolve = makeResolve({ servers: own, timeoutMs: 200 });
      const outside = { ...testHouse.outside, resolve, resolvers: own, consent: parseConsent(allow) };
      const options = { timeoutMs: 3_000, house: { ...testHouse, outside } };
      using check = testCheck('dns', `https://${host}`, { port: await port, ...settings }, options);
      const seen = await check.run();
      formatLine(seen);
      return seen;
    };

    it("the zone's own are asked, each itself", async () => {
      const seen = await found('rpc.hw.test', { exact: both, soaEqual: true, ttl: { max: '1m' } });
      expect([verdictOf(seen), seen.facts]).toEqual([
        'ok',
        { asked: '2', answered: '2', v: '2', ttl: '30', serial: '7' },
      ]);
    });

    it('an alias leads to the servers of its own zone, not of its target', async () => {
      expect(verdictOf(await found('away.hw.test', { type: 'CNAME' }))).toBe('ok');
    });

    it('a zone below has its own', async () => {
      const seen = await found('rpc.deep.hw.test', { soaEqual: true });
      expect([verdictOf(seen), seen.facts]).toEqual([
        'ok',
        { asked: '1', answered: '1', v: '1', ttl: '60', serial: '3' },
      ]);
    });

    it('a name that is not there is asked of the zone above', async () => {
      const seen = await found('a.b.c.hw.test', {});
      expect([verdictOf(seen), seen.facts]).toEqual(['fail target.dns.rcode', { asked: '2', answered: '2' }]);
    });

    it('a name in no zone is a fault of the resolver', async () => {
      const seen = await found('rpc.elsewhere.test', {});
      expect(verdictOf(seen)).toBe('fail resolver.resolve.failed');
      const silent = await found('rpc.hw.test', {}, ['config'], '127.0.0.3');
      expect(verdictOf(silent)).toBe('fail resolver.resolve.failed');
    });

    it('private addresses need consent', async () => {
      const seen = await found('rpc.hw.test', {}, ['127.0.0.2/32']);
      expect([verdictOf(seen), seen.facts]).toEqual([
        'degraded target.connect.private',
        { asked: '2', answered: '1', v: '2', ttl: '30' },
      ]);
      expect(verdictOf(await found('rpc.hw.test', {}, []))).toBe('fail target.connect.private');
    });
  });
});
