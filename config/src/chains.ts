/** What holds for chains of every family, and how references are named. */
import { MINUTE_MS } from './time.ts';

/** The families of chains whose heads can be read. */
export const families: readonly string[] = [
  'evm',
  'substrate',
  'graphene',
  'algorand',
  'cosmos',
  'solana',
  'bitcoin',
];

/** How a family writes what tells its chains apart; no entry: it is not told by this. */
export interface IdentityForm {
  readonly genesis?: { readonly pattern: RegExp; readonly write: string };
  readonly chainId?: 'number' | 'string';
}

const prefixedHash = { pattern: /^0x[0-9a-f]{64}$/, write: '0x and 64 hex digits in quotes' };
const bareHash = { pattern: /^[0-9a-f]{64}$/, write: '64 hex digits in quotes' };

export const identityForms: Readonly<Record<string, IdentityForm>> = {
  evm: { genesis: prefixedHash, chainId: 'number' },
  substrate: { genesis: prefixedHash },
  graphene: { genesis: bareHash },
  algorand: {
    genesis: { pattern: /^[A-Za-z0-9+/]{43}=$/, write: 'the 44 characters of base64 that /versions gives' },
  },
  cosmos: { chainId: 'string' },
  solana: {
    genesis: { pattern: /^[1-9A-HJ-NP-Za-km-z]{32,44}$/, write: 'the base58 text that getGenesisHash gives' },
  },
  bitcoin: { genesis: bareHash },
};

/** What a chain of the operator's own may leave out. */
/** At most half of the age: a node that falls behind is degraded for a while before its block is too old. */
export function defaultMaxLagBlocks(blockTimeMs: number, maxAgeMs: number): number {
  return Math.max(3, Math.ceil(Math.min(MINUTE_MS, maxAgeMs / 2) / blockTimeMs));
}

export function defaultMaxAgeMs(blockTimeMs: number): number {
  return Math.max(MINUTE_MS, 20 * blockTimeMs);
}

/** A reference's host in the alphabet of ids, as in `chain.NAME/HOST/head`: `rpc.example.com`, `rpc.example.com_8545`. */
export function referenceHost(url: string): string {
  return new URL(url).host
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '_')
    .replace(/^[^a-z0-9]+/, '');
}
