import { describe, expect, it } from 'vitest';
import type { DnsAnswer } from '@highwater/config/kinds.ts';
import { faultError } from '../fault.ts';
import { noPhases } from '../io/stopwatch.ts';
import { assertionsOf } from './dns-assertions.ts';
import { settings } from './dns-settings.ts';
import { type Heard, judge } from './dns-verdict.ts';

const name = 'a.test';
const record = { name, type: 'A', ttlSeconds: 30, value: '192.0.2.1' } as const;
const answer: DnsAnswer = {
  rcode: 'NOERROR',
  authoritative: true,
  authenticated: false,
  transport: 'udp',
  answers: [record],
  authorities: [],
  phases: noPhases,
  latencyTenths: 50,
};
const one = (change: Partial<DnsAnswer> = {}, serial?: Heard['serial']): Heard => ({
  server: 'ns1',
  said: { ...answer, ...change },
  ...(serial === undefined ? {} : { serial }),
});

describe('what is expected of name servers', () => {
  it.each<[written: object, heard: readonly Heard[], wrong: readonly string[]]>([
    [{}, [one()], []],
    [{}, [one({ answers: [] })], ['ns1: it has at least 1 of type A: none']],
    [{}, [one({ authoritative: false })], ['ns1: it answers with authority']],
    [{}, [one({ rcode: 'REFUSED' })], ['ns1: it answers NOERROR: REFUSED']],
    [{ rcode: 'NXDOMAIN' }, [one({ rcode: 'NXDOMAIN', answers: [] })], []],
    [{ exact: ['192.0.2.1'] }, [one()], []],
    [{ exact: ['192.0.2.2'] }, [one()], ['ns1: its A records are exactly 192.0.2.2: 192.0.2.1']],
    [{ contains: ['192.0.2.2'] }, [one()], ['ns1: its A records have 192.0.2.2 among them: 192.0.2.1']],
    [{ ttl: { min: '1m' } }, [one()], ['ns1: answers may be kept at least 60 s: 30 s']],
    [{ slow: '4ms' }, [one()], ['ns1: it answers within 4ms: 5 ms']],
    [{ soaEqual: true }, [one({}, 7), one({}, 7)], []],
    [{ soaEqual: true }, [one({}, 7), one({}, 8)], ['all have the same version of the zone: ns1: 7; ns1: 8']],
    [
      {},
      [{ server: 'ns1', said: faultError('target.dns.timeout') }],
      ['ns1: it answers: no answer: target.dns.timeout'],
    ],
    [{ servers: ['192.0.2.9'], dnssec: 'ad' }, [one()], ['ns1: it says that DNSSEC holds']],
  ])('%j: is told by the same measure as the verdict', (written, heard, wrong) => {
    const wanted = settings.parse(written);
    const told = assertionsOf(wanted, name, heard);
    const broken = told.filter(({ held }) => !held);
    expect(broken.map(({ what, found }) => (found === undefined ? what : `${what}: ${found}`))).toEqual(
      wrong,
    );
    expect(broken.length === 0).toBe(judge(wanted, name, heard).outcome === 'ok');
  });
});
