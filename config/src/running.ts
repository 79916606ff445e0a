/** What every role's start function gives back. */
export interface Running {
  /** Where it listens, `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Resolves once the role has drained after its signal was aborted; rejects when it failed for good. */
  readonly stopped: Promise<void>;
}
