/** Keeps what was asked for last, as far as its sizes allow; what fails, or is not there, is not kept. */
export class Cache<T> {
  readonly #max: number;
  readonly #kept = new Map<string, { value: Promise<T>; size: number }>();
  #size = 0;
  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, make: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known.value;
    }
    const entry = { value: make(), size: 0 };
    this.#kept.set(key, entry);
    entry.value.then(
      (value) => {
        if (this.#kept.get(key) !== entry) return;
        if (value === undefined) {
          this.#kept.delete(key);
          return;
        }
        entry.size = sizeOf(value);
        this.#size += entry.size;
        this.#shrink();
      },
      () => this.#kept.delete(key),
    );
    return entry.value;
  }

  #shrink(): void {
    for (const [key, { size }] of this.#kept) {
      if (this.#size <= this.#max) return;
      this.#kept.delete(key);
      this.#size -= size;
    }
  }
}
