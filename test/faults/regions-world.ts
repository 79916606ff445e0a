/**
 * Five regions, each on a host of its own in a network of namespaces; the nodes are on another host, a control on a third,
 * collector and page where the test runs. Every probe's wall clock can be set off.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { highwater, startAnvil, startRole, until, type Process } from '../e2e/process.ts';
import { fakeTime } from '../e2e/world.ts';
import { makeNetwork, type Network } from './network.ts';

export const regions = ['eu', 'us', 'sg', 'jp', 'br'] as const;
export type Region = (typeof regions)[number];
const names: Readonly<Record<Region, string>> = {
  eu: 'Frankfurt',
  us: 'New York',
  sg: 'Singapore',
  jp: 'Tokyo',
  br: 'Sao Paulo',
};
export const services = ['alpha', 'beta'] as const;
export const intervalMs = 2_000;

export interface RegionsWorld extends AsyncDisposable {
  readonly network: Network;
  readonly nodes: Readonly<Record<string, Process>>;
  readonly probes: Readonly<Record<string, Process>>;
  readonly collector: Process;
  readonly site: Process;
  /** Of the collector's API, which is bound wider than loopback. */
  readonly token: string;
  recordOf(region: Region): string;
  /** Sets a probe's wall clock off by so many seconds, from now on. */
  setClock(region: Region, offSeconds: number): void;
}

export { fakeTime };

function configText(
  network: Network,
  nodes: Readonly<Record<string, Process>>,
  keys: ReadonlyMap<string, string>,
  control: string,
) {
  const probes = regions.map(
    (region) => `  - { id: ${region}-1, region: ${region}, key: "${keys.get(region)}" }`,
  );
  const declared = services.map(
    (id) => `  - id: ${id}
    name: ${id} RPC
    chain: ${id}net
    nodes:
      - { id: main, zone: ${id}, url: "${nodes[id]?.url}", allowPrivate: true }
    checks:
      - { kind: head, every: 2s, timeout: 1s }`,
  );
  return `site: { name: Test Nodes, url: "http://${network.addressOf('here')}" }
regions: [ ${regions.map((id) => `{ id: ${id}, name: ${names[id]} }`).join(', ')} ]
probes:
${probes.join('\n')}
controls: [ "${control}" ]
chains:
${services.map((id) => `  ${id}net: { family: evm, chainId: 31337, blockTime: 1s, maxLag: 5, maxAge: 10s }`).join('\n')}
services:
${declared.join('\n')}
`;
}

/** Builds it and waits until every service is up for every region. */
export async function startRegions(): Promise<RegionsWorld> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const network = stack.use(makeNetwork(['nodes', ...regions]));
  const nodes: Record<string, Process> = {};
  for (const id of services) {
    const host = network.addressOf('nodes');
    nodes[id] = stack.use(await startAnvil({ host, within: network.within('nodes') }));
  }
  // What the probes ask to know that they are well is not cut off with the nodes.
  const control = createServer((_, answer) => answer.end('ok')).listen(0, network.addressOf('here'));
  await once(control, 'listening');
  stack.defer(() => void control.close());
  const { port } = control.address() as { port: number };

  const keys = new Map<string, string>();
  for (const region of regions) {
    const made = await highwater(['probe', 'keygen', '--id', `${region}-1`, '--data', join(dir, region)]);
    keys.set(region, made.stdout.trimEnd().split('\n').at(-1) ?? '');
    writeFileSync(join(dir, `${region}.clock`), '+0\n');
  }
  const configFile = join(dir, 'highwater.yaml');
  const controlUrl = `http://${network.addressOf('here')}:${port}`;
  writeFileSync(configFile, configText(network, nodes, keys, controlUrl));

  const data = join(dir, 'data');
  // Bound wider than loopback it asks for a token; the probes sign instead.
  const token = 'a-token-of-the-test-0123456789abcdef';
  const env = { HIGHWATER_TOKEN: token };
  const common = ['--config', configFile, '--data', data, '--port', '0'];
  const collector = stack.use(
    await startRole(['collector', ...common, '--bind', network.addressOf('here')], env),
  );
  const probes: Record<string, Process> = {};
  for (const region of regions) {
    const args = ['probe', '--id', `${region}-1`, '--data', join(dir, region)];
    args.push('--collector', collector.url, '--insecure', '--port', '0', '--bind', '127.0.0.1');
    args.push('--allow-private', network.cidr, '--record', join(dir, `${region}.records`));
    const clock = {
      LD_PRELOAD: fakeTime,
      FAKETIME_TIMESTAMP_FILE: join(dir, `${region}.clock`),
      FAKETIME_CACHE_DURATION: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    probes[region] = stack.use(await startRole(args, clock, network.within(region)));
  }
  const site = stack.use(
    await startRole(['site', ...common, '--collector', collector.url, '--insecure'], env),
  );
  let owner = stack;
  const world: RegionsWorld = {
    network,
    nodes,
    probes,
    collector,
    site,
    token,
    recordOf: (region) => join(dir, `${region}.records`),
    setClock: (region, offSeconds) =>
      writeFileSync(join(dir, `${region}.clock`), `${offSeconds < 0 ? '-' : '+'}${Math.abs(offSeconds)}\n`),
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
  await until('every service is operational on the page', 40_000, async () => {
    const words = await componentsOf(world);
    return services.every((id) => words.get(id) === 'operational');
  });
  owner = stack.move();
  return world;
}

/** Statuspage word by service id. */
export async function componentsOf(world: RegionsWorld): Promise<Map<string, string>> {
  const { components } = await read<{ components: { name: string; status: string }[] }>(
    world,
    '/api/v2/components.json',
  );
  return new Map(
    services.map((id) => [id, components.find(({ name }) => name === `${id} RPC`)?.status ?? '']),
  );
}

/** What the page says, without JavaScript, of each region that is unwell. */
export async function unwellRegions(world: RegionsWorld): Promise<Map<Region, string>> {
  const answer = await fetch(world.site.url, { signal: AbortSignal.timeout(5_000) });
  const text = (await answer.text()).replace(/<!--.*?-->/g, '');
  const lines = [...text.matchAll(/<p class="unwell[^>]*>(.*?)<\/p>/gs)].map(([, inner = '']) =>
    inner
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  );
  return new Map(
    regions.flatMap((region) =>
      lines.filter((line) => line.includes(names[region])).map((line): [Region, string] => [region, line]),
    ),
  );
}

/** What the page serves. */
export async function read<T>(world: RegionsWorld, path: string): Promise<T> {
  const answer = await fetch(`${world.site.url}${path}`, { signal: AbortSignal.timeout(5_000) });
  return (await answer.json()) as T;
}
