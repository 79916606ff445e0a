import { describe, expect, it } from 'vitest';
import {
  type CheckContext,
  FaultError,
  type SocketLink,
  type SocketRequest,
} from '@highwater/config/kinds.ts';
import { faultId } from '@highwater/config/faults.ts';
import { faultError } from '../fault.ts';
import { totalTenths } from '../io/stopwatch.ts';
import { isRecord, type Json } from './json.ts';
import { askOnLink, openSocketRpc } from './rpc-socket.ts';

const soon = () => AbortSignal.timeout(5_000);

/** A link that answers each message with texts. */
function linked(answer: (call: { id: number; method: string }) => readonly (string | object)[]) {
  const queue: string[] = [];
  const sent: { id: number; method: string }[] = [];
  const link: Pick<SocketLink, 'send' | 'next'> = {
    send(text) {
      const call = JSON.parse(text) as { id: number; method: string };
      sent.push(call);
      queue.push(...answer(call).map((each) => (typeof each === 'string' ? each : JSON.stringify(each))));
    },
    next(signal) {
      const text = queue.shift();
      if (text !== undefined) return Promise.resolve(text);
      return new Promise((_, reject) => {
        const end = () => reject(faultError('target.ws.timeout'));
        if (signal.aborted) end();
        else signal.addEventListener('abort', end, { once: true });
      });
    },
  };
  return { link, sent };
}

async function faultIn(work: Promise<unknown>): Promise<string> {
  try {
    return `answered ${JSON.stringify(await work)}`;
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return faultId(thrown.fault);
  }
}

describe('calls on one WebSocket', () => {
  it('hand pushes on while they wait, those with the id of an earlier call too', async () => {
    let first = 0;
    const { link } = linked(({ id }) => {
      const push = { id: (first ||= id), result: { query: 'x' } };
      return id === first ? [{ id, result: {} }] : [{ method: 'tick' }, push, { id, result: 7 }];
    });
    const pushes: Json[] = [];
    const ask = askOnLink(
      link,
      soon(),
      (message) => pushes.push(message) > 0 && isRecord(message) && 'method' in message,
    );
    expect(await ask.call('subscribe', [])).toMatchObject({ result: {} });
    expect(await ask.call('tip', [])).toMatchObject({ result: 7 });
    expect(pushes).toEqual([{ method: 'tick' }, { id: first, result: { query: 'x' } }]);
  });

  it('end with what a push throws', async () => {
    const { link } = linked(({ id }) => [{ method: 'tick' }, { id, result: 1 }]);
    const ask = askOnLink(link, soon(), () => {
      throw faultError('target.rpc.result', 'no height');
    });
    expect(await faultIn(ask.call('tip', []))).toBe('target.rpc.result');
  });

  it('skip at most 1,000 messages', async () => {
    const pushes = (count: number) => Array.from({ length: count }, () => ({ method: 'tick' }));
    const few = linked(({ id }) => [...pushes(1_000), { id, result: 1 }]);
    expect(await askOnLink(few.link, soon()).call('x', [])).toMatchObject({ result: 1 });
    const many = linked(({ id }) => [...pushes(1_001), { id, result: 1 }]);
    expect(await faultIn(askOnLink(many.link, soon()).call('x', []))).toBe('target.ws.too-large');
  });

  it('end with an answer of more parts than are read', async () => {
    const { link } = linked(({ id }) => [`{"id":${id},"result":[0${',0'.repeat(250_000)}]}`]);
    expect(await faultIn(askOnLink(link, soon()).call('x', []))).toBe('target.ws.too-large');
  });

  it('have ids of their own, and time what they wait for', async () => {
    const { link, sent } = linked(({ id }) => [{ id, result: 1 }]);
    const ask = askOnLink(link, soon());
    const each = [await ask.call('a', []), await ask.call('b', []), await ask.call('c', [])];
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3);
    expect(ask.waitedTenths('all')).toBe(each.reduce((sum, { latencyTenths }) => sum + latencyTenths, 0));
    expect(ask.waitedTenths('last')).toBe(each.at(-1)?.latencyTenths);
  });
});

describe('a WebSocket as the way to ask', () => {
  const phases = { resolve: 1, connect: 2, tls: 3, firstByte: 4, transfer: 0 };
  function context(socket: (request: SocketRequest) => Promise<unknown>) {
    const asked: unknown[] = [];
    const ctx = {
      signal: soon(),
      socket: (request: SocketRequest) => {
        asked.push(request);
        return socket(request);
      },
      exchange: (request: unknown) => {
        asked.push(request);
        return Promise.resolve({
          status: 200,
          body: '{"a":1}',
          phases: { ...phases, transfer: 5 },
          headers: {},
        });
      },
    } as unknown as CheckContext;
    return { ctx, asked };
  }

  it('is opened at the first question and used for all; GET goes over HTTP to the same place', async () => {
    const { link } = linked(({ id }) => [{ id, result: 1 }]);
    const { ctx, asked } = context(() => Promise.resolve({ ...link, phases }));
    const ask = openSocketRpc(ctx, { path: '/ws', port: 8_900 });
    expect(asked).toEqual([]);
    await ask.call('a', []);
    await ask.call('b', []);
    expect(asked).toEqual([{ path: '/ws', port: 8_900 }]);
    expect(ask.phases('last')).toMatchObject({ resolve: 1, connect: 2, tls: 3, firstByte: 4 });
    const before = totalTenths(ask.phases('all'));
    expect((await ask.get('/health')).result).toEqual({ a: 1 });
    expect(asked[1]).toMatchObject({ method: 'GET', path: '/ws/health', port: 8_900 });
    expect(ask.phases('last')).toMatchObject({ firstByte: 4, transfer: 5 });
    expect(totalTenths(ask.phases('all'))).toBe(before + 15);
  });

  it('that can be made no way keeps the phases until then', async () => {
    const { ctx } = context(() => Promise.reject(faultError('target.ws.upgrade', '502', phases)));
    const ask = openSocketRpc(ctx, {});
    expect(await faultIn(ask.call('a', []))).toBe('target.ws.upgrade');
    expect(ask.phases('all')).toEqual(phases);
  });
});
