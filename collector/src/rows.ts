import type { Instant } from '@highwater/config/time.ts';
import type { ReadTx, Tx } from './store/store.ts';

interface Held {
  readonly version: number;
  readonly text: string;
}

/**
 * The state rows of one core of one shard, held in memory by their only writer. `set` stages; `save` writes what
 * was staged, inside the caller's transaction; `kept` says that the transaction was committed.
 * After a transaction that failed the rows must be loaded again.
 */
export class Rows<T> {
  readonly #core: string;
  readonly #values = new Map<string, T>();
  readonly #held = new Map<string, Held>();
  readonly #staged = new Map<string, { value: T; wakeAt: Instant | undefined }>();
  readonly #saved = new Map<string, Held>();

  constructor(core: string) {
    this.#core = core;
  }

  async load(tx: ReadTx): Promise<void> {
    for (const map of [this.#values, this.#held, this.#staged, this.#saved]) map.clear();
    for (const row of await tx.listState(this.#core)) {
      this.#values.set(row.key, row.value as T);
      this.#held.set(row.key, { version: row.version, text: '' });
    }
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  /** In the order in which they were first set. */
  entries(): IterableIterator<[string, T]> {
    return this.#values.entries();
  }

  set(key: string, value: T, wakeAt?: Instant | null): void {
    this.#values.set(key, value);
    this.#staged.set(key, { value, wakeAt: wakeAt ?? undefined });
  }

  async save(tx: Tx): Promise<void> {
    for (const [key, { value, wakeAt }] of this.#staged) {
      const held = this.#held.get(key);
      const text = `${wakeAt ?? ''} ${JSON.stringify(value)}`;
      if (held?.text === text) continue;
      const version = await tx.putState(this.#core, key, held?.version ?? 0, value, wakeAt);
      this.#saved.set(key, { version, text });
    }
  }

  async remove(tx: Tx, key: string): Promise<void> {
    this.#values.delete(key);
    this.#staged.delete(key);
    this.#held.delete(key);
    await tx.deleteState(this.#core, key);
  }

  kept(): void {
    for (const [key, held] of this.#saved) this.#held.set(key, held);
    this.#staged.clear();
    this.#saved.clear();
  }
}
