import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatProblem, loadConfig } from './load.ts';
import type { Config } from './model.ts';
import { maxConfigBytes } from './source.ts';
import { exampleTables } from './testing.ts';

const smallest = `site: { name: My Nodes, url: http://localhost:3000 }
services:
  - id: rpc
    name: My RPC
    chain: ethereum
    nodes: [ { id: main, zone: home, url: "https://rpc.example.com" } ]
`;

function configOf(text: string): Config {
  const loaded = loadConfig(text, 'test.yaml', exampleTables);
  if ('problems' in loaded) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

function problemsOf(text: string): string[] {
  const loaded = loadConfig(text, 'test.yaml', exampleTables);
  return 'problems' in loaded ? loaded.problems.map(formatProblem) : [];
}

/** The smallest config with other lines for its one service. */
const withService = (lines: string) => `site: { name: My Nodes, url: "http://localhost:3000" }
services:
  - id: rpc
    name: My RPC
${lines.replace(/^/gm, '    ')}
`;

describe('what may be left out', () => {
  it('the smallest config has one region, its family’s checks, and nobody to tell', () => {
    const config = configOf(smallest);
    expect(config.regions).toEqual([{ id: 'here', name: 'Here' }]);
    expect(config.probes).toEqual([]);
    expect(config.operator).toBe('My Nodes');
    expect(config.origin).toBe('localhost:3000/log');
    expect(config.controls).toEqual([]);
    expect(config.alerts).toEqual({ channels: [], policies: [] });
    expect(config.services[0]).toMatchObject({
      id: 'rpc',
      minUp: 1,
      visibility: 'public',
      chain: 'ethereum',
    });
    expect(config.monitors).toEqual([
      expect.objectContaining({ id: 'rpc/main/calls', kind: 'jsonrpc', intervalMs: 60_000, counts: true }),
      expect.objectContaining({ id: 'rpc/main/head', kind: 'head', intervalMs: 30_000, counts: true }),
    ]);
    expect(config.chains['ethereum']).toMatchObject({ chainId: 1, maxAgeMs: 180_000 });
  });

  it.each([
    ['1s', 500],
    ['30s', 10_000],
    ['15s', 7_500],
    ['1h', 10_000],
  ])('the timeout of a check every %s is min(10 s, half of it)', (every, timeoutMs) => {
    const config = configOf(
      withService(`chain: ethereum
nodes: [ { id: main, zone: home, url: "https://rpc.example.com" } ]
checks: [ { kind: head, every: ${every} } ]`),
    );
    expect(config.monitors[0]?.timeoutMs).toBe(timeoutMs);
  });

  it('a check is asked over any family, over one, or over each apart, which makes two monitors of it', () => {
    const config = configOf(
      withService(`chain: ethereum
nodes: [ { id: main, zone: home, url: "https://rpc.example.com" } ]
checks:
  - { kind: head, every: 30s, family: apart, counts: false }
  - { kind: head, id: six, every: 30s, family: 6 }
  - { kind: head, id: any, every: 30s, family: any }
  - { kind: head, id: unsaid, every: 30s }`),
    );
    expect(
      config.monitors.map(({ id, check, counts, target }) => [id, check, counts, target.family]),
    ).toEqual([
      ['rpc/main/any', 'any', true, undefined],
      ['rpc/main/head.v4', 'head.v4', false, 4],
      ['rpc/main/head.v6', 'head.v6', false, 6],
      ['rpc/main/six', 'six', true, 6],
      ['rpc/main/unsaid', 'unsaid', true, undefined],
    ]);
    // No monitor has the key `family`: what is said to nobody keeps the hash that it had.
    expect(config.monitors.map(({ target }) => 'family' in target)).toEqual([false, true, true, true, false]);
  });

  it('monitors of families apart count as two where there are at most so many', () => {
    const nodes = Array.from(
      { length: 150 },
      (_, n) => `{ id: n${n}, zone: home, url: "https://n${n}.example.com" }`,
    );
    const checks = (count: number) =>
      Array.from({ length: count }, (_, c) => `{ kind: head, id: c${c}, every: 30s, family: apart }`);
    const text = (count: number) =>
      withService(`chain: ethereum\nnodes: [ ${nodes.join()} ]\nchecks: [ ${checks(count).join()} ]`);
    expect(configOf(text(33)).monitors).toHaveLength(9_900);
    expect(problemsOf(text(34))).toEqual([expect.stringContaining('10200 monitors, write at most 10000')]);
  });

  it('confirm is two failing and two good answers, and a recheck after a second', () => {
    expect(configOf(smallest).monitors[0]?.confirm).toEqual({ fall: 2, rise: 2, recheckAfterMs: 1_000 });
  });

  it('an objective is kept as whole millionths, and has at most the decimals that a figure has', () => {
    const objective = (text: string) =>
      smallest.replace('name: My RPC', `name: My RPC\n    objective: ${text}`);
    const kept = (text: string) => configOf(objective(text)).services[0]?.objectiveMillionths;
    expect(['99.9%', '99.9999%', '0.0001%', '100%', '0%'].map(kept)).toEqual([
      999_000, 999_999, 1, 1_000_000, 0,
    ]);
    expect(problemsOf(objective('99.99999%')).join()).toContain('at most four decimals');
    expect(configOf(smallest).services[0]).not.toHaveProperty('objectiveMillionths');
  });

  it('the log origin is the host and path of the page', () => {
    const config = configOf(smallest.replace('http://localhost:3000', 'https://example.com/status/'));
    expect(config.origin).toBe('example.com/status/log');
  });

  it('a chain of one’s own has a minute of blocks as its lag and twenty block times as its age', () => {
    const config = configOf(`chains: { devnet: { family: evm, blockTime: 12s } }
${smallest.replace('chain: ethereum', 'chain: devnet')}`);
    expect(config.chains).toEqual({
      devnet: {
        name: 'devnet',
        family: 'evm',
        blockTimeMs: 12_000,
        maxLagBlocks: 5,
        maxAgeMs: 240_000,
        references: [],
      },
    });
  });

  it('a built-in chain keeps what is not overridden, but not the genesis of another chain id', () => {
    const limits = configOf(`chains: { ethereum: { maxLag: 2 } }\n${smallest}`).chains['ethereum'];
    expect(limits).toMatchObject({
      chainId: 1,
      maxLagBlocks: 2,
      genesis: expect.stringMatching(/^0xd4e5/) as string,
    });
    const other = configOf(`chains: { ethereum: { chainId: 1337 } }\n${smallest}`).chains['ethereum'];
    expect(other).toMatchObject({ chainId: 1337 });
    expect(other).not.toHaveProperty('genesis');
  });
});

describe('what becomes of checks', () => {
  it('each node gets each check, and settings stay as they were written', () => {
    const config = configOf(
      withService(`nodes:
  - { id: a, zone: eu, url: "https://a.example.com" }
  - { id: b, zone: us, url: "https://b.example.com", counts: none }
checks:
  - { kind: jsonrpc, id: calls, every: 1m, methods: [ { method: x, slow: 800ms } ] }
  - { kind: http, every: 1m, counts: false }`),
    );
    expect(config.monitors.map(({ id, counts }) => [id, counts])).toEqual([
      ['rpc/a/calls', true],
      ['rpc/a/http', false],
      ['rpc/b/calls', false],
      ['rpc/b/http', false],
    ]);
    expect(config.monitors[0]?.settings).toEqual({ methods: [{ method: 'x', slow: '800ms' }] });
  });

  it('a public name gets a head check under the node id `public`', () => {
    const config = configOf(`${smallest}    public: { url: "https://public.example.com" }\n`);
    expect(config.monitors.map(({ id }) => id)).toContain('rpc/public/head');
    expect(config.services[0]?.publicUrl).toBe('https://public.example.com');
  });

  it('a reference is asked like a node, under a reserved service', () => {
    const config = configOf(
      `chains: { ethereum: { references: [ { url: "https://Other.example:8545/v1" } ] } }\n${smallest}`,
    );
    expect(config.monitors.find(({ service }) => service === 'chain.ethereum')).toMatchObject({
      id: 'chain.ethereum/other.example_8545/head',
      chain: 'ethereum',
      target: { url: 'https://Other.example:8545/v1' },
    });
    expect(config.chains['ethereum']?.references).toEqual([
      { url: 'https://Other.example:8545/v1', operator: 'other.example' },
    ]);
    expect(config.services).toHaveLength(1);
  });

  it('every secret is listed with its place', () => {
    const loaded = loadConfig(
      `${smallest.replace(
        'url: "https://rpc.example.com"',
        'url: "https://rpc.example.com", headers: { X-Token: env:HIGHWATER_SECRET_A, X-Plain: text }',
      )}alerts: { channels: [ { id: ops, kind: discord, webhook: file:/run/hook } ] }\n`,
      'test.yaml',
      exampleTables,
    );
    expect('secrets' in loaded && loaded.secrets).toEqual([
      { path: 'alerts.channels[0].webhook', ref: 'file:/run/hook' },
      { path: 'services[0].nodes[0].headers.X-Token', ref: 'env:HIGHWATER_SECRET_A' },
    ]);
  });
});

describe('places', () => {
  it('a mistake behind an alias is shown where it stands', () => {
    const text = `site: { name: A, url: "http://localhost:3000" }
services:
  - id: a
    name: A
    chain: ethereum
    nodes: &nodes
      - { id: main, zone: home, url: nowhere }
  - { id: b, name: B, chain: ethereum, nodes: *nodes }
`;
    expect(problemsOf(text).map((line) => line.split(' ').slice(0, 2))).toEqual([
      ['test.yaml:7:38', 'services[0].nodes[0].url:'],
      ['test.yaml:7:38', 'services[1].nodes[0].url:'],
    ]);
  });

  it('columns count characters from 1, lines too', () => {
    expect(problemsOf(`${smallest}äöü: 1\n`)[0]).toMatch(
      /^test\.yaml:7:1 \["äöü"\]: \(a number\): unknown key, /,
    );
  });
});

describe('limits', () => {
  it('a file over 1 MiB is not read', () => {
    expect(problemsOf(`${smallest}#${'x'.repeat(maxConfigBytes)}`)).toEqual([
      'test.yaml:1:1 (file): (YAML): larger than 1 MiB, write a smaller file',
    ]);
  });

  it.each(['[', '{ a: ', '- '])('nesting without end (%s) is an error, not a crash', (open) => {
    expect(problemsOf(open.repeat(100_000))).not.toEqual([]);
  });

  it('keys with a meaning for JavaScript are only unknown keys', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(problemsOf(`${smallest}${name}: { polluted: true }\n`).join()).toContain('unknown key');
      expect(problemsOf(smallest.replace('chain: ethereum', `chain: ${name}`)).join()).toMatch(
        /unknown chain|not an id/,
      );
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('too many of a thing are named with the limit', () => {
    const nodes = Array.from(
      { length: 201 },
      (_, i) => `{ id: n${i}, zone: z, url: "https://rpc.example.com" }`,
    );
    expect(problemsOf(withService(`chain: ethereum\nnodes: [ ${nodes.join(', ')} ]`)).join()).toContain(
      '201 entries, write at most 200',
    );
  });
});

describe('secrets', () => {
  const places: readonly [string, (canary: string) => string][] = [
    [
      'a channel’s settings',
      (c) => `${smallest}alerts: { channels: [ { id: a, kind: discord, webhook: "${c}" } ] }`,
    ],
    [
      'a channel’s unknown key',
      (c) => `${smallest}alerts: { channels: [ { id: a, kind: discord, token: "${c}" } ] }`,
    ],
    [
      'an address of mail',
      (c) =>
        `${smallest}alerts: { channels: [ { id: a, kind: email, smtp: env:A, from: "${c}", to: [ "${c}" ] } ] }`,
    ],
    ['a header', (c) => smallest.replace('zone: home', `zone: home, headers: { Authorization: "${c}" }`)],
    ['the credentials of a URL', (c) => smallest.replace('https://rpc', `https://u:${c}@rpc`)],
    [
      'the path of a URL that is wrong',
      (c) => smallest.replace('https://rpc.example.com', `ftp://rpc.example.com/${c}`),
    ],
    ['an unknown key', (c) => `${smallest}password: "${c}"`],
    ['an unclosed quote', (c) => `${smallest}operator: "${c}`],
    ['a bad alias', (c) => `${smallest}operator: *${c}`],
    ['a bad escape', (c) => `${smallest}operator: "\\q${c}"`],
    ['a tag', (c) => `${smallest}operator: !${c} x`],
  ];
  it.each(places)('%s is in no message', (_, place) => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{12,40}$/), (random) => {
        const canary = `CANARY${random}`;
        const problems = problemsOf(place(canary));
        expect(problems).not.toEqual([]);
        expect(problems.join('\n')).not.toContain('CANARY');
      }),
      { numRuns: 20 },
    );
  });
});

describe('what a probe keeps', () => {
  it('is as it is built without a word about it, and bounded by both keys where they are given', () => {
    expect(configOf(smallest).spool).toBeUndefined();
    expect(configOf(`${smallest}spool: {}\n`).spool).toEqual({ maxBytes: 268_435_456 });
    const spool = { maxBytes: 16_777_216, maxAgeMs: 30 * 86_400_000 };
    expect(configOf(`${smallest}spool: { maxBytes: 16777216, maxAge: 30d }\n`).spool).toEqual(spool);
    expect(problemsOf(`${smallest}spool: { maxBytes: 1000, maxAge: 1h }\n`)).toHaveLength(2);
  });
});
