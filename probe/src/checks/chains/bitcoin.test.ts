import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import {
  startBitcoin,
  type BitcoinFixture,
  type BitcoinOptions,
} from '../../../../test/fixtures/chains/bitcoin.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { type FakeAnswer, fakeAsk, refused } from '../../../testing/fake-ask.ts';
import { serveRpc } from '../../../testing/rpc.ts';
import { runOnce } from '../../once.ts';
import { bitcoin } from './bitcoin.ts';

const minute = 60_000;
const genesis = '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f';
const best = '00000000000000000001f2a0c2f0ff5d36c2d4c3b7f4a2f5a8b9c0d1e2f30415';
const chain = {
  name: 'bitcoin',
  family: 'bitcoin',
  genesis,
  blockTimeMs: 10 * minute,
  maxLagBlocks: 3,
  maxAgeMs: 120 * minute,
  references: [],
};
const info = {
  blocks: 850_000,
  headers: 850_000,
  bestblockhash: best,
  time: 1_700_000_000,
  initialblockdownload: false,
};

describe('a Bitcoin node', () => {
  const node = async (options: Omit<BitcoinOptions, 'view'> = {}) => {
    const ledger = makeLedger({ seed: 'bitcoin', blockTimeMs: chain.blockTimeMs });
    return { ledger, fixture: await startBitcoin({ view: ledger.view(), ...options }) };
  };
  const run = (
    fixture: BitcoinFixture,
    more: object = {},
    authorization: string | undefined = fixture.authorization,
  ) =>
    runOnce({
      kind: 'head',
      settings: {},
      target: { url: fixture.url, headers: authorization ? { authorization } : {}, allowPrivate: true },
      chain: { ...chain, genesis: fixture.genesis, ...more },
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });
  const inner = (hash: string) => Buffer.from(hash, 'hex').reverse().toString('hex').slice(0, 8);
  const verdict = async (...args: Parameters<typeof run>) => {
    const { fault, outcome } = await run(...args);
    return fault ? `${outcome} ${faultId(fault)} ${fault.detail ?? ''}`.trim() : outcome;
  };

  it.each([27, 28] as const)('is read whole, whether it answers as 1.0 or 2.0 (%i)', async (version) => {
    const { ledger, fixture } = await node({ version });
    await using _ = fixture;
    const { outcome, facts } = await run(fixture, { forkDepthBlocks: 6 });
    expect(outcome).toBe('ok');
    expect(facts).toEqual({
      h: '1000',
      id: inner(fixture.hash(1_000)),
      bt: String(Math.floor(ledger.head.at / 1_000) * 1_000),
      g: inner(fixture.genesis),
      cp: `994.${inner(fixture.hash(994))}`,
      peers: '10',
      ver: `Satoshi-${version}.0.0`,
    });
    expect(fixture.asked).toEqual(['getblockhash', 'getblockchaininfo', 'getblockhash', 'getnetworkinfo']);
  });

  it('asks for the header where the tip has no time', async () => {
    const { ledger, fixture } = await node({ version: 22 });
    await using _ = fixture;
    expect((await run(fixture)).facts['bt']).toBe(String(Math.floor(ledger.head.at / 1_000) * 1_000));
    expect(fixture.asked).toContain('getblockheader');
  });

  it.each<[string, (node: BitcoinFixture) => void, string]>([
    ['beginning', (node) => (node.initialBlockDownload = true), 'degraded target.head.syncing'],
    ['three headers ahead', (node) => (node.headersAhead = 3), 'ok'],
    ['four headers ahead', (node) => (node.headersAhead = 4), 'degraded target.head.syncing'],
    [
      'starting',
      (node) => (node.warmingUp = 'Loading block index…'),
      'fail target.rpc.error getblockhash: HTTP 500: -28: Loading block index…',
    ],
    ['that may not tell of its network', (node) => node.forbidden.add('getnetworkinfo'), 'ok'],
    [
      'that may not tell its head',
      (node) => node.forbidden.add('getblockchaininfo'),
      'fail target.http.refused getblockchaininfo: 403',
    ],
    [
      'that may not tell its chain',
      (node) => node.forbidden.add('getblockhash'),
      'fail target.http.refused getblockhash: 403',
    ],
  ])('%s', async (_, change, expected) => {
    const { fixture } = await node();
    await using _node = fixture;
    change(fixture);
    expect(await verdict(fixture)).toBe(expected);
  });

  it('is the wrong chain, or lets nobody in', async () => {
    const { fixture } = await node();
    await using _ = fixture;
    expect(await verdict(fixture, { genesis })).toMatch(/^fail target\.head\.genesis block 0 is 0{19}/);
    expect(await verdict(fixture, {}, 'Basic eDp5')).toBe('fail target.http.status getblockhash: 401');
    expect(await verdict(fixture, {}, '')).toBe('fail target.http.status getblockhash: 401');
  });

  it.each([
    ['two hours less a minute from now', 119 * minute, 'ok'],
    ['two hours and a minute from now', 121 * minute, 'degraded target.head.future'],
    ['two hours less a minute old', -119 * minute, 'ok'],
    ['two hours and a minute old', -121 * minute, 'fail target.head.old'],
  ])('may have a block %s or not', async (_, ms, expected) => {
    const time = Math.floor((Date.now() + ms) / 1_000);
    const answers: Record<string, unknown> = { getblockhash: genesis, getblockchaininfo: { ...info, time } };
    await using server = await serveRpc(({ id, method }) => ({
      id,
      result: answers[method] ?? null,
      error: null,
    }));
    const { outcome, fault } = await runOnce({
      kind: 'head',
      settings: {},
      target: { url: server.url, headers: {}, allowPrivate: true },
      chain,
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });
    expect(fault ? `${outcome} ${faultId(fault)}` : outcome).toBe(expected);
  });
});

describe('what Bitcoin nodes say', () => {
  const tip = (change: object) => bitcoin.tip(fakeAsk({ getblockchaininfo: { ...info, ...change } }));
  const identify = (said: FakeAnswer, more: object = {}) =>
    bitcoin.identify!(fakeAsk({ getblockhash: said }), { ...chain, ...more });

  it('hashes by the order in which they are serialised', async () => {
    expect(await identify(genesis)).toEqual({ genesis: '6fe28c0a' });
    expect(await identify(genesis.toUpperCase())).toEqual({ genesis: '6fe28c0a' });
    expect((await tip({})).id).toBe('1504f3e2');
    expect(await bitcoin.idAt?.(fakeAsk({ getblockhash: best }), 1)).toBe('1504f3e2');
    expect(await bitcoin.idAt?.(fakeAsk({ getblockhash: refused('-8: Block height out of range') }), 1)).toBe(
      undefined,
    );
  });

  it.each<[string, FakeAnswer]>([
    ['another', best],
    ['short', genesis.slice(1)],
    ['with 0x', `0x${genesis}`],
    ['a number', 0],
    ['null', null],
    ['refused', refused('-32601: Method not found')],
  ])('a genesis that is %s', async (_, said) => {
    await expect(identify(said)).rejects.toThrow(/target\.(head\.genesis|rpc\.(result|method))/);
  });

  it('needs no genesis to compare', async () => {
    const { genesis: _, ...bare } = chain;
    const said = (answer: FakeAnswer) => bitcoin.identify!(fakeAsk({ getblockhash: answer }), bare);
    expect(await said(best)).toEqual({ genesis: '1504f3e2' });
    expect(await said(refused('-32601: Method not found'))).toEqual({});
    await expect(said('')).rejects.toThrow('target.rpc.result');
  });

  it.each<[string, object]>([
    ['a height as text', { blocks: '850000' }],
    ['a height of parts', { blocks: 1.5 }],
    ['a height below zero', { blocks: -1 }],
    ['a height beyond 2^53', { blocks: 9_007_199_254_740_993n }],
    ['no height', { blocks: undefined }],
    ['a hash that is none', { bestblockhash: 'x'.repeat(64) }],
    ['no hash', { bestblockhash: null }],
    ['a time as text', { time: '1700000000' }],
    ['a time beyond all dates', { time: 8_640_000_000_001 }],
    ['a time that is null', { time: null }],
  ])('%s is no tip', async (_, change) => {
    await expect(tip(change)).rejects.toThrow('target.rpc.result');
  });

  it.each<[string, object, boolean | undefined]>([
    ['as many headers', {}, false],
    ['beginning', { initialblockdownload: true }, true],
    ['the flag missing', { initialblockdownload: undefined }, false],
    ['the flag as text', { initialblockdownload: 'true' }, false],
    ['headers missing', { headers: undefined }, false],
    ['neither', { headers: null, initialblockdownload: null }, undefined],
    ['headers far ahead', { headers: 850_004 }, true],
    ['headers behind', { headers: 1 }, false],
  ])('%s: syncing or not', async (_, change, expected) => {
    const said = await bitcoin.condition(fakeAsk({}), await tip(change));
    expect(said.syncing).toBe(expected);
  });

  it('has no time where neither tip nor header tells it', async () => {
    const ask = fakeAsk({ getblockchaininfo: { ...info, time: undefined } as unknown as FakeAnswer });
    expect(await bitcoin.tip(ask)).not.toHaveProperty('blockAt');
    expect(ask.asked.at(-1)).toBe(`getblockheader ["${best}"]`);
  });

  it.each<[string, Readonly<Record<string, FakeAnswer>>, object]>([
    [
      'all',
      { getnetworkinfo: { subversion: '/Satoshi:27.1.0(x; y)/', connections: 8 } },
      { peers: 8, version: 'Satoshi-27.1.0-x-y-' },
    ],
    ['the count alone', { getconnectioncount: 3 }, { peers: 3 }],
    ['nothing', {}, {}],
    ['nonsense', { getnetworkinfo: { subversion: '///', connections: -1 } }, {}],
    ['no object', { getnetworkinfo: [], getconnectioncount: '3' }, {}],
  ])('tells %s about itself', async (_, answers, expected) => {
    expect(await bitcoin.about(fakeAsk(answers))).toEqual(expected);
  });
});
