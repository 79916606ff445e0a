/** What a person needs to know about one fault. */
export interface FaultMeaning {
  /** What happened, in a sentence. */
  readonly means: string;
  /** What usually causes it and what to look at. */
  readonly look: string;
}

/** `source.operation.code`, as a line carries it. */
export type FaultId = string;

export type FaultMeanings = Readonly<Record<FaultId, FaultMeaning>>;
