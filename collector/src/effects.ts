/** Carries out what was decided: from the outbox alone, at least once, in order. The same path after a crash. */
import type { Clock } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import type { OutboxRow, Store, Tx } from './store/store.ts';

/** Rows taken up at once. */
const AT_ONCE = 100;

/** Does one effect, inside the transaction that also marks it done; doing it again must change nothing. */
export type Effect = (tx: Tx, row: OutboxRow, now: number) => Promise<void>;

/** Appends the payload to the feed under the row's key: repeated, it is the same event. */
const appendToFeed: Effect = async (tx, row, now) => {
  await tx.addEvent(row.key, now, row.payload as Readonly<Record<string, unknown>>);
};

const effects: Readonly<Record<string, Effect>> = { feed: appendToFeed };

/** Carries out all that waits in a shard's outbox. Returns how many were done; one that fails stays for later. */
export async function carryOut(store: Store, shard: string, clock: Clock, log: Logger): Promise<number> {
  const rows = await store.read(shard, (tx) => tx.outbox(AT_ONCE));
  let done = 0;
  for (const row of rows) {
    try {
      await store.transact(shard, async (tx) => {
        const effect = effects[row.kind];
        if (effect === undefined) throw new Error(`no effect is named ${row.kind}`);
        await effect(tx, row, clock.now());
        await tx.doneOutbox(row.key);
      });
      done += 1;
    } catch (error) {
      log.error({ err: error, key: row.key, kind: row.kind, attempts: row.attempts }, 'effect-failed');
      await store.transact(shard, (tx) => tx.retryOutbox(row.key));
      break;
    }
  }
  return done;
}
