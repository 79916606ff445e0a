/**
 * The built-in chains: one table. Identity (chain id, hash of block 0) is from the chains' own genesis files and
 * explorers; where a genesis hash is left out, only the chain id is compared. `maxLag` is about a minute of blocks,
 * at least 3; `maxAge` leaves room for missed slots and for a second-layer chain's sequencer to pause briefly.
 */
import type { Chain } from './model.ts';
import { MINUTE_MS } from './time.ts';

type BuiltIn = Omit<Chain, 'name' | 'references'>;

export const builtInChains: Readonly<Record<string, BuiltIn>> = {
  ethereum: {
    family: 'evm',
    chainId: 1,
    genesis: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
    blockTimeMs: 12_000,
    maxLagBlocks: 5,
    maxAgeMs: 3 * MINUTE_MS,
  },
  sepolia: {
    family: 'evm',
    chainId: 11_155_111,
    genesis: '0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9',
    blockTimeMs: 12_000,
    maxLagBlocks: 5,
    maxAgeMs: 5 * MINUTE_MS,
  },
  gnosis: {
    family: 'evm',
    chainId: 100,
    genesis: '0x4f1dd23188aab3a76b463e4af801b52b1248ef073c648cbdc4c9333d3da79756',
    blockTimeMs: 5_000,
    maxLagBlocks: 12,
    maxAgeMs: 2 * MINUTE_MS,
  },
  polygon: {
    family: 'evm',
    chainId: 137,
    genesis: '0xa9c28ce2141b56c474f1dc504bee9b01eb1bd7d1a507580d5519d4437a97de1b',
    blockTimeMs: 2_000,
    maxLagBlocks: 30,
    maxAgeMs: 2 * MINUTE_MS,
  },
  arbitrum: {
    family: 'evm',
    chainId: 42_161,
    genesis: '0x7ee576b35482195fc49205cec9af72ce14f003b9ae69f6ba0faef4514be8b442',
    blockTimeMs: 250,
    maxLagBlocks: 240,
    maxAgeMs: 2 * MINUTE_MS,
  },
  optimism: {
    family: 'evm',
    chainId: 10,
    genesis: '0x7ca38a1916c42007829c55e69d3e9a73265554b586a499015373241b8a3fa48b',
    blockTimeMs: 2_000,
    maxLagBlocks: 30,
    maxAgeMs: 2 * MINUTE_MS,
  },
  base: {
    family: 'evm',
    chainId: 8_453,
    genesis: '0xf712aa9241cc24369b143cf6dce85f0902a9731e70d66818a3a5845b296c73dd',
    blockTimeMs: 2_000,
    maxLagBlocks: 30,
    maxAgeMs: 2 * MINUTE_MS,
  },
};

/** Families of chains whose head this version can read. */
export const families: readonly string[] = [
  'evm',
  'substrate',
  'graphene',
  'algorand',
  'cosmos',
  'solana',
  'bitcoin',
];

/** What a chain of the operator's own may leave out. */
export function defaultMaxLagBlocks(blockTimeMs: number): number {
  return Math.max(3, Math.ceil(MINUTE_MS / blockTimeMs));
}

export function defaultMaxAgeMs(blockTimeMs: number): number {
  return Math.max(MINUTE_MS, 20 * blockTimeMs);
}

/**
 * The checks that a service of a family gets when it declares none, as an operator would write them.
 * `head` shows whether the node follows the chain; `calls` whether it answers users, reading state as well as blocks.
 */
export const familyPresets: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  evm: [
    { kind: 'head', every: '30s' },
    {
      kind: 'jsonrpc',
      id: 'calls',
      every: '1m',
      methods: [
        { method: 'eth_blockNumber' },
        { method: 'eth_getBalance', params: ['0x0000000000000000000000000000000000000000', 'latest'] },
      ],
    },
  ],
};

/** The check of a service's public name, and of a chain's references, when none is declared. */
export const headPreset: Record<string, unknown> = { kind: 'head', every: '30s' };

/** A reference's host in the alphabet of ids, as in `chain.NAME/HOST/head`: `rpc.example.com`, `rpc.example.com_8545`. */
export function referenceHost(url: string): string {
  return new URL(url).host
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '_')
    .replace(/^[^a-z0-9]+/, '');
}
