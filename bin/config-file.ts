/** A config file on disk -> Config, by the kinds that this program has. */
import { openSync, closeSync, fstatSync, readFileSync } from 'node:fs';
import { formatProblem, loadConfig } from '@highwater/config/load.ts';
import type { Loaded } from '@highwater/config/load.ts';
import type { Config } from '@highwater/config/model.ts';
import { decodeText, maxConfigBytes } from '@highwater/config/source.ts';
import { Exit, exitCode } from './exit.ts';
import { commandLine, nearPath, quoted } from './hint.ts';
import { tables } from './tables.ts';

/** Loads a config file; `path` is absolute. Throws Exit (2) where it cannot be read at all. */
export function loadConfigFile(path: string): Loaded {
  const shown = nearPath(path);
  const text = decodeText(readBytes(path, shown));
  if (text !== undefined) return loadConfig(text, shown, tables);
  const message = 'not UTF-8 text, save the file as UTF-8';
  return { problems: [{ file: shown, line: 1, column: 1, path: '(file)', value: '(bytes)', message }] };
}

/** The Config of a file without mistakes; `warn` is told each warning. Throws Exit (2) with every mistake, one a line. */
export function readConfig(path: string, warn: (warning: string) => void = () => undefined): Config {
  const loaded = loadConfigFile(path);
  if ('config' in loaded) {
    for (const warning of loaded.warnings) warn(formatProblem(warning));
    return loaded.config;
  }
  throw new Exit(exitCode.usage, loaded.problems.map(formatProblem).join('\n'));
}

/** The text of a config file, good or not. Throws Exit (2) where it cannot be read, or is no text. */
export function readConfigText(path: string): string {
  const shown = nearPath(path);
  const text = decodeText(readBytes(path, shown));
  if (text !== undefined) return text;
  throw new Exit(exitCode.usage, `highwater: ${shown}: not UTF-8 text, save the file as UTF-8`);
}

function readBytes(path: string, shown: string): Uint8Array {
  try {
    const file = openSync(path, 'r');
    try {
      // Judged before reading: the file may be a huge log by mistake.
      if (fstatSync(file).size > maxConfigBytes) return new Uint8Array(maxConfigBytes + 1).fill(0x23);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    const remedy =
      code === 'ENOENT'
        ? `name another with --config, or write one: ${commandLine(`init ${quoted(shown)}`)}`
        : 'look at its rights';
    throw new Exit(exitCode.usage, `highwater: ${shown}: cannot be read (${code}), ${remedy}`, { cause });
  }
}
