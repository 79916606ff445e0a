/** What is wrong with a bundle, gathered: the first of each kind are told, the others counted. */
import { MAX_PROBLEMS, type Problem, type Remark } from './check.ts';

/** How a bundle is called that has another operator's key than the reader knows. */
export const ANOTHER_KEY = 'it is of another key than yours';

/** What follows can't be read or makes no sense; what keeps it from that is among the problems. */
export class CannotGoOn extends Error {
  override name = 'CannotGoOn';
}

export class Problems {
  readonly #told: Problem[] = [];
  readonly #remarks: Remark[] = [];
  readonly #counts: Record<Problem['kind'], number> = { mismatch: 0, incomplete: 0 };
  #remarkCount = 0;

  get count(): number {
    return this.#counts.mismatch + this.#counts.incomplete;
  }

  mismatch(file: string, says: string): void {
    this.add({ kind: 'mismatch', file, says });
  }

  incomplete(file: string, says: string): void {
    this.add({ kind: 'incomplete', file, says });
  }

  add(problem: Problem): void {
    this.#counts[problem.kind] += 1;
    if (this.#counts[problem.kind] <= MAX_PROBLEMS) this.#told.push(problem);
  }

  /** What a reader should know, and what is no problem of the report. */
  remark(file: string, says: string): void {
    this.#remarkCount += 1;
    if (this.#remarkCount <= MAX_PROBLEMS) this.#remarks.push({ file, says });
  }

  /** Says so, and ends the reading. */
  fatal(kind: Problem['kind'], file: string, says: string): never {
    this.add({ kind, file, says });
    throw new CannotGoOn(says);
  }

  /** What was told, then how many more there are. */
  list(): Problem[] {
    const told = [...this.#told];
    for (const kind of ['mismatch', 'incomplete'] as const) {
      const more = this.#counts[kind] - MAX_PROBLEMS;
      const file = told.findLast((problem) => problem.kind === kind)?.file ?? '';
      if (more > 0) told.push({ kind, file, says: `and ${more} more like it, here or in other files` });
    }
    return told;
  }

  remarks(): Remark[] {
    const more = this.#remarkCount - MAX_PROBLEMS;
    const file = this.#remarks.at(-1)?.file ?? '';
    return more <= 0 ? [...this.#remarks] : [...this.#remarks, { file, says: `and ${more} more like it` }];
  }
}
