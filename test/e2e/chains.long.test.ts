import type { PublicNode } from '@highwater/config/public.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  call,
  type ChainWorld,
  checkpointStep,
  everOpened,
  heightOf,
  mine,
  nodeOf,
  serviceOf,
  startChainWorld,
  statusOf,
  statusText,
  summaryOf,
  untilNode,
  whyOf,
} from './chain-world.ts';
import { highwater, until } from './process.ts';

/** Nodes that nothing is ever wrong with, until their chain stands still. */
const honest = ['rpc/a', 'rpc/e'] as const;

/**
 * Chains as they are, on real nodes: what one node does wrong is judged as its own and moves nothing of the others;
 * what a chain does is no node's fault. The steps share one world and go on from each other.
 */
describe('nodes of a chain that lag, lie, part and stop', () => {
  let world: ChainWorld;
  /** When each of the honest nodes was found up: as long as that stays, nothing was ever said of it. */
  let upSince: readonly string[];

  const sinceOfHonest = () =>
    Promise.all(
      honest.map(async (id) => {
        const { status, since } = await nodeOf(world, id);
        return `${id} ${status} ${since}`;
      }),
    );

  /** The page's head is where the chain is, give or take a round and the page's own second. */
  const expectHeadUnmoved = async () => {
    const height = await heightOf(world.anvil);
    const { head } = await serviceOf(world, 'rpc');
    expect(head).toMatchObject({ chain: 'devnet', state: 'moving' });
    expect(head?.because).toMatch(/^the height that \d of \d nodes/);
    expect(head?.height).toBeGreaterThan(height - 10);
    expect(head?.height).toBeLessThanOrEqual(height + 1);
    expect(await sinceOfHonest()).toEqual(upSince);
  };

  const linesAfter = async (monitor: string, from: number) => {
    const { lines } = await whyOf(world, monitor);
    return lines.filter(({ receivedAt }) => receivedAt > from).map(({ line }) => line);
  };

  beforeAll(async () => {
    world = await startChainWorld();
    upSince = await sinceOfHonest();
  }, 90_000);
  afterAll(async () => {
    // It is not there when it could not be made.
    await (world as ChainWorld | undefined)?.[Symbol.asyncDispose]();
  });

  it('starts with every node level and nobody told anything', async () => {
    await expectHeadUnmoved();
    const { status, incidents } = await summaryOf(world);
    expect(status.indicator).toBe('none');
    expect(incidents).toEqual([]);
  });

  it('takes one block ahead for level, and a block that is taken back for no fork, while others part', async () => {
    const from = Date.now();
    world.mover.moveTo(world.sides[1].url);
    for (const side of world.sides) await mine(side, checkpointStep);
    world.nodes.c.behave({ ahead: 1 });
    await call(world.anvil, 'anvil_reorg', 1, []);
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await until(`the socket of ${id} tells of a block in another's place`, 10_000, async () =>
        (await linesAfter(`rpc/${id}/websocket`, from)).some((line) => / reorg=[1-9]/.test(line)),
      );
    }
    const { stdout } = await highwater(['why', 'rpc/a/websocket', '--collector', world.collector.url]);
    expect(stdout).toMatch(/^rpc\/a\/websocket is up at .*\n(?:.*\n)* +here-1 .* reorg=[1-9]/);
    await until('three rounds of the node that lies', 10_000, async () => {
      return (await linesAfter('rpc/c/head', from)).length >= 3;
    });
    const { nodes } = await serviceOf(world, 'rpc');
    expect(nodes.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'a up',
      'b up',
      'c up',
      'd up',
      'e up',
    ]);
    await expectHeadUnmoved();
    expect(await summaryOf(world)).toMatchObject({ incidents: [] });
  }, 30_000);

  it('tells a node that has other blocks than the rest since then, and from which height on', async () => {
    const mover = await untilNode(world, 'forked/mover', 'degraded', /^another block \d+ than 2 of 3 nodes$/);
    expect(mover.because).toContain(`another block ${2 * checkpointStep} than`);
    const { nodes, head, component } = await serviceOf(world, 'forked');
    expect(nodes.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'first up',
      'second up',
      'mover degraded',
    ]);
    expect(head).toMatchObject({ chain: 'forknet', state: 'forked' });
    expect(component).toBe('degraded_performance');
    const why = await highwater(['why', 'forked/mover/head', '--collector', world.collector.url]);
    expect(why.stdout).toMatch(/^forked: At one height, /m);
    // Before it has lasted long enough to be told: it is up again with the blocks of the others at a newer height.
    world.mover.moveTo(world.sides[0].url);
    for (const side of world.sides) await mine(side, checkpointStep);
  }, 30_000);

  describe('four nodes in trouble at once', () => {
    let heldAt: number;
    /** Looked for from the start, since it is behind for a few seconds only before it is old. */
    let behind: Promise<PublicNode>;
    beforeAll(async () => {
      heldAt = await heightOf(world.anvil);
      world.nodes.b.behave({ holdAt: heldAt });
      behind = untilNode(world, 'rpc/b', 'degraded', /^\d+ blocks behind the height that \d of \d/, 30_000);
      behind.catch(() => undefined);
      world.nodes.c.behave({ ahead: 1_000 });
      world.nodes.d.behave({ gone: true });
      world.solo.signal('SIGSTOP');
    });

    it('a jump of 1,000 blocks is ahead, and moves no head', async () => {
      const ahead = await untilNode(
        world, 'rpc/c', 'degraded', /blocks ahead of the height that \d of \d nodes.* agree on/,
      ); // prettier-ignore
      expect(ahead.lagBlocks).toBeLessThan(-990);
      await expectHeadUnmoved();
    }, 30_000);

    it('a node that refuses is down, and is asked anew who it is when it answers again', async () => {
      await untilNode(world, 'rpc/d', 'down', /: target[.]http[.]reset$/);
      world.nodes.d.behave({ chainId: 999 });
    });

    it('a node that stands still is behind, then down by the age of its head', async () => {
      expect(await behind).toMatchObject({ height: heldAt });
      expect((await behind).lagBlocks).toBeGreaterThan(5);
      const old = await untilNode(world, 'rpc/b', 'down', /^head: down in .*: target[.]head[.]old$/);
      expect(old).toMatchObject({ height: heldAt });
      expect(old.checks.find(({ kind }) => kind === 'websocket')).toMatchObject({ status: 'up' });
    }, 40_000);

    it('a process that hangs is down by time-out: one incident, one message', async () => {
      await untilNode(world, 'solo/main', 'down', /target[.]http[.]timeout/);
      const incident = await until('an incident on the page', 10_000, async () => {
        const { incidents } = await summaryOf(world);
        return incidents.find(({ impact }) => impact === 'major');
      });
      expect(incident).toMatchObject({ name: 'Solo RPC is down', status: 'investigating' });
      await until('a message', 10_000, () => world.discord.messages.length > 0);
    }, 40_000);

    it('a node of another chain is down for that', async () => {
      await untilNode(world, 'rpc/d', 'down', /^head: down in .*: target[.]head[.]chain$/);
    }, 40_000);

    it('moves nothing of the others, and each recovers', async () => {
      await expectHeadUnmoved();
      const { component } = await serviceOf(world, 'rpc');
      expect(component).toBe('partial_outage');
      const from = Date.now();
      for (const id of ['b', 'c', 'd'] as const) world.nodes[id].behave({});
      world.solo.signal('SIGCONT');
      for (const id of ['rpc/b', 'rpc/c', 'rpc/d', 'solo/main', 'forked/mover'])
        await untilNode(world, id, 'up', /^(?:all 2 checks up|head: up in .*)$/);
      await until('the socket of the one that lied tells that it went back', 10_000, async () =>
        (await linesAfter('rpc/c/websocket', from)).some((line) => / reorg=1/.test(line)),
      );
      await until('no incident is open', 10_000, async () => (await summaryOf(world)).incidents.length === 0);
      await until('a message of recovery', 10_000, () => world.discord.messages.length === 2);
      await expectHeadUnmoved();
    }, 40_000);
  });

  it('a chain that stands still is one incident of the chain, and no fault of its sockets', async () => {
    await call(world.anvil, 'evm_setIntervalMining', 0);
    await until('an incident on the page', 25_000, async () => (await summaryOf(world)).incidents.length > 0);
    await until('a message', 10_000, () => world.discord.messages.length > 2);
    await until('all of its nodes are down', 10_000, async () => {
      const { nodes } = await serviceOf(world, 'rpc');
      return nodes.every(({ status }) => status === 'down');
    });
    const { head, nodes } = await serviceOf(world, 'rpc');
    expect(head).toMatchObject({ chain: 'devnet', state: 'stalled', height: await heightOf(world.anvil) });
    expect(head?.because).toMatch(/^no new block since .* UTC \(\d+\), say \d of \d heads$/);
    const sockets = nodes.flatMap(({ checks }) => checks.filter(({ kind }) => kind === 'websocket'));
    expect(sockets.map(({ status }) => status)).toEqual(['up', 'up', 'up', 'up', 'up']);
    expect((await summaryOf(world)).incidents).toMatchObject([
      { name: 'Devnet stands still', impact: 'major' },
    ]);
    const { incidents } = await statusOf(world);
    expect(incidents.map(({ key }) => key)).toEqual(['chain:devnet']);
    expect((await statusText(world)).stdout).toMatch(/^ +devnet +\d+ +stalled /m);
    const why = await highwater(['why', 'rpc/a/head', '--collector', world.collector.url]);
    expect(why.stdout).toMatch(/^stalled: Most heads of the chain, /m);
    expect(world.discord.messages).toHaveLength(3);
  }, 60_000);

  it('blocks again end it once', async () => {
    const learned = (await serviceOf(world, 'rpc')).head?.blockTimeMs ?? 0;
    await call(world.anvil, 'evm_setIntervalMining', 1);
    await until('no incident is open', 20_000, async () => (await summaryOf(world)).incidents.length === 0);
    await until('a message of recovery', 10_000, () => world.discord.messages.length > 3);
    for (const id of [...honest, 'rpc/b', 'rpc/c', 'rpc/d', 'solo/main'])
      await untilNode(world, id, 'up', /^all 2 checks up/);
    const { head } = await serviceOf(world, 'rpc');
    expect(head).toMatchObject({ state: 'moving' });
    // What it stood still is no block time: one of a second would seem a tenth longer at least.
    expect(Math.abs((head?.blockTimeMs ?? 0) - learned)).toBeLessThan(100);
    expect(world.discord.messages).toHaveLength(4);
    expect(await everOpened(world)).toEqual(['chain:devnet', 'node:rpc/d', 'service:solo']);
  }, 60_000);
});
