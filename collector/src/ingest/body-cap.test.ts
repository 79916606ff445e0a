import { formatBatchText } from '@highwater/config/proof/batch.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player } from '../testing/player.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { batchIngest, MAX_BODY_BYTES } from './batches.ts';

const minute = 29_000_000;
const clock = { now: () => minute * MINUTE_MS, monotonic: () => 0 };

it.each([
  // One byte more is refused before anybody looks for lines; as many are asked for, since no frame has them.
  [MAX_BODY_BYTES, 428],
  [MAX_BODY_BYTES + 1, 413],
])('a batch that commits to %i bytes of bodies is answered %i', async (bytes, status) => {
  const folder = newDataDir();
  const { config, keys } = testHouse();
  const store = openSqliteStore(folder);
  try {
    const ingest = batchIngest(watch(config), store, clock, {
      committed: () => undefined,
      closed: () => undefined,
      conflict: () => undefined,
    });
    const eu = player(config.origin, keys.eu);
    const { batch } = eu.batch({ config: ZERO_HASH, minute });
    const half = Math.floor(bytes / 2);
    const bodies = [half, bytes - half].map((size, i) => ({
      service: `rpc${i}`,
      lines: 1,
      bytes: size,
      hash: Buffer.alloc(32, i).toString('base64'),
    }));
    const note = eu.sign(formatBatchText({ ...batch, bodies }));
    expect((await ingest.accept(note, {})).status).toBe(status);
    expect(await store.read(LOG_SHARD, (tx) => tx.commitSize())).toBe(0);
  } finally {
    await store[Symbol.asyncDispose]();
    dropDataDir(folder);
  }
});
