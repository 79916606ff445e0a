import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type CheckContext, FaultError } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { noDns } from '../../testing/no-dns.ts';
import { goodEvm, hash, type RpcAnswer, type RpcCall, serveRpc } from '../../testing/rpc.ts';
import { closedPort } from '../../testing/servers.ts';
import { runOnce } from '../once.ts';
import { quantity } from './chains/evm.ts';
import { head } from './head.ts';

const chain = {
  name: 'devnet',
  family: 'evm',
  chainId: 31_337,
  genesis: hash('a'),
  blockTimeMs: 1_000,
  maxLagBlocks: 5,
  maxAgeMs: 10_000,
};

const ask = (url: string, more: Partial<Omit<Chain, 'references'>> = {}, settings: unknown = {}) =>
  runOnce({
    kind: 'head',
    settings,
    target: { url, headers: {}, allowPrivate: true },
    chain: { ...chain, ...more },
    timeoutMs: 2_000,
    allowPrivate: ['config'],
  });

const good = (call: RpcCall, how = {}): RpcAnswer => ({ id: call.id, result: goodEvm(call, how) });

/** Answers well but for one method, or for the latest block. */
const but = (method: string, result: unknown) => (call: RpcCall) =>
  call.method === method ? { id: call.id, result } : good(call);
const latest = (change: object) => (call: RpcCall) => {
  const block = goodEvm(call);
  const isLatest = (call.params as unknown[])[0] === 'latest';
  return { id: call.id, result: isLatest ? { ...(block as object), ...change } : block };
};

describe('the head of an EVM node', () => {
  it('has height, id, time and genesis', async () => {
    const blockAt = Math.floor(Date.now() / 1_000) * 1_000;
    await using server = await serveRpc((call) => good(call, { blockAt }));
    const { outcome, facts } = await ask(server.url);
    expect(outcome).toBe('ok');
    expect(facts).toEqual({ h: '100', id: 'bbbbbbbb', bt: String(blockAt), g: 'aaaaaaaa', fh: '100' });
    expect(server.calls.map(({ method, params }) => `${method} ${JSON.stringify(params)}`)).toEqual([
      'eth_chainId []',
      'eth_getBlockByNumber ["0x0",false]',
      'eth_getBlockByNumber ["latest",false]',
      'eth_syncing []',
      'eth_getBlockByNumber ["finalized",false]',
      'net_peerCount []',
      'web3_clientVersion []',
    ]);
  });

  it.each<[string, (call: RpcCall) => RpcAnswer, string]>([
    ['another chain id', but('eth_chainId', '0x1'), 'fail target.head.chain'],
    ['a chain id that is a number', but('eth_chainId', 31_337), 'fail target.rpc.result'],
    ['a chain id with a leading zero', but('eth_chainId', '0x07a69'), 'fail target.rpc.result'],
    [
      'another genesis',
      (call) =>
        (call.params as unknown[])[0] === '0x0' ? { id: call.id, result: { hash: hash('c') } } : good(call),
      'fail target.head.genesis',
    ],
    [
      'a genesis hash that is none',
      (call) =>
        (call.params as unknown[])[0] === '0x0' ? { id: call.id, result: { hash: '0x12' } } : good(call),
      'fail target.rpc.result',
    ],
    [
      'a pruned genesis',
      (call) => ((call.params as unknown[])[0] === '0x0' ? { id: call.id, result: null } : good(call)),
      'ok',
    ],
    [
      'a refused genesis',
      (call) =>
        (call.params as unknown[])[0] === '0x0'
          ? { id: call.id, error: { code: -32000, message: 'pruned' } }
          : good(call),
      'ok',
    ],
    ['an old block', (call) => good(call, { blockAt: Date.now() - 30_000 }), 'fail target.head.old'],
    [
      'a block from the future',
      (call) => good(call, { blockAt: Date.now() + 3_600_000 }),
      'degraded target.head.future',
    ],
    [
      'no latest block',
      (call) => ((call.params as unknown[])[0] === 'latest' ? { id: call.id, result: null } : good(call)),
      'fail target.rpc.result',
    ],
    ['a height above 2^53', latest({ number: '0x20000000000001' }), 'fail target.rpc.result'],
    ['a height that is a number', latest({ number: 100 }), 'fail target.rpc.result'],
    ['an empty height', latest({ number: '0x' }), 'fail target.rpc.result'],
    ['no hash', latest({ hash: null }), 'fail target.rpc.result'],
    ['a time beyond all dates', latest({ timestamp: '0x1fffffffffffff' }), 'fail target.rpc.result'],
    ['no time', latest({ timestamp: undefined }), 'fail target.rpc.result'],
    [
      'syncing',
      but('eth_syncing', { currentBlock: '0x1', highestBlock: '0x9' }),
      'degraded target.head.syncing',
    ],
    [
      'syncing, and a finalized block that is odd',
      (call) => {
        if (call.method === 'eth_syncing') return { id: call.id, result: { currentBlock: '0x1' } };
        return (call.params as unknown[])[0] === 'finalized'
          ? { id: call.id, result: { number: 7 } }
          : good(call);
      },
      'degraded target.head.syncing',
    ],
    ['syncing false as text', but('eth_syncing', 'false'), 'ok'],
    ['syncing true as text', but('eth_syncing', 'true'), 'degraded target.head.syncing'],
    ['syncing false wrapped', but('eth_syncing', { Ok: false }), 'ok'],
    ['syncing true wrapped', but('eth_syncing', { Ok: true }), 'degraded target.head.syncing'],
    [
      'syncing refused',
      (call) =>
        call.method === 'eth_syncing' ? { id: call.id, error: { code: -32601, message: 'x' } } : good(call),
      'ok',
    ],
    [
      'no answer on syncing',
      (call) => (call.method === 'eth_syncing' ? (response) => response.destroy() : good(call)),
      'ok',
    ],
    [
      'chain id refused',
      (call) =>
        call.method === 'eth_chainId' ? { id: call.id, error: { code: -32601, message: 'x' } } : good(call),
      'fail target.rpc.method',
    ],
  ])('%s', async (_, answer, expected) => {
    await using server = await serveRpc(answer);
    const { outcome, fault } = await ask(server.url);
    expect(fault ? `${outcome} ${faultId(fault)}` : outcome).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['refuses', undefined],
    ['lacks', null],
  ])(
    'a node that %s block 0 is known by its chain id, and by nothing where none is configured',
    async (_, result) => {
      await using server = await serveRpc((call) => {
        if ((call.params as unknown[])[0] !== '0x0') return good(call);
        const error = { code: -32000, message: 'pruned' };
        return result === undefined ? { id: call.id, error } : { id: call.id, result };
      });
      expect((await ask(server.url)).outcome).toBe('ok');
      const { outcome, fault } = await runOnce({
        kind: 'head',
        settings: {},
        target: { url: server.url, headers: {}, allowPrivate: true },
        chain: { ...chain, chainId: undefined, genesis: hash('a') },
        timeoutMs: 2_000,
        allowPrivate: ['config'],
      });
      expect([outcome, fault?.operation]).toEqual(['fail', 'rpc']);
    },
  );

  it.each([
    ['the block asked for', 64, '64.bbbbbbbb'],
    ['another block, as caches give', 65, undefined],
  ])('has a checkpoint of %s', async (_, number, checkpoint) => {
    await using server = await serveRpc((call) => {
      const block = { number: `0x${number.toString(16)}`, hash: hash('b') };
      return (call.params as unknown[])[0] === '0x40' ? { id: call.id, result: block } : good(call);
    });
    const { facts } = await ask(server.url, { forkDepthBlocks: 30, blockTimeMs: 1_000 });
    expect(facts['cp']).toBe(checkpoint);
  });

  it('tells of an old block with its facts', async () => {
    await using server = await serveRpc((call) => good(call, { blockAt: Date.now() - 30_000 }));
    const { facts, fault } = await ask(server.url);
    expect(facts['h']).toBe('100');
    expect(fault?.detail).toMatch(/^block 100 is 3\d s old, limit 10s$/);
  });

  it('needs neither chain id nor genesis', async () => {
    await using server = await serveRpc((call) => (call.method === 'eth_chainId' ? 'x' : good(call)));
    const { chainId: _, genesis: __, ...bare } = chain;
    const observation = await runOnce({
      kind: 'head',
      settings: {},
      target: { url: server.url, headers: {}, allowPrivate: true },
      chain: bare,
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });
    expect([observation.outcome, observation.facts['g']]).toEqual(['ok', 'aaaaaaaa']);
  });
});

describe('over several rounds', () => {
  const rounds = (
    answer: (method: string, params: readonly unknown[], now: number) => unknown,
    {
      settings = {},
      of = chain,
      tenthsOf = () => 10,
    }: { settings?: object; of?: Omit<Chain, 'references'>; tenthsOf?: (method: string) => number } = {},
  ) => {
    const memory = new Map<string, unknown>();
    const asked: string[] = [];
    let now = 1_000_000_000;
    const run = head.prepare(settings);
    const ctx: CheckContext = {
      signal: new AbortController().signal,
      target: { url: 'http://node.example', headers: {}, allowPrivate: false },
      chain: { ...of, references: [] },
      now: () => now,
      clockBoundMs: 0,
      memory,
      round: 0,
      socket: () => Promise.reject(new Error('no socket here')),
      dns: noDns,
      connect: () => Promise.reject(new Error('no connection here')),
      handshake: () => Promise.reject(new Error('no handshake here')),
      lasting: () => {
        throw new Error('nothing lasting here');
      },
      exchange: async ({ body }) => {
        const { id, method, params } = JSON.parse(body ?? '') as RpcCall;
        asked.push(method);
        const result = answer(method, params as unknown[], now);
        const phases = { resolve: 0, connect: 0, tls: 0, firstByte: tenthsOf(method), transfer: 0 };
        return {
          status: 200,
          headers: {},
          body: JSON.stringify({ id, result }),
          bytes: 0,
          phases,
          latencyTenths: phases.firstByte,
          address: '',
        };
      },
    };
    return {
      asked,
      later: (ms: number) => (now += ms),
      run: async (more: Partial<CheckContext> = {}) => {
        const reading = await run({ ...ctx, ...more }).catch(
          (thrown: unknown) => thrown as Awaited<ReturnType<typeof run>>,
        );
        return reading.fault?.code ?? reading.outcome;
      },
    };
  };
  const node = (blockAt: number) => (method: string, params: readonly unknown[]) =>
    goodEvm({ id: 0, method, params }, { blockAt });

  it('asks identity first, and again after five minutes', async () => {
    const round = rounds((method, params, now) => node(now)(method, params));
    await round.run();
    round.later(299_000);
    await round.run();
    expect(round.asked.filter((method) => method === 'eth_chainId')).toHaveLength(1);
    round.later(1_000);
    await round.run();
    expect(round.asked.filter((method) => method === 'eth_chainId')).toHaveLength(2);
  });

  it.each(['net_peerCount', 'web3_clientVersion', 'eth_syncing'])(
    'is up when %s hangs until the deadline: no round has it before the head',
    async (hangs) => {
      let over = false;
      const round = rounds((method, params, now) => {
        over ||= method === hangs;
        if (over) throw new FaultError({ source: 'target', operation: 'http', code: 'timeout' });
        return node(now)(method, params);
      });
      for (const _ of [1, 2, 3]) {
        expect(await round.run()).toBe('ok');
        round.later(300_000);
        over = false;
      }
    },
  );

  it('asks who it is again after a round in which it told no head', async () => {
    let broken = true;
    const round = rounds((method, params, now) =>
      broken && params[0] === 'latest' ? null : node(now)(method, params),
    );
    expect(await round.run()).toBe('result');
    broken = false;
    expect(await round.run()).toBe('ok');
    await round.run();
    expect(round.asked.filter((method) => method === 'eth_chainId')).toHaveLength(2);
    expect(round.asked.filter((method) => method === 'web3_clientVersion')).toHaveLength(1);
  });

  it('finds another chain where a node that it knew was gone for a round', async () => {
    let is: 'known' | 'gone' | 'another' = 'known';
    const round = rounds((method, params, now) => {
      if (is === 'gone') throw new FaultError({ source: 'target', operation: 'connect', code: 'refused' });
      return is === 'another' && method === 'eth_chainId' ? '0x3e7' : node(now)(method, params);
    });
    expect(await round.run()).toBe('ok');
    is = 'gone';
    expect(await round.run()).toBe('refused');
    is = 'another';
    expect(await round.run()).toBe('chain');
  });

  const substrate = { ...chain, family: 'substrate', genesis: hash('a') };
  it.each([
    ['chain_getHeader', 'slow'],
    ['chain_getBlockHash', 'slow'],
    ['state_getStorage', 'slow'],
    // Asked beside the tip.
    ['system_health', 'ok'],
    ['system_version', 'ok'],
  ])('of several questions for the tip the slowest counts: %s', async (slow, outcome) => {
    const node = (method: string, [at]: readonly unknown[], now: number) => {
      if (method === 'chain_getHeader') return { number: '0x64', parentHash: hash('c') };
      if (method === 'chain_getBlockHash') return at === 0 ? hash('a') : hash('b');
      const moment = Buffer.alloc(8);
      moment.writeBigUInt64LE(BigInt(now));
      return method === 'state_getStorage' ? `0x${moment.toString('hex')}` : null;
    };
    const tenthsOf = (method: string) => (method === slow ? 5_001 : 10);
    const round = rounds(node, { settings: { slow: '500ms' }, of: substrate, tenthsOf });
    await round.run();
    expect(await round.run()).toBe(outcome);
  });

  it('takes the clock bound off the age of a block', async () => {
    const blockAt = 1_000_000_000;
    const round = rounds((method, params) => node(blockAt)(method, params));
    round.later(10_000);
    expect(await round.run()).toBe('ok');
    round.later(500);
    expect(await round.run()).toBe('old');
    expect(await round.run({ clockBoundMs: 499 })).toBe('old');
    expect(await round.run({ clockBoundMs: 500 })).toBe('ok');
  });
});

describe('a hex quantity', () => {
  it.each([
    ['0x0', 0],
    ['0x1f', 31],
    ['0x1F', 31],
    ['0x1fffffffffffff', Number.MAX_SAFE_INTEGER],
  ])('%s is %i', (text, value) => {
    expect(quantity(text, 'it')).toBe(value);
  });
  it.each(['', '0x', '0x00', '0x01', '1', '-0x1', '0xg', ' 0x1', '0x20000000000000', '0x1.5'])(
    '%s is none',
    (text) => {
      expect(() => quantity(text, 'it')).toThrow('target.rpc.result');
    },
  );
});

describe('a real node', () => {
  const anvil = resolve('node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');
  let node: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const port = await closedPort();
    url = `http://127.0.0.1:${port}`;
    node = spawn(anvil, ['--port', String(port), '--silent'], { stdio: 'ignore' });
    await reached(url);
  });
  afterAll(() => void node.kill('SIGKILL'));

  const call = async (method: string, params: unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return ((await answer.json()) as { result: unknown }).result;
  };
  const faultNow = async (more: Partial<typeof chain> = {}) => {
    const { fault, outcome } = await ask(url, { genesis, ...more });
    return fault ? faultId(fault) : outcome;
  };
  let genesis: string;

  it('is right, stands still, is the wrong chain, hangs, and is gone', async () => {
    genesis = ((await call('eth_getBlockByNumber', ['0x0', false])) as { hash: string }).hash;
    await call('anvil_mine', ['0x5']);
    const { outcome, facts } = await ask(url, { genesis });
    expect([outcome, facts['h'], facts['g']]).toEqual(['ok', '5', genesis.slice(2, 10)]);
    expect(await faultNow({ chainId: 1 })).toBe('target.head.chain');
    expect(await faultNow({ genesis: hash('f') })).toBe('target.head.genesis');
    // Mined blocks are up to five seconds ahead of the clock.
    expect(await faultNow({ maxAgeMs: -6_000 })).toBe('target.head.old');
    await call('anvil_setChainId', [999]);
    expect(await faultNow()).toBe('target.head.chain');
    await call('anvil_setChainId', [31_337]);
    node.kill('SIGSTOP');
    await stopped(node);
    expect(await faultNow()).toBe('target.http.timeout');
    node.kill('SIGCONT');
    expect(await faultNow()).toBe('ok');
    const gone = new Promise((done) => node.once('exit', done));
    node.kill('SIGKILL');
    await gone;
    expect(await faultNow()).toBe('target.connect.refused');
  });
});

async function reached(url: string): Promise<void> {
  const until = Date.now() + 10_000;
  for (;;) {
    try {
      await fetch(url, { method: 'POST', body: '{}' });
      return;
    } catch (thrown) {
      if (Date.now() > until) throw thrown;
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

/** A signal takes a moment to stop all threads. */
async function stopped({ pid }: ChildProcess): Promise<void> {
  const until = Date.now() + 5_000;
  const state = () => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1];
  while (state() !== 'T') {
    if (Date.now() > until) throw new Error('the node does not stop');
    await new Promise((done) => setTimeout(done, 10));
  }
}
