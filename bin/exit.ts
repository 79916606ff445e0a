/** How commands end. */

/** Exit codes that every command shares; CONTRACTS names those of single commands. */
export const exitCode = {
  ok: 0,
  /** The answer is no: not up, not ready. */
  no: 1,
  /** Wrong usage, or a config with mistakes. */
  usage: 2,
  /** Not in this version, or the collector was not reached. */
  unavailable: 3,
} as const;

/** Those of `verify`, by what it found (CONTRACTS "The command"). */
export const verifyExitCode = { good: 0, mismatch: 1, incomplete: 2, usage: 3 } as const;

/** What wrong usage of a command ends with. */
export function usageCodeOf(command: string | undefined): number {
  return command === 'verify' ? verifyExitCode.usage : exitCode.usage;
}

/** Ends the command with a message on standard error and an exit code; no stack is shown. */
export class Exit extends Error {
  override name = 'Exit';
  readonly code: number;
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
