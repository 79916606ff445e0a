/** `highwater rebuild`: all views again from the log, compared with those that are there. */
import { Command } from 'commander';
import type { Rebuilt } from '../../collector/src/rebuild/rebuild.ts';
import { readConfig } from '../config-file.ts';
import { Exit, exitCode } from '../exit.ts';
import { commandLine, nearPath } from '../hint.ts';
import { localProbeIfMade } from '../local-probe.ts';
import { refuseOtherHistory } from '../operator-key.ts';
import { configFile, dataDir } from '../options.ts';
import { printJson } from '../print.ts';
import { progressLine } from '../progress.ts';
import { periodText } from '../period-text.ts';
import { timeLeft } from '../time-left.ts';

interface RebuildFlags {
  readonly config?: string;
  readonly data?: string;
  readonly check?: boolean;
  readonly json?: boolean;
}

/** Differences that are told one by one. */
const TOLD = 20;

export function rebuildCommand(): Command {
  return new Command('rebuild')
    .description('makes slots, totals, latencies and heads again from the log, and puts right what differs')
    .option('--check', 'changes nothing, only tells what differs')
    .option(
      '--config <FILE>',
      'the configuration (HIGHWATER_CONFIG; default config/highwater.yaml of the program)',
    )
    .option('--data <DIR>', "where the store is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
The collector must be stopped; what probes see meanwhile waits at the probes. Room for a second copy of the views is
needed in the data folder while it runs. It can be ended at any time and begun again.
Days whose bodies are gone (retention.bodies) can not be made again and stay as they are.
Days of which a pack of bodies is damaged stay as they are too, and are told: take the pack out of a backup.
Ends with 0 when all is equal, or was put right; with --check 1 when something differs; 1 when a pack is damaged.

Examples:
  highwater rebuild --check
  highwater rebuild --data /srv/highwater`,
    )
    .action(run);
}

async function run(flags: RebuildFlags): Promise<void> {
  const { rebuildViews } = await import('../../collector/src/rebuild/rebuild.ts');
  const { RebuildProblem } = await import('../../collector/src/rebuild/problem.ts');
  const data = dataDir(flags.data);
  const declared = readConfig(configFile(flags.config));
  refuseOtherHistory(declared, data, exitCode.usage);
  const progress = progressLine();
  const left = timeLeft(() => performance.now());
  const isCheck = flags.check === true;
  try {
    const rebuilt = await rebuildViews({
      dataDir: data,
      config: localProbeIfMade(declared, data),
      now: Date.now(),
      isCheck,
      progress: (done, all) => progress.says(`${done} of ${all} commits followed${left(done, all)}`),
    });
    progress.end();
    if (flags.json) printJson({ ...rebuilt, changed: !isCheck && rebuilt.differences.length > 0 });
    else process.stdout.write(`${rebuiltText(rebuilt, isCheck, data).join('\n')}\n`);
    if ((isCheck && rebuilt.differences.length > 0) || rebuilt.damaged.length > 0)
      process.exitCode = exitCode.no;
  } catch (error) {
    progress.end();
    if (!(error instanceof RebuildProblem)) throw error;
    throw new Exit(exitCode.usage, `highwater: rebuild: ${error.message}; ${error.remedy}`, { cause: error });
  }
}

export function rebuiltText(rebuilt: Rebuilt, isCheck: boolean, data: string): string[] {
  const { shards, commits, days, keptDays, damaged, differences } = rebuilt;
  const told = differences
    .slice(0, TOLD)
    .map(
      ({ found, view, period, subject }) =>
        `${found.padEnd(7)}   ${view} of ${periodText(view, period)}: ${subject}`,
    );
  const more = differences.length - told.length;
  return [
    `followed  ${commits} commits in ${shards} ${shards === 1 ? 'shard' : 'shards'}, ${days} ${days === 1 ? 'day' : 'days'}`,
    ...(keptDays === 0
      ? []
      : [`kept      ${keptDays} of these days: their bodies can not be read, so they stay as they are`]),
    ...damaged.map(
      ({ pack, service, day, says }) =>
        `damaged   pack of ${service}, ${periodText('slots', day)} (blobs/${pack}): ${says}`,
    ),
    ...told,
    ...(more > 0 ? [`          and ${more} more (--json tells all)`] : []),
    differences.length === 0
      ? keptDays === 0
        ? 'equal     every block is what the log gives, byte by byte'
        : `equal     the other ${days - keptDays} days: every block is what the log gives, byte by byte`
      : isCheck
        ? `differ    ${differences.length} blocks; ${commandLine('rebuild', { data })} puts them right`
        : `put right ${differences.length} blocks in ${nearPath(data)}`,
  ];
}
