/** The text of a config file -> Config in one pass: strict, defaulted, cross-checked, every mistake with its place. */
import { buildConfig, secretUses } from './build.ts';
import { crossCheck } from './crosscheck.ts';
import { readDeclared } from './declared.ts';
import type { Tables } from './kinds.ts';
import type { Config, SecretUse } from './model.ts';
import { formatPath } from './problems.ts';
import type { Finding, Problem } from './problems.ts';
import { publishedKeys } from './published-keys.ts';
import { readSource } from './source.ts';
import type { Source } from './source.ts';

export { formatProblem } from './problems.ts';
export type { Problem } from './problems.ts';

export type Loaded =
  | {
      readonly config: Config;
      readonly secrets: readonly SecretUse[];
      /** What is no mistake and may be none that is meant: values that look like keys and will be published. */
      readonly warnings: readonly Problem[];
    }
  | { readonly problems: readonly Problem[] };

/**
 * Reads a config. `file` is how messages name it; `tables` are the kinds that this program has.
 * Gives the Config, or every problem in the order of the file. Never throws for what an operator wrote,
 * and no problem holds the value of a secret.
 */
export function loadConfig(text: string, file: string, tables: Tables): Loaded {
  const source = readSource(text);
  if ('syntax' in source) return { problems: source.syntax.map((fault) => syntaxProblem(fault, file)) };
  if (source.value === null || source.value === undefined) {
    const message = 'nothing in it, write at least site and services (`highwater init` writes an example)';
    return { problems: [{ file, line: 1, column: 1, path: '(file)', value: '(empty)', message }] };
  }
  const findings: Finding[] = [];
  const declared = readDeclared(source.value, tables, findings);
  crossCheck(declared, findings);
  if (findings.length > 0) return { problems: inOrder(findings, source, file) };
  return {
    config: buildConfig(declared, tables),
    secrets: secretUses(declared),
    warnings: inOrder(publishedKeys(declared), source, file),
  };
}

function syntaxProblem(fault: { line: number; column: number; message: string }, file: string): Problem {
  return {
    file,
    line: fault.line,
    column: fault.column,
    path: '(file)',
    value: '(YAML)',
    message: fault.message,
  };
}

function inOrder(findings: readonly Finding[], source: Source, file: string): Problem[] {
  return findings
    .map((finding): Problem => {
      const { line, column } = source.place(finding.path, finding.on);
      return {
        file,
        line,
        column,
        path: formatPath(finding.path),
        value: finding.value,
        message: finding.message,
      };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
