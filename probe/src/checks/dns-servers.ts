/** Which name servers a dns check asks: those that are written, or the zone's own. */
import { isIP } from 'node:net';
import { type CheckContext, FaultError } from '@highwater/config/kinds.ts';
import { faultError } from '../fault.ts';
import { maxServers, type Settings, type WrittenServer } from './dns-settings.ts';

/** Names and delegations change seldom; in a round with trouble they are looked up anew. */
const freshMs = 300_000;

/** A server by address, or one whose name leads to none. */
export type NameServer = { readonly label: string } & (
  { readonly address: string; readonly port: number } | { readonly failed: FaultError }
);

export interface Servers {
  /** Undefined when the servers were written. */
  readonly zone: string | undefined;
  readonly servers: readonly NameServer[];
}

type Context = Pick<CheckContext, 'dns' | 'memory' | 'now' | 'target'>;

/** Rejects with FaultError `resolver.*` when the zone is not found. */
export async function findServers(wanted: Settings, name: string, ctx: Context): Promise<Servers> {
  const known = ctx.memory.get('servers') as (Servers & { readonly at: number }) | undefined;
  const age = known ? ctx.now() - known.at : Infinity;
  if (known && age >= 0 && age < freshMs) return known;
  const found = await lookUp(wanted, name, ctx);
  ctx.memory.set('servers', { ...found, at: ctx.now() });
  return found;
}

async function lookUp(wanted: Settings, name: string, ctx: Context): Promise<Servers> {
  if (wanted.servers) {
    const servers = await placesOf(wanted.servers, wanted.port, ctx);
    if (servers.length === 0)
      throw faultError('probe.config.settings', `none of its servers has an IPv${ctx.target.family} address`);
    return { zone: undefined, servers };
  }
  const { zone, servers } = await ctx.dns.zoneOf(name);
  const written = servers.slice(0, maxServers).map((host) => ({ host }));
  return { zone, servers: await placesOf(written, wanted.port, ctx) };
}

async function placesOf(
  written: readonly WrittenServer[],
  usualPort: number,
  ctx: Context,
): Promise<NameServer[]> {
  const found = await Promise.all(written.map((each) => placesOfOne(each, usualPort, ctx)));
  const places = new Map<string, NameServer>();
  for (const place of found.flat()) {
    const where = 'failed' in place ? place.label : `${place.address} ${place.port}`;
    if (!places.has(where)) places.set(where, place);
  }
  return [...places.values()].slice(0, maxServers);
}

async function placesOfOne(
  { host, port }: WrittenServer,
  usualPort: number,
  ctx: Context,
): Promise<NameServer[]> {
  const at = (address: string): NameServer => {
    const number = port ?? usualPort;
    const suffix = number === 53 ? '' : isIP(address) === 6 ? ` port ${number}` : `:${number}`;
    return {
      label: address === host ? `${address}${suffix}` : `${host} ${address}${suffix}`,
      address,
      port: number,
    };
  };
  const { family } = ctx.target;
  // Of addresses that are written, each family's check asks its own.
  if (isIP(host) !== 0) return family === undefined || isIP(host) === family ? [at(host)] : [];
  try {
    return (await ctx.dns.addresses(host)).map(at);
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return [{ label: host, failed: thrown }];
  }
}
