import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatProblem, loadConfig } from '@highwater/config/load.ts';
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
