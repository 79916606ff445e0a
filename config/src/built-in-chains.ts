/**
 * The built-in chains: one table. Identity (chain id, hash of block 0) is from the chains' own genesis files, clients
 * and explorers; where it is left out, only the chain id is compared. `maxLag` is a minute of blocks at most, at least 3,
 * and in time at most three fifths of `maxAge`: a node that falls behind is to be degraded, and out of its pool, before
 * its block is so old that it is down. `maxAge` leaves room for missed slots and for a second-layer chain's sequencer to pause briefly. `forkDepth` is where
 * a reorganisation would be news: beyond what the chain's consensus takes back in its daily life.
 */
import type { Chain } from './model.ts';
import { HOUR_MS, MINUTE_MS } from './time.ts';

type BuiltIn = Omit<Chain, 'name' | 'references'>;

/**
 * Polkadot SDK chains: a block in 6 s, finality two or three blocks behind. Five blocks behind is what public lists of
 * endpoints call lagging (drpcorg/public chains.yaml); the ten that they call syncing are all of the age.
 */
function substrate(genesis: string, maxFinalityLagBlocks = 10): BuiltIn {
  return {
    family: 'substrate',
    genesis,
    blockTimeMs: 6_000,
    maxLagBlocks: 5,
    maxAgeMs: MINUTE_MS,
    maxFinalityLagBlocks,
    forkDepthBlocks: 16,
  };
}

/**
 * BitShares: a block in 3 s. The last irreversible block is the one that 70 % of the witnesses have built on, some
 * fifteen behind; an hourly maintenance skips slots.
 */
function graphene(genesis: string): BuiltIn {
  return {
    family: 'graphene',
    genesis,
    blockTimeMs: 3_000,
    maxLagBlocks: 5,
    maxAgeMs: 30_000,
    maxFinalityLagBlocks: 60,
    forkDepthBlocks: 30,
  };
}

/**
 * Algorand: a round in about 2.8 s, final at once. A round that needs recovery takes 17 s more (the limit of algod's own
 * /ready), and its block is dated by whoever proposed it, before that: hence 30 s.
 */
function algorand(genesis: string): BuiltIn {
  return {
    family: 'algorand',
    genesis,
    blockTimeMs: 2_800,
    maxLagBlocks: 6,
    maxAgeMs: 30_000,
    forkDepthBlocks: 2,
  };
}

export const builtInChains: Readonly<Record<string, BuiltIn>> = {
  ethereum: {
    family: 'evm',
    chainId: 1,
    genesis: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
    blockTimeMs: 12_000,
    maxLagBlocks: 5,
    maxAgeMs: 3 * MINUTE_MS,
    forkDepthBlocks: 32,
  },
  sepolia: {
    family: 'evm',
    chainId: 11_155_111,
    genesis: '0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9',
    blockTimeMs: 12_000,
    maxLagBlocks: 5,
    maxAgeMs: 5 * MINUTE_MS,
    forkDepthBlocks: 32,
  },
  gnosis: {
    family: 'evm',
    chainId: 100,
    genesis: '0x4f1dd23188aab3a76b463e4af801b52b1248ef073c648cbdc4c9333d3da79756',
    blockTimeMs: 5_000,
    maxLagBlocks: 12,
    maxAgeMs: 2 * MINUTE_MS,
    forkDepthBlocks: 32,
  },
  polygon: {
    family: 'evm',
    chainId: 137,
    genesis: '0xa9c28ce2141b56c474f1dc504bee9b01eb1bd7d1a507580d5519d4437a97de1b',
    blockTimeMs: 2_000,
    maxLagBlocks: 30,
    maxAgeMs: 2 * MINUTE_MS,
    forkDepthBlocks: 64,
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
    forkDepthBlocks: 64,
  },
  base: {
    family: 'evm',
    chainId: 8_453,
    genesis: '0xf712aa9241cc24369b143cf6dce85f0902a9731e70d66818a3a5845b296c73dd',
    blockTimeMs: 2_000,
    maxLagBlocks: 30,
    maxAgeMs: 2 * MINUTE_MS,
    forkDepthBlocks: 64,
  },

  bitshares: graphene('4018d7844c78f6a6c41c6a552b898022310fc5dec06da467ee7905a8dad512c8'),
  'bitshares-testnet': graphene('39f5e2ede1f8bc1a3a54a7914414e3779e33193f1f5693510e73cb7a87617447'),

  polkadot: substrate('0x91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3'),
  kusama: substrate('0xb0a8d493285c2df73290dfb7e61f870f17b41801197a149ca93654499ea3dafe'),
  westend: substrate('0xe143f23803ac50e8f6f8e62695d1ce9e4e1d68aa36c1cd2cfd15340213f3423e'),
  // A parachain may make blocks faster than its relay chain finalizes them.
  'polkadot-asset-hub': substrate('0x68d56f15f85d3136970ec16946040bc1752654e906147f7e43e9d539d7c3de2f', 30),
  'kusama-asset-hub': substrate('0x48239ef607d7928874027a43a67689209727dfb3d3dc5e5b03a39bdc2eda771a', 30),

  algorand: algorand('wGHE2Pwdvd7S12BL5FaOP20EGYesN73ktiC1qzkkit8='),
  'algorand-testnet': algorand('SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI='),

  cosmoshub: {
    family: 'cosmos',
    chainId: 'cosmoshub-4',
    blockTimeMs: 6_000,
    maxLagBlocks: 6,
    maxAgeMs: MINUTE_MS,
    forkDepthBlocks: 2,
  },
  // Slots behind: half of the age. At 150 a node was too old before it could lag.
  solana: {
    family: 'solana',
    genesis: '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d',
    blockTimeMs: 400,
    maxLagBlocks: 75,
    maxAgeMs: MINUTE_MS,
  },
  // Times between blocks are spread widely: an hour without one is nothing unusual.
  bitcoin: {
    family: 'bitcoin',
    genesis: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
    blockTimeMs: 600_000,
    maxLagBlocks: 3,
    maxAgeMs: 2 * HOUR_MS,
    forkDepthBlocks: 6,
  },
};
