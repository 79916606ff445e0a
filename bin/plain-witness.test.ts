import { expect, it } from 'vitest';
import { plainWitnesses } from './plain-witness.ts';

it.each([
  ['http://witness.example.net', true],
  ['http://203.0.113.7:8080/w', true],
  ['http://[2001:db8::1]/w', true],
  ['https://witness.example.net', false],
  ['http://127.0.0.1:3996', false],
  ['http://localhost:3996', false],
  ['http://10.1.2.3', false],
  ['http://[::1]:80', false],
])('%s: a warning %s', (url, warns) => {
  const list = [{ id: 'w', url, key: 'k', everyMs: 0 }];
  const warnings = plainWitnesses({ witnesses: { quorum: 1, list } });
  expect(warnings.filter((line) => line.includes(`warning: witness w: ${url} is plain http`))).toHaveLength(
    warns ? 1 : 0,
  );
  expect(plainWitnesses({})).toEqual([]);
});
