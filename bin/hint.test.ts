import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { commandLine, quoted } from './hint.ts';
import { programRoot } from './options.ts';

beforeEach(() => {
  vi.stubEnv('INIT_CWD', programRoot);
  vi.stubEnv('npm_lifecycle_event', 'start');
});
afterEach(() => vi.unstubAllEnvs());

it('leaves the defaults out, and gives what is not', () => {
  const usual = {
    config: join(programRoot, 'config', 'highwater.yaml'),
    data: join(programRoot, 'data'),
    collector: 'http://127.0.0.1:4000',
  };
  expect(commandLine('doctor', usual)).toBe('npm run -s hw -- doctor');
  expect(commandLine('doctor', { ...usual, config: join(programRoot, 'my.yaml'), data: '/srv/h w' })).toBe(
    "npm run -s hw -- doctor --config my.yaml --data '/srv/h w'",
  );
  expect(commandLine('status', { collector: 'http://127.0.0.1:4567' })).toBe(
    'npm run -s hw -- status --collector http://127.0.0.1:4567',
  );
});

it('without npm names the program by its path', () => {
  vi.stubEnv('npm_lifecycle_event', '');
  expect(commandLine('status')).toBe('./bin/highwater status');
  vi.stubEnv('INIT_CWD', join(programRoot, 'docs'));
  expect(commandLine('status')).toBe(`${join(programRoot, 'bin', 'highwater')} status`);
});

it.each([
  ['my.yaml', 'my.yaml'],
  ["it's", String.raw`'it'\''s'`],
  ['$(x)', "'$(x)'"],
])('a shell reads %s as one word', (word, shown) => {
  expect(quoted(word)).toBe(shown);
});
