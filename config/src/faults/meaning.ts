/** What a person needs to know about one fault. */
export interface FaultMeaning {
  /** What happened, in a sentence. */
  readonly means: string;
  /** What to look at, in a sentence or two. */
  readonly look: string;
  /** What usually is behind it, the most frequent first: two to four, each a part of a sentence. */
  readonly causes: readonly [string, ...string[]];
}

/** `source.operation.code`, as a line carries it. */
export type FaultId = string;

export type FaultMeanings = Readonly<Record<FaultId, FaultMeaning>>;
