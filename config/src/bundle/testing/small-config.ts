/** The configurations of the small world (small.ts). */
import { sha256, signingKeyFromSeed, type SigningKey } from '../../keys.ts';
import { utf8 } from '../../proof/bytes.ts';
import type { RuleConfig, RuleMonitor } from '../../proof/projection.ts';

export const SMALL_ORIGIN = 'status.example.com/log';
const NO_URL = '00'.repeat(32);

/** A key of a fixed seed. */
export function smallKey(name: string, seed = name): SigningKey {
  return signingKeyFromSeed(name, sha256(utf8(`highwater small bundle ${seed}`)));
}

export const smallKeys = {
  operator: smallKey(SMALL_ORIGIN),
  eu: smallKey('eu-1'),
  us: smallKey('us-1'),
  /** After the first was revoked. */
  usNext: smallKey('us-1', 'us-1 second'),
  /** Run by another operator. */
  asia: smallKey('asia-1'),
};

function monitor(id: string, kind: string, intervalMs: number, more: Partial<RuleMonitor> = {}): RuleMonitor {
  const asked = { id, kind, intervalMs, timeoutMs: 10_000, targetHash: NO_URL, settings: [] };
  return { ...asked, regions: ['asia', 'eu', 'us'], counts: true, ...more };
}

/** Three probes; two public services with five monitors, a private one, and a reference of the chain. */
export const smallConfig: RuleConfig = {
  seed: '00112233445566778899aabbccddeeff',
  operator: 'Example',
  regions: ['asia', 'eu', 'us'],
  probes: [
    { id: 'asia-1', region: 'asia', operator: 'Another', vkey: smallKeys.asia.vkey },
    { id: 'eu-1', region: 'eu', operator: 'Example', vkey: smallKeys.eu.vkey },
    { id: 'us-1', region: 'us', operator: 'Example', vkey: smallKeys.us.vkey },
  ],
  controls: [],
  chains: [
    {
      name: 'demo',
      family: 'evm',
      chainId: 42,
      blockTimeMs: 3_000,
      maxLagBlocks: 5,
      maxAgeMs: 60_000,
      references: [{ host: 'ref.example.net', operator: 'ref.example.net' }],
    },
  ],
  services: [
    {
      id: 'inner',
      minUp: 1,
      visibility: 'private',
      nodes: [{ id: 'db', zone: 'z', operator: 'Example', urlHash: NO_URL }],
    },
    {
      id: 'rpc',
      minUp: 1,
      visibility: 'public',
      chain: 'demo',
      nodes: [
        { id: 'a', zone: 'z', operator: 'Example', urlHash: NO_URL },
        { id: 'b', zone: 'y', operator: 'Example', urlHash: NO_URL },
      ],
    },
    {
      id: 'web',
      minUp: 1,
      visibility: 'public',
      nodes: [{ id: 'www', zone: 'z', operator: 'Example', urlHash: NO_URL }],
    },
  ],
  monitors: [
    monitor('chain.demo/ref.example.net/head', 'head', 60_000, { chain: 'demo' }),
    monitor('inner/db/tcp', 'tcp', 60_000),
    monitor('rpc/a/head', 'head', 30_000, { chain: 'demo' }),
    monitor('rpc/a/http', 'http', 60_000),
    monitor('rpc/b/head', 'head', 30_000, { chain: 'demo' }),
    monitor('web/www/http', 'http', 30_000),
    monitor('web/www/tcp', 'tcp', 300_000),
  ],
};

/** Another limit for one check: it is another question from then on. */
export const changedConfig: RuleConfig = {
  ...smallConfig,
  monitors: smallConfig.monitors.map((m) => (m.id === 'web/www/http' ? { ...m, timeoutMs: 5_000 } : m)),
};

/** The key of `us-1` is another. */
export const rekeyedConfig: RuleConfig = {
  ...changedConfig,
  probes: changedConfig.probes.map((p) => (p.id === 'us-1' ? { ...p, vkey: smallKeys.usNext.vkey } : p)),
};
