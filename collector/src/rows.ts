import type { Instant } from '@highwater/config/time.ts';
import type { ReadTx, Tx } from './store/store.ts';

interface Held {
  readonly version: number;
  /** What was written, as JSON; empty where every `set` is written. */
  readonly text: string;
}

/**
 * The state rows of one core of one shard, held in memory by their only writer. `set` stages; `save` writes what
 * was staged, inside the caller's transaction; `kept` says that the transaction was committed. When that is done is
 * the caller's: what is staged is in memory alone until then.
 * After a transaction that failed the rows must be loaded again.
 *
 * When a row is to be looked at again is held in memory alone: after a load every row is to be judged anew anyway.
 */
export class Rows<T> {
  readonly #core: string;
  readonly #essence: ((value: T) => unknown) | undefined;
  readonly #values = new Map<string, T>();
  readonly #held = new Map<string, Held>();
  readonly #staged = new Set<string>();
  readonly #saved = new Map<string, Held>();
  readonly #wakes = new Map<string, Instant>();
  /** No row is to be looked at before this. */
  #quietUntil: Instant = Infinity;

  /**
   * @param essence what of a value must outlive the process: a row is written when that has changed, and only that
   *   is written. Without it every `set` is written, whole.
   */
  constructor(core: string, essence?: (value: T) => unknown) {
    this.#core = core;
    this.#essence = essence;
  }

  /** `revive` makes a value of what was written. */
  async load(
    tx: ReadTx,
    revive: (key: string, written: unknown) => T = (_, value) => value as T,
  ): Promise<void> {
    for (const map of [this.#values, this.#held, this.#staged, this.#saved, this.#wakes]) map.clear();
    this.#quietUntil = Infinity;
    for (const row of await tx.listState(this.#core)) {
      this.#values.set(row.key, revive(row.key, row.value));
      const text = this.#essence === undefined ? '' : JSON.stringify(row.value);
      this.#held.set(row.key, { version: row.version, text });
    }
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  /** In the order in which they were first set. */
  entries(): IterableIterator<[string, T]> {
    return this.#values.entries();
  }

  /** Whether something waits to be saved. */
  get isStaged(): boolean {
    return this.#staged.size > 0;
  }

  set(key: string, value: T, wakeAt?: Instant | null): void {
    this.#staged.add(key);
    this.hold(key, value, wakeAt);
  }

  /** The same for a value of which nothing that lasts has changed: it need not be saved. */
  hold(key: string, value: T, wakeAt?: Instant | null): void {
    this.#values.set(key, value);
    if (wakeAt === undefined || wakeAt === null) {
      this.#wakes.delete(key);
    } else {
      this.#wakes.set(key, wakeAt);
      this.#quietUntil = Math.min(this.#quietUntil, wakeAt);
    }
  }

  /** When a row is to be looked at again; Infinity for never. */
  wakeOf(key: string): Instant {
    return this.#wakes.get(key) ?? Infinity;
  }

  /** Keys whose time to be looked at has come. Costs nothing until the first of them is due. */
  due(now: Instant): string[] {
    if (now < this.#quietUntil) return [];
    const due = [...this.#wakes].filter(([, at]) => at <= now).map(([key]) => key);
    // Found again until they are set anew: a look that fails must not lose them.
    if (due.length === 0) this.#quietUntil = Math.min(Infinity, ...this.#wakes.values());
    return due;
  }

  async save(tx: Tx): Promise<void> {
    for (const key of this.#staged) {
      const value = this.#values.get(key) as T;
      const held = this.#held.get(key);
      const written = this.#essence === undefined ? value : this.#essence(value);
      const text = this.#essence === undefined ? '' : JSON.stringify(written);
      if (text !== '' && held?.text === text) continue;
      const version = await tx.putState(this.#core, key, held?.version ?? 0, written);
      this.#saved.set(key, { version, text });
    }
  }

  async remove(tx: Tx, key: string): Promise<void> {
    this.#values.delete(key);
    this.#staged.delete(key);
    this.#held.delete(key);
    this.#wakes.delete(key);
    await tx.deleteState(this.#core, key);
  }

  kept(): void {
    for (const [key, held] of this.#saved) this.#held.set(key, held);
    this.#staged.clear();
    this.#saved.clear();
  }
}
