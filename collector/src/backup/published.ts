/** The log as it was published: what a restored store must not fall behind of. Hostile until verified by the log's keys. */
import { openCheckpoint, parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import type { Checkpoint } from '@highwater/config/proof/checkpoint.ts';
import { formatNote } from '@highwater/config/proof/note.ts';
import {
  bundlePath,
  bundlesBetween,
  decodeBundle,
  MAX_ENTRY_BYTES,
  TILE_WIDTH,
} from '@highwater/config/proof/tiles.ts';
import { BackupProblem } from './problem.ts';

/** Where the logs lie in public, by whoever serves them. */
export interface Published {
  /** `https://status.example.com/log` */
  readonly base: string;
  /**
   * The file at `YEAR/…` below it; undefined when there is none. Rejects with BackupProblem when it can't be told, or
   * the file has more bytes.
   */
  get(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** How long the last answer for a checkpoint had lain in a cache, seconds; undefined when that is not known. */
  ageS?(path: string): number | undefined;
}

const MAX_CHECKPOINT_BYTES = 65_536;
const MAX_BUNDLE_BYTES = TILE_WIDTH * (MAX_ENTRY_BYTES + 2);
/** Bundles asked for at once. */
const AT_ONCE = 4;

export interface PublishedLog {
  readonly year: number;
  readonly checkpoint: Checkpoint;
  /** As published, with cosignatures. */
  readonly note: string;
  /** By the log's key alone. */
  readonly signed: string;
  /** How long it had lain in a cache, seconds, as far as that is known. */
  readonly ageS?: number;
}

/** The newest checkpoint of a year; undefined when that log is not published. */
export async function publishedLog(
  published: Published,
  year: number,
  vkey: string,
): Promise<PublishedLog | undefined> {
  const bytes = await published.get(`${year}/checkpoint`, MAX_CHECKPOINT_BYTES);
  if (bytes === undefined) return undefined;
  const note = decodeUtf8(bytes) ?? '';
  const verifier = parseVerifier(vkey);
  const opened = openCheckpoint(note, verifier);
  if ('error' in opened) {
    throw new BackupProblem(
      'no',
      `${published.base}/${year}/checkpoint is not signed by the log's key: ${opened.error}`,
      'name where the log of this backup is published with --published URL',
    );
  }
  const own = opened.note.signatures.filter(
    ({ name, keyId }) => name === verifier.name && keyId === verifier.keyId,
  );
  const signed = formatNote({ text: opened.text, signatures: own.slice(0, 1) });
  const ageS = published.ageS?.(`${year}/checkpoint`);
  return { year, checkpoint: opened.checkpoint, note, signed, ...(ageS === undefined ? {} : { ageS }) };
}

/** Entries [from, size) of a log, in order, in the bundles that they come in. */
export async function* publishedEntries(
  published: Published,
  year: number,
  from: number,
  size: number,
): AsyncGenerator<{ readonly first: number; readonly entries: readonly Uint8Array[] }> {
  const bundles = bundlesBetween(from, size);
  const get = async (at: number) => {
    const bundle = bundles[at];
    if (bundle === undefined) return undefined;
    const path = `${year}/${bundlePath(bundle.index, bundle.width)}`;
    const bytes = await published.get(path, MAX_BUNDLE_BYTES);
    const entries = bytes === undefined ? { error: 'it is not there' } : decodeBundle(bytes);
    const wrong =
      'error' in entries ? entries.error : entries.length === bundle.width ? undefined : 'it is cut short';
    if ('error' in entries || wrong !== undefined) {
      throw new BackupProblem(
        'no',
        `${published.base}/${path}: ${wrong ?? ''}`,
        'what was published is needed in full: name another copy of it with --published URL',
      );
    }
    return { first: bundle.index * TILE_WIDTH, entries };
  };
  for (let at = 0; at < bundles.length; at += AT_ONCE) {
    const asked = Array.from({ length: AT_ONCE }, (_, i) => get(at + i));
    for (const got of await Promise.all(asked)) {
      if (got === undefined) return;
      const skip = Math.max(0, from - got.first);
      yield { first: got.first + skip, entries: got.entries.slice(skip) };
    }
  }
}

/** A body by its SHA-256 in hex; undefined when it is not there, or is other bytes. */
export async function publishedBody(
  published: Published,
  year: number,
  hex: string,
  bytes: number,
): Promise<Uint8Array | undefined> {
  const body = await published.get(`${year}/body/${hex}`, bytes);
  if (body?.length !== bytes) return undefined;
  return Buffer.from(sha256(body)).toString('hex') === hex ? body : undefined;
}
