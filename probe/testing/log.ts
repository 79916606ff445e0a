/** Logs of several years for tests, and the answers of a collector that holds them. */
import {
  generateSigningKey,
  openCheckpoint,
  parseVerifier,
  type SigningKey,
  sha256,
} from '@highwater/config/keys.ts';
import { encodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import { consistencyProof, inclusionProof, rootOfLeaves } from '@highwater/config/proof/tree.ts';
import { buildTiles } from '@highwater/config/proof/testing/tree.ts';
import type { LogProofs } from '@highwater/config/wire.ts';

export const ORIGIN = 'status.example.com/log';

export interface TestLog {
  readonly year: number;
  readonly key: SigningKey;
  readonly entries: string[];
  /** The checkpoint of so many entries; of all when left out. */
  checkpoint(size?: number): string;
}

/** Its first entry is the last checkpoint of the log before. */
export function testLog(
  year: number,
  before?: TestLog,
  key = generateSigningKey(`${ORIGIN}/${year}`),
): TestLog {
  const entries = before ? [before.checkpoint()] : [];
  return {
    year,
    key,
    entries,
    checkpoint(size = entries.length) {
      const root = encodeBase64(rootOfLeaves(hashesOf(entries).slice(0, size), sha256));
      return key.sign(formatCheckpointText({ origin: `${ORIGIN}/${year}`, size, root }));
    },
  };
}

export function leafOf(entry: string): string {
  return encodeHex(leafHash(utf8(entry), sha256));
}

export function hashesOf(entries: readonly string[]): Uint8Array[] {
  return entries.map((entry) => leafHash(utf8(entry), sha256));
}

/** What a collector answers that holds these logs, oldest first. */
export function proofsOf(
  logs: readonly TestLog[],
  leaves: readonly string[],
  from?: { readonly year: number; readonly size: number },
): LogProofs {
  const known = logs.flatMap(({ year, entries }) =>
    entries.map((entry, index) => ({ leaf: leafOf(entry), year, index })),
  );
  const placed = known.filter(({ leaf }) => leaves.includes(leaf));
  const newest = logs.at(-1)?.year ?? 0;
  const first = Math.min(newest, from?.year ?? newest, ...placed.map(({ year }) => year));
  const path = (of: number, index: number) => {
    const entries = logs.find(({ year }) => year === of)?.entries ?? [];
    const tiles = buildTiles(hashesOf(entries))(entries.length);
    return inclusionProof(index, entries.length, tiles, sha256).map(encodeBase64);
  };
  const shown = logs.filter(({ year, entries }) => year >= first && entries.length > 0);
  return {
    logs: shown.map((log, nth) => {
      const { year, entries } = log;
      const before = shown[nth - 1];
      const old = from?.year === year && from.size < entries.length ? from.size : entries.length;
      const tiles = buildTiles(hashesOf(entries))(entries.length);
      return {
        year,
        checkpoint: log.checkpoint(),
        consistency: consistencyProof(old, entries.length, tiles, sha256).map(encodeBase64),
        ...(before ? { carried: { note: before.checkpoint(), inclusion: path(year, 0) } } : {}),
      };
    }),
    leaves: placed.map((each) => ({ ...each, inclusion: path(each.year, each.index) })),
    unknown: leaves.filter((leaf) => !known.some((each) => each.leaf === leaf)),
  };
}

/** A checkpoint as a probe keeps it. */
export function seenOf(log: TestLog, size = log.entries.length) {
  const note = log.checkpoint(size);
  const open = openCheckpoint(note, parseVerifier(log.key.vkey));
  if ('error' in open) throw new Error(open.error);
  return { year: log.year, size, root: open.checkpoint.root, note };
}
