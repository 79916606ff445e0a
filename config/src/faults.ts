/**
 * The closed list of faults. A fault says which operation failed, how, and whose fault it looks like.
 * The list is versioned with the uptime rule: a line with a fault that is not here is malformed.
 * Words follow OONI's failure vocabulary (operations apart from reasons) and globalping's `failureSource`.
 */
export type FaultSource = 'target' | 'resolver' | 'probe';

/** What a person needs to know about one fault. */
export interface FaultMeaning {
  /** What happened, in a sentence. */
  readonly means: string;
  /** What usually causes it and what to look at. */
  readonly look: string;
}

export interface Fault {
  readonly source: FaultSource;
  readonly operation: string;
  readonly code: string;
  /** For people, at most 256 characters, from outside and therefore hostile; never in a line. */
  readonly detail?: string;
}

/** `source.operation.code`, as a line carries it. */
export type FaultId = string;

export const faultMeanings: Readonly<Record<FaultId, FaultMeaning>> = {
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
  'target.connect.refused': {
    means: 'The address answered that nothing listens on that port.',
    look: 'Is the process running, and on that port? Did it crash, or is it still starting?',
  },
  'target.connect.timeout': {
    means: 'No answer to the connection attempt before the deadline.',
    look: 'The machine is off or unreachable, a firewall drops packets, or the accept queue is full.',
  },
  'target.connect.reset': {
    means: 'The connection was reset while it was being made.',
    look: 'A load balancer without backends, or a firewall that rejects.',
  },
  'target.connect.unreachable': {
    means: 'There is no route to the address.',
    look: 'Look at routing and at the address itself; for IPv6, whether the probe has IPv6 at all.',
  },
  'target.connect.private': {
    means: 'The address is private or reserved and this monitor may not reach those.',
    look: 'Set allowPrivate on the node and --allow-private on the probe if this is meant; otherwise the DNS record is wrong.',
  },
  'target.connect.failed': {
    means: 'The connection could not be made.',
    look: 'The detail names the system error.',
  },
  'target.tls.expired': {
    means: 'The certificate has expired.',
    look: 'Renew it, and find out why the renewal did not run.',
  },
  'target.tls.not-yet-valid': {
    means: 'The certificate is not valid yet.',
    look: "Compare the clocks of the server, the issuer and the probe with the certificate's dates.",
  },
  'target.tls.wrong-host': {
    means: 'The certificate is for another name.',
    look: 'Does the server present the right certificate for this name (SNI)?',
  },
  'target.tls.self-signed': {
    means: 'The certificate is signed by itself.',
    look: 'A default certificate is served; install the real one.',
  },
  'target.tls.untrusted': {
    means: 'The certificate chain does not lead to a trusted root.',
    look: 'An intermediate certificate is often missing from the server.',
  },
  'target.tls.handshake': {
    means: 'The TLS handshake failed.',
    look: 'Protocol versions or ciphers do not match, or the port does not speak TLS.',
  },
  'target.tls.timeout': {
    means: 'The TLS handshake did not end before the deadline.',
    look: 'The server accepts connections but does not go on: overloaded or stopped.',
  },
  'target.tls.protocol': {
    means: 'The server speaks no version of TLS that is new enough.',
    look: 'Turn on TLS 1.2 and 1.3; the older ones are refused by browsers and wallets (RFC 8996).',
  },
  'target.tls.fingerprint': {
    means: 'The certificate is another than the one that this check is told to expect.',
    look: 'Was it renewed? Then the setting wants the new one. If not, somebody else answers at this address.',
  },
  'target.tls.expiring': {
    means: 'The certificate, or one that it depends on, expires very soon.',
    look: 'Renew it now, and find out why the renewal did not run; was the server reloaded after it?',
  },
  'target.tls.expires-soon': {
    means: 'The certificate, or one that it depends on, expires soon: its renewal is overdue.',
    look: "Look at the log of the renewal (certbot, the proxy's own), and whether the server was reloaded after it.",
  },
  'target.tcp.closed': {
    means: 'The connection was made, then closed or cut off before what is expected came.',
    look: 'A proxy without backends, a limit on connections, or TLS where plain text is spoken, or the other way round.',
  },
  'target.tcp.timeout': {
    means: 'The connection was made, but what is expected did not come before the deadline.',
    look: 'The detail has what came instead, if anything: the server hangs, or speaks another protocol.',
  },
  'target.tcp.unexpected': {
    means: 'The server has said all that it had to say, and it was not what this check expects.',
    look: 'The detail has what came: an error message, or another service on that port.',
  },
  'target.tcp.too-large': {
    means: 'More came than this check reads, without what it expects.',
    look: 'Another service on that port, or a server that sends without end.',
  },
  'target.tcp.slow': {
    means: 'The connection, or the answer on it, was good but came more slowly than its limit.',
    look: 'Load, or the network between; the phases show which.',
  },
  'target.http.timeout': {
    means: 'The connection was made, but the answer did not come before the deadline.',
    look: 'The server hangs, is overloaded, or waits for its own backend.',
  },
  'target.http.reset': {
    means: 'The connection was closed before the answer was complete.',
    look: 'The process died while answering, or a proxy gave up.',
  },
  'target.http.protocol': {
    means: 'The answer is not valid HTTP.',
    look: 'Does something else listen on that port?',
  },
  'target.http.headers': {
    means: 'The headers of the answer are larger than allowed.',
    look: 'Something in front of the server adds headers without end.',
  },
  'target.http.too-large': {
    means: 'The answer is larger than this check reads.',
    look: 'The wrong path, or a server that sends without end.',
  },
  'target.http.encoding': {
    means: 'The answer is compressed although that was refused.',
    look: 'A proxy compresses regardless of Accept-Encoding.',
  },
  'target.http.redirect': {
    means: 'The server redirects, and this check does not follow.',
    look: 'Use the address it redirects to, or allow redirects.',
  },
  'target.http.status': {
    means: 'The HTTP status is not one of those expected.',
    look: 'The detail has the status: 401 and 403 are access, 404 the path, 429 a rate limit, 5xx the server or its backend.',
  },
  'target.http.body': {
    means: 'The answer does not contain what this check expects.',
    look: 'An error page with a good status, or another version of the service.',
  },
  'target.http.slow': {
    means: 'The answer was good but came more slowly than its limit.',
    look: 'Load, the network between, or an expensive page; the phases show which.',
  },
  'target.rpc.json': {
    means: 'The answer is not JSON.',
    look: 'An error page of a proxy, or the wrong path.',
  },
  'target.rpc.shape': {
    means: 'The answer is JSON but no JSON-RPC answer: neither result nor error, or both.',
    look: 'Does another service answer at this path?',
  },
  'target.rpc.id': {
    means: 'The answer carries another id than the request.',
    look: 'A proxy or cache mixes up answers: users may be getting each other’s results.',
  },
  'target.rpc.error': {
    means: 'The node answered with a JSON-RPC error.',
    look: "The detail has its code and message; the node's log has the cause.",
  },
  'target.rpc.method': {
    means: 'The node does not offer this method.',
    look: 'Enable the API module, or drop the method from the check.',
  },
  'target.rpc.limit': {
    means: 'The node refused because of a rate limit.',
    look: "Raise the limit for the probe's address, or ask less often.",
  },
  'target.rpc.result': {
    means: 'The result is not of the form or value expected.',
    look: 'The detail says what was expected and what came.',
  },
  'target.rpc.slow': {
    means: 'A method answered more slowly than its limit.',
    look: 'Load, disk, or an expensive query; other methods show whether it is the whole node.',
  },
  'target.head.chain': {
    means: 'The node serves another chain: its chain id is not the one configured.',
    look: 'It was started with the wrong network, or the address points to another node.',
  },
  'target.head.genesis': {
    means: 'The node serves another chain: its genesis is not the one configured.',
    look: 'It was started with the wrong network, or the address points to another node. With the right chain id it is a fork or a private network, or its data folder was wiped.',
  },
  'target.head.old': {
    means: 'The newest block is older than allowed: the node answers but its head stands still.',
    look: 'Has the node lost its peers, is it out of disk, or is the chain itself stalled?',
  },
  'target.head.syncing': {
    means: 'The node says that it is still syncing.',
    look: 'Wait until it has caught up; if it never does, look at peers and disk.',
  },
  'target.head.future': {
    means: 'The newest block is dated in the future.',
    look: 'A clock is wrong: of the node that made the block, or of the probe.',
  },
  'target.head.finality': {
    means: 'The finalized block has been too far behind the newest one for some minutes.',
    look: 'Finality of the chain itself is in trouble, or this node has lost the peers that vote.',
  },
  'target.head.upgrade': {
    means: 'An upgrade of the protocol is ahead that this node does not support: it will stop there.',
    look: 'Install the newer version before the round that the detail names.',
  },
  'target.head.stopped': {
    means: 'The node has stopped for good at a protocol upgrade that it does not support.',
    look: 'Install the newer version; it goes on from where it stopped.',
  },
  'target.head.peers': {
    means: 'The node has fewer peers than it needs to follow the chain.',
    look: 'Look at its network: firewall, port forwarding, bootnodes; and whether it was banned by its peers.',
  },
  'target.head.plugins': {
    means: 'An API that users of this node need is missing: a plugin is not loaded.',
    look: "Compare the node's plugins and api-access with those of the other nodes.",
  },
  'target.head.index': {
    means: 'The indexer says that it is not well: no database, migrating, or errors of its own.',
    look: "The detail has what it said; look at the indexer's log and its database.",
  },
  'target.ws.upgrade': {
    means: 'The server did not open a WebSocket: it answered the upgrade with another status.',
    look: 'The wrong path, a proxy that does not pass Upgrade headers, or a limit on connections.',
  },
  'target.ws.timeout': {
    means: 'The WebSocket is open, but what was asked on it was not answered before the deadline.',
    look: 'The server behind the proxy hangs, or accepts connections without serving them.',
  },
  'target.ws.closed': {
    means: 'The WebSocket was closed before the answer came.',
    look: 'The detail has the close code: 1006 is a connection cut off, 1008 and 1013 a policy or a limit, 1011 an error of the server.',
  },
  'target.ws.protocol': {
    means: 'What came over the WebSocket is not valid: frames, masking, text encoding or subprotocol.',
    look: 'Does something else listen on that port? Does a proxy alter the stream?',
  },
  'target.ws.too-large': {
    means: 'A message was larger than this check reads, or more came than it keeps.',
    look: 'A subscription that sends more than was asked for, or a server that sends without end.',
  },
  'target.ws.subscription': {
    means: 'The subscription was refused or not acknowledged as it should be.',
    look: 'Is the subscription API enabled on this node and let through by the proxy?',
  },
  'target.ws.silent': {
    means: 'The WebSocket is open but pushes no blocks, although the node has newer ones.',
    look: 'A load balancer holds on to a dead backend, or the node has dropped its subscribers.',
  },
  'target.ws.gap': {
    means: 'Blocks were missing between those pushed over the WebSocket.',
    look: 'The node or a proxy drops messages under load.',
  },
  'target.ws.dropped': {
    means: 'The long-lived WebSocket is closed again and again.',
    look: 'Timeouts of the proxies on the way, limits per connection, or a server that restarts.',
  },
  'target.ws.unexpected': {
    means: 'A message of the script was not answered with what this check expects.',
    look: 'The detail has the step, what was expected and what came.',
  },
  'target.ws.slow': {
    means: 'The WebSocket answered more slowly than its limit.',
    look: 'Load, the network between, or many subscribers.',
  },
  'target.dns.rcode': {
    means: 'A name server did not answer the question: its answer is an error code.',
    look: 'The detail has server and code: NXDOMAIN, the name is not there; REFUSED, the server does not serve this zone, or not to us; SERVFAIL, it could not load or reach it.',
  },
  'target.dns.timeout': {
    means: 'A name server did not answer, although it was asked twice.',
    look: 'Is it running? Is port 53 open for UDP, and for TCP, which long answers need?',
  },
  'target.dns.malformed': {
    means: 'What a name server sent is no valid DNS answer.',
    look: 'Does something else listen on that port, or does a middlebox alter the answers?',
  },
  'target.dns.unexpected': {
    means: 'A name server gives other records than this check expects.',
    look: 'The detail says what is missing and what is too much: an old zone, an edit gone wrong, or a changed delegation.',
  },
  'target.dns.count': {
    means: 'A name server gives fewer records than this check expects.',
    look: 'A pool that was emptied, or an alias whose target these servers do not have.',
  },
  'target.dns.ttl': {
    means: 'The time for which answers may be kept is outside the limits of this check.',
    look: 'Too long, and users stay with a dead address; too short, and every visit waits for DNS.',
  },
  'target.dns.lame': {
    means: 'A name server answers, but not as one that serves the zone.',
    look: 'The zone is not loaded there, has expired, or the delegation names the wrong server.',
  },
  'target.dns.soa': {
    means: 'The name servers have different versions of the zone.',
    look: 'Look at zone transfers and notifies to the server with the lower serial; just after a change wait a little.',
  },
  'target.dns.slow': {
    means: 'A name server answered more slowly than its limit.',
    look: 'Load, the network between, or a packet that was lost and sent again.',
  },
  'probe.control.failed': {
    means: 'The probe could not reach its control targets either: it is probably the probe.',
    look: "Check the probe's own network.",
  },
  'probe.clock.stepped': {
    means: "The probe's wall clock jumped during the check.",
    look: 'Check time synchronisation on the probe.',
  },
  'probe.loop.late': {
    means: 'The probe was too busy to measure honestly.',
    look: 'Give it more CPU or fewer checks.',
  },
  'probe.fd.exhausted': {
    means: 'The probe has no file descriptors left.',
    look: 'Raise its limit (ulimit -n), or look for a leak.',
  },
  'probe.schedule.late': {
    means: 'The check could not be started in time.',
    look: 'The probe was stopped, suspended or overloaded.',
  },
  'probe.check.failed': {
    means: 'The check itself broke before it had an answer: a bug in the probe or in its settings.',
    look: "The probe's log has the error; report it with the monitor's settings.",
  },
  'probe.config.kind': {
    means: 'This probe does not know this kind of check.',
    look: 'Upgrade the probe.',
  },
  'probe.config.secret': {
    means: 'A secret that the check needs is not on this probe, or not allowed for this host.',
    look: 'Set it in the environment as HIGHWATER_SECRET_… or under data/secrets, bound to that host.',
  },
};

/** `source.operation.code`. */
export function faultId(fault: Fault): FaultId {
  return `${fault.source}.${fault.operation}.${fault.code}`;
}

export function isFaultId(text: string): boolean {
  return Object.hasOwn(faultMeanings, text);
}

/** The fault behind an id of the list; undefined for anything else. */
export function faultFromId(id: string): Fault | undefined {
  if (!isFaultId(id)) return undefined;
  const [source, operation, code] = id.split('.') as [FaultSource, string, string];
  return { source, operation, code };
}
