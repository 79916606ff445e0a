/** Algorand's own client, unmodified, reads what the fixtures say: that proves them faithful. */
import { Algodv2, Indexer } from 'algosdk';
import { until } from '../e2e/process.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protocol, rewardsPool } from '../fixtures/chains/algod-block.ts';
import { startAlgod, type AlgodFixture } from '../fixtures/chains/algod.ts';
import { startIndexer, type IndexerFixture } from '../fixtures/chains/indexer.ts';
import { makeLedger } from '../fixtures/chains/ledger.ts';

const token = 'a'.repeat(64);
const portOf = ({ url }: { readonly url: string }) => new URL(url).port;
const bytes = (hex: string | undefined) => new Uint8Array(Buffer.from(hex ?? '', 'hex'));

describe('algosdk', () => {
  const ledger = makeLedger({ seed: 'algosdk', blockTimeMs: 2_800, height: 5_000 });
  let algod: AlgodFixture;
  let indexer: IndexerFixture;
  let client: Algodv2;

  beforeAll(async () => {
    algod = await startAlgod({ view: ledger.view(), token });
    indexer = await startIndexer({ view: ledger.view(), token });
    client = new Algodv2(token, algod.url, portOf(algod));
  });
  afterAll(async () => {
    await algod[Symbol.asyncDispose]();
    await indexer[Symbol.asyncDispose]();
    ledger[Symbol.dispose]();
  });

  it('reads the status', async () => {
    algod.catchupTime = 9_007_199_254_740_993n;
    const status = await client.status().do();
    algod.catchupTime = 0n;
    expect(status.lastRound).toBe(5_000n);
    expect(status.lastVersion).toBe(protocol);
    expect(status.nextVersionRound).toBe(5_001n);
    expect(status.nextVersionSupported).toBe(true);
    expect(status.stoppedAtUnsupportedRound).toBe(false);
    expect(status.catchupTime).toBe(9_007_199_254_740_993n);
    expect(status.catchpoint).toBe('');
    expect(status.timeSinceLastRound).toBeLessThan(60_000_000_000n);
  });

  it.each([true, false])('reads a block in msgpack, its header alone: %s', async (headerOnly) => {
    const { block, cert } = await client.block(4_321).headerOnly(headerOnly).do();
    const known = ledger.block(4_321);
    expect(block.header.round).toBe(4_321n);
    expect(block.header.branch).toEqual(bytes(known?.parent));
    expect(block.header.genesisHash).toEqual(bytes(ledger.genesis));
    expect(block.header.genesisID).toBe('testnet-v1.0');
    expect(block.header.timestamp).toBe(BigInt(Math.floor((known?.at ?? 0) / 1_000)));
    expect(block.header.rewardState.rewardsPool.toString()).toBe(rewardsPool);
    expect(block.payset).toEqual([]);
    expect(cert === undefined).toBe(headerOnly);
  });

  it('reads a hash in base32, of the block that the next one names', async () => {
    const { blockhash } = await client.getBlockHash(4_320).do();
    const { block } = await client.block(4_321).headerOnly(true).do();
    expect(blockhash).toMatch(/^[A-Z2-7]{52}$/);
    // In JSON the header has the same text with a prefix.
    const told = await fetch(`${algod.url}/v2/blocks/4321?header-only=true`, {
      headers: { 'X-Algo-API-Token': token },
    });
    expect(await told.json()).toMatchObject({ block: { rnd: 4_321, prev: `blk-${blockhash}` } });
    expect(block.header.branch).toEqual(bytes(ledger.block(4_320)?.hash));
  });

  it('reads what a transaction needs, the versions, the genesis and whether it lives', async () => {
    const params = await client.getTransactionParams().do();
    expect(params.firstValid).toBe(5_000n);
    expect(params.genesisID).toBe('testnet-v1.0');
    expect(params.genesisHash).toEqual(bytes(ledger.genesis));
    const versions = await client.versionsCheck().do();
    expect(versions.genesisHashB64).toEqual(bytes(ledger.genesis));
    expect(versions.build.major).toBe(4);
    expect(JSON.parse(await client.genesis().do())).toMatchObject({ network: 'testnet', id: 'v1.0' });
    await client.healthCheck().do();
    await client.ready().do();
  });

  it('waits for the block after one', async () => {
    const waiting = client.statusAfterBlock(ledger.head.height).do();
    await until('the request', 5_000, () => algod.asked.at(-1) === '/v2/status/wait-for-block-after/5000');
    ledger.make();
    expect((await waiting).lastRound).toBe(5_001n);
    expect((await client.statusAfterBlock(4_000).do()).lastRound).toBe(5_001n);
  });

  it('reads the health of the indexer, a block and an account', async () => {
    const searcher = new Indexer(token, indexer.url, portOf(indexer));
    const height = ledger.head.height;
    const health = await searcher.makeHealthCheck().do();
    expect(health).toMatchObject({ dbAvailable: true, isMigrating: false, round: BigInt(height) });
    expect(health.errors).toBeUndefined();
    const block = await searcher.lookupBlock(height).headerOnly(true).do();
    expect(block.round).toBe(BigInt(height));
    expect(block.genesisHash).toEqual(bytes(ledger.genesis));
    expect(block.previousBlockHash).toEqual(bytes(ledger.head.parent));
    expect(block.timestamp).toBe(Math.floor(ledger.head.at / 1_000));
    const { account } = await searcher.lookupAccountByID(rewardsPool).do();
    expect(account.amount).toBe(9_007_199_254_740_993n);
  });

  it('is told what is wrong, as documented', async () => {
    const searcher = new Indexer(token, indexer.url, portOf(indexer));
    const stranger = new Algodv2('b'.repeat(64), algod.url, portOf(algod));
    await expect(stranger.status().do()).rejects.toThrow('401 (Unauthorized): Invalid API Token');
    await stranger.versionsCheck().do();
    await expect(client.block(9_999).do()).rejects.toThrow('404 (Not Found): failed to retrieve');
    await expect(client.getBlockHash(9_999).do()).rejects.toThrow('404 (Not Found): failed to retrieve');
    await expect(searcher.lookupBlock(9_999).do()).rejects.toThrow("looking up block for round '9999'");
    await expect(searcher.lookupAccountByID('AAAA').do()).rejects.toThrow('400 (Bad Request)');
  });

  it('is told of a catchpoint, a long silence, an upgrade and the stop at it', async () => {
    const { height } = ledger.head;
    algod.catchpoint = '4000#ABC';
    await expect(client.statusAfterBlock(height).do()).rejects.toThrow('503');
    await expect(client.getTransactionParams().do()).rejects.toThrow('503');
    await expect(client.ready().do()).rejects.toThrow('503');
    algod.catchpoint = '';
    algod.upgrade = { version: 'future', round: height + 2, supported: false };
    expect(await client.status().do()).toMatchObject({
      nextVersion: 'future',
      nextVersionRound: BigInt(height + 2),
      nextVersionSupported: false,
      stoppedAtUnsupportedRound: false,
    });
    await expect(client.statusAfterBlock(height + 1).do()).rejects.toThrow(/400 .* isn't supported/);
    ledger.make(5);
    expect(await client.status().do()).toMatchObject({
      lastRound: BigInt(height + 1),
      stoppedAtUnsupportedRound: true,
    });
    await expect(client.block(height + 2).do()).rejects.toThrow('404');
    await expect(client.ready().do()).rejects.toThrow('500');
    algod.upgrade = undefined;
    expect((await client.status().do()).lastRound).toBe(BigInt(height + 5));
  });
});

describe('the fixture of algod', () => {
  it('answers with the old status when the wait is over', async () => {
    using ledger = makeLedger({ seed: 'wait', blockTimeMs: 2_800 });
    await using algod = await startAlgod({ view: ledger.view(), waitMs: 20 });
    const status = await new Algodv2('', algod.url, portOf(algod)).statusAfterBlock(1_000).do();
    expect(status.lastRound).toBe(1_000n);
  });

  it('is not ready from 17 s after the last round on', async () => {
    using ledger = makeLedger({ seed: 'ready', blockTimeMs: 20_000 });
    const view = ledger.view();
    await using algod = await startAlgod({ view });
    const ready = async () => (await fetch(`${algod.url}/ready`)).status;
    expect(await ready()).toBe(200);
    view.lag(1);
    expect(await ready()).toBe(503);
    view.lag(0);
    algod.catchupTime = 999_999n;
    expect(await ready()).toBe(200);
    algod.catchupTime = 1_000_000n;
    expect(await ready()).toBe(503);
  });

  it.each(['/metrics', '/v1/status', '/'])('has no %s', async (path) => {
    using ledger = makeLedger({ seed: 'none', blockTimeMs: 2_800 });
    await using algod = await startAlgod({ view: ledger.view() });
    const answer = await fetch(algod.url + path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ message: 'Not Found' });
  });
});
