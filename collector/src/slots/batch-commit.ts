import { type Batch, parseBatchText } from '@highwater/config/proof/batch.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import type { CommitRow } from '../store/store.ts';

/** Every shard reads the same commits: the text of one is read once as long as the row is held. */
const read = new WeakMap<CommitRow, Batch>();

/** The batch in a commit; undefined for other kinds. Throws for one that was kept malformed, which is a bug. */
export function batchOf(commit: CommitRow): Batch | undefined {
  if (commit.kind !== 'batch') return undefined;
  const known = read.get(commit);
  if (known !== undefined) return known;
  const note = parseNote(commit.note);
  const batch = 'error' in note ? note : parseBatchText(note.text);
  if ('error' in batch) throw new Error(`commit ${commit.index} is malformed: ${batch.error}`);
  read.set(commit, batch);
  return batch;
}
