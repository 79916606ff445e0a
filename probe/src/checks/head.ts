import { z } from 'zod';
import { durationBetween, key, wholeBetween } from '@highwater/config/fields.ts';
import type { Fault } from '@highwater/config/faults.ts';
import {
  type Asked,
  type CheckContext,
  defineCheck,
  FaultError,
  type Reading,
} from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { fault, faultError } from '../fault.ts';
import { totalTenths } from '../io/stopwatch.ts';
import { type Advance, advanced } from './advance.ts';
import type { Ask } from './ask.ts';
import type { About, ChainFamily, Condition, Tip } from './chains/family.ts';
import { familyOf } from './chains/index.ts';
import { checkpoint } from './checkpoint.ts';
import { finalityTrouble } from './finality.ts';
import { notedAsk } from './noted-ask.ts';
import { assertHead, assertFault } from './head-assertions.ts';
import { openAsk } from './open-ask.ts';
import { firstQuestion, questionLine } from './rpc-repeat.ts';
import { chainApi, transport, urlPath, urlPort } from './settings.ts';

const identityFreshMs = 300_000;
/** A block dated later than this is a wrong clock, unless the family allows more. */
const maxFutureMs = 15_000;
/** What is remembered of a node, by this file, finality.ts and checkpoint.ts. */
const ofOneNode = ['identity', 'finality', 'checkpoint'];

const headSettings = z.strictObject({
  path: urlPath,
  port: urlPort,
  transport,
  api: chainApi,
  slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '800ms'),
  maxAge: key(
    durationBetween(1_000, 86_400_000).optional(),
    "How old the newest block may be; the chain's own when left out.",
    '1m',
  ),
  maxLag: key(
    wholeBetween(1, 1_000_000).optional(),
    "How many blocks it may be behind the agreed head; the chain's own when left out.",
    10,
  ),
});

/** Asks which chain a node serves and for its newest block; an old block is a node that stands still. */
export const head = defineCheck({
  kind: 'head',
  summary: 'Asks for the newest block: is it the right chain, and does the head move.',
  settings: headSettings,
  counts: true,
  needsChain: true,
  async run({ path, port, transport, api, slow, maxAge }, ctx): Promise<Reading> {
    const { chain } = ctx;
    if (!chain) throw faultError('probe.config.kind', 'a head check without a chain');
    const family = familyOf(chain.family, api);
    if (!family)
      throw faultError('probe.config.kind', `chain family ${[chain.family, api].filter(Boolean).join('.')}`);
    const ask = notedAsk(openAsk(ctx, { path, port, transport }));
    try {
      const known = await acquaintance(family, ask, chain, ctx);
      // Identity is asked only now and then, and must not make that round look slow.
      ask.restart();
      const tip = await family.tip(ask, chain);
      const answeredAt = ctx.now();
      const { phases, tenths: called } = ask.slowest();
      const latencyTenths = totalTenths(phases);
      const old = standsStill(tip, answeredAt, maxAge ?? chain.maxAgeMs, ctx);
      const said = old ? {} : await silently(() => family.condition(ask, tip), {});
      const older = old
        ? undefined
        : await silently(() => checkpoint(family, ask, tip, chain, ctx.memory), undefined);
      const about = await acquainted(family, ask, known, ctx.memory);
      const facts = { ...tipFacts(tip, known), ...(known.about ? {} : aboutFacts(about)) };
      // Before all returns and other troubles: it remembers since when.
      const unfinal = finalityTrouble(said.finalizedHeight, tip.height, answeredAt, chain, ctx.memory);
      if (ctx.asserted) {
        const limits = {
          maxAgeMs: maxAge ?? chain.maxAgeMs,
          maxAheadMs: family.maxFutureMs ?? maxFutureMs,
          slow,
        };
        const heard = { tip, answeredAt, said, about, calledTenths: called };
        assertHead(ctx.asserted, heard, chain, limits);
      }
      if (old) return { outcome: 'fail', fault: old, latencyTenths, phases, facts };
      const trouble =
        future(tip, answeredAt, family.maxFutureMs ?? maxFutureMs, ctx) ??
        (said.syncing ? fault('target.head.syncing') : undefined) ??
        said.trouble ??
        about.trouble ??
        unfinal ??
        tooSlow(called, slow);
      return {
        outcome: trouble ? 'degraded' : 'ok',
        latencyTenths,
        phases,
        facts: { ...facts, ...conditionFacts(said), ...(older === undefined ? {} : { cp: older }) },
        ...(trouble ? { fault: trouble } : {}),
      };
    } catch (thrown) {
      if (!(thrown instanceof FaultError)) throw thrown;
      // What answers after that may be another node.
      for (const known of ofOneNode) ctx.memory.delete(known);
      if (ctx.asserted) assertFault(ctx.asserted, thrown.fault, chain);
      throw new FaultError(ask.blamed(thrown.fault), ask.phases('all'));
    }
  },
  repeat: repeated,
});

/** The question by which the family learns the height. */
function repeated({ path, port, transport, api }: z.infer<typeof headSettings>, asked: Asked): string {
  const family = asked.chain && familyOf(asked.chain.family, api);
  const question = family && firstQuestion((ask) => family.height?.(ask) ?? family.tip(ask));
  if (!question) throw faultError('probe.config.kind', 'a head check without a chain');
  return questionLine(question, { path, port, transport }, asked);
}

/** Who the node is. */
interface Acquaintance {
  readonly at: number;
  readonly genesis?: string;
  /** Undefined in the round in which it was asked who it is. */
  readonly about?: About;
}

/**
 * Identity is asked in the first round, after every one without a tip, and every five minutes; `about` then too. A
 * family whose every tip names its chain has no identity to ask for.
 */
async function acquaintance(
  family: ChainFamily,
  ask: Ask,
  chain: Chain,
  ctx: CheckContext,
): Promise<Acquaintance> {
  const known = ctx.memory.get('identity') as Acquaintance | undefined;
  const age = known ? ctx.now() - known.at : Infinity;
  if (known && age >= 0 && age < identityFreshMs) return known;
  ctx.memory.delete('identity');
  const identity = await family.identify?.(ask, chain);
  return { at: ctx.now(), ...identity };
}

/** Asked last: a node that does not answer such a question until the deadline has told its head before. */
async function acquainted(
  family: ChainFamily,
  ask: Ask,
  known: Acquaintance,
  memory: Map<string, unknown>,
): Promise<About> {
  if (known.about) return known.about;
  const about = await silently(() => family.about(ask), {});
  memory.set('identity', { ...known, about } satisfies Acquaintance);
  return about;
}

function tipFacts(tip: Tip, known: Acquaintance): Record<string, string> {
  const genesis = tip.genesis ?? known.genesis;
  return {
    h: String(tip.height),
    ...(tip.id === undefined ? {} : { id: tip.id }),
    ...(tip.blockAt === undefined ? {} : { bt: String(tip.blockAt) }),
    ...(genesis === undefined ? {} : { g: genesis }),
  };
}

function aboutFacts({ peers, version }: About): Record<string, string> {
  return {
    ...(peers === undefined ? {} : { peers: String(peers) }),
    ...(version === undefined ? {} : { ver: version }),
  };
}

function conditionFacts({ finalizedHeight }: Condition): Record<string, string> {
  return finalizedHeight === undefined ? {} : { fh: String(finalizedHeight) };
}

/** CONTRACTS "Head": by the block's time, or where there is none by the height, which must advance. */
function standsStill(tip: Tip, answeredAt: number, maxAgeMs: number, ctx: CheckContext): Fault | undefined {
  if (tip.blockAt !== undefined) ctx.memory.delete('advance');
  const ageMs =
    tip.blockAt !== undefined ? answeredAt - tip.blockAt : sinceAdvance(tip.height, answeredAt, ctx.memory);
  const oldMs = ageMs - (tip.blockAt !== undefined ? ctx.clockBoundMs : 0);
  if (oldMs <= maxAgeMs) return undefined;
  return fault(
    'target.head.old',
    `block ${tip.height} is ${Math.floor(ageMs / 1_000)} s old, limit ${formatDuration(maxAgeMs)}`,
  );
}

function future(
  { blockAt, height }: Tip,
  answeredAt: number,
  limitMs: number,
  { clockBoundMs }: CheckContext,
): Fault | undefined {
  const aheadMs = blockAt === undefined ? 0 : blockAt - answeredAt;
  if (aheadMs <= limitMs + clockBoundMs) return undefined;
  return fault(
    'target.head.future',
    `block ${height} is dated ${Math.floor(aheadMs / 1_000)} s in the future`,
  );
}

function sinceAdvance(height: number, at: number, memory: Map<string, unknown>): number {
  const advance = advanced(memory.get('advance') as Advance | undefined, height, at);
  memory.set('advance', advance);
  return at - advance.at;
}

/** A node is not judged by questions that it does not answer properly, beside the one for its tip. */
async function silently<T>(asked: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked();
  } catch (thrown) {
    if (thrown instanceof FaultError) return otherwise;
    throw thrown;
  }
}

function tooSlow(tenths: number, limitMs: number | undefined): Fault | undefined {
  if (limitMs === undefined || tenths <= limitMs * 10) return undefined;
  return fault('target.rpc.slow', `${tenths / 10} ms, limit ${limitMs} ms`);
}
