/**
 * A WebSocket as users have it. Each round makes a fresh one, since old ones hide what stands before the server; one
 * that stays open tells what subscribers miss, which a fresh one cannot.
 */
import { type Fault, faultId } from '@highwater/config/faults.ts';
import {
  type Asked,
  type CheckContext,
  defineCheck,
  FaultError,
  type Reading,
  type SocketRequest,
} from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { faultError } from '../fault.ts';
import { totalTenths } from '../io/stopwatch.ts';
import type { ChainFamily, PollStream, SocketStream, Tip } from './chains/family.ts';
import { familyOf } from './chains/index.ts';
import { asSocket, joinPath } from '../io/url.ts';
import { wscatLine } from '../repeat-socket.ts';
import { jsonText } from './json.ts';
import { firstQuestion, questionLine } from './rpc-repeat.ts';
import { type Fresh, freshHandshake, freshHeads, freshPoll, freshScript } from './websocket-fresh.ts';
import { noStream, type StreamState } from './stream-fold.ts';
import { type Seen, type Watch, watchMessages, watchPolls, watchSocket } from './stream-watch.ts';
import { needsChain, type Settings, settings } from './websocket-settings.ts';
import {
  defaultMaxSilenceMs,
  dropped,
  gapped,
  type Judged,
  keptFacts,
  silent,
  slow,
  unreadable,
} from './websocket-verdict.ts';

export const websocket = defineCheck({
  kind: 'websocket',
  summary: 'Opens a WebSocket, subscribes to new blocks, and keeps one open to see that they keep coming.',
  settings,
  counts: true,
  needsChain: false,
  needsChainFor: needsChain,
  async run(wanted, ctx): Promise<Reading> {
    const plan = planOf(wanted, ctx);
    const fresh = await attempt(plan, ctx);
    const watch = plan.watch?.();
    if (watch) ctx.memory.set('watching', true);
    const seen = watch?.read();
    const latencyTenths = totalTenths(fresh.phases);
    if (wanted.slow !== undefined && !fresh.failed)
      ctx.asserted?.({
        what: `handshake and answers take at most ${formatDuration(wanted.slow)}`,
        held: latencyTenths <= wanted.slow * 10,
        found: `${latencyTenths / 10} ms`,
      });
    const judged: Judged | undefined = fresh.failed
      ? { outcome: 'fail', fault: fresh.failed }
      : ((seen && kept(seen, watch, plan, fresh.tip, ctx)) ?? slow(latencyTenths, wanted.slow));
    return {
      outcome: judged?.outcome ?? 'ok',
      latencyTenths,
      phases: fresh.phases,
      facts: {
        ...fresh.facts,
        ...newest(fresh.tip, seen?.stream),
        ...(seen ? keptFacts(seen.kept, seen.stream, seen.nowMs) : {}),
      },
      ...(judged ? { fault: judged.fault } : {}),
    };
  },
  repeat: repeated,
});

/** Of a script its first step: what follows depends on answers. */
function repeated(wanted: Settings, asked: Asked): string {
  const { script, port } = wanted;
  const heads = script || wanted.receive || wanted.subscribe === 'none' ? undefined : streamOf(asked);
  if (heads?.stream.kind === 'poll') {
    const question = firstQuestion((ask) => heads.family.tip(ask));
    if (question) return questionLine(question, { path: wanted.path, port, transport: 'http' }, asked);
  }
  const stream = heads?.stream.kind === 'socket' ? heads.stream : undefined;
  const { path, protocols = wanted.protocols } = stream ? requestOf(stream, {}, asked.target.url) : {};
  const url = joinPath(asSocket(asked.target.url), wanted.path ?? path, port);
  return wscatLine(
    url,
    {
      protocols: wanted.protocols ?? protocols,
      headers: wanted.headers,
      send: stream ? subscriptionText(stream) : sentText(script?.[0]?.send),
    },
    asked,
  );
}

function subscriptionText(stream: SocketStream): string {
  const question =
    stream.byHand ?? firstQuestion((ask) => stream.subscribe({ call: (...call) => ask.call(...call) }));
  return jsonText({ jsonrpc: '2.0', id: 1, ...question });
}

function sentText(send: unknown): string | undefined {
  return send === undefined || typeof send === 'string' ? send : jsonText(send);
}

/** What one round asks, and what is kept open. */
interface Plan {
  /** For a person. */
  readonly what: string;
  ask(): Promise<Fresh>;
  watch?: () => Watch;
  readonly maxSilenceMs: number;
  /** Whether something must come however the chain stands. */
  readonly always: boolean;
}

function planOf(wanted: Settings, ctx: CheckContext): Plan {
  const { script, receive, maxBytes, path } = wanted;
  const request: SocketRequest = {
    ...(path === undefined ? {} : { path }),
    ...(wanted.port === undefined ? {} : { port: wanted.port }),
    ...(wanted.protocols === undefined ? {} : { protocols: wanted.protocols }),
    ...(wanted.headers === undefined ? {} : { headers: wanted.headers }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
  const heads = script || receive || wanted.subscribe === 'none' ? undefined : streamOf(ctx);
  if (!heads && wanted.subscribe === 'heads')
    throw faultError('probe.config.kind', `no subscription to blocks of a ${ctx.chain?.family ?? ''} chain`);
  if (heads) return headsPlan(heads, request, wanted, ctx);
  const plan = {
    what: script ? 'a WebSocket opens, and the script is answered' : 'a WebSocket opens',
    ask: () => (script ? freshScript(ctx, request, script) : freshHandshake(ctx, request)),
    maxSilenceMs: receive?.within ?? 0,
    always: true,
  };
  if (!receive) return plan;
  const watch = () =>
    ctx.lasting('messages', (way) => watchMessages(way, request, script ?? [], receive.matching));
  return { ...plan, watch };
}

interface Heads {
  readonly chain: Chain;
  readonly family: ChainFamily;
  readonly stream: SocketStream | PollStream;
}

/** Undefined without a chain, and where its family has nothing to subscribe to. */
function streamOf({ chain }: { readonly chain?: Chain | undefined }): Heads | undefined {
  const family = chain && familyOf(chain.family);
  return chain && family?.stream ? { chain, family, stream: family.stream } : undefined;
}

function headsPlan(
  { chain, family, stream }: Heads,
  own: SocketRequest,
  wanted: Settings,
  ctx: CheckContext,
): Plan {
  const maxSilenceMs = wanted.maxSilence ?? defaultMaxSilenceMs(chain);
  const always = false;
  if (stream.kind === 'poll') {
    const place = { path: wanted.path, port: wanted.port };
    return {
      what: 'the node tells its newest block',
      ask: () => freshPoll(ctx, place, family),
      watch: () => ctx.lasting('heads', (way) => watchPolls(way, place, stream)),
      maxSilenceMs,
      always,
    };
  }
  const request = requestOf(stream, own, ctx.target.url);
  return {
    what: `a WebSocket opens, and new blocks of ${chain.name} can be subscribed to`,
    ask: () => freshHeads(ctx, request, family, stream, chain),
    watch: () => ctx.lasting('heads', (way) => watchSocket(way, request, stream)),
    maxSilenceMs,
    always,
  };
}

/** `own`: what the check says itself. */
function requestOf(stream: SocketStream, own: SocketRequest, url: string): SocketRequest {
  // The URL may have it already.
  const known = stream.path !== undefined && new URL(url).pathname.endsWith(stream.path);
  return {
    ...(stream.path === undefined || known ? {} : { path: stream.path }),
    ...(stream.protocols === undefined ? {} : { protocols: stream.protocols }),
    ...own,
  };
}

/**
 * A fault is a reading with what is known beside it. Before a fresh connection has worked once, none is kept open: what
 * can't be made at all is told well enough by that.
 */
async function attempt(plan: Plan, ctx: CheckContext): Promise<Fresh & { readonly failed?: Fault }> {
  try {
    const fresh = await plan.ask();
    ctx.asserted?.({ what: plan.what, held: true });
    return fresh;
  } catch (thrown) {
    if (!(thrown instanceof FaultError) || thrown.fault.operation === 'config') throw thrown;
    ctx.asserted?.({ what: plan.what, held: false, found: thrown.fault.detail ?? faultId(thrown.fault) });
    if (!thrown.phases || !ctx.memory.has('watching')) throw thrown;
    return { phases: thrown.phases, facts: {}, failed: thrown.fault };
  }
}

function kept(
  { kept, stream, nowMs }: Seen,
  watch: Watch | undefined,
  { maxSilenceMs, always }: Plan,
  tip: Tip | undefined,
  { memory }: CheckContext,
): Judged | undefined {
  if (tip) watch?.restart(tip.height);
  const due = always || isDue(tip, stream, memory);
  const nothing = silent(kept, { maxSilenceMs, nowMs, due });
  // What is silent is tried anew, as users' programs do.
  if (nothing) watch?.renew(maxSilenceMs);
  return nothing ?? unreadable(kept) ?? dropped(kept) ?? gapped(stream.counts);
}

/**
 * Whether the node has a block that was not pushed, and had one in an earlier round too: the newest may be on its way,
 * after a chain stood still for long.
 */
function isDue(tip: Tip | undefined, stream: StreamState, memory: Map<string, unknown>): boolean {
  if (!tip) return false;
  const first = (memory.get('first tip') as number | undefined) ?? tip.height;
  memory.set('first tip', first);
  const pushed = stream.tip?.height ?? first;
  const newer = tip.height > pushed;
  const before = memory.get('not pushed after') === pushed;
  memory.set('not pushed after', newer ? pushed : undefined);
  return newer && before;
}

/** By the node's own word, else by what it pushed. */
function newest(tip: Tip | undefined, stream: StreamState = noStream): Record<string, string> {
  const block = tip ?? stream.tip;
  if (!block) return {};
  return {
    h: String(block.height),
    ...(block.id === undefined ? {} : { id: block.id }),
    ...(block.blockAt === undefined ? {} : { bt: String(block.blockAt) }),
  };
}
