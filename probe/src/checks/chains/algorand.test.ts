import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type AlgodFixture, startAlgod } from '../../../../test/fixtures/chains/algod.ts';
import { type IndexerFixture, startIndexer } from '../../../../test/fixtures/chains/indexer.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { type RestAnswers, serveRest } from '../../../testing/rest.ts';
import { serveHttp } from '../../../testing/servers.ts';
import { runOnce } from '../../once.ts';

const genesis = 'SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=';
const other = `${'A'.repeat(43)}=`;
const chain = {
  name: 'algonet',
  family: 'algorand',
  genesis,
  blockTimeMs: 2_800,
  maxLagBlocks: 6,
  maxAgeMs: 60_000,
};

const ask = (url: string, more: object = {}, headers: Record<string, string> = {}, settings: object = {}) =>
  runOnce({
    kind: 'head',
    settings,
    target: { url, headers, allowPrivate: true },
    chain: { ...chain, ...more },
    timeoutMs: 2_000,
    allowPrivate: ['config'],
  });
const verdict = async (asked: ReturnType<typeof ask>) => {
  const { outcome, fault } = await asked;
  return fault ? `${outcome} ${faultId(fault)}` : outcome;
};

const seconds = () => Math.floor(Date.now() / 1_000);
const status = {
  'last-round': 100,
  'last-version': 'now',
  'next-version': 'now',
  'next-version-round': 101,
  'next-version-supported': true,
  'stopped-at-unsupported-round': false,
  'catchup-time': 0,
  'time-since-last-round': 1_000_000_000,
  catchpoint: '',
};
const header = '/v2/blocks/100?header-only=true';
const good = (): RestAnswers => ({
  '/versions': { genesis_hash_b64: genesis, build: { major: 4, minor: 3, build_number: 0 } },
  '/v2/status': status,
  [header]: { block: { rnd: 100, ts: seconds(), gh: genesis } },
});
const said = (change: object): RestAnswers => ({ '/v2/status': { ...status, ...change } });
const dated = (block: object | null): RestAnswers => ({ [header]: { block } });

describe('the head of an algod', () => {
  it.each<[string, RestAnswers, string]>([
    ['all is well', {}, 'ok'],
    ['another genesis', dated({ rnd: 100, ts: seconds(), gh: other }), 'fail target.head.genesis'],
    ['a genesis hash that is none', dated({ rnd: 100, ts: seconds(), gh: 'AAAA' }), 'fail target.rpc.result'],
    [
      'a genesis hash in hex',
      dated({ rnd: 100, ts: seconds(), gh: 'a'.repeat(64) }),
      'fail target.rpc.result',
    ],
    ['a block that names no chain', dated({ rnd: 100, ts: seconds() }), 'fail target.rpc.result'],
    ['versions that are a list', { '/versions': [] }, 'ok'],
    ['versions that are no JSON', { '/versions': '<html>' }, 'ok'],
    ['versions refused', { '/versions': 403 }, 'ok'],
    ['a build that is text', { '/versions': { genesis_hash_b64: genesis, build: 'x' } }, 'ok'],
    ['status null', { '/v2/status': null }, 'fail target.rpc.result'],
    ['status that is a list', { '/v2/status': [status] }, 'fail target.rpc.result'],
    ['status that is no JSON', { '/v2/status': 'null,' }, 'fail target.rpc.json'],
    ['no status', { '/v2/status': 502 }, 'fail target.http.status'],
    ['no last round', said({ 'last-round': undefined }), 'fail target.rpc.result'],
    ['a last round as text', said({ 'last-round': '100' }), 'fail target.rpc.result'],
    ['a last round below 0', said({ 'last-round': -1 }), 'fail target.rpc.result'],
    ['a last round between numbers', said({ 'last-round': 99.5 }), 'fail target.rpc.result'],
    [
      'a last round above 2^53',
      { '/v2/status': '{"last-round":9007199254740993}' },
      'fail target.rpc.result',
    ],
    ['stopped for good', said({ 'stopped-at-unsupported-round': true }), 'fail target.head.stopped'],
    ['stopped as text', said({ 'stopped-at-unsupported-round': 'true' }), 'ok'],
    ['catching up', said({ 'catchup-time': 1 }), 'degraded target.head.syncing'],
    [
      'catching up for longer than 2^53 ns',
      { '/v2/status': '{"last-round":100,"catchup-time":9007199254740993}' },
      'degraded target.head.syncing',
    ],
    [
      'silent for longer than 2^53 ns',
      { '/v2/status': '{"last-round":100,"time-since-last-round":1e30}' },
      'ok',
    ],
    ['a catch-up time that is none', said({ 'catchup-time': 'long' }), 'ok'],
    ['a catchpoint', said({ catchpoint: '90#X' }), 'degraded target.head.syncing'],
    [
      'a catchpoint and no block',
      { ...said({ catchpoint: '90#X' }), [header]: 404 },
      'fail target.head.syncing',
    ],
    [
      'an upgrade without a round',
      said({ 'next-version-supported': false, 'next-version-round': 'x' }),
      'degraded target.head.upgrade',
    ],
    ['an upgrade that is supported', said({ 'next-version': 'new', 'next-version-round': 9_000 }), 'ok'],
    ['no block', dated(null), 'fail target.rpc.result'],
    ['the block of another round', dated({ rnd: 99, ts: seconds(), gh: genesis }), 'fail target.rpc.result'],
    ['a block without a round', dated({ ts: seconds(), gh: genesis }), 'fail target.rpc.result'],
    ['a block without time', dated({ rnd: 100, gh: genesis }), 'fail target.rpc.result'],
    ['a time as text', dated({ rnd: 100, ts: String(seconds()), gh: genesis }), 'fail target.rpc.result'],
    [
      'a time beyond all dates',
      dated({ rnd: 100, ts: 8_640_000_000_001, gh: genesis }),
      'fail target.rpc.result',
    ],
    ['a time in ms', dated({ rnd: 100, ts: Date.now(), gh: genesis }), 'degraded target.head.future'],
    ['an old block', dated({ rnd: 100, ts: seconds() - 120, gh: genesis }), 'fail target.head.old'],
    ['blocks refused', { [header]: 401 }, 'fail target.http.status'],
    ['neither the newest block nor the one before', { [header]: 404 }, 'fail target.http.status'],
  ])('%s', async (_, change, expected) => {
    await using server = await serveRest({ ...good(), ...change });
    expect(await verdict(ask(server.url))).toBe(expected);
  });

  it('is the round before where a load balancer asks a node that does not have the newest', async () => {
    const before = { '/v2/blocks/99?header-only=true': { block: { rnd: 99, ts: seconds(), gh: genesis } } };
    await using server = await serveRest({ ...good(), ...before, [header]: 404 });
    const { outcome, facts } = await ask(server.url);
    expect([outcome, facts['h']]).toEqual(['ok', '99']);
  });

  it.each<[string, unknown]>([
    ['missing', 404],
    ['of another round', { block: { rnd: 99, ts: seconds() } }],
    ['no JSON', '<html>'],
  ])('tells of an upgrade without a time when the older block is %s', async (_, older) => {
    const far = { 'last-round': 600, 'next-version-supported': false, 'next-version-round': 700 };
    await using server = await serveRest({
      ...good(),
      ...said({ ...far, 'next-version': 'new' }),
      '/v2/blocks/600?header-only=true': { block: { rnd: 600, ts: seconds(), gh: genesis } },
      '/v2/blocks/100?header-only=true': older,
    });
    const { outcome, fault } = await ask(server.url);
    expect([outcome, fault?.detail]).toEqual(['degraded', 'at round 700, in 100 rounds: new']);
  });

  it('is block 0 of a chain that begins', async () => {
    const first = { '/v2/blocks/0?header-only=true': { block: { ts: seconds(), gh: genesis } } };
    await using server = await serveRest({ ...good(), ...said({ 'last-round': 0 }), ...first });
    const { outcome, facts } = await ask(server.url);
    expect([outcome, facts['h']]).toEqual(['ok', '0']);
  });
});

describe('a node of the fixture', () => {
  const ledger = makeLedger({ seed: 'algorand', blockTimeMs: 2_800, height: 5_000 });
  const view = ledger.view();
  let algod: AlgodFixture;
  let indexer: IndexerFixture;
  const its = (more: object = {}) => ({ genesis: algod.genesis, forkDepthBlocks: 8, ...more });

  beforeAll(async () => {
    algod = await startAlgod({ view, waitMs: 20 });
    indexer = await startIndexer({ view });
  });
  beforeEach(() => {
    Object.assign(algod, { catchpoint: '', upgrade: undefined, token: undefined, forbidden: undefined });
    view.lag(0);
    view.fork(Infinity);
  });
  afterAll(async () => {
    await algod[Symbol.asyncDispose]();
    await indexer[Symbol.asyncDispose]();
    ledger[Symbol.dispose]();
  });

  it('has height, time, genesis, version and a checkpoint, each question asked once', async () => {
    const before = algod.asked.length;
    const { outcome, facts } = await ask(algod.url, its());
    expect(outcome).toBe('ok');
    expect(facts).toEqual({
      h: '5000',
      bt: String(Math.floor(ledger.head.at / 1_000) * 1_000),
      g: ledger.genesis.slice(0, 8),
      ver: '4.3.0',
      cp: `4992.${ledger.block(4_992)?.hash.slice(0, 8)}`,
    });
    expect(algod.asked.slice(before)).toEqual([
      '/v2/status',
      '/v2/blocks/5000?header-only=true',
      '/v2/blocks/4992/hash',
      '/versions',
    ]);
  });

  it('gives the checkpoint that its indexer gives, another one on a fork', async () => {
    const node = await ask(algod.url, its());
    const index = await ask(indexer.url, its(), {}, { api: 'indexer' });
    expect(index.facts['cp']).toBe(node.facts['cp']);
    view.fork(4_900);
    const forked = await ask(algod.url, its());
    expect(forked.facts['cp']).toMatch(/^4992\./);
    expect(forked.facts['cp']).not.toBe(node.facts['cp']);
  });

  it('needs the token: without it the fault has the status, and what the node said', async () => {
    algod.token = 'a'.repeat(64);
    const { outcome, fault } = await ask(algod.url, its());
    expect([outcome, fault && faultId(fault), fault?.detail]).toEqual([
      'fail',
      'target.http.status',
      'GET /v2/status: 401: Invalid API Token',
    ]);
    expect(await verdict(ask(algod.url, its(), { 'X-Algo-API-Token': 'a'.repeat(64) }))).toBe('ok');
  });

  it('is known by its newest block', async () => {
    algod.forbidden = /^\/versions|\/params$/;
    const { outcome, facts } = await ask(algod.url, its());
    expect([outcome, facts['g']]).toEqual(['ok', ledger.genesis.slice(0, 8)]);
    expect(facts['ver']).toBeUndefined();
    expect(await verdict(ask(algod.url, { genesis }))).toBe('fail target.head.genesis');
  });

  it('is an indexer: what to set is said, after the one question that failed', async () => {
    const before = indexer.asked.length;
    const { fault } = await ask(indexer.url, its());
    expect(fault && `${faultId(fault)} ${fault.detail}`).toMatch(
      /^target\.http\.status GET \/v2\/status: 404\b.*; is this an indexer\? set api: indexer$/,
    );
    expect(indexer.asked.slice(before)).toEqual(['/v2/status', '/health']);
  });

  it('is an indexer behind a proxy that explains itself at length', async () => {
    await using server = await serveHttp((request, response) => {
      const isHealth = request.url === '/health';
      response.statusCode = isHealth ? 200 : 404;
      response.end(JSON.stringify(isHealth ? { 'db-available': true } : { message: 'x'.repeat(1_000) }));
    });
    expect((await ask(server.url)).fault?.detail).toMatch(/^GET \/v2\/status: 404: x+; is this an indexer\?/);
  });

  it.each<[string, unknown]>([
    ['an algod', null],
    ['nothing', 404],
    ['an error page', '<html>'],
  ])('without a status and with the health of %s is no indexer', async (_, health) => {
    await using server = await serveRest({ '/health': health });
    expect((await ask(server.url)).fault?.detail).toBe('GET /v2/status: 404');
  });

  it('lags: its block is older', async () => {
    view.lag(100);
    expect(await verdict(ask(algod.url, its()))).toBe('fail target.head.old');
  });

  it('fetches a catchpoint', async () => {
    algod.catchpoint = '4000#ABC';
    expect(await verdict(ask(algod.url, its()))).toBe('degraded target.head.syncing');
  });

  it.each([
    [100, 'at round 5100, in 100 rounds, about 5 minutes: https://'],
    [5_000, 'at round 10000, in 5000 rounds, about 4 hours: https://'],
    [200_000, 'at round 205000, in 200000 rounds, about 6 days: https://'],
  ])('will not go past an upgrade in %i rounds, and tells when', async (rounds, detail) => {
    algod.upgrade = { version: 'https://specs/new', round: 5_000 + rounds, supported: false };
    const { outcome, fault } = await ask(algod.url, its());
    expect([outcome, fault && faultId(fault)]).toEqual(['degraded', 'target.head.upgrade']);
    expect(fault?.detail).toMatch(new RegExp(`^${detail}`));
  });

  it('goes past an upgrade that it supports', async () => {
    algod.upgrade = { version: 'https://specs/new', round: 5_100, supported: true };
    expect(await verdict(ask(algod.url, its()))).toBe('ok');
  });

  it('has stopped at an upgrade', async () => {
    algod.upgrade = { version: 'https://specs/new', round: 4_990, supported: false };
    const { outcome, fault } = await ask(algod.url, its());
    expect([outcome, fault && faultId(fault), fault?.detail]).toEqual([
      'fail',
      'target.head.stopped',
      'at round 4989',
    ]);
  });
});
