/** What the operator, or the program by itself, does: a leaf in the transaction of what it is done by. */
import type { SigningKey } from '@highwater/config/keys.ts';
import { sha256 } from '@highwater/config/keys.ts';
import {
  type ActionLeaf,
  formatActionLeaf,
  MAX_ACTION_SUBJECT_CHARS,
} from '@highwater/config/proof/action-leaf.ts';
import { encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import type { Tx } from '../store/store.ts';
import { append } from './leaves.ts';

/** Who signs, and for which log. */
export interface Signing {
  readonly key: SigningKey;
  /** Of the log without the year. */
  readonly origin: string;
}

/**
 * In a transaction of LOG_SHARD. Returns the leaf hash, base64. The same act on the same in the same millisecond is
 * one: a log holds no leaf twice.
 */
export async function appendAction(
  tx: Tx,
  { key, origin }: Signing,
  act: Omit<ActionLeaf, 'origin'>,
): Promise<string> {
  const text = formatActionLeaf({ origin, ...act });
  const hash = leafHashOfNote(key.sign(text), sha256);
  if ((await tx.commitByHash(hash)) === undefined) await append(tx, { key, at: act.at }, 'action', text);
  return hash;
}

/**
 * What an action leaf calls something that has an id: the id itself, or, where it tells of what is private, or is no word
 * of a leaf, a salted hash, by which the operator can show later which it was.
 */
export function subjectOf(id: string, isPrivate: boolean, salt: string): string {
  const isWord = /^[\x21-\x7e]+$/.test(id) && id.length <= MAX_ACTION_SUBJECT_CHARS;
  return isPrivate || !isWord ? `h:${encodeHex(sha256(utf8(`${salt}\n${id}`)))}` : id;
}
