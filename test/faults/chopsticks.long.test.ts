/** The substrate family on real blocks of a real runtime: headers, storage, hashes and pushes as no fixture of ours made them. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { faultId } from '@highwater/config/faults.ts';
import { substrate, timestampKey } from '../../probe/src/checks/chains/substrate.ts';
import type { Reply } from '../../probe/src/checks/ask.ts';
import type { Json } from '../../probe/src/checks/json.ts';
import { runOnce } from '../../probe/src/once.ts';
import { type Chopsticks, missing, startChopsticks } from './chopsticks.ts';

if (missing !== undefined) {
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(`${missing}; without it the substrate family is not tried on a real runtime`);
}

/** Chopsticks gives every chain this block 0. */
const genesis = `0x${'45'.repeat(32)}`;
/** Rococo Asset Hub makes a block each 12 s. */
const slotMs = 12_000;

describe.skipIf(missing !== undefined)('a real Substrate runtime', () => {
  let node: Chopsticks;
  beforeAll(async () => {
    node = await startChopsticks();
  });
  afterAll(() => node[Symbol.asyncDispose]());

  const look = async (url = node.url, more: object = {}) => {
    const observation = await runOnce({
      kind: 'head',
      settings: {},
      target: { url, headers: {}, allowPrivate: true },
      chain: {
        name: 'rococo-asset-hub',
        family: 'substrate',
        genesis,
        blockTimeMs: slotMs,
        maxLagBlocks: 10,
        maxAgeMs: 600_000,
        maxFinalityLagBlocks: 10,
        ...more,
      },
      timeoutMs: 5_000,
      allowPrivate: ['config'],
    });
    const { outcome, fault, facts } = observation;
    return { said: fault ? `${outcome} ${faultId(fault)}` : outcome, facts };
  };
  const result = async (method: string, params: readonly unknown[] = []) => {
    const { result: said, error } = await node.call(method, params);
    if (error) throw new Error(`${method}: ${error.message}`);
    return said as string;
  };
  const hashAt = (height: number) => result('chain_getBlockHash', [height]);
  const storedTime = async (height: number) => {
    const stored = await result('state_getStorage', [timestampKey, await hashAt(height)]);
    return Number(Buffer.from(stored.slice(2), 'hex').readBigUInt64LE());
  };
  /** Back to block 1, dated now unless told otherwise, so that no test needs another. */
  const rewind = async (at = Date.now()) => {
    await result('dev_setHead', [1]);
    await result('dev_timeTravel', [new Date(at).toISOString()]);
  };

  it.each(['url', 'wsUrl'] as const)('tells its head over its %s', async (way) => {
    const hash = await hashAt(1);
    const at = await storedTime(1);
    // Only lowest byte first is it a time of today.
    expect(Math.abs(Date.now() - at)).toBeLessThan(600_000);
    expect(await look(node[way])).toEqual({
      said: 'ok',
      facts: { h: '1', id: hash.slice(2, 10), bt: String(at), g: '45454545', fh: '1', ver: 'chopsticks-v1' },
    });
    expect((await look(node[way], { genesis: `0x${'46'.repeat(32)}` })).said).toBe(
      'fail target.head.genesis',
    );
  });

  it('moves with new blocks, and falls back with its head', async () => {
    await rewind();
    const first = await look();
    await result('dev_newBlock', [{ count: 1 }]);
    const second = await look();
    expect(second.facts).toMatchObject({
      h: '2',
      fh: '2',
      id: (await hashAt(2)).slice(2, 10),
      bt: String(Number(first.facts['bt']) + slotMs),
    });
    expect(second.facts['id']).not.toBe(first.facts['id']);
    await rewind();
    expect(await hashAt(2)).toBeNull();
    const back = await look();
    expect([back.said, back.facts['h'], back.facts['id']]).toEqual(['ok', '1', first.facts['id']]);
    expect((await look(node.url, { maxAgeMs: -slotMs })).said).toBe('fail target.head.old');
  });

  it('is seen as forked by the hash of an older block, and as ahead of its time', async () => {
    const forkDepthBlocks = 2;
    // Compared at every fourth height: five blocks of 12 s make about a minute.
    const grown = async (from: number) => {
      await rewind(from);
      await result('dev_newBlock', [{ count: 6 }]);
      const { said, facts } = await look(node.url, { forkDepthBlocks });
      expect([said, facts['h']]).toEqual(['degraded target.head.future', '7']);
      expect(facts['cp']).toBe(`4.${(await hashAt(4)).slice(2, 10)}`);
      return facts['cp'];
    };
    const now = Date.now();
    // A block that is dated otherwise has another hash, and so have all after it.
    expect(await grown(now + slotMs)).not.toBe(await grown(now));
  });

  it('is not at fault for what it does not know', async () => {
    await rewind();
    expect(await result('system_health')).toEqual({ peers: 0, isSyncing: false, shouldHavePeers: false });
    for (const method of ['system_syncState', 'system_peers', 'chain_subscribeNewHeads']) {
      const { error } = await node.call(method);
      expect([method, error?.code, typeof error?.message]).toEqual([method, undefined, 'string']);
    }
    const { said, facts } = await look();
    expect([said, facts['peers']]).toEqual(['ok', undefined]);
  });

  it('pushes best and finalized heads, forwards and back', async () => {
    const { stream } = substrate;
    if (stream?.kind !== 'socket') throw new Error('no stream of a socket');
    await rewind();
    using client = await connect(node.wsUrl);
    await stream.subscribe(client);
    const next = async () => {
      for (;;) {
        const pushed = stream.pushed(await client.next());
        if (pushed) return pushed;
      }
    };
    const both = (height: number, parent: string) => [
      { height, parent: parent.slice(2, 10) },
      { height, parent: parent.slice(2, 10), finalized: true },
    ];
    expect([await next(), await next()]).toEqual(both(1, genesis));
    await result('dev_newBlock', [{ count: 2 }]);
    expect([await next(), await next()]).toEqual(both(2, await hashAt(1)));
    expect([await next(), await next()]).toEqual(both(3, await hashAt(2)));
    await rewind();
    expect([await next(), await next()]).toEqual(both(1, genesis));
  });

  it('hangs, goes on, and is gone', async () => {
    await rewind();
    node.signal('SIGSTOP');
    expect((await look()).said).toBe('fail target.http.timeout');
    node.signal('SIGCONT');
    expect((await look()).said).toBe('ok');
    node.signal('SIGKILL');
    await node.gone;
    expect((await look()).said).toBe('fail target.connect.refused');
  });
});

/** A WebSocket on which calls are answered and everything else is kept in order. */
async function connect(url: string) {
  const socket = new WebSocket(url);
  const calls = new Map<number, (reply: Reply) => void>();
  const kept: Json[] = [];
  const waiting: ((message: Json) => void)[] = [];
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Record<string, Json>;
    const answered = calls.get(Number(message['id']));
    if (answered) answered({ result: message['result'] ?? null, latencyTenths: 0 });
    else (waiting.shift() ?? ((each: Json) => void kept.push(each)))(message);
  });
  await once(socket, 'open');
  return {
    call: (method: string, params: unknown) =>
      new Promise<Reply>((answered) => {
        const id = calls.size + 1;
        calls.set(id, answered);
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      }),
    next: async () => kept.shift() ?? new Promise<Json>((told) => waiting.push(told)),
    [Symbol.dispose]: () => socket.terminate(),
  };
}
