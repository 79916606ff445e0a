/** Where the chains come from that have batches in a report's part of the log: the batches before its first ones. */
import { batchOf } from '../slots/batch-commit.ts';
import { signerOf } from '../signer.ts';
import type { CommitRow, ReadTx } from '../store/store.ts';

const AT_ONCE = 512;

/**
 * Commit indexes of the batches that come before the first ones of the part: whoever reads the report sees with them that no batch
 * of the month is before it. Of chains that begin before the month nothing is to be shown.
 *
 * @param from first commit of the part
 * @param end behind its last one
 * @param firstMinute of the month
 */
export async function chainBegins(
  tx: ReadTx,
  from: number,
  end: number,
  firstMinute: number,
): Promise<number[]> {
  /** By key and epoch, the lowest number. */
  const first = new Map<string, CommitRow>();
  for (let at = from; at < end;) {
    const commits = await tx.commitsFrom(at, Math.min(AT_ONCE, end - at));
    const last = commits.at(-1);
    if (last === undefined) break;
    at = last.index + 1;
    for (const commit of commits) {
      if (commit.batch === undefined) continue;
      const chain = `${signerOf(commit.note)} ${commit.batch.epoch}`;
      const known = first.get(chain)?.batch;
      if (known === undefined || commit.batch.number < known.number) first.set(chain, commit);
    }
  }
  const begins: number[] = [];
  for (const commit of first.values()) {
    const batch = batchOf(commit);
    if (batch === undefined || batch.minutes.first < firstMinute) continue;
    const { probe, epoch, number, gaps } = batch;
    const before = (gaps.find(({ last }) => last === number - 1)?.first ?? number) - 1;
    if (before < 0) continue;
    const signer = signerOf(commit.note);
    const found = (await tx.batches(probe, epoch, before)).find(({ note }) => signerOf(note) === signer);
    if (found !== undefined) begins.push(found.index);
  }
  return begins;
}
