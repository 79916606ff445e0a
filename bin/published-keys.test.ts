/** Warnings of values that look like keys and will stand in the log, by the kinds of checks that there are. */
import { readdirSync, readFileSync } from 'node:fs';
import { loadConfig, formatProblem } from '@highwater/config/load.ts';
import { looksRandom } from '@highwater/config/published-keys.ts';
import { describe, expect, it } from 'vitest';
import { tables } from './tables.ts';

const KEY = 'cAnArY7q2Zx91LmN04pR';

function warningsOf(text: string): string[] {
  const loaded = loadConfig(text, 'x.yaml', tables);
  if ('problems' in loaded) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.warnings.map(formatProblem);
}

const service = (check: string, more = '') => `site: { name: S, url: https://status.example.com }
services:
  - id: web
    name: Web
${more}    nodes:
      - { id: main, zone: z1, url: https://rpc.example.com/v2/${KEY}?apikey=${KEY} }
    checks:
      - ${check}
`;

describe('a value that looks like a key', () => {
  it.each([
    [
      'a query',
      `{ kind: http, every: 30s, path: "/x?a=1&apikey=short" }`,
      'path',
      'the query parameter apikey',
    ],
    ['a path', `{ kind: http, every: 30s, path: /v3/${KEY}/status }`, 'path', 'a part that looks random'],
    [
      'a body',
      `{ kind: http, every: 30s, method: POST, body: '{"token": "abc"}' }`,
      'body',
      'the field token',
    ],
    [
      'a form',
      `{ kind: http, every: 30s, method: POST, body: 'user=me&password=abc' }`,
      'body',
      'the query parameter password',
    ],
    [
      'params',
      `{ kind: jsonrpc, every: 30s, methods: [{ method: m, params: [1, { deep: ["${KEY}"] }] }] }`,
      'methods[0].params[1].deep[0]',
      'a part that looks random',
    ],
    [
      'named params',
      `{ kind: jsonrpc, every: 30s, methods: [{ method: m, params: { secret: abc } }] }`,
      'methods[0].params.secret',
      'the field secret',
    ],
    [
      'what is sent',
      `{ kind: tcp, every: 30s, port: 6379, send: "AUTH ${KEY}", expect: { contains: OK } }`,
      'send',
      'a part that looks random',
    ],
  ])('in %s is warned of, and not shown', (_, check, path, what) => {
    expect(warningsOf(service(check))).toEqual([
      expect.stringMatching(/^x\.yaml:8:\d+ services\[0\]\.checks\[0\]\./),
    ]);
    const [warning = ''] = warningsOf(service(check));
    expect(warning).toContain(`checks[0].${path}: [hidden]: ${what} looks like a key`);
    expect(warning).toContain('env:HIGHWATER_SECRET_NAME');
    expect(warning).not.toContain(KEY);
    expect(warningsOf(service(check, '    visibility: private\n'))).toEqual([]);
  });

  it('in a control is warned of', () => {
    const text = service('{ kind: http, every: 30s }');
    expect(
      warningsOf(`${text}controls: ["https://www.example.org/?key=abc", "https://www.example.org"]\n`),
    ).toEqual([
      'x.yaml:9:12 controls[0]: [hidden]: the query parameter key looks like a key, and this is published in the log for good; name a control that needs none',
    ]);
  });

  it('in a URL of a node is not: of those the log has salted hashes', () => {
    expect(warningsOf(service('{ kind: http, every: 30s }'))).toEqual([]);
  });
});

it.each([
  [KEY, true],
  ['3f2b8c1d9e0a47568b1c2d3e4f5a6b7c', true],
  ['5f0c6e0e-8a3b-4c8e-9a55-0d2b7a1c9e44', true],
  ['getTokenAccountsByOwner', false],
  ['eth_getBlockByNumber', false],
  ['getErc20BalancesOfOwner', false],
  ['blockchain_v1beta1_headers_2', false],
  ['2026-11-21-2026-11-22', false],
  ['0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3', false],
  ['cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh', false],
  ['aaaaaaaa11111111aaaa1', false],
])('%s is random: %s', (run, is) => {
  expect(looksRandom(run)).toBe(is);
});

const yamlIn = (folder: string) =>
  readdirSync(new URL(folder, import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => new URL(`${folder}${name}`, import.meta.url));

it.each([
  ...yamlIn('../config/examples/'),
  ...yamlIn('../config/testdata/good/'),
  new URL('../config/highwater.yaml', import.meta.url),
])('nothing of %s is warned of', (file) => {
  expect(warningsOf(readFileSync(file, 'utf8'))).toEqual([]);
});
