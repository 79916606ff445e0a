/** A whole installation on loopback: three anvil nodes, three probes in three regions, collector, alerts, page. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDiscord } from '../fixtures/discord.ts';
import { startSmtp } from '../fixtures/smtp.ts';
import { highwater, startAnvil, startRole, until, type Process } from './process.ts';

export const regions = ['eu', 'us', 'sg'] as const;
export const services = ['alpha', 'beta', 'gamma'] as const;

export interface World extends AsyncDisposable {
  readonly dir: string;
  readonly configFile: string;
  readonly nodes: Readonly<Record<string, Process>>;
  readonly probes: Map<string, Process>;
  collector: Process;
  alerts: Process;
  site: Process;
  readonly discord: Awaited<ReturnType<typeof startDiscord>>;
  readonly smtp: Awaited<ReturnType<typeof startSmtp>>;
  readonly env: NodeJS.ProcessEnv;
  /** The file in which a probe records each observation, beside the system. */
  recordOf(probe: string): string;
  startProbe(region: string): Promise<Process>;
  startCollector(): Promise<Process>;
  startAlerts(): Promise<Process>;
  startSite(): Promise<Process>;
}

export interface WorldOptions {
  /** How long ago, by its own clock, the collector first began, seconds: it is started so, ended, and started again. */
  readonly beganAgoS?: number;
  /** Where the probe of a region reaches the collector. */
  readonly linkOf?: (region: string, collectorUrl: string) => Promise<string>;
}

/** Intercepts what asks for the wall clock; monotonic time goes on as it is. */
export const fakeTime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

function configText(
  nodes: Readonly<Record<string, Process>>,
  keys: ReadonlyMap<string, string>,
  siteUrl: string,
) {
  const chains = services.map(
    (id) => `  ${id}net: { family: evm, chainId: 31337, blockTime: 1s, maxLag: 5, maxAge: 10s }`,
  );
  const declared = services.map(
    (id) => `  - id: ${id}
    name: ${id} RPC
    chain: ${id}net
    nodes:
      - { id: main, zone: ${id}, url: "${nodes[id]?.url}", allowPrivate: true }
    checks:
      - { kind: head, every: 2s, timeout: 1s }
      - { kind: jsonrpc, every: 2s, timeout: 1s, methods: [ { method: eth_blockNumber } ] }`,
  );
  return `site: { name: Test Nodes, url: "${siteUrl}" }
regions: [ { id: eu, name: Frankfurt }, { id: us, name: New York }, { id: sg, name: Singapore } ]
probes:
${regions.map((region) => `  - { id: ${region}-1, region: ${region}, key: "${keys.get(`${region}-1`)}" }`).join('\n')}
chains:
${chains.join('\n')}
services:
${declared.join('\n')}
alerts:
  channels:
    - { id: ops, kind: discord, webhook: env:TEST_DISCORD }
    - { id: mail, kind: email, smtp: env:TEST_SMTP, from: status@example.com, to: [oncall@example.com] }
  policies:
    - match: { impact: [major, critical] }
      steps: [ { notify: [ops, mail] } ]
`;
}

/** Builds the world and waits until every service is up on the page. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  // Whoever starts a process later adds it to the stack that then owns the world.
  let owner = stack;
  const dir = mkdtempSync(join(tmpdir(), 'highwater-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const discord = stack.use(await startDiscord());
  const smtp = stack.use(await startSmtp());
  const nodes: Record<string, Process> = {};
  for (const id of services) nodes[id] = stack.use(await startAnvil());
  const keys = new Map<string, string>();
  for (const region of regions) {
    const made = await highwater(['probe', 'keygen', '--id', `${region}-1`, '--data', join(dir, region)]);
    keys.set(`${region}-1`, made.stdout.trimEnd().split('\n').at(-1) ?? '');
  }
  const env = { TEST_DISCORD: discord.webhookUrl, TEST_SMTP: smtp.url };
  const configFile = join(dir, 'highwater.yaml');
  writeFileSync(configFile, configText(nodes, keys, 'https://status.example.com'));

  const data = join(dir, 'data');
  const recordOf = (probe: string) => join(dir, `${probe}.records`);
  let collectorPort = '0';
  const startCollector = async () => {
    const args = ['collector', '--config', configFile, '--data', data, '--port', collectorPort];
    const collector = await startRole(args, env);
    collectorPort = new URL(collector.url).port;
    return owner.use(collector);
  };
  if (options.beganAgoS !== undefined) {
    const clock = { LD_PRELOAD: fakeTime, FAKETIME: `-${options.beganAgoS}s`, DONT_FAKE_MONOTONIC: '1' };
    const args = ['collector', '--config', configFile, '--data', data, '--port', '0'];
    await using first = await startRole(args, { ...env, ...clock });
    first.signal('SIGTERM');
    await first.gone;
  }
  const collector = await startCollector();
  const probes = new Map<string, Process>();
  const startProbe = async (region: string) => {
    const id = `${region}-1`;
    const link = (await options.linkOf?.(region, collector.url)) ?? collector.url;
    const args = ['probe', '--id', id, '--data', join(dir, region), '--collector', link];
    args.push('--allow-private', '127.0.0.0/8', '--port', '0', '--record', recordOf(id));
    const probe = owner.use(await startRole(args));
    probes.set(region, probe);
    return probe;
  };
  for (const region of regions) await startProbe(region);
  const common = ['--config', configFile, '--data', data, '--collector', collector.url, '--port', '0'];
  const startAlerts = async () => owner.use(await startRole(['alerts', ...common], env));
  const startSite = async () => owner.use(await startRole(['site', ...common]));
  const alerts = await startAlerts();
  const site = await startSite();

  const kept = stack.move();
  owner = kept;
  const world: World = {
    dir, configFile, nodes, probes, collector, alerts, site, discord, smtp, env, recordOf, startProbe, startCollector, startAlerts, startSite,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }; // prettier-ignore
  await until('every service is operational on the page', 30_000, async () => {
    const components = await componentsOf(world);
    return services.every((id) => components.get(id) === 'operational');
  });
  return world;
}

export interface Summary {
  readonly components: readonly { id: string; name: string; status: string; group: boolean }[];
  readonly incidents: readonly { id: string; name: string; status: string; impact: string }[];
  readonly status: { indicator: string; description: string };
}

export async function summaryOf(world: World): Promise<Summary> {
  const answer = await fetch(`${world.site.url}/api/v2/summary.json`, { signal: AbortSignal.timeout(5_000) });
  return (await answer.json()) as Summary;
}

/** Statuspage word by service id. */
export async function componentsOf(world: World): Promise<Map<string, string>> {
  const { components } = await summaryOf(world);
  return new Map(
    services.map((id) => [id, components.find(({ name }) => name === `${id} RPC`)?.status ?? '']),
  );
}
