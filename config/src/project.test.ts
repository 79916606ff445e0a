import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from './keys.ts';
import { loadConfig } from './load.ts';
import type { Config } from './model.ts';
import { projectConfig } from './project.ts';
import { formatProjection, parseProjection } from './proof/projection.ts';
import { exampleTables } from './testing.ts';

const secrets = { seed: '0123456789abcdef0123456789abcdef', salt: 'pepper' };

function configOf(text: string): Config {
  const loaded = loadConfig(text, 'test.yaml', exampleTables);
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const text = (url: string, name: string, visibility: string) => `
site: { name: ${name}, url: "http://localhost:3000" }
chains: { devnet: { family: evm, blockTime: 1s, references: [ { url: "https://other.example:8545/key" } ] } }
services:
  - id: rpc
    name: ${name}
    chain: devnet
    visibility: ${visibility}
    nodes: [ { id: main, zone: home, url: "${url}", headers: { X-Token: env:HIGHWATER_SECRET_A } } ]
    checks: [ { kind: head, every: 30s }, { kind: jsonrpc, every: 1m, methods: [ { method: secretmethod } ] } ]
`;
const projected = (config: Config) => formatProjection(projectConfig(config, secrets, sha256));

describe('the projection of a config', () => {
  it('is read back as it was written', () => {
    const rule = projectConfig(
      configOf(text('https://rpc.example.com', 'My Nodes', 'public')),
      secrets,
      sha256,
    );
    expect(parseProjection(formatProjection(rule))).toEqual(
      expect.objectContaining({ seed: secrets.seed, regions: ['here'] }),
    );
    const parsed = parseProjection(formatProjection(rule));
    if ('error' in parsed) throw new Error(parsed.error);
    expect(formatProjection(parsed)).toBe(formatProjection(rule));
    expect(parsed.monitors.map(({ id }) => id)).toEqual([
      'chain.devnet/other.example_8545/head',
      'rpc/main/head',
      'rpc/main/jsonrpc',
    ]);
  });

  it('holds no URL in clear, and no settings of a private service', () => {
    const shown = projected(configOf(text('https://rpc.example.com/key-in-path', 'My Nodes', 'public')));
    expect(shown).not.toContain('key-in-path');
    expect(shown).not.toContain('rpc.example.com');
    expect(shown).toContain('secretmethod');
    expect(projected(configOf(text('https://a.example', 'My Nodes', 'private')))).not.toContain(
      'secretmethod',
    );
  });

  it('changes with the address family that a check is asked over', () => {
    const written = text('https://rpc.example.com', 'A', 'public');
    const over = (family: string) =>
      projected(
        configOf(written.replace('kind: head, every: 30s', `kind: head, every: 30s, family: ${family}`)),
      );
    expect(over('any')).toBe(projected(configOf(written)));
    expect(new Set(['any', '4', '6', 'apart'].map(over)).size).toBe(4);
  });

  it('says over which family a check is asked, where it is one alone', () => {
    const written = text('https://rpc.example.com', 'A', 'public').replace(
      'kind: head, every: 30s',
      'kind: head, every: 30s, refusals: skip, family: apart',
    );
    const shown = projected(configOf(written));
    const lines = shown.split('\n').filter((line) => line.startsWith('monitor '));
    expect(lines.map((line) => line.split(' ').slice(7))).toEqual([
      ['refusals=skip'],
      ['refusals=skip', 'family=4'],
      ['refusals=skip', 'family=6'],
      [],
    ]);
    const parsed = parseProjection(shown);
    if ('error' in parsed) throw new Error(parsed.error);
    expect(parsed.monitors.map(({ family }) => family)).toEqual([undefined, 4, 6, undefined]);
    expect(formatProjection(parsed)).toBe(shown);
    for (const odd of ['family=5', 'family=', 'family=4 family=4', 'family=04', 'family=4 refusals=skip'])
      expect(parseProjection(shown.replace('refusals=skip family=4', odd)), odd).toHaveProperty('error');
  });

  it('changes with where a check asks, and not with what people call it', () => {
    const base = projected(configOf(text('https://rpc.example.com', 'A', 'public')));
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const other = projected(configOf(text(`https://rpc.example.com/x${encodeURI(path)}`, 'A', 'public')));
        return other !== base;
      }),
      { numRuns: 30 },
    );
    const renamed = {
      ...configOf(text('https://rpc.example.com', 'A', 'public')),
      alerts: { channels: [], policies: [] },
    };
    const services = renamed.services.map((service) => ({ ...service, name: 'B', group: 'G' }));
    expect(projected({ ...renamed, services })).toBe(base);
  });

  it('says where refusals are skipped, also of the references, which are of others', () => {
    const config = text('https://rpc.example.com', 'A', 'private').replace(
      'kind: jsonrpc,',
      'kind: jsonrpc, refusals: skip,',
    );
    const lines = projected(configOf(config)).split('\n');
    const skipping = lines
      .filter((line) => line.endsWith(' refusals=skip'))
      .map((line) => line.split(' ')[1]);
    expect(skipping).toEqual(['chain.devnet/other.example_8545/head', 'rpc/main/jsonrpc']);
    const parsed = parseProjection(lines.join('\n'));
    if ('error' in parsed) throw new Error(parsed.error);
    expect(parsed.monitors.map(({ refusals }) => refusals)).toEqual(['skip', undefined, 'skip']);
    for (const odd of ['refusals=fail', 'refusals=skip refusals=skip', 'refusals', 'other=1'])
      expect(parseProjection(lines.join('\n').replace('refusals=skip', odd))).toHaveProperty('error');
  });
});
