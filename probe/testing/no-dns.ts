/** For checks that ask no name server. */
import type { DnsWay } from '@highwater/config/kinds.ts';

const refuse = () => Promise.reject(new Error('no name servers here'));

export const noDns: DnsWay = { ask: refuse, addresses: refuse, zoneOf: refuse };
