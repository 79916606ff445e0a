import { describe, expect, it } from 'vitest';
import {
  type AnyCheckKind,
  type CheckContext,
  defineCheck,
  type LastingWay,
  type SocketLink,
} from '@highwater/config/kinds.ts';
import type { AssignedMonitor } from '@highwater/config/wire.ts';
import { z } from 'zod';
import { serveSockets } from '../testing/sockets.ts';
import { parseConsent } from './io/reach.ts';
import { makeResolve } from './io/resolve.ts';
import { type House, observe, prepare } from './observe.ts';
import { startRounds } from './rounds.ts';
import { secretShelf } from './secrets.ts';
import { systemClocks, watchLoop } from './loop-watch.ts';

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
  broke: () => undefined,
};
const monitor = (url: string, more: Partial<AssignedMonitor> = {}): AssignedMonitor => ({
  id: 's/n/c',
  kind: 'held',
  intervalMs: 10_000,
  timeoutMs: 2_000,
  recheckAfterMs: 1_000,
  fall: 2,
  settings: {},
  target: { url, headers: {}, allowPrivate: true },
  ...more,
});

/** A kind that does as told in each round. */
function kindOf(run: (ctx: CheckContext) => Promise<unknown>): Record<string, AnyCheckKind> {
  const held = defineCheck({
    kind: 'held',
    summary: '',
    settings: z.strictObject({}),
    counts: true,
    needsChain: false,
    async run(_, ctx) {
      await run(ctx);
      return { outcome: 'ok', latencyTenths: 1 };
    },
  });
  return { held };
}

/** Opens one WebSocket and holds it. */
class Held implements Disposable {
  readonly link: Promise<SocketLink>;
  disposed = 0;
  readonly way: LastingWay;
  constructor(way: LastingWay) {
    this.way = way;
    this.link = way.socket({}, AbortSignal.timeout(5_000));
    this.link.catch(() => undefined);
  }
  [Symbol.dispose]() {
    this.disposed += 1;
  }
}

const forever = new AbortController().signal;
const at = { dueAt: 0, recheck: false };

describe('a round', () => {
  it('ends with its WebSockets, those in the making too, and tells where they went', async () => {
    await using server = await serveSockets(() => undefined);
    const links: SocketLink[] = [];
    const making: Promise<unknown>[] = [];
    const table = kindOf(async (ctx) => {
      links.push(await ctx.socket({}));
      making.push(ctx.socket({}).catch(() => 'given up'));
    });
    const seen = await observe(prepare(monitor(server.url), [], table), at, house, forever);
    expect(seen).toMatchObject({ family: '4', loopback: true });
    expect(links[0]?.closed).toBeDefined();
    expect(await Promise.all(making)).toEqual(['given up']);
    await expect.poll(() => server.clients.size).toBe(0);
  });

  it('gives back what an earlier one opened', async () => {
    await using server = await serveSockets(() => undefined);
    const seen: Held[] = [];
    const table = kindOf(async (ctx) => {
      const held = ctx.lasting('held', (way) => new Held(way));
      await held.link;
      seen.push(held);
    });
    const prepared = prepare(monitor(server.url), [], table);
    await observe(prepared, at, house, forever);
    await observe(prepared, at, house, forever);
    expect(seen[0]).toBe(seen[1]);
    expect(server.clients.size).toBe(1);
    prepared.lasting[Symbol.dispose]();
    expect(seen[0]?.disposed).toBe(1);
    expect(seen[0]?.way.signal.aborted).toBe(true);
    await expect.poll(() => server.clients.size).toBe(0);
    // A round that is still running opens nothing that stays.
    await observe(prepared, at, house, forever);
    expect(seen[2]?.disposed).toBe(1);
    await expect.poll(() => server.clients.size).toBe(0);
  });
});

describe('rounds', () => {
  it('keep what lasts while the monitor stays as it is, and let go of it when it changes, goes, or all ends', async () => {
    await using server = await serveSockets(() => undefined);
    const made: Held[] = [];
    const ran = { count: 0 };
    const table = kindOf(async (ctx) => {
      const held = ctx.lasting('held', (way) => {
        made.push(new Held(way));
        return made.at(-1) as Held;
      });
      await held.link;
      ran.count += 1;
    });
    const loop = watchLoop(systemClocks(house.outside.monotonic));
    const rounds = startRounds({ probe: 'p', table, loop, isClockSure: () => true, seen: () => undefined });
    const controls = { ask: () => Promise.resolve([]) };
    const give = (...monitors: AssignedMonitor[]) =>
      rounds.assigned(
        { chains: [], monitors, seed: '00' } as unknown as Parameters<typeof rounds.assigned>[0],
        house,
        controls,
      );
    const quick = { intervalMs: 1_000, timeoutMs: 900 };
    give(monitor(server.url, { id: 's/a/c', ...quick }), monitor(server.url, { id: 's/b/c', ...quick }));
    await expect.poll(() => made.length, { timeout: 5_000 }).toBe(2);
    const before = ran.count;
    give(
      monitor(server.url, { id: 's/a/c', ...quick }),
      monitor(server.url, { id: 's/b/c', ...quick, fall: 3 }),
    );
    await expect.poll(() => made.map(({ disposed }) => disposed).sort()).toEqual([0, 1]);
    await expect.poll(() => made.length, { timeout: 5_000 }).toBe(3);
    await expect.poll(() => ran.count, { timeout: 5_000 }).toBeGreaterThan(before + 2);
    expect(made).toHaveLength(3);
    give(monitor(server.url, { id: 's/a/c', ...quick }));
    await expect.poll(() => made.filter(({ disposed }) => disposed === 1).length).toBe(2);
    await expect.poll(() => server.clients.size).toBe(1);
    await rounds.drain(1_000);
    loop.stop();
    expect(made.map(({ disposed }) => disposed)).toEqual([1, 1, 1]);
    await expect.poll(() => server.clients.size).toBe(0);
  });
});
