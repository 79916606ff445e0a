/** The operator's key is named after the log of the config: what to say when a data folder has another history. */
import { existsSync } from 'node:fs';
import { loadSigningKey } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { Exit, exitCode } from './exit.ts';
import { operatorKeyFile } from './local-probe.ts';

/** What does not fit, and what to do; undefined where the key has the name of the config's log, or is not there. */
export interface OtherHistory {
  readonly says: string;
  readonly remedy: string;
}

/** Throws KeyError where the key cannot be used at all. */
export function otherHistory(config: Config, dataDir: string): OtherHistory | undefined {
  const file = operatorKeyFile(dataDir);
  if (!existsSync(file)) return undefined;
  const { name } = loadSigningKey(file);
  if (name === config.origin) return undefined;
  return {
    says: `the history in ${dataDir} is of ${name}, this config is for ${config.origin}`,
    remedy: `to go on with that history add this line to the config: log: { origin: "${name}" }; to begin a new one give it another folder with --data DIR`,
  };
}

/** Before anything starts. Throws Exit where the history is another one; with 2 where 1 is an answer of the command. */
export function refuseOtherHistory(config: Config, dataDir: string, code: number = exitCode.no): void {
  const other = otherHistory(config, dataDir);
  if (other) throw new Exit(code, `highwater: ${other.says}; ${other.remedy}`);
}
