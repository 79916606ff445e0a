/** Commands as the reader can run them: by npm or by path, as this one was, and with the flags that it was given. */
import { join, relative } from 'node:path';
import { programRoot, usualPorts } from './options.ts';

/** What the command shown has to be given; whatever is the default is left out. Paths are absolute. */
export interface Given {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly collector?: string | undefined;
}

/** `npm run -s hw -- status --data /srv/hw` */
export function commandLine(words: string, given: Given = {}): string {
  const usual = {
    config: join(programRoot, 'config', 'highwater.yaml'),
    data: join(programRoot, 'data'),
    collector: `http://127.0.0.1:${usualPorts.collector}`,
  };
  const flags = (['config', 'data', 'collector'] as const).flatMap((name) => {
    const value = given[name];
    if (value === undefined || value === usual[name]) return [];
    return [`--${name}`, quoted(name === 'collector' ? value : nearPath(value))];
  });
  return [program(), words, ...flags].join(' ');
}

/** As short as the caller would have written it. */
export function nearPath(path: string): string {
  const near = relative(callersFolder(), path);
  return near === '' ? '.' : near.startsWith('..') ? path : near;
}

/** A word of a shell command. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function program(): string {
  // npm finds the program's folder from within it only.
  const script = process.env['npm_lifecycle_event'] ?? '';
  if (['start', 'hw'].includes(script)) return 'npm run -s hw --';
  const near = nearPath(join(programRoot, 'bin', 'highwater'));
  return quoted(near.startsWith('/') ? near : `./${near}`);
}

function callersFolder(): string {
  return process.env['INIT_CWD'] ?? process.cwd();
}
