/** `highwater config`: judges a config, and says what one may hold. */
import { Command } from 'commander';
import { configReference } from '@highwater/config/docs.ts';
import { formatProblem } from '@highwater/config/load.ts';
import type { Loaded, Problem } from '@highwater/config/load.ts';
import { configJsonSchema } from '@highwater/config/json-schema.ts';
import { appliedText } from '../applied-text.ts';
import { applyToCollector, reloadCollector, type CollectorFlags } from '../collector-client.ts';
import { loadConfigFile, readConfigText } from '../config-file.ts';
import { crowded } from '../crowded.ts';
import { plainWitnesses } from '../plain-witness.ts';
import { Exit, exitCode } from '../exit.ts';
import { nearPath } from '../hint.ts';
import { callersFile, configFile } from '../options.ts';
import { printJson } from '../print.ts';
import { tables } from '../tables.ts';

export function configCommand(): Command {
  const command = new Command('config').description('check a config file, or print what one may hold');
  command
    .command('check')
    .description('every mistake at once: FILE:LINE:COL path: value: what is wrong, what to write instead')
    .argument('[FILE]', 'the file (HIGHWATER_CONFIG; default config/highwater.yaml of the program)')
    .option('--config <FILE>', 'the same as FILE')
    .option('--json', 'the mistakes, or what is watched, as JSON')
    .addHelpText(
      'after',
      `
Ends with 0 when the file is good and 2 when it is not; a warning is no mistake. Reads nothing but the file: no network, no secret.

Examples:
  highwater config check
  highwater config check my.yaml
  highwater config check my.yaml --json`,
    )
    .action((file: string | undefined, options: { config?: string; json?: boolean }) =>
      check(file ?? options.config, options.json ?? false),
    );
  command
    .command('schema')
    .description('the JSON Schema of a config file, for editors')
    .addHelpText('after', '\nExample:\n  highwater config schema > highwater.schema.json')
    .action(() => printJson(configJsonSchema(tables)));
  command
    .command('docs')
    .description('the reference of every key, in Markdown: docs/config.md')
    .addHelpText('after', '\nExample:\n  highwater config docs > docs/config.md')
    .action(() => void process.stdout.write(configReference(tables)));
  command
    .command('apply')
    .description('loads a config into a running collector: all of it, from the next minute, or nothing')
    .argument('[FILE]', 'the file; without it the collector reads the one that it runs again, as SIGHUP does')
    .option('--config <FILE>', 'the same as FILE')
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'what changed, or the mistakes, as JSON')
    .addHelpText(
      'after',
      `
A file other than the one that the collector was started with takes that one's place; what was there is kept beside it
as NAME.before. highwater up starts and ends the probes of its machine accordingly; probes elsewhere follow by themselves.

Ends with 0 when it runs, 2 with mistakes in the file, 1 when it was refused, 3 when the collector is not reached.

Examples:
  highwater config apply
  highwater config apply next.yaml`,
    )
    .action((file: string | undefined, options: ApplyFlags) => apply(file ?? options.config, options));
  return command;
}

/** For a program that reads the answer, a file that is not there is one more mistake. */
function load(path: string, asJson: boolean): Loaded {
  try {
    return loadConfigFile(path);
  } catch (error) {
    if (!asJson || !(error instanceof Exit)) throw error;
    const file = nearPath(path);
    const message = error.message.replace(`highwater: ${file}: `, '');
    return { problems: [{ file, line: 1, column: 1, path: '(file)', value: '(unreadable)', message }] };
  }
}

interface ApplyFlags extends CollectorFlags {
  readonly config?: string;
  readonly json?: boolean;
}

async function apply(file: string | undefined, flags: ApplyFlags): Promise<void> {
  if (file === undefined) {
    const reloaded = await reloadCollector(flags);
    if (flags.json) printJson({ ok: true, ...reloaded });
    else process.stdout.write(appliedText(reloaded));
    return;
  }
  const path = callersFile(file);
  // With mistakes it need not travel; what this version finds good the collector judges itself.
  const loaded = load(path, flags.json ?? false);
  if ('problems' in loaded) refuse(loaded.problems, flags.json ?? false);
  for (const warning of loaded.warnings) process.stderr.write(`${warningText(warning)}\n`);
  const applied = await applyToCollector(readConfigText(path), nearPath(path), flags);
  if (flags.json) printJson({ ok: true, ...applied });
  else process.stdout.write(appliedText(applied));
}

const warningText = (warning: Problem): string => `warning: ${formatProblem(warning)}`;

/** Prints every problem. Throws Exit (2). */
function refuse(problems: readonly Problem[], asJson: boolean): never {
  if (asJson) printJson({ ok: false, problems });
  else process.stdout.write(problems.map((problem) => `${formatProblem(problem)}\n`).join(''));
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`;
  throw new Exit(exitCode.usage, asJson ? '' : count);
}

function check(file: string | undefined, asJson: boolean): void {
  const loaded = load(file === undefined ? configFile() : callersFile(file), asJson);
  if ('problems' in loaded) refuse(loaded.problems, asJson);
  const { config } = loaded;
  const nodes = config.services.reduce((sum, service) => sum + service.nodes.length, 0);
  const facts = {
    services: config.services.length,
    nodes,
    monitors: config.monitors.length,
    regions: config.regions.length,
    probes: config.probes.length,
    channels: config.alerts.channels.length,
  };
  const warnings = [
    ...loaded.warnings.map(warningText),
    ...crowded(config.monitors),
    ...plainWitnesses(config),
  ];
  if (asJson) printJson({ ok: true, ...facts, ...(warnings.length > 0 && { warnings }) });
  else {
    const counts = Object.entries(facts).map(([what, count]) => `${count} ${what}`);
    process.stdout.write([`good: ${counts.join(', ')}`, ...warnings].map((line) => `${line}\n`).join(''));
  }
}
