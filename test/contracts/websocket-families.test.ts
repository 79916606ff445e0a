/** The websocket check understands the subscription of every family that has one, against its fixture node. */
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import type { Observation } from '@highwater/config/domain.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import { type TestChain, testCheck, testHouse } from '../../probe/testing/check.ts';
import { startAlgod } from '../fixtures/chains/algod.ts';
import { startCosmos } from '../fixtures/chains/cosmos.ts';
import { startGraphene } from '../fixtures/chains/graphene.ts';
import { type Ledger, makeLedger, type View } from '../fixtures/chains/ledger.ts';
import { startSolana } from '../fixtures/chains/solana.ts';
import { startSubstrate } from '../fixtures/chains/substrate.ts';

interface Node extends AsyncDisposable {
  readonly url: string;
  readonly settings?: unknown;
  /** Cuts its WebSockets off. */
  cut?(code: number): void;
}

const families: Readonly<Record<string, (view: View) => Promise<Node>>> = {
  async substrate(view) {
    const node = await startSubstrate({ view });
    return {
      url: node.url,
      cut: (code) => node.closeSockets(code),
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    };
  },
  async graphene(view) {
    const node = await startGraphene({ view });
    return {
      url: node.wsUrl,
      cut: (code) => node.closeSockets(code),
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    };
  },
  async solana(view) {
    const node = await startSolana({ view });
    return {
      url: node.url,
      settings: { port: node.wsPort },
      cut: (code) => node.closeSockets(code),
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    };
  },
  async cosmos(view) {
    const node = await startCosmos({ view });
    return {
      url: node.url,
      cut: (code) => node.closeSockets(code),
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    };
  },
  async algorand(view) {
    const node = await startAlgod({ view });
    return { url: node.url, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
  },
};

const verdictOf = ({ outcome, fault }: Observation) =>
  fault ? `${outcome} ${faultId(fault)}: ${fault.detail ?? ''}` : outcome;

async function started(family: string) {
  const ledger: Ledger = makeLedger({ seed: family, blockTimeMs: 50, height: 10_000 });
  const view = ledger.view();
  const node = await (families[family] as (view: View) => Promise<Node>)(view);
  let aheadMs = 0;
  const outside = { ...testHouse.outside, monotonic: () => performance.now() + aheadMs };
  const chain = { name: 'chain', family, blockTimeMs: 50, maxLagBlocks: 5, maxAgeMs: 600_000 } as TestChain;
  const options = { chain, timeoutMs: 10_000, house: { ...testHouse, outside } };
  const check = testCheck('websocket', node.url, node.settings ?? {}, options);
  const round = async () => {
    const seen = await check.run();
    formatLine(seen);
    return seen;
  };
  return {
    ledger,
    view,
    node,
    round,
    forward: (ms: number) => (aheadMs += ms),
    /** Makes blocks until one came over the connection that stays. */
    async settled() {
      for (let i = 0; i < 200; i += 1) {
        ledger.make();
        const seen = await round();
        if (Number(seen.facts['age']) < 30_000) return seen;
        await new Promise((resume) => setTimeout(resume, 20));
      }
      throw new Error('nothing came over the connection that stays');
    },
    async [Symbol.asyncDispose]() {
      check[Symbol.dispose]();
      await node[Symbol.asyncDispose]();
      ledger[Symbol.dispose]();
    },
  };
}

describe.each(Object.keys(families))('%s', (family) => {
  it('is subscribed to, and its blocks come over a connection that stays', async () => {
    await using served = await started(family);
    expect(verdictOf(await served.round())).toBe('ok');
    const seen = await served.settled();
    expect(verdictOf(seen)).toBe('ok');
    expect(Number(seen.facts['h'])).toBeGreaterThan(9_900);
  });

  it('standing still is no fault', async () => {
    await using served = await started(family);
    await served.round();
    await served.settled();
    served.forward(120_000);
    expect([verdictOf(await served.round()), verdictOf(await served.round())]).toEqual(['ok', 'ok']);
    expect((await served.settled()).outcome).toBe('ok');
  });

  it.skipIf(family === 'algorand')('cut off is counted with its code', async () => {
    await using served = await started(family);
    await served.round();
    await served.settled();
    served.node.cut?.(1006);
    const lost: Observation[] = [];
    for (let i = 0; i < 400 && lost.length === 0; i += 1) {
      const seen = await served.round();
      if (seen.facts['lost'] !== undefined) lost.push(seen);
      else await new Promise((resume) => setTimeout(resume, 20));
    }
    expect(lost[0]?.facts).toMatchObject({ lost: '1', cc: '1006' });
    expect((await served.settled()).outcome).toBe('ok');
  });
});
