/** What a restore leaves of the views: nothing that followed commits which are taken back. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dropDataDir, newDataDir } from '../../testing/house.ts';
import { LOG_SHARD } from '../../watched.ts';
import { cutCommits } from './snapshot.ts';
import { openSqliteStore } from './sqlite-store.ts';

it('what was made of commits goes with them, in every shard; the rest stays', async () => {
  const folder = newDataDir();
  const derived = ['ground', 'slots', 'conflicts'];
  const shards = [LOG_SHARD, 'service:web'];
  const before = openSqliteStore(folder);
  for (const shard of shards) {
    await before.transact(shard, async (tx) => {
      for (const core of [...derived, 'maintenance']) await tx.putState(core, 'all', 0, { of: core });
    });
  }
  await before.transact(LOG_SHARD, async (tx) => {
    for (const note of ['kept', 'cut']) {
      const hash = Buffer.alloc(32, note).toString('base64');
      await tx.addCommit({ kind: 'probe', at: 1, note, hash });
    }
  });
  await before[Symbol.asyncDispose]();

  expect(cutCommits(join(folder, 'store.db'), 1)).toEqual([{ note: 'cut' }]);
  const after = openSqliteStore(folder);
  for (const shard of shards) {
    const left = await after.read(shard, async (tx) => {
      const rows = await Promise.all([...derived, 'maintenance'].map((core) => tx.listState(core)));
      return rows.flat().map(({ value }) => value);
    });
    expect(left).toEqual([{ of: 'maintenance' }]);
  }
  expect(await after.read(LOG_SHARD, (tx) => tx.commitSize())).toBe(1);
  await after[Symbol.asyncDispose]();
  dropDataDir(folder);
});
