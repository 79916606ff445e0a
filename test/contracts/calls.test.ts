/** The calls that a service of each family is asked by default, by the probe's own code, against a node of the family. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { familyPresets } from '@highwater/config/presets.ts';
import { isFact } from '@highwater/config/proof/line.ts';
import { runOnce } from '../../probe/src/once.ts';
import { closedPort } from '../../probe/testing/servers.ts';
import { startAlgod } from '../fixtures/chains/algod.ts';
import { startBitcoin } from '../fixtures/chains/bitcoin.ts';
import { startCosmos } from '../fixtures/chains/cosmos.ts';
import { startGraphene } from '../fixtures/chains/graphene.ts';
import { makeLedger, type View } from '../fixtures/chains/ledger.ts';
import { startSolana } from '../fixtures/chains/solana.ts';
import { startSubstrate } from '../fixtures/chains/substrate.ts';

type Node = AsyncDisposable & {
  readonly url: string;
  readonly wsUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const nodes: Readonly<Record<string, (view: View) => Promise<Node>>> = {
  algorand: (view) => startAlgod({ view }),
  bitcoin: async (view) => {
    const node = await startBitcoin({ view });
    return Object.assign(node, { headers: { authorization: node.authorization } });
  },
  cosmos: (view) => startCosmos({ view }),
  evm: startAnvil,
  graphene: (view) => startGraphene({ view }),
  solana: (view) => startSolana({ view }),
  substrate: (view) => startSubstrate({ view }),
};

/** A real node. */
async function startAnvil(): Promise<Node> {
  const anvil = resolve('node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');
  const port = await closedPort();
  const node = spawn(anvil, ['--port', String(port)], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(node, 'exit');
  // It goes on writing, so that its output is read to the end.
  await new Promise<void>((listens) => {
    node.stdout.on('data', (said: Buffer) => said.includes(`:${port}`) && listens());
  });
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      node.kill('SIGKILL');
      await gone;
    },
  };
}

async function asked(family: string, url: string, equal: boolean, headers: Node['headers'] = {}) {
  const preset = familyPresets[family]?.find(({ kind }) => kind === 'jsonrpc');
  const methods = (preset?.['methods'] as readonly object[]).map((each) => ({ ...each, equal }));
  const { outcome, fault, facts } = await runOnce({
    kind: 'jsonrpc',
    settings: { methods },
    target: { url, headers, allowPrivate: true },
    chain: { name: 'c', family, blockTimeMs: 1_000, maxLagBlocks: 6, maxAgeMs: 60_000 },
    timeoutMs: 5_000,
    allowPrivate: ['config'],
  });
  for (const [key, value] of Object.entries(facts)) expect([key, value, isFact(key, value)]).toContain(true);
  const figures = Object.keys(facts).filter((key) => key.startsWith('m.'));
  const compared = Object.keys(facts).filter((key) => key.startsWith('e.'));
  expect([outcome, fault, figures.length, compared.length]).toEqual([
    'ok',
    undefined,
    methods.length,
    equal ? methods.length : 0,
  ]);
}

describe('the calls that a service is asked by default', () => {
  it('are there for every family that a node can be played of', () => {
    expect(Object.keys(nodes)).toEqual(Object.keys(familyPresets).sort());
  });

  it.each(Object.keys(nodes))('%s answers them, over each transport that it has', async (family) => {
    using ledger = makeLedger({ seed: family, blockTimeMs: 1_000, height: 2_000 });
    await using node = await (nodes[family] as (view: View) => Promise<Node>)(ledger.view());
    await asked(family, node.url, false, node.headers);
    await asked(family, node.url, true, node.headers);
    // Solana's nodes answer subscriptions alone over theirs.
    if (node.wsUrl !== undefined && family !== 'solana') await asked(family, node.wsUrl, true);
  });
});
