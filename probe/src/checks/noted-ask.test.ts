import { describe, expect, it } from 'vitest';
import { type FaultId, faultId } from '@highwater/config/faults.ts';
import type { FaultError } from '@highwater/config/kinds.ts';
import { fakeAsk, refused } from '../../testing/fake-ask.ts';
import { goodEvm, serveRpc } from '../../testing/rpc.ts';
import { serveRest } from '../../testing/rest.ts';
import { testCheck } from '../../testing/check.ts';
import { fault, faultError } from '../fault.ts';
import { noPhases } from '../io/stopwatch.ts';
import type { Ask } from './ask.ts';
import { notedAsk, withQuestion } from './noted-ask.ts';

const throwing = (thrown: Error): Ask => ({
  call: () => Promise.reject(thrown),
  get: () => Promise.reject(thrown),
  phases: () => noPhases,
});
const detailOf = (asked: Promise<unknown>): Promise<string | undefined> =>
  asked.then(
    () => 'answered',
    (thrown: unknown) => (thrown as FaultError).fault.detail,
  );

describe('a question', () => {
  it('is in the detail of the error that answers it', async () => {
    const ask = notedAsk(fakeAsk({ a: 1 }));
    const { error } = await ask.call('eth_chainId', []);
    expect(error?.fault).toEqual(fault('target.rpc.method', 'eth_chainId: -32601: Method not found'));
    expect((await ask.call('a', [])).error).toBeUndefined();
  });

  it.each<[string, (ask: Ask) => Promise<unknown>, string]>([
    ['of JSON-RPC', (ask) => ask.call('getSlot', [{ commitment: 'confirmed' }]), 'getSlot'],
    ['with parameters by name', (ask) => ask.call('call', { api: 'x' }), 'call'],
    ['of Graphene', (ask) => ask.call('call', ['database', 'get_chain_id', []]), 'database.get_chain_id'],
    ['of an API by its number', (ask) => ask.call('call', [1, 'get_info', []]), '1.get_info'],
    ['of REST', (ask) => ask.get('/v2/status'), 'GET /v2/status'],
  ])('%s is in what is thrown in place of an answer', async (_, asked, name) => {
    expect(await detailOf(asked(notedAsk(throwing(faultError('target.http.timeout')))))).toBe(name);
    const closed = faultError('target.ws.closed', '1001');
    expect(await detailOf(asked(notedAsk(throwing(closed))))).toBe(`${name}: 1001`);
  });

  it.each<FaultId>([
    'resolver.resolve.nxdomain',
    'target.connect.refused',
    'target.tls.expired',
    'target.ws.upgrade',
    'target.head.old',
    'probe.config.secret',
  ])('is no part of %s', (id) => {
    expect(withQuestion(fault(id, 'why'), 'a')).toEqual(fault(id, 'why'));
  });

  it('leaves what is no fault alone', async () => {
    const ending = new Error('ending');
    await expect(notedAsk(throwing(ending)).call('a', [])).rejects.toBe(ending);
  });

  it('does not make a detail longer than details are', () => {
    const long = withQuestion(fault('target.rpc.error', 'x'.repeat(300)), 'a'.repeat(200));
    expect(long.detail).toHaveLength(256);
  });

  it('asked last is to blame for an answer that was read in vain, and named once', async () => {
    const ask = notedAsk(fakeAsk({ a: 1, b: refused('-32000: no') }));
    await ask.call('a', []);
    expect(ask.blamed(fault('target.rpc.result', 'no number'))).toMatchObject({ detail: 'a: no number' });
    expect(ask.blamed(fault('target.head.chain', 'is 1'))).toMatchObject({ detail: 'is 1' });
    const { error } = await ask.call('b', []);
    await ask.call('a', []);
    const told = error?.fault ?? fault('target.rpc.error');
    expect(ask.blamed(told)).toMatchObject({ detail: 'b: -32000: no' });
  });

  it('that took longest counts, from where it was begun', async () => {
    const answers = [30, 10, 20];
    const ask = notedAsk({
      ...throwing(new Error('not asked')),
      call: () => Promise.resolve({ result: 1, latencyTenths: answers.shift() ?? 0 }),
    });
    expect(ask.slowest().tenths).toBe(0);
    await ask.call('a', []);
    ask.restart();
    await ask.call('b', []);
    await ask.call('c', []);
    expect(ask.slowest().tenths).toBe(20);
  });
});

describe('a head check', () => {
  const chain = { name: 'x', blockTimeMs: 1_000, maxLagBlocks: 5, maxAgeMs: 60_000 };
  const seen = async (family: string, url: string, settings = {}) => {
    using check = testCheck('head', url, settings, { chain: { ...chain, family, chainId: 31_337 } });
    const { fault: found } = await check.run();
    return found && `${faultId(found)} ${found.detail}`;
  };

  it('of another family than the node names the method that is not found', async () => {
    await using server = await serveRpc(({ id }) => ({
      id,
      error: { code: -32601, message: 'Method not found' },
    }));
    expect(await seen('evm', server.url)).toBe('target.rpc.method eth_chainId: -32601: Method not found');
  });

  it('at a wrong path names the path', async () => {
    await using server = await serveRest({});
    expect(await seen('algorand', server.url, { path: '/wrong' })).toBe(
      'target.http.status GET /v2/status: 404',
    );
  });

  it('names the method of an answer that cannot be read', async () => {
    await using server = await serveRpc((call) => ({
      id: call.id,
      result: (call.params as unknown[])[0] === 'latest' ? { timestamp: 7 } : goodEvm(call),
    }));
    expect(await seen('evm', server.url)).toMatch(
      /^target\.rpc\.result eth_getBlockByNumber: timestamp is no hex quantity/,
    );
  });
});
