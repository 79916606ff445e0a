import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatProblem, loadConfig } from '@highwater/config/load.ts';
import { notYet, plannedKeys } from '@highwater/config/planned.ts';
import { tables } from './tables.ts';

const folder = (name: string) => new URL(`../config/testdata/${name}/`, import.meta.url);
const yamlIn = (name: string) =>
  readdirSync(folder(name))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length));
const read = (name: string, file: string) => readFileSync(new URL(file, folder(name)), 'utf8');

describe('bad configs, one a mistake', () => {
  it.each(yamlIn('bad'))('%s has exactly the messages beside it', (name) => {
    const loaded = loadConfig(read('bad', `${name}.yaml`), `${name}.yaml`, tables);
    const lines = 'problems' in loaded ? loaded.problems.map((problem) => `${formatProblem(problem)}\n`) : [];
    expect(lines.join('')).toBe(read('bad', `${name}.txt`));
    expect(lines.join('')).not.toContain('CANARY');
  });

  it('has a file with messages for each, and no messages without a file', () => {
    const texts = readdirSync(folder('bad')).filter((file) => file.endsWith('.txt'));
    expect(texts.sort()).toEqual(
      yamlIn('bad')
        .map((name) => `${name}.txt`)
        .sort(),
    );
    expect(texts.length).toBeGreaterThan(40);
  });
});

describe('good configs', () => {
  it.each(yamlIn('good'))('%s has no mistake', (name) => {
    const loaded = loadConfig(read('good', `${name}.yaml`), `${name}.yaml`, tables);
    expect('problems' in loaded ? loaded.problems.map(formatProblem) : []).toEqual([]);
  });
});

describe('comments of the examples', () => {
  const examples = new URL('../config/examples/', import.meta.url);
  const files = [
    new URL('../config/highwater.yaml', import.meta.url),
    ...readdirSync(examples).map((file) => new URL(file, examples)),
  ];
  const existing = [...Object.keys(tables.checks), ...Object.keys(tables.channels)];

  /** Names that a text puts off: the kind of the entry in front of it, and what is listed behind it. */
  function putOff(text: string): string[] {
    const lines = text.split('\n').filter((line) => line.toLowerCase().includes(notYet));
    return lines.flatMap((line) => {
      const at = line.toLowerCase().indexOf(notYet);
      const kinds = [...line.slice(0, at).matchAll(/kind: ([a-z]+)/g)].map(([, kind = '']) => kind);
      return [...kinds, ...(line.slice(at + notYet.length).match(/[a-z]+/g) ?? [])];
    });
  }

  it('are read for names', () => {
    const entry = '# - { kind: tls, every: 10m }   # not in this version';
    const list = '# Not in this version: kinds dns, metric (http); pools.';
    expect(putOff(`a\n${entry}\n${list}\nb`)).toEqual(['tls', 'kinds', 'dns', 'metric', 'http', 'pools']);
    const named = files.flatMap((file) => putOff(readFileSync(file, 'utf8')));
    expect(named).toEqual(expect.arrayContaining(['snapshot', ...(plannedKeys[''] ?? []).slice(0, 1)]));
  });

  it.each(files.map((file) => [file.pathname.split('/').at(-1), file] as const))(
    '%s puts off no kind that exists',
    (_, file) => {
      expect(putOff(readFileSync(file, 'utf8')).filter((name) => existing.includes(name))).toEqual([]);
    },
  );
});
