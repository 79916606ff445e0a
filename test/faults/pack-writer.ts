/**
 * A process that packs what is over by a given time, or lets go of packs that are too old by then, and ends: to be killed.
 *
 *   pack-writer.ts DATA NOW_MS [KEPT_MS]     with KEPT_MS it lets go of days that are older
 *
 * Says `ready` when it begins to work, and one line for each object that has its row.
 */
import { join } from 'node:path';
import { pino } from 'pino';
import { openPacking } from '../../collector/src/packing/packing.ts';
import { dropOldPacks } from '../../collector/src/retention/bodies.ts';
import { folderBlobs } from '../../collector/src/store/blobs/folder.ts';
import { openSqliteStore } from '../../collector/src/store/sqlite/sqlite-store.ts';

const [, , data = '', nowText = '', keptText] = process.argv;
const now = Number(nowText);
const folder = join(data, 'collector');
const clock = { now: () => now, monotonic: () => performance.now() };
await using store = openSqliteStore(folder);
const blobs = folderBlobs(join(folder, 'blobs'));
process.stdout.write('ready\n');
if (keptText !== undefined) await dropOldPacks(store, blobs, Number(keptText), now);
else {
  const figures = {
    objects: 0,
    lines: 0,
    bytes: 0,
    bodyBytes: 0,
    failed: 0,
    droppedPacks: 0,
    droppedBlocks: 0,
  };
  const log = pino({ level: 'info' }, process.stdout);
  await openPacking(folder, store, blobs, clock, log, figures).turn();
}
