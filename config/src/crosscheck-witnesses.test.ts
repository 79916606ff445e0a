import { describe, expect, it } from 'vitest';
import { formatProblem, loadConfig } from './load.ts';
import type { Config } from './model.ts';
import { limits } from './limits.ts';
import { exampleTables } from './testing.ts';
import { keyIdOf } from './proof/note.ts';
import { encodeBase64 } from './proof/bytes.ts';
import { sha256 } from './keys.ts';

/** Another key for each number; nothing is ever verified with it. */
function keyOf(number: number): string {
  const publicKey = new Uint8Array(32).fill(number + 1);
  const name = `witness.example.net/w${number}`;
  return `${name}+${keyIdOf(name, 4, publicKey, sha256)}+${encodeBase64(Uint8Array.of(4, ...publicKey))}`;
}

function load(witnesses: string) {
  return loadConfig(
    `site: { name: My Nodes, url: "http://localhost:3000" }
${witnesses}
services:
  - id: rpc
    name: My RPC
    chain: ethereum
    nodes: [ { id: main, zone: home, url: "https://rpc.example.com" } ]
`,
    'test.yaml',
    exampleTables,
  );
}

function witnessesOf(text: string): Config['witnesses'] {
  const loaded = load(text);
  if ('problems' in loaded) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config.witnesses;
}

const list = (count: number) =>
  Array.from(
    { length: count },
    (_, number) => `{ id: w${number}, url: "http://10.0.0.${number + 1}:8080/w/", key: "${keyOf(number)}" }`,
  ).join(', ');

describe('witnesses', () => {
  it('are nobody when the key is left out', () => {
    expect(witnessesOf('')).toBeUndefined();
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [limits.witnesses, 8],
  ])('of %d, %d must have cosigned when the quorum is left out', (count, quorum) => {
    expect(witnessesOf(`witnesses: { list: [ ${list(count)} ] }`)?.quorum).toBe(quorum);
  });

  it('a written quorum holds, a prefix loses its last slash, and nobody is asked seldom unless told so', () => {
    expect(witnessesOf(`witnesses: { quorum: 1, list: [ ${list(3)} ] }`)).toMatchObject({
      quorum: 1,
      list: [{ id: 'w0', url: 'http://10.0.0.1:8080/w', key: keyOf(0), everyMs: 0 }, {}, {}],
    });
  });

  it('are at most as many as leave room for the signature of the log in a note of 16', () => {
    const loaded = load(`witnesses: { list: [ ${list(limits.witnesses + 1)} ] }`);
    expect('problems' in loaded ? loaded.problems.map(({ message }) => message) : []).toEqual([
      '16 entries, write at most 15',
    ]);
  });
});
