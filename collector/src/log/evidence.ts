/**
 * What others show of the log. A checkpoint that our key signed and this store did not is proof of another history:
 * the store is an older copy, or another collector signs with the same key. It is kept, since it stays true after a restart.
 */
import { createHash } from 'node:crypto';
import { openCheckpoint, parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { parseCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { HASH_BYTES, hashesAt, TILE_WIDTH, tilePath } from '@highwater/config/proof/tiles.ts';
import { rootAt, tilesForRoot } from '@highwater/config/proof/tree.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { keyOfTile, readTile } from './files.ts';
import { Refusal, RESTORE } from './refusal.ts';
import { readYears } from './sequence.ts';

/** A checkpoint with the cosignatures of a hundred witnesses is smaller. */
export const MAX_SHOWN_CHARS = 32_768;
/** Texts that are remembered as good, or as nothing of ours. */
const MAX_REMEMBERED = 1_024;
/** Of what one shows, verified in a second; what is beyond is left for its next time, and delays nobody else's. */
const MAX_VERIFIED_EACH_SECOND = 10;

const CORE = 'log-evidence';
const KEY = 'other-history';

interface EvidenceState {
  readonly at: Instant;
  readonly because: string;
  /** The checkpoint that this store did not sign. */
  readonly note: string;
}

export interface Evidence {
  /** Returns whether it is proof of another history. */
  shown(note: string, from: string): Promise<boolean>;
  /** Throws Refusal when there is any. */
  demandNone(): void;
}

/**
 * The root (base64) that our tree had at an earlier size; undefined when its tiles are not to be had. After a restore only
 * the newest of what was signed since the backup is in the store, and what others show of the time between is the same log.
 */
async function rootBefore(
  blobs: Blobs,
  year: number,
  size: number,
  newest: number,
): Promise<string | undefined> {
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesForRoot(size)) {
    // As wide as the newest tree has it: the narrower ones were never here, or are gone.
    const width = Math.min(TILE_WIDTH, hashesAt(tile.level, newest) - tile.index * TILE_WIDTH);
    const bytes = await readTile(blobs, year, tilePath({ ...tile, width }));
    if (bytes?.length !== width * HASH_BYTES) return undefined;
    tiles.set(keyOfTile(tile), bytes);
  }
  return encodeBase64(rootAt(size, (tile) => tiles.get(keyOfTile(tile)) ?? new Uint8Array(), sha256));
}

export async function openEvidence(store: Store, blobs: Blobs, clock: Clock): Promise<Evidence> {
  const held = await store.read(LOG_SHARD, (tx) => tx.getState(CORE, KEY));
  let found = held?.value as EvidenceState | undefined;
  const remembered = new Set<string>();
  let second = -Infinity;
  /** By who shows: probes of the configuration, and the page. */
  const verified = new Map<string, number>();

  const mayVerify = (from: string): boolean => {
    const now = Math.floor(clock.monotonic() / 1_000);
    if (now !== second) verified.clear();
    second = now;
    const count = (verified.get(from) ?? 0) + 1;
    verified.set(from, count);
    return count <= MAX_VERIFIED_EACH_SECOND;
  };
  const remember = (id: string): false => {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.add(id);
    return false;
  };

  return {
    async shown(note, from) {
      if (found !== undefined || note.length > MAX_SHOWN_CHARS) return false;
      const parsed = parseNote(note);
      if ('error' in parsed) return false;
      const said = parseCheckpointText(parsed.text);
      // The empty tree is nobody's secret: it says nothing of what was signed.
      if ('error' in said || said.size === 0) return false;
      const id = createHash('sha256').update(note).digest('base64');
      if (remembered.has(id)) return false;
      const ours = await store.read(LOG_SHARD, async (tx) => {
        const log = (await readYears(tx)).find(({ vkey }) => parseVerifier(vkey).name === said.origin);
        return (
          log && {
            log,
            last: await tx.lastCheckpoint(log.year),
            signed: await tx.checkpointAt(log.year, said.size),
          }
        );
      });
      if (ours === undefined) return false;
      const { log, last, signed } = ours;
      if (signed?.root === said.root) return remember(id);
      if (!mayVerify(from)) return false;
      const isEarlier = signed === undefined && last !== undefined && said.size < last.size;
      if (isEarlier && (await rootBefore(blobs, log.year, said.size, last.size)) === said.root)
        return remember(id);
      if ('error' in openCheckpoint(note, parseVerifier(log.vkey))) return remember(id);
      const because =
        `${from} shows a checkpoint of ${said.origin} of ${said.size} entries with root ${said.root}, signed by its key, ` +
        `which this store did not sign: it signed ${last === undefined ? 'none' : `${last.size} entries`}` +
        (signed === undefined ? '' : `, and at ${said.size} the root ${signed.root}`);
      const state: EvidenceState = { at: clock.now(), because, note };
      await store.transact(LOG_SHARD, async (tx) => {
        const before = await tx.getState(CORE, KEY);
        if (before === undefined) await tx.putState(CORE, KEY, 0, state);
      });
      found = state;
      return true;
    },
    demandNone() {
      if (found !== undefined) throw new Refusal(found.because, RESTORE);
    },
  };
}
