/** `highwater explain FAULT`: what a fault means and what usually causes it. */
import { Command } from 'commander';
import { allFaults, explainFault, findFaults, nearestFault } from '@highwater/config/explain.ts';
import type { Explanation } from '@highwater/config/explain.ts';
import { Exit, exitCode } from '../exit.ts';
import { plain, printJson } from '../print.ts';

export function explainCommand(): Command {
  return new Command('explain')
    .description('what a fault means and what usually causes it; all of them without an argument')
    .argument('[FAULT...]', 'faults as source.operation.code, or words of one')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  highwater explain target.head.old
  highwater explain target.head.old target.connect.refused
  highwater explain timeout            every fault with that word
  highwater explain ahead              a cause of a verdict that no single check sees
  highwater explain                    the whole list`,
    )
    .action((words: string[], options: { json?: boolean }) => explain(words, options.json ?? false));
}

function explain(words: readonly string[], asJson: boolean): void {
  const found = words.length === 0 ? allFaults() : searches(words).flatMap(faultsOf);
  if (asJson) printJson(found);
  else process.stdout.write(found.map(explanationText).join('\n'));
}

/** Words are one search (`tls expired`), unless a whole name is among them: then each is its own. */
function searches(words: readonly string[]): readonly string[] {
  return words.some((word) => explainFault(word) !== undefined) ? [...new Set(words)] : [words.join(' ')];
}

function faultsOf(word: string): Explanation[] {
  const found = findFaults(word);
  if (found.length > 0) return found;
  const near = nearestFault(word);
  const remedy = near === undefined ? 'run highwater explain for the list' : `did you mean ${near}?`;
  throw new Exit(exitCode.usage, `highwater: explain ${plain(word)}: no such fault, ${remedy}`);
}

/** A fault in sentences. */
export function explanationText({ fault, means, look, causes, source, when }: Explanation): string {
  const lines = [
    `${means}${when === undefined ? '' : ` It happened ${when}.`}`,
    'Usual causes, the most frequent first:',
    ...causes.map((cause) => `- ${cause}`),
    `Look at: ${look}`,
    source,
  ];
  return `${fault}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
