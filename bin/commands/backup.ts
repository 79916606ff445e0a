/** `highwater backup`: a copy of all that the log, the numbers and the alerts go on from, while everything runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { ownConfig } from '../backup-config.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { Exit, exitCode } from '../exit.ts';
import { commandLine, nearPath, quoted } from '../hint.ts';
import { callersFile, dataDir } from '../options.ts';
import { printJson, utc } from '../print.ts';
import { progressLine } from '../progress.ts';

interface BackupFlags extends CollectorFlags {
  readonly config?: string;
  /** Commander's form of --without-keys. */
  readonly withoutKeys?: boolean;
  readonly json?: boolean;
}

export function backupCommand(): Command {
  return new Command('backup')
    .description('copies all that is needed to go on: store, log, bodies, alerts, keys, configuration')
    .argument('<DIR>', 'a new folder, or one with a backup in it: then only what is new is copied')
    .option('--data <DIR>', "what to copy (HIGHWATER_DATA; default data in the program's folder)")
    .option(
      '--config <FILE>',
      'the configuration (default: the file that the collector runs, which is asked)',
    )
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--without-keys', 'no private keys and no token: keep those elsewhere, restore needs them')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
The collector and the alerts may run meanwhile. What probes on other machines hold is not in it, nor what they need.
Keys are in it: whoever reads the backup can sign as you.
Ends with 0 when the backup was made and checked, 1 when not, 2 when it was asked for wrongly.

Examples:
  highwater backup /mnt/other-disk/highwater
  highwater restore /mnt/other-disk/highwater --data /srv/highwater`,
    )
    .action(run);
}

async function run(dir: string, flags: BackupFlags): Promise<void> {
  const { makeBackup } = await import('../../collector/src/backup/make.ts');
  const { BackupProblem } = await import('../../collector/src/backup/problem.ts');
  const to = callersFile(dir);
  const data = dataDir(flags.data);
  // Without a store there is nothing to back up, which is told first.
  const config = existsSync(join(data, 'collector', 'store.db')) ? await ownConfig(flags) : undefined;
  const progress = progressLine();
  try {
    const made = await makeBackup({
      dataDir: data,
      dir: to,
      configFile: config?.file,
      withKeys: flags.withoutKeys !== true,
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      progress: progress.says,
    });
    progress.end();
    if (flags.json) return printJson({ ...made, configFile: config?.file });
    const { logs, commits, bodies, keys, origin } = made;
    const signed = logs.map(({ year, size }) => `${year}: ${size}`).join(', ');
    const lines = [
      `backed up ${origin} as of ${utc(made.at)} into ${nearPath(to)}`,
      `commits   ${commits}; entries signed by year: ${signed === '' ? 'none' : signed}`,
      `bodies    ${bodies.count}, ${made.added} of them new`,
      ...(config === undefined ? [] : [`config    ${nearPath(config.file)}`]),
      ...(config?.other === undefined
        ? []
        : [
            `          it is not what the log has, as of ${utc(config.other.at)}: changed, and not applied yet`,
          ]),
      keys.length === 0
        ? 'keys      not in it: keep keys and token of the data folder elsewhere; restore asks for them with --keys'
        : `keys      in it (${keys.join(', ')}): whoever reads this folder can sign as you`,
      ...(made.linked
        ? ['linked    on the same disk as the data: copy the folder elsewhere, or one broken disk takes both']
        : []),
      `restore   ${commandLine(`restore ${quoted(nearPath(to))} --data NEW_FOLDER`)}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    progress.end();
    if (!(error instanceof BackupProblem)) throw error;
    const code = error.kind === 'usage' ? exitCode.usage : exitCode.no;
    throw new Exit(code, `highwater: backup: ${error.message}; ${error.remedy}`, { cause: error });
  }
}
