/** Faults of what name servers answer. */
import type { FaultMeanings } from './meaning.ts';

export const dnsFaults: FaultMeanings = {
  'target.dns.rcode': {
    means: 'A name server did not answer the question: its answer is an error code.',
    look: 'The detail has server and code: NXDOMAIN, the name is not there; REFUSED, the server does not serve this zone, or not to us; SERVFAIL, it could not load or reach it.',
    causes: [
      'REFUSED: this server does not serve the zone',
      'NXDOMAIN: the record was deleted',
      'SERVFAIL: the zone is expired or broken there, or DNSSEC fails',
    ],
  },
  'target.dns.timeout': {
    means: 'A name server did not answer, although it was asked twice.',
    look: 'Is it running? Is port 53 open for UDP, and for TCP, which long answers need?',
    causes: [
      'the name server is down',
      'a firewall drops UDP port 53',
      'a limit on answers for each address (RRL)',
    ],
  },
  'target.dns.malformed': {
    means: 'What a name server sent is no valid DNS answer.',
    look: 'Does something else listen on that port, or does a middlebox alter the answers?',
    causes: [
      'a middlebox that alters DNS',
      'something else listens on that port',
      'an old server that does not know EDNS',
    ],
  },
  'target.dns.unexpected': {
    means: 'A name server gives other records than this check expects.',
    look: 'The detail says what is missing and what is too much: an old zone, an edit gone wrong, or a changed delegation.',
    causes: [
      'a secondary that still has an old zone',
      'an edit gone wrong, or one that the check does not know of',
      'an automatic change (failover, geographic answers)',
    ],
  },
  'target.dns.count': {
    means: 'A name server gives fewer records than this check expects.',
    look: 'A pool that was emptied, or an alias whose target these servers do not have.',
    causes: [
      'health checks of the DNS provider have taken members out',
      'an edit that removed records',
      'an alias whose target these servers do not have',
    ],
  },
  'target.dns.ttl': {
    means: 'The time for which answers may be kept is outside the limits of this check.',
    look: 'Too long, and users stay with a dead address; too short, and every visit waits for DNS.',
    causes: [
      'the TTL was changed for a migration and not back',
      'the default of the provider took its place',
    ],
  },
  'target.dns.lame': {
    means: 'A name server answers, but not as one that serves the zone.',
    look: 'The zone is not loaded there, has expired, or the delegation names the wrong server.',
    causes: [
      'the zone is not loaded or has expired on this server',
      'the delegation names a server of a provider that was left',
      'a resolver was asked in place of a name server',
    ],
  },
  'target.dns.soa': {
    means: 'The name servers have different versions of the zone.',
    look: 'Look at zone transfers and notifies to the server with the lower serial; just after a change wait a little.',
    causes: [
      'a zone transfer that does not get through (firewall, TSIG key)',
      'a change a moment ago',
      'two primaries that are edited apart',
    ],
  },
  'target.dns.slow': {
    means: 'A name server answered more slowly than its limit.',
    look: 'Load, the network between, or a packet that was lost and sent again.',
    causes: ['a lost packet, asked for again', 'the server is far away or under load'],
  },
};
