/** `highwater init`: a commented config to begin with, and the operator's key. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { loadOrMakeSigningKey } from '@highwater/config/keys.ts';
import { readConfig } from '../config-file.ts';
import { Exit, exitCode } from '../exit.ts';
import { callersFile, dataDir, programRoot } from '../options.ts';

/** What to begin from; the files are config/examples/NAME.yaml. */
const examples: readonly string[] = ['evm'];
const plannedExamples: readonly string[] = ['bitshares', 'polkadot', 'algorand'];

interface InitOptions {
  readonly from: string;
  readonly config?: string;
  readonly data?: string;
}

export function initCommand(): Command {
  return new Command('init')
    .description('writes a commented config and the keys; overwrites nothing')
    .argument('[FILE]', 'the file to write (default highwater.yaml here)')
    .option('--from <NAME>', `what to begin from: ${examples.join(', ')}`, 'evm')
    .option('--config <FILE>', 'the same as FILE')
    .option('--data <DIR>', 'where the keys go (HIGHWATER_DATA; default ./data)')
    .addHelpText(
      'after',
      `
Examples:
  highwater init                       highwater.yaml in this folder
  highwater init --from evm my.yaml`,
    )
    .action((file: string | undefined, options: InitOptions) => init(file ?? options.config, options));
}

function init(file: string | undefined, options: InitOptions): void {
  const from = options.from;
  if (plannedExamples.includes(from)) {
    throw new Exit(
      exitCode.unavailable,
      `highwater: init --from ${from}: not in this version, write ${examples.join(', ')}`,
    );
  }
  if (!examples.includes(from)) {
    throw new Exit(exitCode.usage, `highwater: init --from ${from}: unknown, write ${examples.join(', ')}`);
  }
  const target = callersFile(file ?? 'highwater.yaml');
  writeNew(target, readFileSync(join(programRoot, 'config', 'examples', `${from}.yaml`), 'utf8'));
  const config = readConfig(target);
  const data = dataDir(options.data);
  const { key, made } = loadOrMakeSigningKey(join(data, 'keys', 'operator.key'), config.origin);
  const lines = [
    `wrote ${target}`,
    `${made ? 'made' : 'kept'} ${join(data, 'keys', 'operator.key')}, the operator's key: ${key.vkey}`,
    '',
    `next: edit the file, then  highwater config check ${target}  and  highwater up --config ${target}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
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
