/**
 * Why nothing is signed: what was found, where, and what a person does about it. Signing on would show two histories to
 * different readers, which nothing afterwards could take back; the rest of the collector goes on without it.
 */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly remedy: string;
  constructor(because: string, remedy: string) {
    super(because);
    this.remedy = remedy;
  }
}

/** Where this store is not the one that signed last. */
export const RESTORE =
  'if this data folder is a copy and the original still runs, stop this collector: the original goes on; ' +
  'otherwise stop every collector that writes this log, and bring back the newest copy of its data with: ' +
  'highwater restore DIR --published URL; where there is none, the log can not be continued: begin a new one in an empty data folder, under another origin';
