import { describe, expect, it } from 'vitest';
import { settings } from './dns-settings.ts';

/** Where and why it is refused. */
const wrong = (written: object): string[] => {
  const read = settings.safeParse(written);
  return read.error ? read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
};

describe('settings of a dns check', () => {
  it.each([
    [{ name: '192.0.2.1' }, 'name: not a name'],
    [{ name: 'münchen.example' }, 'name: not a name'],
    [{ type: 'ANY' }, 'type: not a type that can be asked for'],
    [{ servers: [] }, 'servers: an empty list'],
    [{ servers: ['192.0.2.1', '192.0.2.1'] }, 'servers: a server twice'],
    [
      { servers: Array.from({ length: 17 }, (_, i) => `192.0.2.${i}`) },
      'servers: too many, write at most 16',
    ],
    [{ servers: ['https://dns.example'] }, 'servers.0: not a name server'],
    [{ servers: ['300.0.0.1'] }, 'servers.0: not a name server'],
    [{ servers: ['192.0.2.1:0'] }, 'servers.0: not a name server'],
    [{ servers: ['192.0.2.1:65536'] }, 'servers.0: not a name server'],
    [{ servers: ['2001:db8::1]:53'] }, 'servers.0: not a name server'],
    [{ servers: ['[192.0.2.1]:53'] }, 'servers.0: not a name server'],
    [{ servers: ['fe80::1%eth0'] }, 'servers.0: not a name server'],
    [{ servers: [53] }, 'servers.0: not a name server'],
    [{ port: 0 }, 'port: not a whole number'],
    [{ exact: [] }, 'exact: an empty list'],
    [{ exact: ['ns1.example.com'] }, 'exact: a value that is not of type A, write such as 192.0.2.1'],
    [{ type: 'MX', contains: ['mail.example.com'] }, 'contains: a value that is not of type MX'],
    [{ exact: ['192.0.2.1'], contains: ['192.0.2.1'] }, 'contains: said by exact already'],
    [{ exact: ['192.0.2.1'], count: 1 }, 'count: said by exact already'],
    [{ rcode: 'NXDOMAIN', count: 1 }, 'count: there are no records with NXDOMAIN'],
    [{ rcode: 'NOTAUTH' }, 'rcode: not a result that can be expected'],
    [{ ttl: {} }, 'ttl: empty, write min or max'],
    [{ ttl: { min: '2m', max: '1m' } }, 'ttl: min is above max'],
    [{ ttl: { max: '1500ms' } }, 'ttl.max: not whole seconds'],
    [{ ttl: { max: '1m' }, aa: false }, 'aa: resolvers count the time to live down'],
    [{ dnssec: 'ad' }, 'dnssec: said by resolvers alone'],
    [{ dnssec: 'ad', servers: ['192.0.2.1'], aa: true }, 'dnssec: said by resolvers alone'],
    [{ dnssec: 'ad', servers: ['192.0.2.1'], soaEqual: true }, 'dnssec: said by resolvers alone'],
    [{ dnssec: true, servers: ['192.0.2.1'] }, 'dnssec: not ad'],
    [{ resolver: '192.0.2.1' }, ': Unrecognized key'],
  ])('%j is refused: %s', (written, because) => {
    const found = wrong(written);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(because);
  });

  it('reads servers by address and name, with a port or without', () => {
    const servers = [
      '192.0.2.1',
      '192.0.2.1:54',
      '2001:db8::1',
      '[2001:DB8::1]:54',
      '[2001:db8::2]',
      'NS1.example.com.',
      'ns2.example.com:54',
    ];
    expect(settings.parse({ servers }).servers).toEqual([
      { host: '192.0.2.1' },
      { host: '192.0.2.1', port: 54 },
      { host: '2001:db8::1' },
      { host: '2001:DB8::1', port: 54 },
      { host: '2001:db8::2' },
      { host: 'ns1.example.com' },
      { host: 'ns2.example.com', port: 54 },
    ]);
  });

  it('keeps one spelling of names and values', () => {
    const { name, exact } = settings.parse({
      name: 'RPC.Example.com.',
      type: 'AAAA',
      exact: ['2001:DB8::1', '2001:db8:0::1'],
    });
    expect([name, exact]).toEqual(['rpc.example.com', ['2001:db8::1']]);
  });

  it('tells a wrong ttl beside other mistakes', () => {
    const read = settings.safeParse({ ttl: { min: '5m', max: '1m' }, servers: [], dnssec: true });
    expect(read.error?.issues.map(({ path }) => path[0]).sort()).toEqual(['dnssec', 'servers', 'ttl']);
  });

  it('takes a text in quotes as the same, and in quotes within quotes as one with quotes', () => {
    const texts = ['v=spf1 -all', '"v=spf1 " "-all"', '"a \\"b\\""', '"', '"half', '""'];
    const { exact } = settings.parse({ type: 'TXT', exact: texts });
    expect(exact).toEqual(['v=spf1 -all', 'a "b"', '"', '"half', '']);
  });

  it.each([
    [{}, true],
    [{ servers: ['192.0.2.1'] }, false],
    [{ servers: ['192.0.2.1'], aa: true }, true],
    [{ servers: ['192.0.2.1'], soaEqual: true }, true],
    [{ servers: ['192.0.2.1'], ttl: { max: '5m' } }, true],
    [{ aa: false }, false],
  ])('with %j authority is asked for: %s', (written, aa) => {
    expect(settings.parse(written).aa).toBe(aa);
  });
});
