/**
 * Names to addresses, with NXDOMAIN, SERVFAIL and silence told apart, which getaddrinfo does not do.
 * It also runs on c-ares, outside libuv's four threads: dead name servers must not hold up the disk.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { faultError, faultOf } from '../fault.ts';
import { FaultError } from '@highwater/config/kinds.ts';

export type AddressFamily = 4 | 6;

/**
 * Addresses of a host, IPv4 first, or of one family alone; never empty. Throws FaultError; without an address of that
 * family `resolver.resolve.nodata` with a detail that says which is missing.
 */
export type Resolve = (host: string, family?: AddressFamily) => Promise<readonly string[]>;

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
  return async (host, family) => {
    const literal = host.replace(/^\[(.*)\]$/, '$1');
    if (isIP(literal) !== 0) return some([literal], family);
    const name = host.toLowerCase().replace(/\.$/, '');
    const known = ofFamily(hosts(name) ?? [], family);
    // As in the C library: a line of the other family does not hide what DNS has of this one.
    if (known.length > 0) return known;
    // RFC 6761 section 6.3: localhost never goes to a name server.
    if (name === 'localhost' || name.endsWith('.localhost')) return ofFamily(['127.0.0.1', '::1'], family);
    try {
      // A name without a dot depends on the system's search list, which c-ares queries do not use.
      if (!name.includes('.') && !options.servers) return some(await searched(name), family);
      return await queried(resolver, name, family);
    } catch (thrown) {
      throw thrown instanceof FaultError ? thrown : new FaultError(faultOf(thrown, 'resolve'));
    }
  };
}

async function queried(
  resolver: Resolver,
  name: string,
  family: AddressFamily | undefined,
): Promise<readonly string[]> {
  if (family !== 6) {
    const found = await orNone(resolver.resolve4(name));
    // No IPv4 address says nothing about IPv6; every other answer is final.
    if (found.length > 0 || family === 4) return some(found, family);
  }
  return some(await orNone(resolver.resolve6(name)), family);
}

/** That there is no record of the type asked for is an answer. */
async function orNone(asked: Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await asked;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENODATA') return [];
    throw thrown;
  }
}

async function searched(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, order: 'ipv4first' });
  return found.map((entry) => entry.address);
}

export function ofFamily(addresses: readonly string[], family: AddressFamily | undefined): readonly string[] {
  return family === undefined ? addresses : addresses.filter((address) => isIP(address) === family);
}

const missing = { any: 'neither A nor AAAA', 4: 'no IPv4 address (A)', 6: 'no IPv6 address (AAAA)' } as const;

/** Those of the family, at least one. */
function some(addresses: readonly string[], family: AddressFamily | undefined): readonly string[] {
  const found = ofFamily(addresses, family);
  if (found.length === 0) throw faultError('resolver.resolve.nodata', missing[family ?? 'any']);
  return found;
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
