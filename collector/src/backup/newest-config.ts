/** Whether a configuration file is the one that a store's log has last. */
import { sha256 } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseConfigLeaf } from '@highwater/config/proof/leaves.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import type { Instant } from '@highwater/config/time.ts';
import { readCopy } from '../store/sqlite/sqlite-store.ts';
import { LOG_SHARD } from '../watched.ts';

export interface NewestConfig {
  /** When its leaf was committed; about then, where it was taken over from what was published. */
  readonly at: Instant;
  /** Index of its leaf among all commits. */
  readonly index: number;
}

/**
 * The newest configuration leaf of the store in `file`, where it is another one than `config`; undefined where it is
 * the same, or where there is none. What is not public of a configuration is in no leaf, and not compared.
 * @param config as the collector runs it, with the probe of its machine
 */
export async function otherConfigIn(file: string, config: Config): Promise<NewestConfig | undefined> {
  return readCopy(file, LOG_SHARD, async (tx) => {
    const leaf = await tx.lastOfKind('config');
    const [seed, salt] = [await tx.meta('seed'), await tx.meta('salt')];
    if (leaf === undefined || seed === undefined || salt === undefined) return undefined;
    const projection = utf8(formatProjection(projectConfig(config, { seed, salt }, sha256)));
    const note = parseNote(leaf.note);
    const read = 'error' in note ? note : parseConfigLeaf(note.text);
    if (!('error' in read) && read.hash === encodeBase64(sha256(projection))) return undefined;
    return { at: leaf.at, index: leaf.index };
  });
}
