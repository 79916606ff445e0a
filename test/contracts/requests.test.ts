/** How many requests a head check costs a node, by family: the table of docs/architecture.md, held. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CheckContext } from '@highwater/config/kinds.ts';
import { head } from '../../probe/src/checks/head.ts';
import { openWay } from '../../probe/src/io/exchange.ts';
import { testHouse } from '../../probe/testing/check.ts';
import { goodEvm, serveRpc } from '../../probe/testing/rpc.ts';
import { startAlgod } from '../fixtures/chains/algod.ts';
import { startBitcoin } from '../fixtures/chains/bitcoin.ts';
import { startCosmos } from '../fixtures/chains/cosmos.ts';
import { startGraphene } from '../fixtures/chains/graphene.ts';
import { startIndexer } from '../fixtures/chains/indexer.ts';
import { makeLedger, type View } from '../fixtures/chains/ledger.ts';
import { startSolana } from '../fixtures/chains/solana.ts';
import { startSubstrate } from '../fixtures/chains/substrate.ts';

type Node = AsyncDisposable & { readonly url: string; readonly authorization?: string };

const nodes: Readonly<Record<string, (view: View) => Promise<Node>>> = {
  algorand: (view) => startAlgod({ view }),
  'algorand.indexer': (view) => startIndexer({ view }),
  bitcoin: (view) => startBitcoin({ view }),
  cosmos: (view) => startCosmos({ view }),
  evm: (view) =>
    serveRpc((call) => {
      const [at] = call.params as unknown[];
      const height = typeof at === 'string' && at.startsWith('0x') ? Number(at) : view.head.height;
      return { id: call.id, result: goodEvm(call, { height, blockAt: view.head.at }) ?? '0x1' };
    }),
  graphene: (view) => startGraphene({ view }),
  solana: (view) => startSolana({ view, skipped: () => false }),
  substrate: (view) => startSubstrate({ view }),
};

const minute = 60_000;

/** Rounds of one head check with a clock that is put forward; each gives how many requests it made. */
function counted(name: string, node: Node) {
  const [family = '', api] = name.split('.');
  const headers = node.authorization === undefined ? {} : { authorization: node.authorization };
  const run = head.prepare(api === undefined ? {} : { api });
  const memory = new Map<string, unknown>();
  return async (at: number): Promise<number> => {
    const signal = AbortSignal.timeout(10_000);
    const target = { url: node.url, headers, allowPrivate: true };
    const way = openWay(target, testHouse.outside, signal);
    let requests = 0;
    const ctx: Partial<CheckContext> = {
      signal,
      target,
      chain: {
        name: 'c',
        family,
        ...(family === 'evm' ? { chainId: 31_337 } : {}),
        blockTimeMs: 6_000,
        maxLagBlocks: 5,
        maxAgeMs: 60 * minute,
        forkDepthBlocks: 8,
        references: [],
      },
      now: () => at,
      clockBoundMs: 0,
      memory,
      round: 0,
      exchange(request) {
        requests += 1;
        return way.exchange(request);
      },
    };
    const { outcome } = await run(ctx as CheckContext);
    way.close();
    expect(outcome).toBe('ok');
    return requests;
  };
}

/** The rows `| family | usual | first | checkpoint |` of the table. */
function documented(): Map<string, string> {
  const text = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
  const rows = text.matchAll(/^\| `([a-z.]+)` \| (\d+) \| (\d+) \| (\d+) \|$/gm);
  return new Map([...rows].map(([, name = '', ...counts]) => [name, counts.join(' ')]));
}

describe('the requests of a head check', () => {
  const table = documented();

  it('are told for each family', () => {
    expect([...table.keys()].sort()).toEqual(Object.keys(nodes));
  });

  it.each(Object.keys(nodes))('to %s are as few as the table says', async (name) => {
    // A multiple of the step between checkpoints, and a block below that makes for another one.
    using ledger = makeLedger({ seed: name, blockTimeMs: 6_000, height: 1_008 });
    const view = ledger.view();
    await using node = await (nodes[name] as (view: View) => Promise<Node>)(view);
    const round = counted(name, node);
    const at = ledger.head.at;
    const first = await round(at);
    const usual = await round(at + minute);
    expect(await round(at + 2 * minute)).toBe(usual);
    view.lag(16);
    const checkpoint = await round(at + 3 * minute);
    const known = await round(at + 5 * minute);
    expect([usual, first, checkpoint].join(' ')).toBe(table.get(name));
    // Who it is is asked again, its checkpoint is not.
    expect(known - usual).toBe(first - checkpoint);
  });
});
