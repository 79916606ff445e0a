import type { Db } from './db.ts';

/** Which minutes the batches of a store from before that was kept have: their texts say it. */
function fillBatchMinutes(db: Db): void {
  const rows = db.prepare<[], { shard: number; idx: number; probe: number; note: string }>(
    `SELECT shard, idx, probe, note FROM commits WHERE kind = 'batch'`,
  );
  const add = db.prepare('INSERT INTO batch_minutes (shard, probe, last, idx, first) VALUES (?, ?, ?, ?, ?)');
  for (const { shard, idx, probe, note } of rows.all()) {
    const [, first, last] = /^minutes ([0-9]+) ([0-9]+)$/m.exec(note) ?? [];
    if (first !== undefined && last !== undefined) add.run(shard, probe, Number(last), idx, Number(first));
  }
}

/**
 * The shape of the store, as numbered steps. A step that was released never changes; a change is a new step.
 * Text ids are kept once in `names`, so that a row costs an integer. History tables refuse UPDATE and DELETE.
 */
export const migrations: readonly (string | ((db: Db) => void))[] = [
  `
  CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE meta (
    shard INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (shard, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE state (
    shard INTEGER NOT NULL, core TEXT NOT NULL, key TEXT NOT NULL,
    version INTEGER NOT NULL, value TEXT NOT NULL, wake_at INTEGER,
    PRIMARY KEY (shard, core, key)
  ) STRICT;
  CREATE INDEX state_wake ON state (shard, wake_at) WHERE wake_at IS NOT NULL;

  CREATE TABLE frames (
    shard INTEGER NOT NULL, pos INTEGER NOT NULL, probe INTEGER NOT NULL,
    epoch INTEGER NOT NULL, frame INTEGER NOT NULL, received_at INTEGER NOT NULL,
    note TEXT NOT NULL, details TEXT,
    UNIQUE (shard, pos), UNIQUE (shard, probe, epoch, frame)
  ) STRICT;
  CREATE INDEX frames_received ON frames (shard, received_at);
  CREATE TABLE frames_floor (
    shard INTEGER PRIMARY KEY, received_before INTEGER NOT NULL, pos INTEGER NOT NULL, last INTEGER NOT NULL
  ) STRICT;
  CREATE TRIGGER frames_keep BEFORE UPDATE ON frames
  BEGIN SELECT RAISE(ABORT, 'frames are append-only'); END;
  CREATE TRIGGER frames_hold BEFORE DELETE ON frames
  WHEN NOT EXISTS (
    SELECT 1 FROM frames_floor f
    WHERE f.shard = old.shard AND old.received_at < f.received_before AND old.pos <= f.pos
  )
  BEGIN SELECT RAISE(ABORT, 'frames are kept until batched and past retention'); END;

  CREATE TABLE commits (
    shard INTEGER NOT NULL, idx INTEGER NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
    hash BLOB NOT NULL, probe INTEGER, epoch INTEGER, number INTEGER, note TEXT NOT NULL, body TEXT,
    UNIQUE (shard, idx), UNIQUE (shard, hash)
  ) STRICT;
  CREATE INDEX commits_batch ON commits (shard, probe, epoch, number) WHERE probe IS NOT NULL;
  CREATE INDEX commits_kind ON commits (shard, kind, idx) WHERE kind <> 'batch';
  CREATE TRIGGER commits_keep BEFORE UPDATE ON commits
  BEGIN SELECT RAISE(ABORT, 'the commit sequence is append-only'); END;
  CREATE TRIGGER commits_hold BEFORE DELETE ON commits
  BEGIN SELECT RAISE(ABORT, 'the commit sequence is append-only'); END;

  CREATE TABLE flips (
    shard INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL,
    was TEXT NOT NULL, now TEXT NOT NULL, because TEXT NOT NULL,
    UNIQUE (shard, seq), UNIQUE (shard, id)
  ) STRICT;
  CREATE TRIGGER flips_keep BEFORE UPDATE ON flips BEGIN SELECT RAISE(ABORT, 'flips are append-only'); END;
  CREATE TRIGGER flips_hold BEFORE DELETE ON flips BEGIN SELECT RAISE(ABORT, 'flips are append-only'); END;

  CREATE TABLE tallies (
    shard INTEGER NOT NULL, monitor INTEGER NOT NULL, minute INTEGER NOT NULL, probe INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (shard, monitor, minute, probe)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE slots (
    shard INTEGER NOT NULL, subject INTEGER NOT NULL, day INTEGER NOT NULL,
    version INTEGER NOT NULL, block BLOB NOT NULL CHECK (length(block) = 1440),
    UNIQUE (shard, subject, day)
  ) STRICT;

  CREATE TABLE outbox (
    shard INTEGER NOT NULL, seq INTEGER NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
    payload TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (shard, key)
  ) STRICT;
  CREATE INDEX outbox_seq ON outbox (shard, seq);
  CREATE INDEX outbox_todo ON outbox (shard, seq) WHERE done = 0;

  CREATE TABLE events (
    shard INTEGER NOT NULL, seq INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (shard, seq), UNIQUE (shard, key)
  ) STRICT;
  CREATE TRIGGER events_keep BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the feed is append-only'); END;
  CREATE TRIGGER events_hold BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the feed is append-only'); END;
  `,
  // Streaks in rows of their own; when a live row is to be looked at again is no longer kept.
  `
  INSERT INTO state (shard, core, key, version, value)
    SELECT s.shard, 'streak', s.key || ' ' || streak.key, 1, streak.value
    FROM state s, json_each(s.value, '$.streaks') streak WHERE s.core = 'monitor';
  UPDATE state SET value = json_remove(value, '$.streaks') WHERE core = 'monitor';
  UPDATE state SET wake_at = NULL WHERE core IN ('monitor', 'node', 'service');
  `,
  // What explains a flip beyond its subject.
  `
  ALTER TABLE flips ADD COLUMN cause TEXT;
  `,
  // What was signed of each year's log.
  `
  CREATE TABLE checkpoints (
    shard INTEGER NOT NULL, year INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
    at INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (shard, year, size)
  ) STRICT;
  CREATE TRIGGER checkpoints_keep BEFORE UPDATE ON checkpoints
  BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
  CREATE TRIGGER checkpoints_hold BEFORE DELETE ON checkpoints
  BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
  `,
  // Bodies of a batch in one row until they are packed; views as blocks that can be made anew.
  `
  CREATE TABLE batch_minutes (
    shard INTEGER NOT NULL, probe INTEGER NOT NULL, last INTEGER NOT NULL, idx INTEGER NOT NULL, first INTEGER NOT NULL,
    PRIMARY KEY (shard, probe, last, idx)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE bodies (
    shard INTEGER NOT NULL, idx INTEGER NOT NULL, day INTEGER NOT NULL, block BLOB NOT NULL,
    UNIQUE (shard, idx)
  ) STRICT;
  CREATE TABLE body_places (
    shard INTEGER NOT NULL, prefix INTEGER NOT NULL, idx INTEGER NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (shard, prefix, idx, place)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE packs (
    shard INTEGER NOT NULL, day INTEGER NOT NULL, service INTEGER NOT NULL, part INTEGER NOT NULL,
    blob TEXT NOT NULL, commits BLOB NOT NULL, lines INTEGER NOT NULL, bytes INTEGER NOT NULL, body_bytes INTEGER NOT NULL,
    PRIMARY KEY (shard, day, service, part)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE blocks (
    shard INTEGER NOT NULL, view TEXT NOT NULL, period INTEGER NOT NULL, subject INTEGER NOT NULL, block BLOB NOT NULL,
    PRIMARY KEY (shard, view, period, subject)
  ) STRICT, WITHOUT ROWID;
  `,
  fillBatchMinutes,
  // Notes of frames compressed; of rows from before the text stays where it is.
  `
  ALTER TABLE frames ADD COLUMN packed BLOB;
  `,
  // Tallies are made of bodies when they are asked for, and slots are blocks: all views are made anew from the log.
  `
  DROP TABLE tallies;
  DROP TABLE slots;
  DELETE FROM blocks;
  DELETE FROM state WHERE core IN ('slots', 'methods', 'latency');
  `,
];
