import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type IndexerFixture, startIndexer } from '../../../../test/fixtures/chains/indexer.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { type RestAnswers, serveRest } from '../../../testing/rest.ts';
import { runOnce } from '../../once.ts';

const genesis = 'SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=';
const chain = {
  name: 'algonet',
  family: 'algorand',
  genesis,
  blockTimeMs: 2_800,
  maxLagBlocks: 6,
  maxAgeMs: 60_000,
};

const ask = (url: string, more: object = {}, headers: Record<string, string> = {}) =>
  runOnce({
    kind: 'head',
    settings: { api: 'indexer' },
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
const health = {
  version: '3.8.0',
  round: 100,
  'is-migrating': false,
  'db-available': true,
  message: '100',
};
const path = '/v2/blocks/100?header-only=true';
const block = () => ({ round: 100, timestamp: seconds(), 'genesis-hash': genesis });
const said = (change: object): RestAnswers => ({ '/health': { ...health, ...change } });
const told = (change: object): RestAnswers => ({ [path]: { ...block(), ...change } });

/** JSON.stringify can't write it. */
const wide = JSON.stringify({ ...health, errors: ['WIDE'] }).replace('"WIDE"', '9007199254740993');

describe('the head of an indexer', () => {
  it.each<[string, RestAnswers, string]>([
    ['all is well', {}, 'ok'],
    ['another genesis', told({ 'genesis-hash': `${'A'.repeat(43)}=` }), 'fail target.head.genesis'],
    ['no genesis', told({ 'genesis-hash': undefined }), 'fail target.rpc.result'],
    ['the health of an algod', { '/health': null }, 'fail target.rpc.result'],
    ['no health', { '/health': 500 }, 'fail target.http.status'],
    ['health that is no JSON', { '/health': 'OK' }, 'fail target.rpc.json'],
    ['no database', said({ 'db-available': false, round: 0 }), 'fail target.head.index'],
    [
      'no database, and no round',
      said({ 'db-available': false, round: undefined }),
      'fail target.head.index',
    ],
    ['nothing said of the database', said({ 'db-available': undefined }), 'ok'],
    ['migrating', said({ 'is-migrating': true }), 'degraded target.head.index'],
    [
      'migrating, and no blocks',
      { ...said({ 'is-migrating': true }), [path]: 500 },
      'fail target.head.index',
    ],
    ['errors', said({ errors: ['fetcher error: x'] }), 'degraded target.head.index'],
    ['an error that is a wide number', { '/health': wide }, 'degraded target.head.index'],
    ['no errors', said({ errors: [] }), 'ok'],
    ['errors that are null', said({ errors: null }), 'ok'],
    ['no round', said({ round: undefined }), 'fail target.rpc.result'],
    ['the round as text', said({ round: '100' }), 'fail target.rpc.result'],
    ['a round above 2^53', { '/health': '{"round":9007199254740993}' }, 'fail target.rpc.result'],
    ['another block', told({ round: 99 }), 'fail target.rpc.result'],
    ['a block without time', told({ timestamp: undefined }), 'fail target.rpc.result'],
    ['an old block', told({ timestamp: seconds() - 300 }), 'fail target.head.old'],
    ['no blocks', { [path]: 500 }, 'fail target.http.status'],
    ['a version of another form', said({ version: { major: 3 } }), 'ok'],
  ])('%s', async (_, change, expected) => {
    await using server = await serveRest({ '/health': health, [path]: block(), ...change });
    expect(await verdict(ask(server.url))).toBe(expected);
  });

  it('tells all that is wrong', async () => {
    const change = said({ 'db-available': false, 'is-migrating': true, errors: ['database error: gone'] });
    await using server = await serveRest(change);
    const { fault } = await ask(server.url);
    expect(fault?.detail).toBe('the database is not available; migrating; "database error: gone"');
  });
});

describe('an indexer of the fixture', () => {
  const ledger = makeLedger({ seed: 'indexer', blockTimeMs: 2_800, height: 5_000 });
  const view = ledger.view();
  let indexer: IndexerFixture;
  const its = (more: object = {}) => ({ genesis: indexer.genesis, forkDepthBlocks: 8, ...more });

  beforeAll(async () => {
    indexer = await startIndexer({ view });
  });
  beforeEach(() => {
    Object.assign(indexer, { migrating: false, databaseAvailable: true, errors: [], token: undefined });
    view.lag(0);
  });
  afterAll(async () => {
    await indexer[Symbol.asyncDispose]();
    ledger[Symbol.dispose]();
  });

  it('has height, time, genesis, version and a checkpoint, by the next block', async () => {
    indexer.version = '3.8.0 compiled at 2026-01-01T00:00:00+0000 from git hash 0123456789abcdef';
    const before = indexer.asked.length;
    const { outcome, facts } = await ask(indexer.url, its());
    expect(outcome).toBe('ok');
    expect(facts).toEqual({
      h: '5000',
      bt: String(Math.floor(ledger.head.at / 1_000) * 1_000),
      g: ledger.genesis.slice(0, 8),
      ver: '3.8.0',
      cp: `4992.${ledger.block(4_992)?.hash.slice(0, 8)}`,
    });
    expect(indexer.asked.slice(before)).toEqual([
      '/health',
      '/v2/blocks/5000?header-only=true',
      '/v2/blocks/4993?header-only=true',
    ]);
  });

  it('has no checkpoint yet where the next block is not there', async () => {
    view.lag(8);
    const { outcome, facts } = await ask(indexer.url, its({ forkDepthBlocks: 0 }));
    expect([outcome, facts['h'], facts['cp']]).toEqual(['ok', '4992', undefined]);
  });

  it.each<[string, (indexer: IndexerFixture) => void, string]>([
    ['its database is gone', (indexer) => (indexer.databaseAvailable = false), 'fail target.head.index'],
    ['it is migrating', (indexer) => (indexer.migrating = true), 'fail target.head.index'],
    ['it has errors', (indexer) => (indexer.errors = ['fetcher error: x']), 'degraded target.head.index'],
    ['it lags', () => view.lag(100), 'fail target.head.old'],
    ['it wants a token', (indexer) => (indexer.token = 'secret'), 'fail target.http.status'],
  ])('%s', async (_, spoil, expected) => {
    spoil(indexer);
    expect(await verdict(ask(indexer.url, its()))).toBe(expected);
  });

  it('is of another network', async () => {
    expect(await verdict(ask(indexer.url))).toBe('fail target.head.genesis');
  });

  it('takes its token', async () => {
    indexer.token = 'secret';
    expect(await verdict(ask(indexer.url, its(), { 'X-Indexer-API-Token': 'secret' }))).toBe('ok');
  });
});
