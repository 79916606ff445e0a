import { ConflictError, type ReadTx, type StateRow, type Tx } from '../store.ts';
import type { Db } from './open.ts';

interface Row {
  key: string;
  version: number;
  value: string;
}
const decode = (row: Row): StateRow => ({
  key: row.key,
  version: row.version,
  value: JSON.parse(row.value) as unknown,
});

type Reads = Pick<ReadTx, 'getState' | 'listState' | 'dueState' | 'nextWake' | 'meta'>;
type Writes = Pick<Tx, 'putState' | 'deleteState' | 'initMeta'>;

/** Memories of decisions, and values that are written once. */
export function stateReads(db: Db): (shard: number) => Reads {
  const get = db.prepare<[number, string, string], Row>(
    'SELECT key, version, value FROM state WHERE shard = ? AND core = ? AND key = ?',
  );
  const list = db.prepare<[number, string], Row>(
    'SELECT key, version, value FROM state WHERE shard = ? AND core = ? ORDER BY key',
  );
  const due = db.prepare<[number, number, number], { core: string; key: string }>(
    'SELECT core, key FROM state WHERE shard = ? AND wake_at <= ? ORDER BY wake_at LIMIT ?',
  );
  const next = db
    .prepare<[number], number | null>(
      'SELECT min(wake_at) FROM state WHERE shard = ? AND wake_at IS NOT NULL',
    )
    .pluck();
  const meta = db
    .prepare<[number, string], string>('SELECT value FROM meta WHERE shard = ? AND key = ?')
    .pluck();
  return (shard) => ({
    async getState(core, key) {
      const row = get.get(shard, core, key);
      return row === undefined ? undefined : decode(row);
    },
    async listState(core) {
      return list.all(shard, core).map(decode);
    },
    async dueState(now, limit) {
      return due.all(shard, now, limit);
    },
    async nextWake() {
      return next.get(shard) ?? undefined;
    },
    async meta(key) {
      return meta.get(shard, key);
    },
  });
}

export function stateWrites(db: Db): (shard: number) => Writes {
  const insert = db.prepare(
    'INSERT INTO state (shard, core, key, version, value, wake_at) VALUES (?, ?, ?, 1, ?, ?) ON CONFLICT DO NOTHING',
  );
  const update = db.prepare(
    'UPDATE state SET version = version + 1, value = ?, wake_at = ? WHERE shard = ? AND core = ? AND key = ? AND version = ?',
  );
  const remove = db.prepare('DELETE FROM state WHERE shard = ? AND core = ? AND key = ?');
  const init = db.prepare('INSERT INTO meta (shard, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const meta = db
    .prepare<[number, string], string>('SELECT value FROM meta WHERE shard = ? AND key = ?')
    .pluck();
  return (shard) => ({
    async putState(core, key, version, value, wakeAt) {
      const text = JSON.stringify(value);
      const wake = wakeAt ?? null;
      const { changes } =
        version === 0
          ? insert.run(shard, core, key, text, wake)
          : update.run(text, wake, shard, core, key, version);
      if (changes !== 1) throw new ConflictError(`${core} ${key} is no longer at version ${version}`);
      return version + 1;
    },
    async deleteState(core, key) {
      remove.run(shard, core, key);
    },
    async initMeta(key, value) {
      init.run(shard, key, value);
      return meta.get(shard, key) ?? value;
    },
  });
}
