/** A folder of a bench, which goes with it: also when it is stopped by a signal, for what a bench fills is large. */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Folder extends Disposable {
  readonly path: string;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function benchFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'highwater-bench-'));
  // Who writes into it may not have ended yet.
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  const stop = (name: NodeJS.Signals): void => process.exit(128 + constants.signals[name]);
  process.on('exit', remove);
  for (const name of signals) process.on(name, stop);
  return {
    path,
    [Symbol.dispose]() {
      process.off('exit', remove);
      for (const name of signals) process.off(name, stop);
      remove();
    },
  };
}
