import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChainWorld,
  checkpointStep,
  everOpened,
  heightOf,
  mine,
  startChainWorld,
  statusOf,
  summaryOf,
  untilNode,
} from '../e2e/chain-world.ts';
import { until } from '../e2e/process.ts';

/** What is wrong with single nodes and lasts: degradations are told after a minute, so this takes a few. */
describe('trouble of single nodes that lasts', () => {
  let world: ChainWorld;
  beforeAll(async () => {
    world = await startChainWorld();
  }, 90_000);
  afterAll(async () => {
    await (world as ChainWorld | undefined)?.[Symbol.asyncDispose]();
  });

  const openKeys = async () => (await statusOf(world)).incidents.map(({ key }) => key).sort();
  const all = ['chain:forknet', 'node:rpc/b', 'node:rpc/c', 'node:rpc/d'];

  it('is told once each: who stands still, who lies, who is of another chain, and that nodes have parted', async () => {
    world.nodes.b.behave({ holdAt: await heightOf(world.anvil) });
    world.nodes.c.behave({ ahead: 1_000 });
    world.nodes.d.behave({ gone: true });
    world.mover.moveTo(world.sides[1].url);
    for (const side of world.sides) await mine(side, checkpointStep);
    await untilNode(world, 'rpc/d', 'down', /: target[.]http[.]reset$/);
    world.nodes.d.behave({ chainId: 999 });
    await until('all four are told', 120_000, async () => (await openKeys()).length === all.length);
    expect(await openKeys()).toEqual(all);
    const { incidents } = await statusOf(world);
    const told = Object.fromEntries(
      incidents.map(({ key, impact, title, updates }) => [
        key,
        `${impact}: ${title}. ${updates.at(-1)?.body ?? ''}`,
      ]),
    );
    expect(told['chain:forknet']).toMatch(
      /^minor: Nodes of Forknet are on different forks[.] .*: forked\/mover has another block \d+ than 2 of 3 nodes[.]$/,
    );
    expect(told['node:rpc/b']).toMatch(/^minor: Node b of Dev RPC is down[.] .*target[.]head[.]old[.]$/);
    expect(told['node:rpc/c']).toMatch(
      /^minor: Node c of Dev RPC is degraded[.] .* blocks ahead of the height/,
    );
    expect(told['node:rpc/d']).toMatch(/^minor: Node d of Dev RPC is down[.] /);
    await until('the page has them', 5_000, async () => {
      return (await summaryOf(world)).incidents.length === all.length;
    });
  }, 180_000);

  it('is over once each, the fork when the node has the blocks of the others at a newer height', async () => {
    for (const id of ['b', 'c', 'd'] as const) world.nodes[id].behave({});
    await until('only the fork is left', 30_000, async () => (await openKeys()).join() === 'chain:forknet');
    world.mover.moveTo(world.sides[0].url);
    for (const side of world.sides) await mine(side, checkpointStep);
    await untilNode(world, 'forked/mover', 'up', /^head: up/);
    await until('nothing is open', 30_000, async () => (await openKeys()).length === 0);
    expect(await everOpened(world)).toEqual(all);
    // Nothing of it was more than minor.
    expect(world.discord.messages).toEqual([]);
  }, 120_000);
});
