import type { FlipRow, ReadTx, SlotDay, TallyEntry, Tx } from '../store.ts';
import type { Cause, Status } from '@highwater/config/domain.ts';
import type { Names } from './names.ts';
import type { Db } from './open.ts';

/** `due epoch number index bound config rest`, one a line, sorted: a set has one text. */
function encode(entries: readonly TallyEntry[]): string {
  const lines = entries.map(
    (e) => `${e.dueAt} ${e.epoch} ${e.number} ${e.index} ${e.boundMs} ${e.config} ${e.rest}`,
  );
  return [...new Set(lines)].sort().join('\n');
}

function decode(text: string): TallyEntry[] {
  if (text === '') return [];
  return text.split('\n').map((line) => {
    const [dueAt, epoch, number, index, boundMs, config, ...rest] = line.split(' ');
    return {
      dueAt: Number(dueAt),
      epoch: Number(epoch),
      number: Number(number),
      index: Number(index),
      boundMs: Number(boundMs),
      config: Number(config),
      rest: rest.join(' '),
    };
  });
}

type Reads = Pick<ReadTx, 'flipsAfter' | 'tallies' | 'slotDays'>;
type Writes = Pick<Tx, 'addFlip' | 'addTally' | 'putSlotDay'>;

/** What can be made again from the evidence: flips, tallies, slots. */
export function viewReads(db: Db, names: Names): (shard: number) => Reads {
  const flips = db.prepare<
    [number, number, number],
    {
      seq: number;
      id: string;
      subject: string;
      at: number;
      was: Status;
      now: Status;
      because: string;
      cause: Cause | null;
    }
  >(
    'SELECT seq, id, subject, at, was, now, because, cause FROM flips WHERE shard = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const tallies = db.prepare<
    [number, number, number, number],
    { probe: number; minute: number; entries: string }
  >(
    'SELECT probe, minute, entries FROM tallies WHERE shard = ? AND monitor = ? AND minute BETWEEN ? AND ? ORDER BY minute, probe',
  );
  const days = db.prepare<[number, number, number, number], { day: number; block: Buffer; version: number }>(
    'SELECT day, block, version FROM slots WHERE shard = ? AND subject = ? AND day BETWEEN ? AND ? ORDER BY day',
  );
  return (shard) => ({
    async flipsAfter(seq, limit) {
      return flips.all(shard, seq, limit).map(({ was, now, cause, ...flip }): FlipRow => ({
        ...flip,
        from: was,
        to: now,
        ...(cause !== null && { cause }),
      }));
    },
    async tallies(monitor, fromMinute, toMinute) {
      const id = names.find(monitor);
      if (id === undefined) return [];
      return tallies.all(shard, id, fromMinute, toMinute).map((row) => ({
        key: names.name(row.probe),
        minute: row.minute,
        entries: decode(row.entries),
      }));
    },
    async slotDays(subject, fromDay, toDay) {
      const id = names.find(subject);
      return id === undefined ? [] : (days.all(shard, id, fromDay, toDay) satisfies SlotDay[]);
    },
  });
}

export function viewWrites(db: Db, names: Names): (shard: number) => Writes {
  const flip = db.prepare(
    `INSERT INTO flips (shard, seq, id, subject, at, was, now, because, cause)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const lastFlip = db
    .prepare<[number], number>('SELECT coalesce(max(seq), 0) FROM flips WHERE shard = ?')
    .pluck();
  const have = db
    .prepare<[number, number, number, number], string>(
      'SELECT entries FROM tallies WHERE shard = ? AND monitor = ? AND minute = ? AND probe = ?',
    )
    .pluck();
  const tally = db.prepare(
    `INSERT INTO tallies (shard, monitor, minute, probe, entries) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET entries = excluded.entries`,
  );
  const day = db.prepare(
    `INSERT INTO slots (shard, subject, day, version, block) VALUES (?, ?, ?, 1, ?)
     ON CONFLICT DO UPDATE SET block = excluded.block, version = version + 1`,
  );
  return (shard) => ({
    async addFlip(f) {
      const seq = (lastFlip.get(shard) ?? 0) + 1;
      flip.run(shard, seq, f.id, f.subject, f.at, f.from, f.to, f.because, f.cause ?? null);
      return seq;
    },
    async addTally(monitor, key, minute, entries) {
      const [m, p] = [names.make(monitor), names.make(key)];
      const before = decode(have.get(shard, m, minute, p) ?? '');
      tally.run(shard, m, minute, p, encode([...before, ...entries]));
    },
    async putSlotDay(subject, dayNumber, block) {
      day.run(shard, names.make(subject), dayNumber, block);
    },
  });
}
