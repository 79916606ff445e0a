/** Remarks about entries of the log: they stand beside the number and change nothing in it. */
import { sha256 } from '@highwater/config/keys.ts';
import { formatAnnotationLeaf } from '@highwater/config/proof/annotation-leaf.ts';
import {
  decodeHex,
  encodeBase64,
  encodeHex,
  isHashText,
  parseDecimal,
  utf8,
} from '@highwater/config/proof/bytes.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { AnnotationWritten } from '@highwater/config/wire.ts';
import { commitOf, readYears } from '../log/sequence.ts';
import type { ReadTx, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { Signing } from './actions.ts';
import { append } from './leaves.ts';

/** Rows of the log's shard: the leaf of a remark, by the hash of what it is about and says. */
const CORE = 'annotation';

/**
 * How an entry is named: by its leaf hash, in base64 or hex, or by its place in the log of a year. Undefined for what is
 * neither.
 */
export function parseEntryName(
  text: string,
): { readonly hash: string } | { readonly year: number; readonly index: number } | undefined {
  if (isHashText(text)) return { hash: text };
  const bytes = decodeHex(text.toLowerCase());
  if (bytes?.length === 32) return { hash: encodeBase64(bytes) };
  const [year, index, ...more] = text.split('/').map((field) => parseDecimal(field));
  return year !== undefined && index !== undefined && more.length === 0 ? { year, index } : undefined;
}

/** Leaf hash of the entry, base64; undefined where the log has none, or nothing was signed of it yet. */
async function hashOf(
  tx: ReadTx,
  name: NonNullable<ReturnType<typeof parseEntryName>>,
): Promise<string | undefined> {
  if ('hash' in name) return (await tx.commitByHash(name.hash))?.hash;
  const log = (await readYears(tx)).find(({ year }) => year === name.year);
  const last = await tx.lastCheckpoint(name.year);
  if (log === undefined || last === undefined || name.index >= last.size) return undefined;
  // Entry 0 may be the checkpoint of the year before, which is no commit.
  if (log.carried !== undefined && name.index === 0) return undefined;
  const [commit] = await tx.commitsFrom(commitOf(log, name.index), 1);
  return commit?.hash;
}

/**
 * Writes a remark; what was written before to the letter is held, so that a lost answer makes no second one. Undefined
 * where there is no such entry.
 *
 * @param text one line that `isProse` takes
 */
export async function annotate(
  store: Store,
  clock: Clock,
  { key, origin }: Signing,
  name: NonNullable<ReturnType<typeof parseEntryName>>,
  text: string,
): Promise<AnnotationWritten | undefined> {
  return store.transact(LOG_SHARD, async (tx) => {
    const of = await hashOf(tx, name);
    if (of === undefined) return undefined;
    const at = clock.now();
    const row = encodeHex(sha256(utf8(`${of}\n${text}`)));
    const before = await tx.getState(CORE, row);
    if (before !== undefined) return { result: 'held', leaf: before.value as string, of, at };
    const leaf = await append(tx, { key, at }, 'annot', formatAnnotationLeaf({ origin, of, at, text }));
    await tx.putState(CORE, row, 0, leaf);
    return { result: 'written', leaf, of, at };
  });
}
