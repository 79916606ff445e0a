/**
 * What ties the logs of the years together: entry 0 of each but the first ever is the last checkpoint of the log before. An older
 * log of which leaves are in the bundle has to be the one that the newer log says it was.
 */
import type { SignedCheckpoint } from './checkpoints.ts';
import { names } from './files.ts';
import type { Problems } from './problems.ts';

interface Carried {
  /** Of the log that the checkpoint is of. */
  readonly year: number;
  readonly size: number;
  readonly root: string;
}

export class Ties {
  /** Of the year whose entry 0 it is. */
  readonly #carried = new Map<number, Carried>();
  /** Checkpoints of older logs that proofs of leaves are under. */
  readonly #older: {
    readonly file: string;
    readonly year: number;
    readonly size: number;
    readonly root: string;
  }[] = [];

  carry(into: number, of: number, { size, root }: SignedCheckpoint): void {
    this.#carried.set(into, { year: of, size, root });
  }

  /** A leaf of an older log than the part's first is proven under this checkpoint, by this file. */
  prove(file: string, year: number, { size, root }: SignedCheckpoint): void {
    this.#older.push({ file, year, size, root });
  }

  /** Once all entries are read: year by year, back from the first log of the part. */
  finish(problems: Problems, first: number): void {
    const known = new Map<number, Carried>();
    let end = first;
    for (
      let at = this.#carried.get(first);
      at !== undefined && at.year < end;
      at = this.#carried.get(at.year)
    ) {
      known.set(at.year, at);
      end = at.year;
    }
    const said = new Set<string>();
    for (const { file, year, size, root } of this.#older) {
      const own = known.get(year);
      if (own === undefined) {
        const wanted = names.leaf(end, 0);
        if (!said.has(wanted))
          problems.incomplete(
            wanted,
            `it is not here, or carries no checkpoint: nothing shows that the log ${year} is the one before`,
          );
        said.add(wanted);
      } else if (own.size !== size || own.root !== root)
        problems.mismatch(
          file,
          `its checkpoint is not the last one of the log ${year}, which the log after it carries`,
        );
    }
  }
}
