/** `highwater explain FAULT`: what a fault means and what usually causes it. */
import { Command } from 'commander';
import { allFaults, findFaults, nearestFault } from '@highwater/config/explain.ts';
import type { Explanation } from '@highwater/config/explain.ts';
import { Exit, exitCode } from '../exit.ts';
import { plain, printJson } from '../print.ts';

export function explainCommand(): Command {
  return new Command('explain')
    .description('what a fault means and what usually causes it; all of them without an argument')
    .argument('[FAULT...]', 'a fault as source.operation.code, or words of it')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  highwater explain target.head.old
  highwater explain timeout            every fault with that word
  highwater explain ahead              a cause of a verdict that no single check sees
  highwater explain                    the whole list`,
    )
    .action((words: string[], options: { json?: boolean }) =>
      explain(words.join(' '), options.json ?? false),
    );
}

function explain(word: string, asJson: boolean): void {
  const found = word === '' ? allFaults() : findFaults(word);
  if (found.length === 0) {
    const near = nearestFault(word);
    const remedy = near === undefined ? 'run highwater explain for the list' : `did you mean ${near}?`;
    throw new Exit(exitCode.usage, `highwater: explain ${plain(word)}: no such fault, ${remedy}`);
  }
  if (asJson) printJson(found);
  else process.stdout.write(found.map(explanationText).join('\n'));
}

/** A fault in sentences. */
export function explanationText({ fault, means, look, source, when }: Explanation): string {
  return `${fault}\n  ${means}${when === undefined ? '' : ` It happened ${when}.`}\n  Look at: ${look}\n  ${source}\n`;
}
