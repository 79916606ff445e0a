/**
 * The zone that a name is in, asked of the probe's own resolver: the first of the name and its parents that has name
 * servers. Not node:dns: it follows aliases, so that for `www` as an alias it would give the servers of another zone.
 */
import { Resolver } from 'node:dns';
import { type DnsAnswer, FaultError } from '@highwater/config/kinds.ts';
import { fault, faultError } from '../fault.ts';
import { askServer, type AskLimits } from './dns-ask.ts';

export interface Zone {
  readonly zone: string;
  /** Names, sorted; never empty. */
  readonly servers: readonly string[];
}

/** Of the system's resolvers, as many as the C library uses. */
const maxResolvers = 3;
/** A name has up to 127 labels; nobody's zone is that deep. */
const maxParents = 16;

/** `resolvers` as `127.0.0.1:5353` or `[::1]:53`, the system's own when left out. Throws FaultError `resolver.*`. */
export async function zoneOf(
  name: string,
  resolvers: readonly string[] | undefined,
  limits: AskLimits,
): Promise<Zone> {
  const own = (resolvers ?? new Resolver().getServers()).slice(0, maxResolvers);
  const labels = name.split('.');
  for (let depth = 0; depth < Math.min(labels.length, maxParents); depth += 1) {
    const zone = labels.slice(depth).join('.');
    const answer = await ask(zone, own, limits);
    const servers = answer.answers.filter((record) => record.type === 'NS' && record.name === zone);
    if (servers.length > 0) return { zone, servers: [...new Set(servers.map(({ value }) => value))].sort() };
  }
  throw faultError('resolver.resolve.nxdomain', `no name servers for ${name} or what it is under`);
}

/** The first that answers: when one is silent or cannot tell, the next. */
async function ask(zone: string, resolvers: readonly string[], limits: AskLimits): Promise<DnsAnswer> {
  let failed = fault('resolver.resolve.failed', 'this machine has no resolver');
  for (const resolver of resolvers) {
    const own = new AbortController();
    const end = () => own.abort(limits.signal.reason);
    const timer = setTimeout(
      () => own.abort(new DOMException('silent', 'TimeoutError')),
      3 * limits.againAfterMs,
    );
    limits.signal.addEventListener('abort', end, { once: true });
    if (limits.signal.aborted) end();
    try {
      const question = { ...placeOf(resolver), name: zone, type: 'NS', recurse: true } as const;
      const answer = await askServer(question, { ...limits, signal: own.signal });
      if (answer.rcode === 'NOERROR' || answer.rcode === 'NXDOMAIN') return answer;
      const id = answer.rcode === 'SERVFAIL' ? 'resolver.resolve.servfail' : 'resolver.resolve.failed';
      failed = fault(id, `${answer.rcode} for the name servers of ${zone}`);
    } catch (thrown) {
      if (!(thrown instanceof FaultError)) throw thrown;
      const silent = thrown.fault.code === 'timeout';
      failed = fault(silent ? 'resolver.resolve.timeout' : 'resolver.resolve.failed', thrown.fault.detail);
    } finally {
      clearTimeout(timer);
      limits.signal.removeEventListener('abort', end);
    }
  }
  throw new FaultError(failed);
}

function placeOf(resolver: string): { address: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(resolver) ?? [];
  return { address: bracketed ?? plain ?? resolver, port: port === undefined ? 53 : Number(port) };
}
