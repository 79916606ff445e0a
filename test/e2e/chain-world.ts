/**
 * One installation that watches real EVM nodes: a chain of one anvil behind proxies that make several nodes of it, and
 * a chain of two anvils of one genesis that can part. One probe, since what is judged here are nodes, not regions.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FeedPage, OperatorStatus, Why } from '@highwater/config/wire.ts';
import type { PublicNode, PublicService } from '@highwater/config/public.ts';
import { startRpcProxy, type RpcProxy } from '../fixtures/chains/rpc-proxy.ts';
import { startDiscord } from '../fixtures/discord.ts';
import { getJson, highwater, type Process, startAnvil, startProgram, startRole, until } from './process.ts';
import type { Summary } from './world.ts';

const proxyProgram = fileURLToPath(new URL('../fixtures/chains/rpc-proxy-process.ts', import.meta.url));

/** Nodes of the service `rpc`, and who runs each. */
const operators = { a: 'Acme', b: 'Acme', c: 'Beta', d: 'Gamma', e: 'Beta' } as const;
export type NodeId = keyof typeof operators;
const nodeIds = Object.keys(operators) as NodeId[];

/** Checkpoints by which forks are seen are this far apart where a block takes a second. */
export const checkpointStep = 64;

export interface ChainWorld extends AsyncDisposable {
  /** Makes the blocks of `devnet`, one a second. */
  readonly anvil: Process;
  /** Before it: the nodes of `rpc`. */
  readonly nodes: Readonly<Record<NodeId, RpcProxy>>;
  /** Before it as well, a process that can be stopped: the only node of `solo`. */
  readonly solo: Process;
  /** Make the blocks of `forknet`, each its own from block 1 on. */
  readonly sides: readonly [Process, Process];
  /** The node of `forked` that can be moved from the first side to the second. */
  readonly mover: RpcProxy;
  readonly collector: Process;
  readonly site: Process;
  readonly discord: Awaited<ReturnType<typeof startDiscord>>;
}

interface Endpoints {
  readonly genesis: string;
  readonly nodes: Readonly<Record<NodeId, RpcProxy>>;
  readonly solo: string;
  readonly reference: string;
  /** Two nodes of the first side and the one that moves. */
  readonly forked: readonly [string, string, string];
}

function configText({ genesis, nodes, solo, reference, forked }: Endpoints, key: string): string {
  const limits = 'family: evm, chainId: 31337, blockTime: 1s, maxLag: 5, maxAge: 10s, forkDepth: 2';
  const node = (id: string, url: string, operator: string) =>
    `      - { id: ${id}, zone: ${id}, url: "${url}", operator: ${operator}, allowPrivate: true }`;
  const [first, second, mover] = forked;
  return `site: { name: Test Nodes, url: "https://status.example.com" }
regions: [ { id: here, name: Here } ]
probes: [ { id: here-1, region: here, key: "${key}" } ]
chains:
  devnet: { ${limits}, genesis: "${genesis}", references: [ { url: "${reference}", operator: Elsewhere, allowPrivate: true } ] }
  forknet: { ${limits} }
services:
  - id: rpc
    name: Dev RPC
    chain: devnet
    nodes:
${nodeIds.map((id) => node(id, nodes[id].url, operators[id])).join('\n')}
    checks: &checks
      - { kind: head, every: 2s, timeout: 1s }
      - { kind: websocket, every: 2s, timeout: 1s }
  - id: solo
    name: Solo RPC
    chain: devnet
    nodes:
${node('main', solo, 'Delta')}
    checks: *checks
  - id: forked
    name: Forked RPC
    chain: forknet
    nodes:
${[node('first', first, 'Acme'), node('second', second, 'Beta'), node('mover', mover, 'Gamma')].join('\n')}
    checks: [ { kind: head, every: 2s, timeout: 1s } ]
alerts:
  channels: [ { id: ops, kind: discord, webhook: env:TEST_DISCORD } ]
  policies: [ { match: { impact: [major, critical] }, steps: [ { notify: [ops] } ] } ]
`;
}

/** A call of a node's own, past all proxies. */
export async function call<T>(node: { readonly url: string }, method: string, ...params: unknown[]) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(node.url, { method: 'POST', headers, body, signal: AbortSignal.timeout(5_000) });
  const { result, error } = (await reply.json()) as { result: T; error?: unknown };
  if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
  return result;
}

/** Blocks at once and of the same second, so that no node's time goes ahead. */
export async function mine(node: { readonly url: string }, blocks: number): Promise<void> {
  await call(node, 'anvil_mine', `0x${blocks.toString(16)}`, '0x0');
}

export async function heightOf(node: { readonly url: string }): Promise<number> {
  return Number(await call<string>(node, 'eth_blockNumber'));
}

/** Builds the world and waits until every node is up on the page. */
export async function startChainWorld(): Promise<ChainWorld> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const discord = stack.use(await startDiscord());
  const blocks = ['--block-time', '1', '--timestamp', String(Math.floor(Date.now() / 1_000))];
  const [anvil, one, other] = await Promise.all([
    startAnvil({ blocks }),
    startAnvil({ blocks }),
    startAnvil({ blocks }),
  ]);
  for (const node of [anvil, one, other]) stack.use(node);
  // Of one genesis and at the same time both would make the same blocks.
  await call(other, 'anvil_setCoinbase', `0x${'01'.repeat(20)}`);
  // Past the first checkpoint, and far from the next.
  for (const node of [anvil, one, other]) await mine(node, checkpointStep + 3);
  const { hash } = await call<{ hash: string }>(anvil, 'eth_getBlockByNumber', '0x0', false);

  const proxy = async (node: Process) => stack.use(await startRpcProxy(node.url));
  const [a, b, c, d, e, reference] = [
    await proxy(anvil), await proxy(anvil), await proxy(anvil), await proxy(anvil), await proxy(anvil), await proxy(anvil),
  ] as const; // prettier-ignore
  const nodes = { a, b, c, d, e };
  const solo = stack.use(await startProgram(proxyProgram, [anvil.url]));
  const mover = await proxy(one);
  const keys = await highwater(['probe', 'keygen', '--id', 'here-1', '--data', join(dir, 'here')]);
  const configFile = join(dir, 'highwater.yaml');
  const forked = [one.url, (await proxy(one)).url, mover.url] as const;
  const endpoints = { genesis: hash, nodes, solo: solo.url, reference: reference.url, forked };
  writeFileSync(configFile, configText(endpoints, keys.stdout.trimEnd().split('\n').at(-1) ?? ''));

  const data = join(dir, 'data');
  const env = { TEST_DISCORD: discord.webhookUrl };
  const installation = ['--config', configFile, '--data', data, '--port', '0'];
  const collector = stack.use(await startRole(['collector', ...installation], env));
  const follows = ['--collector', collector.url];
  const own = [
    '--id',
    'here-1',
    '--data',
    join(dir, 'here'),
    '--allow-private',
    '127.0.0.0/8',
    '--port',
    '0',
  ];
  const [probe, alerts, site] = await Promise.all([
    startRole(['probe', ...own, ...follows]),
    startRole(['alerts', ...installation, ...follows], env),
    startRole(['site', ...installation, ...follows]),
  ]);
  for (const role of [probe, alerts, site]) stack.use(role);

  const kept = stack.move();
  const world: ChainWorld = {
    anvil, nodes, solo, sides: [one, other], mover, collector, site, discord,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }; // prettier-ignore
  try {
    await until('every node is up on the page', 30_000, async () => {
      const services = await Promise.all(['rpc', 'solo', 'forked'].map((id) => serviceOf(world, id)));
      return services.every(({ nodes }) => nodes.every(({ status }) => status === 'up'));
    });
  } catch (error) {
    const { stdout } = await statusText(world);
    await kept.disposeAsync();
    throw new Error(stdout, { cause: error });
  }
  return world;
}

// ------------------------------------------------------------ what is told

export function summaryOf({ site }: ChainWorld): Promise<Summary> {
  return getJson(`${site.url}/api/v2/summary.json`);
}

/** A service as the page has it. */
export async function serviceOf({ site }: ChainWorld, id: string): Promise<PublicService> {
  const { service } = await getJson<{ service: PublicService }>(`${site.url}/api/services/${id}.json`);
  return service;
}

/** A node as the page has it: `rpc/a`. */
export async function nodeOf(world: ChainWorld, id: string): Promise<PublicNode> {
  const [service = '', name] = id.split('/');
  const node = (await serviceOf(world, service)).nodes.find((each) => each.id === name);
  if (!node) throw new Error(`the page has no node ${id}`);
  return node;
}

/** Waits until a node is said to be so, and why; gives the node. */
export function untilNode(
  world: ChainWorld,
  id: string,
  status: PublicNode['status'],
  because: RegExp,
  deadlineMs = 15_000,
): Promise<PublicNode> {
  return until(`${id} is ${status}: ${because.source}`, deadlineMs, async () => {
    const node = await nodeOf(world, id);
    if (node.status === status && because.test(node.because)) return node;
    throw new Error(`it is ${node.status}: ${node.because}`);
  });
}

export function statusOf({ collector }: ChainWorld): Promise<OperatorStatus> {
  return getJson(`${collector.url}/v1/status`);
}

/** The key of each incident that was ever opened, sorted. */
export async function everOpened({ collector }: ChainWorld): Promise<string[]> {
  const { events } = await getJson<FeedPage>(`${collector.url}/v1/events?after=0`);
  const keys = events.flatMap((event) => (event.type === 'incident.opened' ? [event.incident.key] : []));
  return keys.sort();
}

export function whyOf({ collector }: ChainWorld, monitor: string): Promise<Why> {
  return getJson(`${collector.url}/v1/why?monitor=${monitor}`);
}

/** What `highwater status` writes. */
export function statusText({ collector }: ChainWorld) {
  return highwater(['status', '--collector', collector.url]);
}
