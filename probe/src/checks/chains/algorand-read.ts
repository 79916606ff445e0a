/** How the REST answers of Algorand are read, algod's and the indexer's alike. */
import { faultError } from '../../fault.ts';
import type { Ask, Reply } from '../ask.ts';
import { isRecord, type Json, shown } from '../json.ts';

export type Fields = Readonly<Record<string, Json>>;

/** The fields of an answer that must be an object; throws the fault that stands in its place. */
export function fieldsOf({ result, error }: Reply, what: string): Fields {
  if (error) throw error;
  if (!isRecord(result)) throw faultError('target.rpc.result', `${what} is no object: ${shown(result)}`);
  return result;
}

/** 32 bytes in base64 as 64 hex digits. */
export function base64Hash(value: Json | undefined, what: string): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]{43}=$/.test(value))
    throw faultError('target.rpc.result', `${what} is no 32-byte hash in base64: ${shown(value)}`);
  return Buffer.from(value, 'base64').toString('hex');
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first 8 hex digits of 32 bytes in base32, without padding (RFC 4648 section 6). */
export function base32Id(value: Json | undefined, what: string): string {
  if (typeof value !== 'string' || !/^[A-Z2-7]{52}$/.test(value))
    throw faultError('target.rpc.result', `${what} is no 32-byte hash in base32: ${shown(value)}`);
  // Seven digits of five bits are the first four bytes and three bits more.
  const bits = [...value.slice(0, 7)].reduce((sum, digit) => sum * 32 + base32.indexOf(digit), 0);
  return Math.floor(bits / 8)
    .toString(16)
    .padStart(8, '0');
}

export const headerPath = (round: number): string => `/v2/blocks/${round}?header-only=true`;

/**
 * The header of the newest round, or of the one before: behind a load balancer the second question may reach
 * a node that does not have the newest yet. @returns the answer, and the round that it is for
 */
export async function newestHeader(ask: Ask, round: number): Promise<{ round: number; reply: Reply }> {
  const reply = await ask.get(headerPath(round));
  if (reply.status !== 404 || round === 0) return { round, reply };
  const before = await ask.get(headerPath(round - 1));
  return before.error ? { round, reply } : { round: round - 1, reply: before };
}

/** Genesis hashes are compared as bytes; the fact `g` is the first 8 hex digits. */
export function checkedGenesis(hash: string, configured: string | undefined, said: Json | undefined): string {
  if (configured !== undefined && Buffer.from(configured, 'base64').toString('hex') !== hash)
    throw faultError('target.head.genesis', `the genesis hash is ${shown(said)}, expected ${configured}`);
  return hash.slice(0, 8);
}
