/** The configuration file of a collector that runs: read again when it is told to, replaced when another one is applied. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { formatProblem, loadConfig } from '@highwater/config/load.ts';
import type { Config } from '@highwater/config/model.ts';
import type { ConfigApplied } from '@highwater/config/wire.ts';
import type { ConfigSource } from '../collector/src/reload/apply.ts';
import { readConfigText } from './config-file.ts';
import { nearPath } from './hint.ts';
import { tables } from './tables.ts';

export interface SourceOptions {
  /** Absolute. */
  readonly file: string;
  /** What this machine adds to what is declared: its local probe. */
  readonly complete: (config: Config) => Config;
  readonly applied: (answer: ConfigApplied) => void;
  /** Told each warning of a text without mistakes: FILE:LINE:COL path: value: what. */
  readonly warn: (warning: string) => void;
}

export function configSource({ file, complete, applied, warn }: SourceOptions): ConfigSource {
  return {
    file,
    read(text, name = nearPath(file)) {
      const loaded = loadConfig(text, name, tables);
      if ('problems' in loaded) return { problems: loaded.problems.map(formatProblem) };
      for (const warning of loaded.warnings) warn(formatProblem(warning));
      return { config: complete(loaded.config) };
    },
    text: () => readConfigText(file),
    keep: (text) => replaceFile(file, text),
    applied,
  };
}

/**
 * Makes `text` what the file holds, in one step that outlives a power cut; what it held before is then beside it as
 * `NAME.before`. Nothing is written when it holds that already. Returns what puts the former text back.
 * Throws an Error with the remedy, with the file as it was.
 */
export function replaceFile(file: string, text: string): () => void {
  try {
    // A link stays a link: what it leads to is replaced.
    const place = realpathSync(file);
    const before = readFileSync(place);
    const { mode } = statSync(place);
    if (before.equals(Buffer.from(text))) return () => undefined;
    writeWhole(`${place}.before`, before, mode);
    writeWhole(place, Buffer.from(text), mode);
    // The file that is there: a full disk has room for a new name, and for nothing else.
    return () => {
      renameSync(`${place}.before`, place);
      syncFolder(dirname(place));
    };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new Error(
      `the configuration file ${nearPath(file)} can not be replaced (${code}): the next start would go back to it; let the collector write to its folder, or change the file there and send SIGHUP`,
      { cause },
    );
  }
}

function writeWhole(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    const handle = openSync(temporary, 'w', 0o600);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written);
      fchmodSync(handle, mode & 0o777);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
