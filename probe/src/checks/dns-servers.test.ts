import { describe, expect, it } from 'vitest';
import type { CheckContext } from '@highwater/config/kinds.ts';
import { noDns } from '../../testing/no-dns.ts';
import { faultError } from '../fault.ts';
import { findServers, type NameServer } from './dns-servers.ts';
import { settings } from './dns-settings.ts';

const world = (family?: 4 | 6) => {
  let now = 1_000_000;
  const asked: string[] = [];
  const ctx: Pick<CheckContext, 'dns' | 'memory' | 'now' | 'target'> = {
    target: { url: 'https://rpc.hw.test', headers: {}, allowPrivate: false, ...(family ? { family } : {}) },
    memory: new Map(),
    now: () => now,
    dns: {
      ...noDns,
      addresses: async (host) => {
        asked.push(host);
        if (host === 'gone.test') throw faultError('resolver.resolve.nxdomain');
        if (host === 'broken.test') throw new TypeError('a bug');
        if (host === 'twin.test') return ['192.0.2.1', '2001:db8::1'];
        return host.startsWith('many')
          ? Array.from({ length: 9 }, (_, i) => `192.0.2.${host.length}${i}`)
          : ['192.0.2.1'];
      },
      zoneOf: async (name) => {
        asked.push(`zone of ${name}`);
        return { zone: 'hw.test', servers: ['ns1.hw.test', 'gone.test'] };
      },
    },
  };
  const find = async (written: object) =>
    (await findServers(settings.parse(written), 'rpc.hw.test', ctx)).servers;
  return { ctx, asked, find, forward: (ms: number) => (now += ms) };
};

const text = (server: NameServer): string =>
  'failed' in server
    ? `${server.label}: ${server.failed.fault.code}`
    : `${server.label} = ${server.address} ${server.port}`;

describe('which name servers are asked', () => {
  it.each<[object, string[]]>([
    [{}, ['ns1.hw.test 192.0.2.1 = 192.0.2.1 53', 'gone.test: nxdomain']],
    [{ port: 54 }, ['ns1.hw.test 192.0.2.1:54 = 192.0.2.1 54', 'gone.test: nxdomain']],
    [{ servers: ['192.0.2.9', '192.0.2.9:54'] }, ['192.0.2.9 = 192.0.2.9 53', '192.0.2.9:54 = 192.0.2.9 54']],
    [
      { servers: ['2001:db8::9', '[2001:db8::9]:54'] },
      ['2001:db8::9 = 2001:db8::9 53', '2001:db8::9 port 54 = 2001:db8::9 54'],
    ],
    [
      { servers: ['twin.test'] },
      ['twin.test 192.0.2.1 = 192.0.2.1 53', 'twin.test 2001:db8::1 = 2001:db8::1 53'],
    ],
    [
      { servers: ['one.test', 'twin.test', '192.0.2.1'] },
      ['one.test 192.0.2.1 = 192.0.2.1 53', 'twin.test 2001:db8::1 = 2001:db8::1 53'],
    ],
  ])('with %j: %j', async (written, expected) => {
    expect((await world().find(written)).map(text)).toEqual(expected);
  });

  it('of one family alone where that is asked for, and none is a mistake of the config', async () => {
    const written = { servers: ['192.0.2.9', '2001:db8::9'] };
    expect((await world(4).find(written)).map(text)).toEqual(['192.0.2.9 = 192.0.2.9 53']);
    expect((await world(6).find(written)).map(text)).toEqual(['2001:db8::9 = 2001:db8::9 53']);
    await expect(world(6).find({ servers: ['192.0.2.9'] })).rejects.toThrow(
      'probe.config.settings: none of its servers has an IPv6 address',
    );
  });

  it('no more than sixteen addresses', async () => {
    expect(await world().find({ servers: ['many.test', 'many-more.test'] })).toHaveLength(16);
  });

  it('a bug is not a fault of the resolver', async () => {
    await expect(world().find({ servers: ['broken.test'] })).rejects.toThrow(TypeError);
  });

  it('is kept for five minutes', async () => {
    const { find, forward, asked } = world();
    await find({});
    forward(299_999);
    await find({});
    expect(asked).toEqual(['zone of rpc.hw.test', 'ns1.hw.test', 'gone.test']);
    forward(1);
    await find({});
    expect(asked).toHaveLength(6);
    // A clock that was put back.
    forward(-1);
    await find({});
    expect(asked).toHaveLength(9);
  });
});
