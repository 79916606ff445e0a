/** Faults of resolving a name. */
import type { FaultMeanings } from './meaning.ts';

export const resolverFaults: FaultMeanings = {
  'resolver.resolve.nxdomain': {
    means: 'The name does not exist in DNS.',
    look: 'Look for a typing error in the URL, an expired domain, or a record that was deleted.',
  },
  'resolver.resolve.nodata': {
    means: 'The name exists but has no address of the family asked for.',
    look: 'Look for a missing A or AAAA record.',
  },
  'resolver.resolve.servfail': {
    means: 'The resolver could not get an answer from the name servers of the zone.',
    look: 'Ask the name servers directly (dig NAME @SERVER); check DNSSEC signatures and delegation.',
  },
  'resolver.resolve.timeout': {
    means: 'The name was not resolved before the deadline.',
    look: "Check the probe's resolver and the zone's name servers.",
  },
  'resolver.resolve.failed': {
    means: 'The name could not be resolved.',
    look: "Check the probe's resolver: it may be refusing or not running.",
  },
};
