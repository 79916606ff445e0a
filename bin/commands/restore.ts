/** `highwater restore`: a backup into an empty data folder, brought up to what was published, so that no log forks. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import type { Instant } from '@highwater/config/time.ts';
import { copyDurably, makeFolders } from '../../collector/src/backup/files.ts';
import type { Manifest } from '../../collector/src/backup/manifest.ts';
import type { Published } from '../../collector/src/backup/published.ts';
import type { Restored } from '../../collector/src/backup/restore.ts';
import { otherThanLogged } from '../backup-config.ts';
import { loadConfigFile, readConfig } from '../config-file.ts';
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
  readonly configOut?: string;
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
    .option('--config-out <FILE>', 'where to put the configuration (default: config.yaml in the data folder)')
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
    const copy = await configCopy(from, flags.configOut, to);
    folderOrRefuse(to);
    const restored = await restoreBackup({
      dir: from,
      dataDir: to,
      keysDir: flags.keys === undefined ? undefined : callersFile(flags.keys),
      published: flags.published === 'none' ? undefined : async (manifest) => sourceOf(from, manifest, flags),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      progress: progress.says,
    });
    progress.end();
    const config = copy && (await putConfig(copy, to, restored.manifest));
    if (flags.json) return printJson({ ...jsonOf(restored), ...(config && { config }) });
    process.stdout.write(`${text(restored, config, to).join('\n')}\n`);
  } catch (error) {
    progress.end();
    if (!(error instanceof BackupProblem)) throw error;
    const code = error.kind === 'usage' ? exitCode.usage : exitCode.no;
    throw new Exit(code, `highwater: restore: ${error.message}; ${error.remedy}`, { cause: error });
  }
}

interface ConfigCopy {
  readonly from: string;
  readonly to: string;
}

/** Out of the backup, so that nothing that is done to it later changes the backup. Throws where another file is there. */
async function configCopy(
  dir: string,
  out: string | undefined,
  data: string,
): Promise<ConfigCopy | undefined> {
  const { readManifest } = await import('../../collector/src/backup/check.ts');
  const { config } = await readManifest(dir);
  if (config === undefined) return undefined;
  const [from, to] = [
    join(dir, config.path),
    out === undefined ? join(data, 'config.yaml') : callersFile(out),
  ];
  if (!existsSync(to) || readFileSync(to).equals(readFileSync(from))) return { from, to };
  throw new Exit(
    exitCode.usage,
    `highwater: restore: ${nearPath(to)} is there and another one than in the backup; move it away, or name another place with --config-out`,
  );
}

function folderOrRefuse(path: string): void {
  try {
    makeFolders(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new Exit(exitCode.usage, `highwater: restore: ${nearPath(path)} can not be made (${code})`, {
      cause,
    });
  }
}

interface RestoredConfig {
  readonly file: string;
  /** When the log got a configuration that is another one than in the file. */
  readonly otherAt?: Instant;
  /** It came after the backup. */
  readonly isNewer?: boolean;
}

async function putConfig(
  { from, to }: ConfigCopy,
  data: string,
  { commits }: Manifest,
): Promise<RestoredConfig> {
  folderOrRefuse(dirname(to));
  await copyDurably(from, to);
  const loaded = loadConfigFile(to);
  const other = 'problems' in loaded ? undefined : await otherThanLogged(data, loaded.config);
  return { file: to, ...(other && { otherAt: other.at, isNewer: other.index >= commits }) };
}

function warning({ otherAt, isNewer }: RestoredConfig): string[] {
  if (otherAt === undefined) return [];
  const which = isNewer === true ? 'a newer configuration' : 'another configuration';
  return [
    `WARNING   the log has ${which}, of ${utc(otherAt)}; its file is not in the backup: compare before you start`,
  ];
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

function text(
  { manifest, taken, commits, damaged, alerts }: Restored,
  config: RestoredConfig | undefined,
  to: string,
): string[] {
  const missing = Object.entries(taken?.missing ?? {});
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
    ...(config === undefined
      ? []
      : [`config    ${nearPath(config.file)}, a copy of the one in the backup`, ...warning(config)]),
    `next      ${commandLine(`up${config === undefined ? '' : ` --config ${quoted(nearPath(config.file))}`} --data ${quoted(nearPath(to))}`)}`,
  ];
}
