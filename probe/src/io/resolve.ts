/**
 * Names to addresses, with NXDOMAIN, SERVFAIL and silence told apart, which getaddrinfo does not do.
 * It also runs on c-ares, outside libuv's four threads: dead name servers must not hold up the disk.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { faultError, faultOf } from '../fault.ts';
import { FaultError } from '@highwater/config/kinds.ts';

/** Addresses of a host, IPv4 first; never empty. Throws FaultError. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface ResolverOptions {
  /** Name servers instead of the system's, `127.0.0.1:5353`. */
  readonly servers?: readonly string[];
  readonly hostsFile?: string;
  /** For one try; there are three. */
  readonly timeoutMs?: number;
}

const hostsFreshMs = 5_000;

/** The caller races the answer against the check's deadline; an abandoned query ends by its own timeout. */
export function makeResolve(options: ResolverOptions = {}): Resolve {
  const resolver = new Resolver({ timeout: options.timeoutMs ?? 3_000, tries: 3 });
  if (options.servers) resolver.setServers(options.servers);
  const hosts = hostsReader(options.hostsFile ?? '/etc/hosts');
  return async (host) => {
    const literal = host.replace(/^\[(.*)\]$/, '$1');
    if (isIP(literal) !== 0) return [literal];
    const name = host.toLowerCase().replace(/\.$/, '');
    const known = hosts(name);
    if (known) return known;
    // RFC 6761 section 6.3: localhost never goes to a name server.
    if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1'];
    try {
      // A name without a dot depends on the system's search list, which c-ares queries do not use.
      if (!name.includes('.') && !options.servers) return await searched(name);
      return await queried(resolver, name);
    } catch (thrown) {
      throw thrown instanceof FaultError ? thrown : new FaultError(faultOf(thrown, 'resolve'));
    }
  };
}

async function queried(resolver: Resolver, name: string): Promise<readonly string[]> {
  try {
    const found = await resolver.resolve4(name);
    if (found.length > 0) return found;
  } catch (thrown) {
    // No IPv4 address says nothing about IPv6; every other answer is final.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENODATA')) throw thrown;
  }
  const found = await resolver.resolve6(name);
  if (found.length === 0) throw faultError('resolver.resolve.nodata');
  return found;
}

async function searched(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, order: 'ipv4first' });
  if (found.length === 0) throw faultError('resolver.resolve.nodata');
  return found.map((entry) => entry.address);
}

/** Reads the hosts file again when it changed, looking at most every five seconds. */
function hostsReader(file: string): (name: string) => readonly string[] | undefined {
  let names = new Map<string, string[]>();
  let lookedAt = -Infinity;
  let changedAt = -1;
  return (name) => {
    const now = performance.now();
    if (now - lookedAt > hostsFreshMs) {
      lookedAt = now;
      const mtime = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (mtime !== changedAt) {
        changedAt = mtime;
        names = mtime === 0 ? new Map<string, string[]>() : parseHosts(readFileSync(file, 'utf8'));
      }
    }
    return names.get(name);
  };
}

/** hosts(5): address, then names; IPv4 before IPv6. */
export function parseHosts(text: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const alias of aliases) {
      const known = names.get(alias.toLowerCase()) ?? [];
      names.set(
        alias.toLowerCase(),
        [...known, address].sort((a, b) => isIP(a) - isIP(b)),
      );
    }
  }
  return names;
}
