/** `highwater init`: a commented config to begin with. Keys are made by the first start, when site.url is settled. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { Exit, exitCode } from '../exit.ts';
import { commandLine, nearPath, quoted } from '../hint.ts';
import { callersFile, programRoot } from '../options.ts';

/** What to begin from; the files are config/examples/NAME.yaml. */
const examples: readonly string[] = ['bitshares', 'polkadot', 'algorand', 'evm'];

interface InitOptions {
  readonly from: string;
  readonly config?: string;
}

export function initCommand(): Command {
  return new Command('init')
    .description('writes a commented config; overwrites nothing')
    .argument('[FILE]', 'the file to write (default highwater.yaml here)')
    .option('--from <NAME>', `what to begin from: ${examples.join(', ')}`, 'evm')
    .option('--config <FILE>', 'the same as FILE')
    .addHelpText(
      'after',
      `
Examples:
  highwater init                       highwater.yaml in this folder
  highwater init --from polkadot my.yaml`,
    )
    .action((file: string | undefined, options: InitOptions) => init(file ?? options.config, options));
}

function init(file: string | undefined, options: InitOptions): void {
  const from = options.from;
  if (!examples.includes(from)) {
    throw new Exit(exitCode.usage, `highwater: init --from ${from}: unknown, write ${examples.join(', ')}`);
  }
  const target = callersFile(file ?? 'highwater.yaml');
  writeNew(target, readFileSync(join(programRoot, 'config', 'examples', `${from}.yaml`), 'utf8'));
  const shown = quoted(nearPath(target));
  const lines = [
    `wrote ${nearPath(target)}`,
    '',
    `next  edit it: what is marked CHANGE, and your endpoints`,
    `      ${commandLine(`config check ${shown}`)}`,
    `      ${commandLine(`up --config ${shown} --data ${quoted(nearPath(dataBeside(target)))}`)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** A data folder of its own: the one of the program may have the history of another config already. */
function dataBeside(target: string): string {
  const name = `${basename(target).replace(/\.ya?ml$/, '')}-data`;
  // Within a checkout of the program, where git does not look: there are keys in it.
  const isOurs = !relative(programRoot, target).startsWith('..');
  return isOurs ? join(programRoot, 'data', name) : join(dirname(target), name);
}

function writeNew(target: string, text: string): void {
  if (existsSync(target)) {
    throw new Exit(
      exitCode.no,
      `highwater: ${target}: exists already and is not overwritten, name another file`,
    );
  }
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text, { flag: 'wx' });
}
