import type { EventRow, ReadTx, Tx } from '../store.ts';
import type { Db } from './open.ts';

type Reads = Pick<ReadTx, 'outbox' | 'outboxSize' | 'eventsAfter' | 'lastEventSeq'>;
type Writes = Pick<Tx, 'addOutbox' | 'doneOutbox' | 'retryOutbox' | 'addEvent'>;

/** What is still to be done, and the ordered feed that others follow. */
export function feedReads(db: Db): (shard: number) => Reads {
  const todo = db.prepare<[number, number], { key: string; kind: string; payload: string; attempts: number }>(
    'SELECT key, kind, payload, attempts FROM outbox WHERE shard = ? AND done = 0 ORDER BY seq LIMIT ?',
  );
  const size = db
    .prepare<[number], number>('SELECT count(*) FROM outbox WHERE shard = ? AND done = 0')
    .pluck();
  const after = db.prepare<[number, number, number], { seq: number; at: number; body: string }>(
    'SELECT seq, at, body FROM events WHERE shard = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const last = db
    .prepare<[number], number>('SELECT coalesce(max(seq), 0) FROM events WHERE shard = ?')
    .pluck();
  return (shard) => ({
    async outbox(limit) {
      return todo
        .all(shard, limit)
        .map(({ payload, ...row }) => ({ ...row, payload: JSON.parse(payload) as unknown }));
    },
    async outboxSize() {
      return size.get(shard) ?? 0;
    },
    async eventsAfter(seq, limit) {
      return after
        .all(shard, seq, limit)
        .map(({ body, ...row }) => ({ ...row, body: JSON.parse(body) as EventRow['body'] }));
    },
    async lastEventSeq() {
      return last.get(shard) ?? 0;
    },
  });
}

export function feedWrites(db: Db): (shard: number) => Writes {
  const add = db.prepare(
    `INSERT INTO outbox (shard, seq, key, kind, payload)
     VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const lastOutbox = db
    .prepare<[number], number>('SELECT coalesce(max(seq), 0) FROM outbox WHERE shard = ?')
    .pluck();
  const lastEvent = db
    .prepare<[number], number>('SELECT coalesce(max(seq), 0) FROM events WHERE shard = ?')
    .pluck();
  const done = db.prepare(`UPDATE outbox SET done = 1, payload = 'null' WHERE shard = ? AND key = ?`);
  const retry = db.prepare('UPDATE outbox SET attempts = attempts + 1 WHERE shard = ? AND key = ?');
  const known = db
    .prepare<[number, string], number>('SELECT seq FROM events WHERE shard = ? AND key = ?')
    .pluck();
  const append = db.prepare('INSERT INTO events (shard, seq, key, at, body) VALUES (?, ?, ?, ?, ?)');
  return (shard) => ({
    async addOutbox(key, kind, payload) {
      return (
        add.run(shard, (lastOutbox.get(shard) ?? 0) + 1, key, kind, JSON.stringify(payload)).changes === 1
      );
    },
    async doneOutbox(key) {
      done.run(shard, key);
    },
    async retryOutbox(key) {
      retry.run(shard, key);
    },
    async addEvent(key, at, body) {
      const have = known.get(shard, key);
      if (have !== undefined) return have;
      const seq = (lastEvent.get(shard) ?? 0) + 1;
      append.run(shard, seq, key, at, JSON.stringify(body));
      return seq;
    },
  });
}
