/** A store of a version before, whose bodies are files and whose slots and tallies are tables, gets its views from the log. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { keepFileBody } from '../../bodies/files.ts';
import { migrations } from './migrations.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { dropDataDir, newDataDir } from '../../testing/house.ts';
import { memoryBlobs } from '../../testing/memory-blobs.ts';
import { blocksOf, clockAt, commit, declare, linesOf, NOW, watched } from '../../testing/small-house.ts';
import { LOG_SHARD } from '../../watched.ts';
import { openSlots } from '../../slots/slots.ts';

it('an upgraded store makes its views anew', async () => {
  const [now, old] = [newDataDir(), newDataDir()];
  const [blobs, files] = [memoryBlobs(), memoryBlobs()];
  const clock = clockAt(() => NOW);
  try {
    const store = openSqliteStore(now);
    const config = await declare(store);
    const batches = Map.groupBy(linesOf([0, 1, 3]), ({ probe, minute }) => `${probe} ${minute}`);
    for (const own of batches.values()) {
      const [{ probe, minute } = { probe: 0, minute: 0 }] = own;
      const lines = own.map(({ text }) => text);
      await commit(store, config, { probe, epoch: 0, number: minute, lines });
    }
    const slots = openSlots(watched, store, blobs, clock);
    await slots.beat();
    const made = await blocksOf(slots);
    expect(Object.keys(made).length).toBeGreaterThan(20);
    const size = await store.read(LOG_SHARD, (tx) => tx.commitSize());
    for (let index = 0; index < size; index += 1) {
      const held = await store.read(LOG_SHARD, (tx) => tx.heldBodies(index));
      for (const body of held ?? []) await keepFileBody(files, body);
    }
    await store[Symbol.asyncDispose]();

    // The version that had no bodies in rows: what it knew, beside slots and tallies that are not looked at.
    const before = migrations.findIndex((step) => typeof step === 'string' && step.includes('batch_minutes'));
    const db = new Database(join(old, 'store.db'));
    for (const step of migrations.slice(0, before)) db.exec(String(step));
    db.pragma(`user_version = ${before}`);
    db.exec(`ATTACH '${join(now, 'store.db')}' AS made;
      INSERT INTO names SELECT * FROM made.names;
      INSERT INTO meta SELECT * FROM made.meta;
      INSERT INTO commits SELECT * FROM made.commits ORDER BY idx;
      INSERT INTO state SELECT * FROM made.state WHERE core <> 'ground';`);
    for (const { id } of db.prepare<[], { id: number }>('SELECT id FROM names').all()) {
      for (const core of ['slots', 'methods', 'latency']) {
        db.prepare(
          `INSERT OR REPLACE INTO state (shard, core, key, version, value) VALUES (?, ?, 'all', 7, ?)`,
        ).run(id, core, '{"next":1000,"closed":1000000000}');
      }
      db.prepare('INSERT INTO slots VALUES (?, 1, 20000, 1, ?)').run(id, Buffer.alloc(1440, 1));
      db.prepare("INSERT INTO tallies VALUES (?, 1, 1, 1, 'x')").run(id);
    }
    db.close();

    const upgraded = openSqliteStore(old);
    const again = openSlots(watched, upgraded, files, clock);
    await again.beat();
    expect(await blocksOf(again)).toEqual(made);
    await upgraded[Symbol.asyncDispose]();
  } finally {
    dropDataDir(now);
    dropDataDir(old);
  }
});
