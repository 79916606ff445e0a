/** What one round asks on a connection of its own. Each throws FaultError with the phases until then. */
import type { Phases } from '@highwater/config/domain.ts';
import {
  type CheckContext,
  FaultError,
  type SocketLink,
  type SocketRequest,
} from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { deadline, type Ending } from '../deadline.ts';
import { isTimeout } from '../fault.ts';
import { noPhases } from '../io/stopwatch.ts';
import type { Ask, Place } from './ask.ts';
import { capped } from './capped.ts';
import type { ChainFamily, SocketStream, Tip } from './chains/family.ts';
import type { Json } from './json.ts';
import { notedAsk } from './noted-ask.ts';
import { isNotServed, openRpc } from './rpc.ts';
import { askOnLink, messageOf } from './rpc-socket.ts';
import { play } from './websocket-script.ts';
import type { Step } from './websocket-settings.ts';

/** Some families push the newest block at once; for others two block times are waited, and never longer than this. */
const longestFirstMs = 1_000;

export interface Fresh {
  readonly phases: Phases;
  readonly facts: Readonly<Record<string, string>>;
  readonly tip?: Tip;
}

export function freshHandshake(ctx: CheckContext, request: SocketRequest): Promise<Fresh> {
  return onLink(ctx, request, () => Promise.resolve({}));
}

export function freshScript(
  ctx: CheckContext,
  request: SocketRequest,
  script: readonly Step[],
): Promise<Fresh> {
  return onLink(ctx, request, async (link, waited) => {
    const from = performance.now();
    try {
      await play(link, script, ctx.signal, ctx.asserted);
    } finally {
      waited(tenthsSince(from));
    }
    return {};
  });
}

/** Subscribes, asks for the tip on the same connection, and sees whether the first block comes soon. */
export function freshHeads(
  ctx: CheckContext,
  request: SocketRequest,
  family: ChainFamily,
  stream: SocketStream,
  chain: Chain,
): Promise<Fresh> {
  return onLink(ctx, request, async (link, waited) => {
    const from = performance.now();
    let first: number | undefined;
    const take = (message: Json): boolean => {
      const block = stream.pushed(message);
      if (block && !block.finalized) first ??= tenthsSince(from);
      return block !== undefined;
    };
    const rest = openRpc(ctx, { port: request.port });
    const calls = askOnLink(link, ctx.signal, take);
    try {
      await stream.subscribe(calls);
      const ack = tenthsSince(from);
      const ask = { ...calls, get: (at: string) => rest.get(at), phases: () => noPhases };
      const tip = await tipOf(family, ask, openRpc(ctx, {}));
      await untilFirst(link, ctx.signal, Math.min(longestFirstMs, 2 * chain.blockTimeMs), (text) => {
        if (text !== undefined) take(messageOf(text));
        return first !== undefined;
      });
      const facts = { ack: String(ack), ...(first === undefined ? {} : { first: String(first) }) };
      return { facts, ...(tip ? { tip } : {}) };
    } finally {
      waited(calls.waitedTenths('all'));
    }
  });
}

export async function freshPoll(ctx: CheckContext, place: Place, family: ChainFamily): Promise<Fresh> {
  const ask = openRpc(ctx, place);
  try {
    const tip = await namedTip(family, ask);
    return { phases: ask.phases('all'), facts: {}, tip };
  } catch (thrown) {
    throw inPhases(thrown, ask.phases('all'));
  }
}

/** Makes a connection; `waited` is told what was waited for answers on it. */
async function onLink(
  ctx: CheckContext,
  request: SocketRequest,
  use: (
    link: Pick<SocketLink, 'send' | 'next'>,
    waited: (tenths: number) => void,
  ) => Promise<{ readonly facts?: Readonly<Record<string, string>>; readonly tip?: Tip }>,
): Promise<Fresh> {
  using link = await ctx.socket(request);
  let transfer = 0;
  const phases = (): Phases => ({ ...link.phases, transfer: link.phases.transfer + transfer });
  try {
    const found = await use(capped(link, request.maxBytes), (tenths) => (transfer += tenths));
    const { certExpiresAt } = link;
    const expiry = certExpiresAt === undefined || certExpiresAt < 0 ? {} : { ce: String(certExpiresAt) };
    return { ...found, phases: phases(), facts: { ...expiry, ...found.facts } };
  } catch (thrown) {
    throw inPhases(thrown, phases());
  }
}

/**
 * Where subscriptions have a port of their own, as Solana's, it knows no other methods: then it is asked over HTTP. A
 * node that does not tell can't be compared with what it pushes, which is no fault of its WebSocket.
 */
async function tipOf(family: ChainFamily, ask: Ask, overHttp: Ask): Promise<Tip | undefined> {
  try {
    return await namedTip(family, ask);
  } catch (thrown) {
    if (!(thrown instanceof FaultError) || !isNotServed(thrown)) throw thrown;
  }
  try {
    return await family.tip(overHttp);
  } catch (thrown) {
    if (thrown instanceof FaultError) return undefined;
    throw thrown;
  }
}

/** A fault names the question that it came of. */
async function namedTip(family: ChainFamily, asked: Ask): Promise<Tip> {
  const ask = notedAsk(asked);
  try {
    return await family.tip(ask);
  } catch (thrown) {
    throw thrown instanceof FaultError ? new FaultError(ask.blamed(thrown.fault), thrown.phases) : thrown;
  }
}

/** Reads until `taken` says that it is there. That nothing comes is no fault. */
async function untilFirst(
  link: Pick<SocketLink, 'next'>,
  signal: Ending,
  ms: number,
  taken: (text?: string) => boolean,
): Promise<void> {
  if (taken()) return;
  const limit = deadline(ms, signal);
  try {
    while (!taken(await link.next(limit)));
  } catch (thrown) {
    if (!limit.passed() && !isTimeout(signal.reason)) throw thrown;
  } finally {
    limit.done();
  }
}

function inPhases(thrown: unknown, phases: Phases): unknown {
  return thrown instanceof FaultError ? new FaultError(thrown.fault, phases) : thrown;
}

function tenthsSince(from: number): number {
  return Math.round((performance.now() - from) * 10);
}
