/**
 * This process's own small file: where it is in the feed, who was told what, and what is still to be sent.
 * Whatever was decided is on disk, with FULL, before anything is sent.
 */
import Database from 'better-sqlite3';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { alarmThreads } from '@highwater/config/alarm.ts';
import type { Message } from '@highwater/config/kinds.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { SilentProbe } from './decide/blind.ts';
import type { Ladder } from './decide/ladder.ts';

const migrations = [
  `
  -- One row: the last event handled. Absent before the first start.
  CREATE TABLE feed (id INTEGER PRIMARY KEY CHECK (id = 1), cursor INTEGER NOT NULL) STRICT;

  CREATE TABLE ladders (
    incident TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('open', 'held', 'over')),
    ladder TEXT NOT NULL,
    wake_at INTEGER,
    updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ladders_due ON ladders (wake_at) WHERE wake_at IS NOT NULL;

  CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Attempts begun: written before each one, so that a crash in it is seen.
    attempt INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead', 'superseded')),
    result TEXT,
    finished_at INTEGER
  ) STRICT;
  CREATE INDEX deliveries_pending ON deliveries (channel, thread, seq) WHERE state = 'pending';
  CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;

  CREATE TABLE threads (
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    receipt TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, thread)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE acknowledgements (
    incident TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (incident, at)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE silent_probes (
    probe TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    since INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Which history of the feed the cursor is of: a collector that was restored has another.
  ALTER TABLE feed ADD COLUMN history TEXT NOT NULL DEFAULT '';
  `,
];

export interface Pending {
  readonly seq: number;
  readonly key: string;
  readonly channel: string;
  readonly thread: string;
  readonly message: Message;
  readonly createdAt: Instant;
  readonly attempt: number;
  readonly nextAt: Instant;
}

interface DeliveryRow {
  seq: number;
  key: string;
  channel: string;
  thread: string;
  message: string;
  created_at: number;
  attempt: number;
  next_at: number;
}

export type Store = ReturnType<typeof openStore>;

/**
 * Opens `DATA/alerts/alerts.db`, for one process alone: two would tell everything twice.
 * Throws an Error that says what to do when another one has it or when it was made by a newer version.
 */
export function openStore(dataDir: string, now: Instant) {
  const folder = join(dataDir, 'alerts');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'alerts.db');
  const db = new Database(path, { timeout: 1_000 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    const full = 2;
    if (db.pragma('synchronous', { simple: true }) !== full) {
      throw new Error(`${path}: synchronous is not FULL, so an alert could be lost; it cannot be used`);
    }
    migrate(db, path, now);
  } catch (error) {
    db.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') {
      throw new Error(`${path} is in use by another alerts process; stop that one, or give this one --data`, {
        cause: error,
      });
    }
    throw error;
  }
  return statements(db);
}

function migrate(db: Database.Database, path: string, now: Instant): void {
  db.transaction(() => {
    db.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT',
    );
    const { version } = db.prepare('SELECT coalesce(max(version), 0) AS version FROM migrations').get() as {
      version: number;
    };
    if (version > migrations.length) {
      throw new Error(
        `${path} was made by a newer version of highwater (${version} > ${migrations.length}); use that one`,
      );
    }
    for (const [index, sql] of migrations.entries()) {
      if (index < version) continue;
      db.exec(sql);
      db.prepare('INSERT INTO migrations VALUES (?, ?)').run(index + 1, now);
    }
  }).immediate();
}

function statements(db: Database.Database) {
  const one = db.prepare<[string], { ladder: string }>('SELECT ladder FROM ladders WHERE incident = ?');
  const save = db.prepare(
    `INSERT INTO ladders (incident, state, ladder, wake_at, updated_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (incident) DO UPDATE SET state = excluded.state, ladder = excluded.ladder,
       wake_at = excluded.wake_at, updated_at = excluded.updated_at`,
  );
  const due = db.prepare<[number], { ladder: string }>(
    'SELECT ladder FROM ladders WHERE wake_at <= ? ORDER BY wake_at LIMIT 100',
  );
  const open = db.prepare<[], { ladder: string }>(
    "SELECT ladder FROM ladders WHERE state <> 'over' ORDER BY updated_at DESC",
  );
  const recent = db.prepare<[number], { ladder: string; wake_at: number | null }>(
    "SELECT ladder, wake_at FROM ladders ORDER BY state = 'over', updated_at DESC LIMIT ?",
  );
  const cursor = db.prepare<[], { cursor: number }>('SELECT cursor FROM feed');
  const move = db.prepare(
    'INSERT INTO feed (id, cursor) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor',
  );
  const history = db.prepare<[], string>('SELECT history FROM feed').pluck();
  const beginFeed = db.prepare('INSERT OR REPLACE INTO feed (id, cursor, history) VALUES (1, ?, ?)');
  const enqueue = db.prepare(
    `INSERT INTO deliveries (key, channel, thread, reason, message, created_at, next_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
  );
  const supersede = db.prepare(
    `UPDATE deliveries SET state = 'superseded', finished_at = ?
     WHERE state = 'pending' AND reason = 'changed' AND channel = ? AND thread = ?`,
  );
  // Of each thread only the oldest pending message may go, so that they arrive in order. Of those whose time has come,
  // alarms of the house wait for incidents: what may be many must not delay what the service is for.
  const heads = db.prepare<[string, number], DeliveryRow>(
    `SELECT seq, key, channel, thread, message, created_at, attempt, next_at FROM deliveries AS d
     WHERE state = 'pending' AND channel = ? AND NOT EXISTS (
       SELECT 1 FROM deliveries AS e
       WHERE e.state = 'pending' AND e.channel = d.channel AND e.thread = d.thread AND e.seq < d.seq)
     ORDER BY next_at > ?, thread LIKE '${alarmThreads}%', next_at, seq LIMIT 1`,
  );
  const begin = db.prepare('UPDATE deliveries SET attempt = attempt + 1 WHERE seq = ?');
  const finish = db.prepare('UPDATE deliveries SET state = ?, result = ?, finished_at = ? WHERE seq = ?');
  const later = db.prepare('UPDATE deliveries SET result = ?, next_at = ? WHERE seq = ?');
  const receipt = db.prepare<[string, string], { receipt: string }>(
    'SELECT receipt FROM threads WHERE channel = ? AND thread = ?',
  );
  const keep = db.prepare(
    `INSERT INTO threads VALUES (?, ?, ?, ?)
     ON CONFLICT (channel, thread) DO UPDATE SET receipt = excluded.receipt, at = excluded.at`,
  );
  const acknowledged = db.prepare('INSERT OR IGNORE INTO acknowledgements VALUES (?, ?, ?)');
  const silent = db.prepare('INSERT OR REPLACE INTO silent_probes VALUES (?, ?, ?)');
  const heard = db.prepare('DELETE FROM silent_probes WHERE probe = ?');
  const heardAll = db.prepare('DELETE FROM silent_probes');
  const silents = db.prepare<[], SilentProbe>(
    'SELECT probe, region, since FROM silent_probes ORDER BY probe',
  );
  const pendingOf = db.prepare<[string], { pending: number }>(
    "SELECT count(*) AS pending FROM deliveries WHERE state = 'pending' AND channel = ?",
  );
  const hasty = db.prepare(
    "UPDATE deliveries SET next_at = min(next_at, ?) WHERE state = 'pending' AND result LIKE 'held: %'",
  );
  const forgetDeliveries = db.prepare('DELETE FROM deliveries WHERE finished_at < ?');
  const forgetLadders = db.prepare("DELETE FROM ladders WHERE state = 'over' AND updated_at < ?");
  const forgetThreads = db.prepare(
    'DELETE FROM threads WHERE at < ? AND thread NOT IN (SELECT incident FROM ladders)',
  );
  const forgetAcknowledgements = db.prepare('DELETE FROM acknowledgements WHERE at < ?');
  const parse = (row: { ladder: string } | undefined) =>
    row === undefined ? undefined : (JSON.parse(row.ladder) as Ladder);

  return {
    /** All or nothing, and durable once it returns. */
    transact<T>(work: () => T): T {
      return db.transaction(work).immediate();
    },
    /** The last event handled; undefined before the first start. */
    cursor: () => cursor.get()?.cursor,
    moveCursor: (seq: number) => void move.run(seq),
    /** Which history the cursor is of; empty for the first of a collector. */
    history: () => history.get() ?? '',
    beginFeed: (seq: number, of: string) => void beginFeed.run(seq, of),
    ladder: (incident: string) => parse(one.get(incident)),
    saveLadder(ladder: Ladder, wakeAt: Instant | null, now: Instant) {
      save.run(ladder.incident.id, ladder.state, JSON.stringify(ladder), wakeAt, now);
    },
    /** At most 100 at a time, the most overdue first. */
    dueLadders: (now: Instant) => due.all(now).map((row) => JSON.parse(row.ladder) as Ladder),
    openLadders: () => open.all().map((row) => JSON.parse(row.ladder) as Ladder),
    /** Open ones first, then the newest. */
    recentLadders: (limit: number) =>
      recent.all(limit).map((row) => ({ ladder: JSON.parse(row.ladder) as Ladder, wakeAt: row.wake_at })),
    acknowledge: (incident: string, by: string, at: Instant) => void acknowledged.run(incident, by, at),

    probeSilent: (probe: SilentProbe) => void silent.run(probe.probe, probe.region, probe.since),
    probeHeard: (probe: string) => void heard.run(probe),
    allProbesHeard: () => void heardAll.run(),
    silentProbes: () => silents.all(),

    /** Once per key. A newer state takes the place of older ones that were not sent yet. */
    enqueue(channel: string, message: Message, now: Instant) {
      if (message.reason === 'changed' || message.reason === 'resolved') {
        supersede.run(now, channel, message.thread);
      }
      const { key, thread, reason } = message;
      enqueue.run(key, channel, thread, reason, JSON.stringify(message), now, now);
    },
    /** The message that this channel is to send next; its `nextAt` may lie ahead. */
    nextPending(channel: string, now: Instant): Pending | undefined {
      const row = heads.get(channel, now);
      if (row === undefined) return undefined;
      const { created_at: createdAt, next_at: nextAt, message, ...rest } = row;
      return { ...rest, createdAt, nextAt, message: JSON.parse(message) as Message };
    },
    beginAttempt: (seq: number) => void begin.run(seq),
    finish(seq: number, state: 'delivered' | 'dead', result: string, now: Instant) {
      finish.run(state, result, now, seq);
    },
    tryLater: (seq: number, result: string, nextAt: Instant) => void later.run(result, nextAt, seq),
    /** What was held for want of a working channel is tried again at once: at start, as it may be repaired. */
    tryHeldAgain: (now: Instant) => void hasty.run(now),
    receipt: (channel: string, thread: string) => receipt.get(channel, thread)?.receipt,
    keepReceipt: (channel: string, thread: string, text: string, at: Instant) =>
      void keep.run(channel, thread, text, at),
    pending: (channel: string) => pendingOf.get(channel)?.pending ?? 0,
    /** What is over and older than `before` goes. */
    forget(before: Instant) {
      db.transaction(() => {
        forgetDeliveries.run(before);
        forgetLadders.run(before);
        forgetThreads.run(before);
        forgetAcknowledgements.run(before);
      }).immediate();
    },
    close: () => void db.close(),
  };
}
