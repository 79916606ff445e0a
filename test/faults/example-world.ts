/**
 * The examples of config/examples, run as they are but for the places: each URL that an operator would change leads to
 * a fixture here, and rounds are short. Identities, checks, methods and limits are the example's own.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { parse } from 'yaml';
import { builtInChains } from '@highwater/config/built-in-chains.ts';
import { highwater, startAnvil, startRole, type Process } from '../e2e/process.ts';
import { startAlgod } from '../fixtures/chains/algod.ts';
import { startGraphene } from '../fixtures/chains/graphene.ts';
import { startIndexer } from '../fixtures/chains/indexer.ts';
import { makeLedger, type Ledger } from '../fixtures/chains/ledger.ts';
import { startSubstrate } from '../fixtures/chains/substrate.ts';

export const exampleNames = ['bitshares', 'polkadot', 'algorand', 'evm'] as const;
export type ExampleName = (typeof exampleNames)[number];

interface Node extends Record<string, unknown> {
  readonly id: string;
  url: string;
}
interface Check extends Record<string, unknown> {
  kind: string;
  every: string;
}
interface Example {
  chains?: Record<string, { references?: Node[] } & Record<string, unknown>>;
  controls?: string[];
  probes?: { id: string; region: string; key: string }[];
  services: { id: string; nodes: Node[]; public?: Node; chain?: string; checks?: Check[] }[];
}

/** A ledger that passes for a built-in chain, with a block a second. */
function ledgerOf(chain: string, stack: AsyncDisposableStack): Ledger {
  const text = builtInChains[chain]?.genesis ?? '';
  const genesis = text.endsWith('=') ? Buffer.from(text, 'base64').toString('hex') : text.replace(/^0x/, '');
  const ledger = stack.use(makeLedger({ seed: chain, blockTimeMs: 1_000, height: 50_000_000, genesis }));
  ledger.start();
  return ledger;
}

async function serve(listener: RequestListener, stack: AsyncDisposableStack): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Where a node of a service is served: by its chain, or as what the service is. */
type Serve = (service: string, chain: string | undefined) => Promise<string>;

function fixtures(stack: AsyncDisposableStack): Serve {
  const ledgers = new Map<string, Ledger>();
  const viewOf = (chain: string) => {
    const ledger = ledgers.get(chain) ?? ledgerOf(chain, stack);
    ledgers.set(chain, ledger);
    return ledger.view();
  };
  const others: Readonly<Record<string, () => Promise<string>>> = {
    elasticsearch: () => serve((_, answer) => answer.end('{"status":"yellow","timed_out":false}'), stack),
    faucet: () =>
      serve((request, answer) => answer.writeHead(request.method === 'POST' ? 400 : 200).end(), stack),
    snapshots: () => serve((_, answer) => answer.end(), stack),
    websocket: async () => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      stack.defer(() => server.close());
      server.on('connection', (socket) => socket.on('message', () => socket.send('{"type":"pong"}')));
      return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
  };
  return async (service, chain) => {
    const other = others[service];
    if (chain === undefined && other) return other();
    if (service === 'indexer') return stack.use(await startIndexer({ view: viewOf('algorand') })).url;
    const family = builtInChains[chain ?? '']?.family;
    if (chain === undefined || family === undefined) throw new Error(`${service}: nothing serves this`);
    const view = viewOf(chain);
    if (family === 'graphene') return stack.use(await startGraphene({ view })).wsUrl;
    if (family === 'substrate') return stack.use(await startSubstrate({ view })).url;
    if (family === 'algorand') return stack.use(await startAlgod({ view })).url;
    return stack.use(await startAnvil()).url;
  };
}

/** The example with its places changed. */
async function changed(name: ExampleName, stack: AsyncDisposableStack): Promise<Example> {
  const file = new URL(`../../config/examples/${name}.yaml`, import.meta.url);
  const example = parse(readFileSync(file, 'utf8')) as Example;
  const placeFor = fixtures(stack);
  const moved = async (node: Node, service: string, chain: string | undefined): Promise<Node> => {
    const { address: _, ...rest } = node;
    return { ...rest, url: await placeFor(service, chain), allowPrivate: true };
  };
  for (const [chain, own] of Object.entries(example.chains ?? {})) {
    const references = [];
    for (const each of own.references ?? []) references.push(await moved(each, `chain.${chain}`, chain));
    if (references.length > 0) own.references = references;
  }
  for (const service of example.services) {
    service.nodes = await Promise.all(service.nodes.map((node) => moved(node, service.id, service.chain)));
    if (service.public) service.public = await moved(service.public, service.id, service.chain);
    // What stands in for a server here speaks no TLS.
    if (service.checks) service.checks = service.checks.filter(({ kind }) => kind !== 'tls');
    for (const check of service.checks ?? []) Object.assign(check, { every: '5s', timeout: '2s' });
  }
  example.controls = [];
  // Nobody can make a node with Ethereum's own genesis: another chain id makes it another chain.
  if (name === 'evm') example.chains = { ethereum: { family: 'evm', chainId: 31_337, maxAge: '30s' } };
  return example;
}

export interface ExampleWorld extends AsyncDisposable {
  readonly site: Process;
  readonly collector: Process;
  readonly services: readonly string[];
}

/** Collector, one probe and the page, running an example. */
export async function startExample(name: ExampleName): Promise<ExampleWorld> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), `highwater-${name}-`));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const example = await changed(name, stack);
  const made = await highwater(['probe', 'keygen', '--id', 'here-1', '--data', join(dir, 'probe')]);
  const key = made.stdout.trimEnd().split('\n').at(-1) ?? '';
  example.probes = [{ id: 'here-1', region: 'here', key }];
  const file = join(dir, 'highwater.yaml');
  writeFileSync(file, JSON.stringify(example));
  const common = ['--config', file, '--data', join(dir, 'data'), '--port', '0'];
  const collector = stack.use(await startRole(['collector', ...common]));
  const to = ['--collector', collector.url, '--port', '0'];
  const consent = ['--allow-private', '127.0.0.0/8'];
  stack.use(await startRole(['probe', '--id', 'here-1', '--data', join(dir, 'probe'), ...consent, ...to]));
  const site = stack.use(await startRole(['site', ...common, '--collector', collector.url]));
  const kept = stack.move();
  return {
    site,
    collector,
    services: example.services.map(({ id }) => id),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
