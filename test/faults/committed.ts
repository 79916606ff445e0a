/** Bodies of batches by the hash that they are committed to by: as the public asks for them, and as a store has them. */
import { createHash } from 'node:crypto';
import { readCopy } from '../../collector/src/store/sqlite/sqlite-store.ts';
import { LOG_SHARD } from '../../collector/src/watched.ts';

const ALL = 2 ** 40;

/**
 * A body of a public service, asked for by its hash (base64); undefined when the collector has none. Throws for one that
 * has another hash.
 */
export async function publicBody(url: string, hash: string): Promise<string | undefined> {
  const hex = Buffer.from(hash, 'base64').toString('hex');
  const year = new Date().getUTCFullYear();
  const answer = await fetch(`${url}/log/${year}/body/${hex}`, { signal: AbortSignal.timeout(30_000) });
  const text = await answer.text();
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`body ${hex}: ${answer.status} ${text}`);
  if (createHash('sha256').update(text).digest('hex') !== hex) throw new Error(`body ${hex} is another one`);
  return text;
}

/** Lines of all bodies that a store holds in rows, whoever has it open. Throws for a body that has another hash. */
export async function heldLines(storeFile: string): Promise<string[]> {
  return readCopy(storeFile, LOG_SHARD, async (tx) => {
    const lines: string[] = [];
    for (const { index, batch } of await tx.commitsFrom(0, ALL)) {
      if (batch === undefined) continue;
      for (const { hash, text } of (await tx.heldBodies(index)) ?? []) {
        if (createHash('sha256').update(text).digest('base64') !== hash) {
          throw new Error(`body ${hash} of batch ${index} is another one`);
        }
        lines.push(...text.trimEnd().split('\n'));
      }
    }
    return lines;
  });
}

/** Notes of a store's frames, whoever has it open. */
export const frameNotes = (storeFile: string): Promise<Set<string>> =>
  readCopy(
    storeFile,
    LOG_SHARD,
    async (tx) => new Set((await tx.framesAfter(0, ALL)).map(({ note }) => note)),
  );
