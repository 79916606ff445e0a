import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { ChannelContext, Delivery, Message } from '@highwater/config/kinds.ts';
import { HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { backoffMs, maxBackoffMs } from './backoff.ts';
import { closedMs, deadAfterMs, lastHopeMs, startCourier } from './deliver.ts';
import { makeMetrics } from './metrics.ts';
import { openStore } from './store.ts';

function message(key: string, over: Partial<Message> = {}): Message {
  return { thread: 't', key, reason: 'first', impact: 'major', title: key, lines: [], at: 0, ...over };
}

type Answer = Delivery | 'throw';

/** A courier over a real store, with a clock that the test sets and channels that answer as the test says. */
function courier(
  names: readonly string[],
  answers: Readonly<Record<string, (key: string) => Answer | Promise<Answer>>>,
) {
  const dataDir = mkdtempSync(join(tmpdir(), 'highwater-courier-'));
  let clock = 1_000_000;
  const store = openStore(dataDir, clock);
  const tried: string[] = [];
  const watchers = new Set<() => void>();
  const passed: { channel: string; key: string; reason: string; working: readonly string[] }[] = [];
  const contexts: ChannelContext[] = [];
  let logged = '';
  const stop = new AbortController();
  const force = new AbortController();
  const running = startCourier(
    {
      store,
      channels: names.map((id) => ({
        id,
        kind: 'fake',
        async send(given: Message, context: ChannelContext) {
          tried.push(`${id}:${given.key}`);
          contexts.push(context);
          for (const watcher of [...watchers]) watcher();
          const answer = (await answers[id]?.(given.key)) ?? {
            result: 'delivered',
            receipt: `r-${given.key}`,
          };
          if (answer === 'throw') throw new Error(`bug with ${context.secret('env:S')}`);
          return answer;
        },
      })),
      secret: () => 'canary-secret-value',
      host: 'status.example.com',
      site: 'Example Nodes',
      now: () => clock,
      random: () => 0,
      log: pino({ level: 'trace' }, { write: (line: string) => void (logged += line) }),
      metrics: makeMetrics(names, (channel) => store.pending(channel)),
      undelivered: (pending, channel, reason, working) =>
        passed.push({ channel, key: pending.key, reason, working }),
    },
    stop.signal,
    force.signal,
  );
  return {
    store,
    tried,
    passed,
    contexts,
    logged: () => logged,
    closed: running.closed,
    /** Sets the clock on and lets everything look. */
    pass(ms: number) {
      clock += ms;
      running.wake();
    },
    put(channel: string, ...messages: Message[]) {
      for (const given of messages) store.enqueue(channel, given, clock);
      running.wake();
    },
    /** Until so many attempts were made, or fewer in time. */
    async attempts(count: number) {
      const end = performance.now() + 15_000;
      while (tried.length < count) {
        if (performance.now() > end)
          throw new Error(`${tried.length} attempts, not ${count}: ${tried.join(' ')}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 50);
          watchers.add(() => {
            clearTimeout(timer);
            resolve();
          });
        });
        watchers.clear();
      }
      await this.settled();
    },
    /** Lets results be written: turns of the loop, no time. */
    async settled() {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      force.abort();
      await running.stopped;
      store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

it('delivers in order within a thread and hands back the receipt of its first message', async () => {
  await using c = courier(['a'], {});
  c.put('a', message('1'), message('2', { reason: 'escalated' }), message('3', { reason: 'resolved' }));
  await c.attempts(3);
  expect(c.tried).toEqual(['a:1', 'a:2', 'a:3']);
  expect(c.contexts.map(({ first }) => first)).toEqual([undefined, 'r-1', 'r-1']);
});

it('a message that waits holds up its own thread and no other one', async () => {
  let busy = true;
  await using c = courier(['a'], {
    a: (key) => (key === '1' && busy ? { result: 'retry', reason: 'busy' } : { result: 'delivered' }),
  });
  c.put('a', message('1'), message('2', { reason: 'resolved' }), message('x', { thread: 'other' }));
  await c.attempts(2);
  expect(c.tried).toEqual(['a:1', 'a:x']);
  busy = false;
  c.pass(1_000);
  await c.attempts(4);
  expect(c.tried).toEqual(['a:1', 'a:x', 'a:1', 'a:2']);
});

it('a channel that hangs does not delay another', async () => {
  await using c = courier(['slow', 'b'], { slow: () => new Promise<never>(() => undefined) });
  c.put('slow', message('1'));
  c.put('b', message('2'));
  await c.attempts(2);
  expect(c.store.pending('b')).toBe(0);
  expect(c.store.pending('slow')).toBe(1);
}, 3_000);

it('backs off between attempts, and obeys a far side that says how long, for the whole channel', async () => {
  const answers: Delivery[] = [
    { result: 'retry', reason: 'a' },
    { result: 'retry', reason: 'b' },
    { result: 'retry', reason: 'c', afterMs: 90_000 },
  ];
  await using c = courier(['a'], { a: () => answers.shift() ?? { result: 'delivered' } });
  c.put('a', message('1'));
  await c.attempts(1);
  c.pass(999);
  await c.settled();
  expect(c.tried).toHaveLength(1);
  c.pass(1);
  await c.attempts(2);
  c.pass(2_000);
  await c.attempts(3);
  c.put('a', message('other', { thread: 'other' }));
  c.pass(89_999);
  await c.settled();
  expect(c.tried).toHaveLength(3);
  c.pass(1);
  await c.attempts(5);
  expect(c.store.pending('a')).toBe(0);
});

it('a newer state takes the place of one that was not sent; recovery takes the place of all', async () => {
  let busy = true;
  await using c = courier(['a'], {
    a: () => (busy ? { result: 'retry', reason: 'busy' } : { result: 'delivered' }),
  });
  const changed = (key: string) => message(key, { reason: 'changed' });
  c.put('a', message('1'), changed('2'), changed('3'), message('4', { reason: 'escalated' }), changed('5'));
  await c.attempts(1);
  c.put('a', message('6', { reason: 'resolved' }));
  busy = false;
  c.pass(1_000);
  await c.attempts(4);
  expect(c.tried).toEqual(['a:1', 'a:1', 'a:4', 'a:6']);
});

it('what is not delivered within a day is dead and handed on', async () => {
  await using c = courier(['a', 'b'], { a: () => ({ result: 'retry', reason: 'busy' }) });
  c.put('a', message('1'));
  await c.attempts(1);
  c.pass(deadAfterMs - 1);
  await c.attempts(2);
  expect(c.passed).toEqual([]);
  c.pass(1);
  await c.attempts(3);
  expect(c.passed).toEqual([
    { channel: 'a', key: '1', reason: 'not delivered within a day; last: busy', working: ['b'] },
  ]);
  c.pass(HOUR_MS);
  await c.settled();
  expect(c.tried).toHaveLength(3);
});

it('a message refused for good is handed on; the channel stays open', async () => {
  await using c = courier(['a', 'b'], {
    a: (key) => (key === '1' ? { result: 'permanent', reason: 'no' } : { result: 'delivered' }),
  });
  c.put('a', message('1'), message('2', { reason: 'resolved' }));
  await c.attempts(2);
  expect(c.passed.map(({ key }) => key)).toEqual(['1']);
  expect(c.closed('a')).toBeUndefined();
});

it('a channel refused for good is asked no more for an hour; what it has goes elsewhere', async () => {
  await using c = courier(['a', 'b'], {
    a: () => ({ result: 'permanent', reason: 'deleted', scope: 'channel' }),
  });
  c.put('a', message('1'), message('2', { thread: 'u' }), message('3', { thread: 'v' }));
  await c.attempts(1);
  expect(c.passed.map(({ key, working }) => [key, working])).toEqual([
    ['1', ['b']],
    ['2', ['b']],
    ['3', ['b']],
  ]);
  c.pass(closedMs - 1);
  c.put('a', message('4', { thread: 'w' }));
  await c.settled();
  expect(c.tried).toHaveLength(1);
  c.pass(1);
  c.put('a', message('5', { thread: 'x' }));
  await c.attempts(2);
});

it('a report waits for its own channel while that is closed, though another one works', async () => {
  let isMended = false;
  await using c = courier(['a', 'b'], {
    a: () =>
      isMended ? { result: 'delivered' } : { result: 'permanent', reason: 'deleted', scope: 'channel' },
  });
  c.put('a', message('1', { reason: 'report' }));
  await c.attempts(1);
  await c.settled();
  expect([c.tried.length, c.passed, c.store.pending('a')]).toEqual([1, [], 1]);
  c.pass(closedMs - 1);
  await c.settled();
  expect(c.tried).toHaveLength(1);
  isMended = true;
  c.pass(1);
  await c.attempts(2);
  await c.settled();
  expect(c.store.pending('a')).toBe(0);
});

it('with nowhere else to go a message is held, tried each five minutes, and again at once after a restart', async () => {
  await using c = courier(['a'], { a: () => ({ result: 'permanent', reason: 'deleted', scope: 'channel' }) });
  c.put('a', message('1'));
  await c.attempts(1);
  expect(c.store.pending('a')).toBe(1);
  expect(c.passed).toEqual([]);
  c.pass(lastHopeMs - 1);
  // A message made within the closure waits for the same moment, and does not begin another wait.
  c.put('a', message('2', { thread: 'u' }));
  await c.settled();
  expect(c.tried).toHaveLength(1);
  expect(c.store.pending('a')).toBe(2);
  c.pass(1);
  await c.attempts(2);
  await c.settled();
  expect(c.tried).toHaveLength(2);
  c.store.tryHeldAgain(5);
  expect(c.store.nextPending('a', 0)?.nextAt).toBe(5);
});

it('the last channel that was mended is open again at once', async () => {
  let isMended = false;
  await using c = courier(['a'], {
    a: () =>
      isMended ? { result: 'delivered' } : { result: 'permanent', reason: 'deleted', scope: 'channel' },
  });
  c.put('a', message('1'), message('2', { thread: 'u' }));
  await c.attempts(1);
  isMended = true;
  c.pass(lastHopeMs);
  await c.attempts(3);
  expect(c.closed('a')).toBeUndefined();
  await c.settled();
  expect(c.store.pending('a')).toBe(0);
});

it('a fault of ours is a retry, and is logged without the secret', async () => {
  await using c = courier(['a'], { a: () => 'throw' });
  c.put('a', message('1'));
  await c.attempts(1);
  expect(c.store.pending('a')).toBe(1);
  expect(c.logged()).toContain('channel.fault');
  expect(c.logged()).not.toContain('canary-secret-value');
});

it('backoff doubles up to a minute, less at most half', () => {
  expect([1, 2, 3, 7, 8, 10_000].map((attempt) => backoffMs(attempt, 0))).toEqual([
    1_000,
    2_000,
    4_000,
    MINUTE_MS,
    MINUTE_MS,
    MINUTE_MS,
  ]);
  expect(backoffMs(50, 1)).toBe(maxBackoffMs / 2);
});
