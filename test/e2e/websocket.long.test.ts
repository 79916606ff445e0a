/** The websocket check against a real EVM node: what its subscribers see when the chain moves, turns back and stands still. */
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import type { Observation } from '@highwater/config/domain.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import { type TestChain, testCheck, testHouse } from '../../probe/testing/check.ts';
import { type Process, startAnvil, until } from './process.ts';

const chain: TestChain = {
  name: 'anvil',
  family: 'evm',
  chainId: 31_337,
  blockTimeMs: 1_000,
  maxLagBlocks: 5,
  maxAgeMs: 60_000,
};

async function rpc(node: Process, method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(node.url, { method: 'POST', headers, body, signal: AbortSignal.timeout(5_000) });
  const { result, error } = (await answer.json()) as { result?: unknown; error?: unknown };
  if (error !== undefined) throw new Error(JSON.stringify(error));
  return result;
}

const verdictOf = ({ outcome, fault }: Observation) => (fault ? `${outcome} ${faultId(fault)}` : outcome);

describe('a real node', () => {
  it('pushes new heads, turns back, stands still without blame, and is told when it hangs', async () => {
    await using node = await startAnvil({ blocks: ['--no-mining'] });
    let aheadMs = 0;
    const outside = { ...testHouse.outside, monotonic: () => performance.now() + aheadMs };
    const options = { chain, timeoutMs: 3_000, house: { ...testHouse, outside } };
    using check = testCheck('websocket', node.url, { maxSilence: '30s' }, options);
    const round = async () => {
      const seen = await check.run();
      formatLine(seen);
      return seen;
    };
    const mine = () => rpc(node, 'evm_mine');

    expect(verdictOf(await round())).toBe('ok');
    // The long-lived subscription is there once a block comes over it.
    await until('a pushed block', 20_000, async () => {
      await mine();
      return (await round()).facts['age'] !== undefined;
    });
    for (let i = 0; i < 5; i += 1) await mine();
    const before = await round();
    expect(verdictOf(before)).toBe('ok');

    await rpc(node, 'anvil_reorg', 3, []);
    const reorged = await until('a reorganisation', 20_000, async () => {
      const seen = await round();
      return seen.facts['reorg'] === undefined ? undefined : seen;
    });
    expect(verdictOf(reorged)).toBe('ok');
    expect(reorged.facts['reorg']).toBe('3');
    expect(reorged.facts['h']).toBe(before.facts['h']);

    // Nobody mines: however long, that is the chain's affair.
    aheadMs += 3_600_000;
    expect([verdictOf(await round()), verdictOf(await round())]).toEqual(['ok', 'ok']);
    await mine();
    await until('the next block', 20_000, async () => Number((await round()).facts['age']) < 60_000);

    node.signal('SIGSTOP');
    // A signal takes a moment to stop all threads.
    const hung = await until('not up', 20_000, async () => {
      const seen = await round();
      return verdictOf(seen) === 'ok' ? undefined : seen;
    });
    expect(['fail target.http.timeout', 'fail target.ws.timeout', 'fail target.connect.timeout']).toContain(
      verdictOf(hung),
    );
    expect(hung.facts).toHaveProperty('age');
    node.signal('SIGCONT');
    await until('good again', 20_000, async () => verdictOf(await round()) === 'ok');
  });
});
