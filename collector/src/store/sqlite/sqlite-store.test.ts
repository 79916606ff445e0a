import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from './migrations.ts';
import { openWriter } from './open.ts';
import { openSqliteStore } from './sqlite-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highwater-sqlite-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function withHistory(): Promise<void> {
  await using store = openSqliteStore(folder);
  await store.transact('s', async (tx) => {
    await tx.addFrame({ probe: 'eu-1', epoch: 0, frame: 0, receivedAt: 1, note: 'n' });
    await tx.addCommit({
      kind: 'config',
      at: 1,
      note: 'n',
      hash: Buffer.alloc(32).toString('base64'),
      body: 'b',
    });
    await tx.addFlip({ id: 'f', subject: 's', at: 1, from: 'up', to: 'down', because: 'b' });
    await tx.addEvent('e', 1, {});
  });
}

describe('the sqlite store', () => {
  it('writes ahead and syncs fully on the connection that writes', () => {
    const db = openWriter(join(folder, 'store.db'));
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    db.close();
  });

  it('is refused when it cannot be made durable', () => {
    expect(() => openWriter(':memory:')).toThrow(/not durable: journal_mode is memory/);
  });

  it('is refused while another collector holds the folder, and free again afterwards', async () => {
    const first = openSqliteStore(folder);
    expect(() => openSqliteStore(folder)).toThrow(/another collector is using .*; stop it/);
    await first[Symbol.asyncDispose]();
    await openSqliteStore(folder)[Symbol.asyncDispose]();
  });

  it('refuses a file of a newer version', async () => {
    await openSqliteStore(folder)[Symbol.asyncDispose]();
    const db = new Database(join(folder, 'store.db'));
    db.pragma('user_version = 99');
    db.close();
    expect(() => openSqliteStore(folder)).toThrow(/newer version \(99\)/);
  });

  it.each(['frames', 'commits', 'flips', 'events'])('lets nobody change or delete %s', async (table) => {
    await withHistory();
    const db = new Database(join(folder, 'store.db'));
    expect(() => db.exec(`UPDATE ${table} SET shard = 9`)).toThrow(/append-only/);
    expect(() => db.exec(`DELETE FROM ${table}`)).toThrow(/append-only|kept until/);
    db.close();
  });

  it('keeps what an older version knew of monitors, streaks in rows of their own', async () => {
    const db = new Database(join(folder, 'store.db'));
    db.exec(String(migrations[0]));
    db.pragma('user_version = 1');
    db.exec(`INSERT INTO names VALUES (1, 's');
      INSERT INTO state VALUES (1, 'monitor', 'a/b/c', 7, '{"streaks":{"p-1":{"state":"ok"}},"verdict":{}}', 9);
      INSERT INTO state VALUES (1, 'incidents', 'all', 1, '{}', 9);`);
    db.close();
    await using store = openSqliteStore(folder);
    await store.read('s', async (tx) => {
      expect(await tx.getState('monitor', 'a/b/c')).toEqual({
        key: 'a/b/c',
        version: 7,
        value: { verdict: {} },
      });
      expect(await tx.listState('streak')).toEqual([
        { key: 'a/b/c p-1', version: 1, value: { state: 'ok' } },
      ]);
      expect(await tx.dueState(9, 9)).toEqual([{ core: 'incidents', key: 'all' }]);
    });
  });

  it('reads frames of versions before, whose notes are text, beside its own', async () => {
    await openSqliteStore(folder)[Symbol.asyncDispose]();
    const db = new Database(join(folder, 'store.db'));
    db.exec(`INSERT INTO names (name) VALUES ('s'), ('eu-1');
      INSERT INTO frames (shard, pos, probe, epoch, frame, received_at, note) VALUES (1, 1, 2, 0, 0, 1, 'old — note')`);
    db.close();
    await using store = openSqliteStore(folder);
    const added = {
      probe: 'eu-1',
      epoch: 0,
      frame: 1,
      receivedAt: 2,
      note: `new — ${'note '.repeat(1_000)}`,
    };
    await store.transact('s', (tx) => tx.addFrame(added));
    const frames = await store.read('s', (tx) => tx.framesAfter(0, 9));
    expect(frames.map(({ note }) => note)).toEqual(['old — note', added.note]);
  });

  it('forgets names that were rolled back', async () => {
    await using store = openSqliteStore(folder);
    const lost = store.transact('s', async (tx) => {
      await tx.putBlock('slots', 1, 'new', Uint8Array.of(1));
      throw new Error('boom');
    });
    await expect(lost).rejects.toThrow('boom');
    await store.transact('s', (tx) => tx.putBlock('slots', 1, 'new', Uint8Array.of(1)));
    expect(await store.read('s', (tx) => tx.blocks('slots', 0, 9))).toHaveLength(1);
  });
});
