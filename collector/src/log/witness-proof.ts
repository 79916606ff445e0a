/** What is sent to a witness: the newest published checkpoint, and the proof that it continues what it cosigned. */
import { openCheckpoint, parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { formatAddCheckpoint } from '@highwater/config/proof/add-checkpoint.ts';
import { decodeBase64 } from '@highwater/config/proof/bytes.ts';
import { formatNote } from '@highwater/config/proof/note.ts';
import { type Tile, tilePath } from '@highwater/config/proof/tiles.ts';
import {
  consistencyProof,
  rootAt,
  tilesForConsistency,
  tilesForRoot,
  verifyConsistency,
} from '@highwater/config/proof/tree.ts';
import type { Log } from './log.ts';

export interface Published {
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** The checkpoint's text. */
  readonly text: string;
  /** With the log's own signature alone: cosignatures of others are none of a witness's business. */
  readonly note: string;
}

/** The checkpoint that is published of a year; undefined before any. Throws when it is not one of this key. */
export async function readPublished(
  log: Pick<Log, 'checkpoint'>,
  year: number,
  key: string,
): Promise<Published | undefined> {
  const whole = await log.checkpoint(year);
  if (whole === undefined) return undefined;
  const verifier = parseVerifier(key);
  const opened = openCheckpoint(whole, verifier);
  if ('error' in opened)
    throw new Error(`the published checkpoint of ${year} does not open: ${opened.error}`);
  const own = opened.note.signatures.filter(
    ({ name, keyId }) => name === verifier.name && keyId === verifier.keyId,
  );
  const { text, checkpoint } = opened;
  return {
    size: checkpoint.size,
    root: checkpoint.root,
    text,
    note: formatNote({ text, signatures: own }),
  };
}

/**
 * The body of add-checkpoint. The proof is checked here before it goes: then a witness that refuses it holds another
 * history, or is at fault itself. Throws when a tile is missing or wrong.
 */
export async function requestBody(
  log: Pick<Log, 'tile'>,
  year: number,
  old: number,
  published: Published,
): Promise<string> {
  const { size } = published;
  const tiles = await fetchTiles(log, year, [...tilesForConsistency(old, size), ...tilesForRoot(old)]);
  const proof = old === 0 ? [] : consistencyProof(old, size, tiles, sha256);
  const oldRoot = rootAt(old, tiles, sha256);
  const newRoot = decodeBase64(published.root) ?? new Uint8Array();
  if (!verifyConsistency({ oldSize: old, newSize: size, oldRoot, newRoot, proof }, sha256)) {
    throw new Error(`the tiles of ${year} do not lead from size ${old} to the checkpoint of size ${size}`);
  }
  return formatAddCheckpoint({ oldSize: old, proof, checkpoint: published.note });
}

/** All of them read first: the arithmetic waits for nothing. */
export async function fetchTiles(
  log: Pick<Log, 'tile'>,
  year: number,
  wanted: readonly Tile[],
): Promise<(tile: Tile) => Uint8Array> {
  const paths = [...new Set(wanted.map(tilePath))];
  const bytes = new Map<string, Uint8Array>();
  for (const path of paths) {
    const tile = await log.tile(year, path);
    if (tile === undefined) throw new Error(`${path} of ${year} is missing`);
    bytes.set(path, tile);
  }
  return (tile) => {
    const found = bytes.get(tilePath(tile));
    if (!found) throw new Error(`${tilePath(tile)} of ${year} was not read`);
    return found;
  };
}
