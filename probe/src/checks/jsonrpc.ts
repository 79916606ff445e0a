import { createHash } from 'node:crypto';
import { faultId, type Fault, isRefusal } from '@highwater/config/faults.ts';
import {
  type Asked as Repeated,
  type CheckContext,
  defineCheck,
  FaultError,
  type Reading,
} from '@highwater/config/kinds.ts';
import { methodIdOf } from '@highwater/config/method-id.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { fault, faultError } from '../fault.ts';
import { totalTenths } from '../io/stopwatch.ts';
import type { Ask, Reply } from './ask.ts';
import { familyOf } from './chains/index.ts';
import { canonicalJson, type Json, shown, typeOf, valueAt } from './json.ts';
import { isEqual } from './json-expect.ts';
import { type JsonrpcSettings, jsonrpcSettings, type Method } from './jsonrpc-settings.ts';
import { notedAsk, withQuestion } from './noted-ask.ts';
import { openAsk } from './open-ask.ts';
import { questionLine } from './rpc-repeat.ts';
import { fill, type Filling, fillText, needsHead } from './template.ts';

/** Nodes a few blocks apart ask the same where their answers are compared. */
const sharedHeadBlocks = 8;

/** Calls methods one after the other on one connection; each must answer with a good result. */
export const jsonrpc = defineCheck({
  kind: 'jsonrpc',
  summary: 'Calls JSON-RPC methods, or REST paths, each timed alone, and looks at their results.',
  settings: jsonrpcSettings,
  counts: true,
  needsChain: false,
  needsChainFor: needsHead,
  async run({ path, port, transport, api, methods, maxBytes }, ctx): Promise<Reading> {
    const ask = openAsk(limited(ctx, maxBytes), { path, port, transport, maxBytes });
    const facts: Record<string, string> = {};
    const faults: Fault[] = [];
    try {
      const { filling, headless } = await fillingOf(ask, methods, api, ctx);
      if (headless) faults.push(headless);
      // One at a time and never as a batch: each is timed alone, and not every node takes batches.
      for (const [nth, each] of methods.entries()) {
        if (nth > 0 && ctx.signal.aborted) break;
        if (headless && needsHead(each)) continue;
        const id = methodIdOf(each);
        const { latency, found, same, over } = await asked(ask, each, { ...filling, id });
        if (ctx.asserted) assertAnswer(ctx.asserted, each, latency, found);
        facts[`m.${id}`] = latency;
        if (same !== undefined) facts[`e.${id}`] = same;
        if (found) faults.push(found);
        // The connection failed or the deadline passed: the other methods would say the same, later.
        if (over) break;
      }
    } catch (thrown) {
      if (!(thrown instanceof FaultError)) throw thrown;
      throw new FaultError(thrown.fault, ask.phases('all'));
    }
    const bad = faults.filter((each) => each.code !== 'slow');
    // A refusal may say nothing of the target: whatever else is wrong with it goes first.
    const worst = bad.find((each) => !isRefusal(each)) ?? bad[0] ?? faults[0];
    const phases = ask.phases('all');
    return {
      outcome: worst === undefined ? 'ok' : worst.code === 'slow' ? 'degraded' : 'fail',
      ...(worst ? { fault: worst } : {}),
      latencyTenths: totalTenths(phases),
      phases,
      facts,
    };
  },
  repeat: repeated,
});

/** A height that every chain has, where a template counts from a head that is not known here. */
const someHeight = 1;

function repeated({ path, port, transport, api, methods }: JsonrpcSettings, asked: Repeated): string {
  const heights = (asked.chain && familyOf(asked.chain.family, api)?.heights) ?? 'number';
  const lines = methods.map((each) => {
    const filling = { head: someHeight, heights, round: 0, id: methodIdOf(each) };
    const question =
      each.get === undefined
        ? { method: each.method ?? '', params: fill(each.params ?? [], filling) }
        : { get: fillText(each.get, filling) };
    return questionLine(question, { path, port, transport }, asked);
  });
  return lines.join('; ');
}

/** What is asked of one method's answer, and the fault in its place. */
function assertAnswer(
  asserted: NonNullable<CheckContext['asserted']>,
  each: Method,
  latency: string,
  found: Fault | undefined,
): void {
  const where = each.at === undefined ? 'a result' : `a value at ${each.at}`;
  const type = each.type === undefined ? [] : [`of type ${each.type}`];
  const equals = each.equals === undefined ? [] : [`that equals ${shown(each.equals)}`];
  const slow = found?.code === 'slow';
  const told = found && (found.detail?.replace(`${nameOf(each)}: `, '') ?? faultId(found));
  const bad = told === undefined || slow ? {} : { found: told };
  const what = `${methodIdOf(each)} gives ${[where, ...type, ...equals].join(' ')}`;
  asserted({ what, held: found === undefined || slow, ...bad });
  if (each.slow === undefined || (found && !slow)) return;
  const took = `${Number(latency) / 10} ms`;
  asserted({
    what: `${methodIdOf(each)} answers within ${formatDuration(each.slow)}`,
    held: !slow,
    found: took,
  });
}

function limited(ctx: CheckContext, maxBytes: number | undefined): CheckContext {
  if (maxBytes === undefined) return ctx;
  return {
    ...ctx,
    exchange: (request) => ctx.exchange({ ...request, maxBytes }),
    socket: (request) => ctx.socket({ ...request, maxBytes }),
  };
}

/**
 * The head is asked for once, and only where a template counts from it. `headless` is why there is none: methods that
 * need it are not asked then. Throws where the others would meet the same.
 */
async function fillingOf(
  ask: Ask,
  methods: readonly Method[],
  api: string | undefined,
  { chain, round }: CheckContext,
): Promise<{ readonly filling: Omit<Filling, 'id'>; readonly headless?: Fault }> {
  const family = chain && familyOf(chain.family, api);
  const filling = { round, heights: family?.heights ?? 'number' } as const;
  if (!needsHead(methods)) return { filling };
  if (!chain) throw faultError('probe.config.kind', 'a template of the head without a chain');
  if (!family) throw faultError('probe.config.kind', `chain family ${chain.family}${api ? `.${api}` : ''}`);
  const noted = notedAsk(ask);
  try {
    const head = await (family.height?.(noted) ?? family.tip(noted).then(({ height }) => height));
    return { filling: { ...filling, head } };
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    const headless = withQuestion(noted.blamed(thrown.fault), 'the head');
    if (!goesOn(headless)) throw new FaultError(headless);
    return { filling, headless };
  }
}

interface Asked {
  /** The fact `m.ID`: tenths of a millisecond, or the fault. */
  readonly latency: string;
  /** The fact `e.ID`. */
  readonly same?: string;
  readonly found?: Fault;
  readonly over?: boolean;
}

async function asked(ask: Ask, each: Method, filling: Filling): Promise<Asked> {
  const { equal } = each;
  const own = equal && filling.head !== undefined ? { ...filling, head: shared(filling.head) } : filling;
  const params = each.get === undefined ? fill(each.params ?? [], own) : fillText(each.get, own);
  const named = (found: Fault): Fault => withQuestion(found, nameOf(each));
  let reply: Reply;
  try {
    reply = typeof params === 'string' ? await ask.get(params) : await ask.call(each.method ?? '', params);
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    const { fault: found } = thrown;
    return { latency: faultId(found), found: named(found), ...(goesOn(found) ? {} : { over: true }) };
  }
  const found = reply.error ? reply.error.fault : unexpected(reply.result as Json, each);
  if (found) return { latency: faultId(found), found: named(found) };
  const same = equal ? { same: `${digest(params)}.${digest(lookedAt(reply.result as Json, each))}` } : {};
  const latency = String(reply.latencyTenths);
  if (each.slow === undefined || reply.latencyTenths <= each.slow * 10) return { latency, ...same };
  const detail = `${reply.latencyTenths / 10} ms, limit ${each.slow} ms`;
  return { latency, ...same, found: named(fault('target.rpc.slow', detail)) };
}

function shared(head: number): number {
  return head - (head % sharedHeadBlocks);
}

function nameOf({ method, get, id }: Method): string {
  return method ?? id ?? get ?? '';
}

/** The answer to this question alone was bad; the node can still be asked the next one. */
const onlyThis: ReadonlySet<string> = new Set(['status', 'refused', 'too-large', 'encoding', 'redirect']);

function goesOn({ operation, code }: Fault): boolean {
  return operation === 'rpc' || operation === 'head' || (operation === 'http' && onlyThis.has(code));
}

/** First 8 hex digits of the SHA-256 of its canonical JSON. */
function digest(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(value as Json))
    .digest('hex')
    .slice(0, 8);
}

function lookedAt(result: Json, { at }: Method): Json | undefined {
  return at === undefined ? result : valueAt(result, at);
}

function unexpected(result: Json, each: Method): Fault | undefined {
  const where = each.at === undefined ? 'the result' : `the value at ${each.at}`;
  const value = lookedAt(result, each);
  if (value === undefined || (each.at !== undefined && value === null && each.type !== 'null')) {
    return fault('target.rpc.result', `${where} is missing`);
  }
  if (each.type !== undefined && typeOf(value) !== each.type) {
    return fault('target.rpc.result', `${where} is of type ${typeOf(value)}, expected ${each.type}`);
  }
  if (each.equals !== undefined && !isEqual(value, each.equals)) {
    return fault('target.rpc.result', `${where} is ${shown(value)}, expected ${shown(each.equals)}`);
  }
  return undefined;
}
