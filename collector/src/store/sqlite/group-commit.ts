import type { Db } from './open.ts';

/** One transaction that waits for its turn. */
interface Waiting {
  /** Does the work and keeps what it gave, or why it failed, until the commit has been made durable. */
  run(): Promise<void>;
  settle(): void;
  fail(error: unknown): void;
  /** What the work threw, if it did. */
  readonly failure: () => { readonly error: unknown } | undefined;
}

/** So many share one commit at most: the first of them must not wait long for the last. */
const AT_ONCE = 256;

/**
 * Transactions that are asked for while another one runs share the next COMMIT: with FULL each commit waits for the
 * disk, and a frame that touches eighty shards would wait eighty times. Each is still all or nothing by itself
 * (a savepoint), they run one after the other in the order asked, and none resolves before all are durable.
 *
 * @param rolledBack called when something was undone: what was cached of it is void
 */
export function groupCommit(db: Db, rolledBack: () => void): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: Waiting[] = [];
  let running = false;
  // Prepared: these run for every transaction.
  const sql = {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    savepoint: db.prepare('SAVEPOINT one'),
    release: db.prepare('RELEASE one'),
    undo: db.prepare('ROLLBACK TO one'),
  };

  const runOne = async (waiting: Waiting): Promise<void> => {
    sql.savepoint.run();
    await waiting.run();
    const failure = waiting.failure();
    if (failure === undefined) return void sql.release.run();
    rolledBack();
    // A full disk can end the whole transaction; then nothing of the group is left, for the same reason.
    if (!db.inTransaction) throw failure.error;
    sql.undo.run();
    sql.release.run();
  };

  /** Without a savepoint: what fails is undone with the whole transaction. */
  const runAlone = async (waiting: Waiting): Promise<void> => {
    await waiting.run();
    const failure = waiting.failure();
    if (failure !== undefined) throw failure.error;
  };

  const runGroup = async (group: readonly Waiting[]): Promise<void> => {
    const [first, ...more] = group;
    try {
      sql.begin.run();
      if (first !== undefined && more.length === 0) await runAlone(first);
      else for (const waiting of group) await runOne(waiting);
      sql.commit.run();
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      rolledBack();
      for (const waiting of group) waiting.fail(error);
    }
    for (const waiting of group) waiting.settle();
  };

  const drain = async (): Promise<void> => {
    await runGroup(queue.splice(0, AT_ONCE));
    if (queue.length > 0) begin();
    else running = false;
  };
  /** After the sockets that are ready have been read: what they brought shares a commit, and one alone hardly waits. */
  const begin = (): void => {
    setImmediate(() => void drain());
  };

  return (work) =>
    new Promise((resolve, reject) => {
      queue.push(waitingFor(work, resolve, reject));
      if (running) return;
      running = true;
      begin();
    });
}

function waitingFor<T>(
  work: () => Promise<T>,
  resolve: (result: T) => void,
  reject: (error: unknown) => void,
): Waiting {
  let outcome: { readonly result: T } | { readonly error: unknown } | undefined;
  return {
    async run() {
      try {
        outcome = { result: await work() };
      } catch (error) {
        outcome = { error };
      }
    },
    failure: () => (outcome !== undefined && 'error' in outcome ? outcome : undefined),
    /** The work's own error says more than that of the group it was in. */
    fail(error) {
      if (outcome === undefined || 'result' in outcome) outcome = { error };
    },
    settle() {
      if (outcome === undefined || 'error' in outcome) reject(outcome?.error);
      else resolve(outcome.result);
    },
  };
}
