/** A second text under a number is kept, and never had bodies: the day that it names is compared and mended all the same. */
import { join } from 'node:path';
import { sha256 } from '@highwater/config/keys.ts';
import { type Batch, formatBatchText, parseBatchText } from '@highwater/config/proof/batch.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { fill } from '../testing/filled.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';
import { rebuildViews } from './rebuild.ts';

/** Eight minutes before a midnight. */
const FROM = 20_000 * MINUTES_PER_DAY - 8;
const shard = 'chain:devnet';

function batchIn(note: string | undefined): Batch {
  const parsed = parseNote(note ?? '');
  const batch = 'error' in parsed ? parsed : parseBatchText(parsed.text);
  if ('error' in batch) throw new Error(batch.error);
  return batch;
}

it('a key that signs a second text takes no day from what is compared', async () => {
  const house = testHouse(20_000);
  const dataDir = newDataDir();
  onTestFinished(() => dropDataDir(dataDir));
  await fill(dataDir, house, { from: FROM, minutes: 20, random: () => 0.3 });
  const inStore = async (work: (store: Store) => Promise<void>): Promise<void> => {
    await using store = openSqliteStore(join(dataDir, 'collector'));
    await work(store);
  };
  await inStore(async (store) => {
    await store.transact(LOG_SHARD, async (tx) => {
      const all = await tx.commitsFrom(0, 1_000);
      const rows = all.filter(({ kind, note }) => kind === 'batch' && note.includes('probe eu-1'));
      const [old, last] = [batchIn(rows[0]?.note), batchIn(rows.at(-1)?.note)];
      // It names the first day and bodies that nobody has.
      const hash = Buffer.alloc(32, 7).toString('base64');
      const bodies = old.bodies.map((ref) => ({ ...ref, hash }));
      const note = house.keys.eu.sign(formatBatchText({ ...last, minutes: old.minutes, bodies }));
      const { probe, epoch, number } = last;
      const batch = { probe, epoch, number, minutes: old.minutes };
      const own = { kind: 'batch' as const, at: rows.at(-1)?.at ?? 0, note };
      await tx.addCommit({ ...own, hash: leafHashOfNote(note, sha256), batch });
    });
    await store.transact(shard, async (tx) => {
      const [slots] = await tx.blocks('slots', 0, 2 ** 40);
      if (slots === undefined) throw new Error('nothing was counted');
      await tx.dropBlock('slots', slots.period, slots.subject);
      // The views there have taken the text in.
      const row = await tx.getState('slots', 'all');
      const state = row?.value as { next: number };
      await tx.putState('slots', 'all', row?.version ?? 0, { ...state, next: state.next + 1 });
    });
  });
  const now = (FROM + 60) * MINUTE_MS;
  const { config } = house;
  const told = await rebuildViews({ dataDir, config, now, isCheck: true, progress: () => undefined });
  expect(told.keptDays).toBe(0);
  expect(told.differences).toContainEqual(expect.objectContaining({ view: 'slots', found: 'missing' }));
});
