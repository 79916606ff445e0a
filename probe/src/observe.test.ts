import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type CheckContext, defineCheck } from '@highwater/config/kinds.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { z } from 'zod';
import { serveHttp } from '../testing/servers.ts';
import { checks } from './checks/index.ts';
import { faultError } from './fault.ts';
import { parseConsent } from './io/reach.ts';
import { makeResolve } from './io/resolve.ts';
import { type House, observe, prepare } from './observe.ts';
import { secretShelf } from './secrets.ts';

const broken: unknown[] = [];
const house: House = {
  outside: {
    resolve: makeResolve(),
    consent: parseConsent(['config']),
    userAgent: 'Highwater/test',
    monotonic: () => performance.now(),
  },
  secrets: secretShelf('/nonexistent', {}),
  now: () => Date.now(),
  clockBoundMs: () => 0,
  broke: (_, thrown) => void broken.push(thrown),
};
const monitor = (url: string, more: Partial<AssignedMonitor> = {}): AssignedMonitor => ({
  id: 's/n/c',
  kind: 'http',
  intervalMs: 10_000,
  timeoutMs: 2_000,
  recheckAfterMs: 1_000,
  fall: 2,
  settings: {},
  target: { url, headers: {}, allowPrivate: true },
  ...more,
});
const forever = new AbortController().signal;
const once = { dueAt: 0, recheck: false };

describe('one run', () => {
  it('with a secret that is not here is skipped, and nothing is asked', async () => {
    let asked = 0;
    await using server = await serveHttp((_, response) => {
      asked += 1;
      response.end();
    });
    const target = { url: server.url, headers: { 'x-token': 'env:HIGHWATER_SECRET_A' }, allowPrivate: true };
    const { observation } = await observe(
      prepare(monitor(server.url, { target }), [], checks),
      once,
      house,
      forever,
    );
    expect(observation.fault && faultId(observation.fault)).toBe('probe.config.secret');
    expect([observation.outcome, asked]).toEqual(['skipped', 0]);
  });

  it('of a check that breaks is skipped and told', async () => {
    const bug = defineCheck({
      kind: 'bug',
      summary: '',
      settings: z.strictObject({}),
      counts: true,
      needsChain: false,
      run: () => Promise.reject(new TypeError('undefined is not a function')),
    });
    const prepared = prepare(monitor('http://127.0.0.1:1', { kind: 'bug' }), [], { bug });
    const { observation } = await observe(prepared, once, house, forever);
    expect(observation.fault && faultId(observation.fault)).toBe('probe.check.failed');
    expect(observation.outcome).toBe('skipped');
    expect(broken.at(-1)).toBeInstanceOf(TypeError);
  });

  it('leaves no memory behind', async () => {
    await using server = await serveHttp((_, response) => void response.end('x'.repeat(10_000)));
    const good = prepare(monitor(server.url), [], checks);
    const refused = prepare(monitor('http://127.0.0.1:1'), [], checks);
    const run = async (times: number) => {
      for (let i = 0; i < times; i += 1) await observe(i % 3 === 0 ? refused : good, once, house, forever);
    };
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const used = async () => {
      // Destroyed sockets are let go in the turns after.
      for (let i = 0; i < 5; i += 1) {
        await new Promise((done) => setImmediate(done));
        gc();
      }
      return process.memoryUsage().heapUsed;
    };
    await run(600);
    const before = await used();
    await run(1_800);
    const grownBytes = (await used()) - before;
    expect(grownBytes / 1_800).toBeLessThan(400);
  }, 60_000);
});

it('a check that does not heed its deadline is ended all the same, and one that does says where it was', async () => {
  const kind = (run: (settings: unknown, ctx: CheckContext) => Promise<never>) => ({
    own: defineCheck({
      kind: 'own',
      summary: '',
      settings: z.unknown(),
      counts: true,
      needsChain: false,
      run,
    }),
  });
  const deaf = kind(() => new Promise<never>(() => undefined));
  const heeding = kind(
    (_, { signal }) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(faultError('target.connect.timeout')));
      }),
  );
  const own = monitor('http://192.0.2.1', { kind: 'own', timeoutMs: 20 });
  const faultOf = async (table: typeof deaf) => {
    const { observation } = await observe(prepare(own, [], table), once, house, forever);
    return [observation.outcome, observation.fault && faultId(observation.fault)];
  };
  expect(await faultOf(deaf)).toEqual(['fail', 'target.http.timeout']);
  expect(await faultOf(heeding)).toEqual(['fail', 'target.connect.timeout']);
  const ending = new AbortController();
  const run = observe(prepare({ ...own, timeoutMs: 600_000 }, [], deaf), once, house, ending.signal);
  ending.abort(new Error('over'));
  await expect(run).rejects.toThrow('over');
});
