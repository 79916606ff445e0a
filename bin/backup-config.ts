/** Which configuration belongs to a data folder: the one that its collector runs, and no other by mistake. */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@highwater/config/model.ts';
import { otherConfigIn, type NewestConfig } from '../collector/src/backup/newest-config.ts';
import { configPlaceOf, type CollectorFlags } from './collector-client.ts';
import { loadConfigFile, readConfig } from './config-file.ts';
import { Exit, exitCode } from './exit.ts';
import { nearPath } from './hint.ts';
import { localProbeIfMade } from './local-probe.ts';
import { otherHistory } from './operator-key.ts';
import { callersFile, configFile, dataDir } from './options.ts';

export interface OwnConfig {
  /** Absolute. */
  readonly file: string;
  /** The log has another one than this file holds. */
  readonly other: NewestConfig | undefined;
}

/**
 * The file that was named; else the one that the running collector says; else one that is just what the log has last.
 * Throws Exit (2) where there is none, or where it is of another log.
 */
export async function ownConfig(flags: CollectorFlags & { readonly config?: string }): Promise<OwnConfig> {
  const data = dataDir(flags.data);
  const file = flags.config === undefined ? await runBy(flags, data) : callersFile(flags.config);
  if (file === undefined) return alike(data);
  if (!existsSync(file)) {
    const message = `${nearPath(file)}: no such file, name the one that the collector runs with --config`;
    throw new Exit(exitCode.usage, `highwater: backup: ${message}`);
  }
  const config = readConfig(file);
  const history = otherHistory(config, data);
  if (history !== undefined) {
    const message = `${nearPath(file)} is another log's: ${history.says}; name its own with --config`;
    throw new Exit(exitCode.usage, `highwater: backup: ${message}`);
  }
  return { file, other: await otherThanLogged(data, config) };
}

async function runBy(flags: CollectorFlags, data: string): Promise<string | undefined> {
  const place = await configPlaceOf(flags);
  return place !== undefined && place.data === realpathSync(data) ? place.file : undefined;
}

async function alike(data: string): Promise<OwnConfig> {
  for (const file of [configFile(), join(data, 'config.yaml')]) {
    if (!existsSync(file)) continue;
    const loaded = loadConfigFile(file);
    if ('problems' in loaded || otherHistory(loaded.config, data) !== undefined) continue;
    if ((await otherThanLogged(data, loaded.config)) === undefined) return { file, other: undefined };
  }
  throw new Exit(
    exitCode.usage,
    `highwater: backup: no collector of ${nearPath(data)} answers that could say which configuration it runs; name the file with --config, or the collector with --collector`,
  );
}

/** Undefined too where this can't be known: the key of a probe that `up` made is part of the configuration. */
export async function otherThanLogged(data: string, declared: Config): Promise<NewestConfig | undefined> {
  const config = localProbeIfMade(declared, data);
  if (config.probes.length === 0) return undefined;
  return otherConfigIn(join(data, 'collector', 'store.db'), config);
}
