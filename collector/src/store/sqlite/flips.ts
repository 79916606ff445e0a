import type { FlipRow, ReadTx, Tx } from '../store.ts';
import type { Cause, Status } from '@highwater/config/domain.ts';
import type { Db } from './db.ts';

type Reads = Pick<ReadTx, 'flipsAfter'>;
type Writes = Pick<Tx, 'addFlip'>;

/** Changes of status, as they were decided. */
export function flipReads(db: Db): (shard: number) => Reads {
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
  return (shard) => ({
    async flipsAfter(seq, limit) {
      return flips.all(shard, seq, limit).map(({ was, now, cause, ...flip }): FlipRow => ({
        ...flip,
        from: was,
        to: now,
        ...(cause !== null && { cause }),
      }));
    },
  });
}

export function flipWrites(db: Db): (shard: number) => Writes {
  const flip = db.prepare(
    `INSERT INTO flips (shard, seq, id, subject, at, was, now, because, cause)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const lastFlip = db
    .prepare<[number], number>('SELECT coalesce(max(seq), 0) FROM flips WHERE shard = ?')
    .pluck();
  return (shard) => ({
    async addFlip(f) {
      const seq = (lastFlip.get(shard) ?? 0) + 1;
      flip.run(shard, seq, f.id, f.subject, f.at, f.from, f.to, f.because, f.cause ?? null);
      return seq;
    },
  });
}
