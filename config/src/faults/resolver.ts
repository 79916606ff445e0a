/** Faults of resolving a name. */
import type { FaultMeanings } from './meaning.ts';

export const resolverFaults: FaultMeanings = {
  'resolver.resolve.nxdomain': {
    means: 'The name does not exist in DNS.',
    look: 'Look for a typing error in the URL, an expired domain, or a record that was deleted.',
    causes: [
      'a typing error in the host name',
      'the record was deleted or never made',
      'the domain has expired or lost its delegation',
    ],
  },
  'resolver.resolve.nodata': {
    means: 'The name exists but has no address of the family asked for.',
    look: 'Look for a missing A or AAAA record.',
    causes: [
      'there is no A record, or for IPv6 no AAAA record',
      'the record is of another type, such as a CNAME to a name without addresses',
      'the address family asked for is not offered there',
    ],
  },
  'resolver.resolve.servfail': {
    means: 'The resolver could not get an answer from the name servers of the zone.',
    look: 'Ask the name servers directly (dig NAME @SERVER); check DNSSEC signatures and delegation.',
    causes: [
      'DNSSEC signatures that are expired or wrong',
      'all name servers of the zone are down or refuse it',
      'a delegation to servers that do not have the zone',
    ],
  },
  'resolver.resolve.timeout': {
    means: 'The name was not resolved before the deadline.',
    look: "Check the probe's resolver and the zone's name servers.",
    causes: [
      'name servers of the zone that do not answer',
      'a resolver that is overloaded or cut off',
      'a firewall that drops DNS packets',
    ],
  },
  'resolver.resolve.failed': {
    means: 'The name could not be resolved.',
    look: "Check the probe's resolver: it may be refusing or not running.",
    causes: [
      'the resolver is not running, or refuses this machine',
      'an /etc/resolv.conf that names the wrong server',
      'no network on this machine',
    ],
  },
};
