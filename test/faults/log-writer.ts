/**
 * A process with a store and a log and nothing else, to be killed: commits leaves and merges them as the collector does.
 *
 *   log-writer.ts DATA commit N    commits N leaves
 *   log-writer.ts DATA merge       merges what there is, and ends
 *   log-writer.ts DATA run         both, until it is killed
 *
 * Says `acknowledged HASH` once a leaf is durable, `ready` when it begins to work, `published` after each checkpoint.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { sha256 } from '@highwater/config/keys.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { openLog } from '../../collector/src/log/open.ts';
import { folderBlobs } from '../../collector/src/store/blobs/folder.ts';
import { openSqliteStore } from '../../collector/src/store/sqlite/sqlite-store.ts';
import { LOG_SHARD } from '../../collector/src/watched.ts';

export const logOrigin = 'log.test.invalid/log';

export async function openWriter(data: string) {
  const store = openSqliteStore(join(data, 'collector'));
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const log = await openLog({
    origin: logOrigin,
    store,
    blobs: folderBlobs(join(data, 'collector', 'blobs')),
    keysDir: join(data, 'keys'),
    clock,
    log: pino({ level: 'silent' }),
    alarm: ({ because }) => process.stdout.write(`alarm ${because}\n`),
    cleared: () => undefined,
  });
  const commit = async (): Promise<void> => {
    const note = `leaf ${randomBytes(8).toString('hex')}\n\n— nobody ${randomBytes(32).toString('base64')}\n`;
    const hash = leafHashOfNote(note, sha256);
    await store.transact(LOG_SHARD, (tx) => tx.addCommit({ kind: 'annot', at: clock.now(), note, hash }));
    process.stdout.write(`acknowledged ${hash}\n`);
  };
  const merge = async (): Promise<void> => {
    while (await log.beat()) process.stdout.write('published\n');
  };
  return { store, log, commit, merge };
}

async function main(data: string, mode: string, count: number): Promise<void> {
  const { store, commit, merge } = await openWriter(data);
  process.stdout.write('ready\n');
  if (mode === 'commit') for (let i = 0; i < count; i += 1) await commit();
  if (mode === 'merge') await merge();
  if (mode === 'run') {
    const forever = async (work: () => Promise<void>): Promise<never> => {
      for (;;) {
        await work();
        // Files are written by turns of their own.
        await new Promise((again) => setImmediate(again));
      }
    };
    await Promise.all([forever(commit), forever(merge)]);
  }
  await store[Symbol.asyncDispose]();
}

const [, file, data, mode, count] = process.argv;
if (file?.endsWith('log-writer.ts') && data !== undefined && mode !== undefined) {
  await main(data, mode, Number(count ?? 0));
}
