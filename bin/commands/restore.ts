/** `highwater restore`: a backup into an empty data folder, brought up to what was published, so that no log forks. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Manifest } from '../../collector/src/backup/manifest.ts';
import type { Published } from '../../collector/src/backup/published.ts';
import type { Restored } from '../../collector/src/backup/restore.ts';
import { readConfig } from '../config-file.ts';
import { Exit, exitCode } from '../exit.ts';
import { commandLine, nearPath, quoted } from '../hint.ts';
import { callersFile, configFile, dataDir } from '../options.ts';
import { printJson, utc } from '../print.ts';
import { progressLine } from '../progress.ts';
import { publishedAt } from '../published.ts';

interface RestoreFlags {
  readonly data?: string;
  readonly config?: string;
  readonly published?: string;
  readonly keys?: string;
  readonly json?: boolean;
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('puts a backup into an empty data folder, brought up to what was published')
    .argument('<DIR>', 'a folder that highwater backup made')
    .option('--data <DIR>', "where to (HIGHWATER_DATA; default data in the program's folder)")
    .option(
      '--published <URL>',
      'where the log is published: the part before /YEAR/checkpoint (default: site.url of the configuration, with /log); none says that nobody has seen anything newer than the backup',
    )
    .option('--config <FILE>', 'the configuration that names the page (default: the one in the backup)')
    .option('--keys <DIR>', 'a folder with operator.key and the keys of the logs, where the backup has none')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Before anything is signed again, all that was published since the backup is taken over from there and verified: what
somebody has seen stays so. Stop the collector that the backup is of first, if it still runs anywhere.
Ends with 0 when it was restored, 1 when not, 2 when it was asked for wrongly; then there is no store in the folder.

Examples:
  highwater restore /mnt/other-disk/highwater --data /srv/highwater
  highwater restore /mnt/other-disk/highwater --published https://status.example.com/log`,
    )
    .action(run);
}

async function run(dir: string, flags: RestoreFlags): Promise<void> {
  const { restoreBackup } = await import('../../collector/src/backup/restore.ts');
  const { BackupProblem } = await import('../../collector/src/backup/problem.ts');
  const from = callersFile(dir);
  const to = dataDir(flags.data);
  const progress = progressLine();
  try {
    const restored = await restoreBackup({
      dir: from,
      dataDir: to,
      keysDir: flags.keys === undefined ? undefined : callersFile(flags.keys),
      published: flags.published === 'none' ? undefined : async (manifest) => sourceOf(from, manifest, flags),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      progress: progress.says,
    });
    progress.end();
    if (flags.json) return printJson(jsonOf(restored));
    process.stdout.write(`${text(restored, from, to).join('\n')}\n`);
  } catch (error) {
    progress.end();
    if (!(error instanceof BackupProblem)) throw error;
    const code = error.kind === 'usage' ? exitCode.usage : exitCode.no;
    throw new Exit(code, `highwater: restore: ${error.message}; ${error.remedy}`, { cause: error });
  }
}

function sourceOf(dir: string, { origin, config: backed }: Manifest, flags: RestoreFlags): Published {
  if (flags.published !== undefined) return publishedAt(flags.published);
  const file =
    flags.config === undefined && backed !== undefined ? join(dir, backed.path) : configFile(flags.config);
  if (!existsSync(file)) {
    throw new Exit(
      exitCode.usage,
      'highwater: restore: the backup has no configuration that names the page; write --published URL',
    );
  }
  const config = readConfig(file);
  if (config.origin !== origin) {
    throw new Exit(
      exitCode.usage,
      `highwater: restore: ${nearPath(file)} is for ${config.origin}, the backup of ${origin}; name the right one with --config`,
    );
  }
  return publishedAt(`${config.site.url.replace(/\/+$/, '')}/log`);
}

function jsonOf({ manifest, taken, commits, damaged, alerts }: Restored) {
  const logs = taken?.logs.map(({ year, checkpoint, ageS }) => ({
    year,
    size: checkpoint.size,
    root: checkpoint.root,
    ...(ageS === undefined ? {} : { cachedForS: ageS }),
  }));
  return {
    origin: manifest.origin,
    at: manifest.at,
    commits,
    published: logs ?? 'none',
    added: taken?.added ?? 0,
    again: taken?.again ?? 0,
    missing: taken?.missing ?? {},
    damaged,
    alerts,
  };
}

function text({ manifest, taken, commits, damaged, alerts }: Restored, from: string, to: string): string[] {
  const missing = Object.entries(taken?.missing ?? {});
  const config = manifest.config === undefined ? undefined : join(from, manifest.config.path);
  return [
    `restored ${manifest.origin} as of ${utc(manifest.at)} into ${nearPath(to)}: ${commits} commits`,
    taken === undefined
      ? 'published not asked: you say that nobody has seen anything newer'
      : `published ${taken.added} commits were taken over from there${taken.again === 0 ? '' : `; ${taken.again} of the backup, which were not signed yet, come after them`}`,
    ...(taken?.logs ?? []).map(
      ({ year, checkpoint, ageS }) =>
        `believed  the log of ${year} has ${checkpoint.size} entries where it is published${ageS === undefined ? '' : `, as of ${ageS} s ago (a cache's answer)`}; a newer checkpoint that somebody has seen stops the signing`,
    ),
    ...(missing.length === 0
      ? []
      : [
          `missing   bodies neither in the backup nor published, unknown in the numbers: ${missing.map(([service, count]) => `${service} ${count}`).join(', ')}`,
        ]),
    ...(damaged.length === 0
      ? []
      : [`damaged   ${damaged.length} bodies of the backup, left out: ${damaged.slice(0, 3).join(', ')}`]),
    `alerts    ${alerts ? 'restored; they begin anew with what is open' : 'none in the backup, or some here already, which stay'}`,
    ...(config === undefined ? [] : [`config    ${nearPath(config)} is the one of the backup`]),
    `next      ${commandLine(`up${config === undefined ? '' : ` --config ${quoted(nearPath(config))}`} --data ${quoted(nearPath(to))}`)}`,
  ];
}
