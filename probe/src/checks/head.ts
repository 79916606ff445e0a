import { z } from 'zod';
import { durationBetween, key } from '@highwater/config/fields.ts';
import type { Fault } from '@highwater/config/faults.ts';
import { type CheckContext, defineCheck, FaultError, type Reading } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import { fault, faultError } from '../fault.ts';
import { totalTenths } from '../io/stopwatch.ts';
import type { ChainFamily, Tip } from './chains/family.ts';
import { families } from './chains/index.ts';
import { openRpc, type Rpc } from './rpc.ts';
import { urlPath } from './settings.ts';

const identityFreshMs = 300_000;

const settings = z.strictObject({
  path: urlPath,
  slow: key(durationBetween(1, 600_000).optional(), 'Slower than this is degraded.', '800ms'),
});

/** Asks which chain a node serves and for its newest block; an old block is a node that stands still. */
export const head = defineCheck({
  kind: 'head',
  summary: 'Asks for the newest block: is it the right chain, and does the head move.',
  settings,
  counts: true,
  needsChain: true,
  async run({ path, slow }, ctx): Promise<Reading> {
    const { chain } = ctx;
    if (!chain) throw faultError('probe.config.kind', 'a head check without a chain');
    const family = Object.hasOwn(families, chain.family) ? families[chain.family] : undefined;
    if (!family) throw faultError('probe.config.kind', `chain family ${chain.family}`);
    const rpc = openRpc(ctx, path);
    try {
      const { genesis } = await identity(family, rpc, chain, ctx);
      const tip = await family.tip(rpc);
      const answeredAt = ctx.now();
      // The latest call alone: identity is asked only now and then, and must not make that round look slow.
      const phases = rpc.phases('last');
      const latencyTenths = totalTenths(phases);
      const facts = {
        h: String(tip.height),
        ...(tip.id === undefined ? {} : { id: tip.id }),
        ...(tip.blockAt === undefined ? {} : { bt: String(tip.blockAt) }),
        ...(genesis === undefined ? {} : { g: genesis }),
      };
      const old = standsStill(tip, answeredAt, chain, ctx);
      if (old) return { outcome: 'fail', fault: old, latencyTenths, phases, facts };
      const called = phases.firstByte + phases.transfer;
      const trouble = (await syncing(family, rpc)) ?? tooSlow(called, slow);
      return {
        outcome: trouble ? 'degraded' : 'ok',
        latencyTenths,
        phases,
        facts,
        ...(trouble ? { fault: trouble } : {}),
      };
    } catch (thrown) {
      if (!(thrown instanceof FaultError)) throw thrown;
      throw new FaultError(thrown.fault, rpc.phases('all'));
    }
  },
});

interface Identity {
  readonly at: Instant;
  readonly genesis?: string;
}

/** Identity is asked in the first round, after every fault in it, and every five minutes. */
async function identity(family: ChainFamily, rpc: Rpc, chain: Chain, ctx: CheckContext): Promise<Identity> {
  const known = ctx.memory.get('identity') as Identity | undefined;
  const age = known ? ctx.now() - known.at : Infinity;
  if (known && age >= 0 && age < identityFreshMs) return known;
  ctx.memory.delete('identity');
  const found: Identity = { at: ctx.now(), ...(await family.identify(rpc, chain)) };
  ctx.memory.set('identity', found);
  return found;
}

/** CONTRACTS "Head": by the block's time, or where there is none by the height, which must advance. */
function standsStill(tip: Tip, answeredAt: Instant, chain: Chain, ctx: CheckContext): Fault | undefined {
  const ageMs =
    tip.blockAt !== undefined ? answeredAt - tip.blockAt : sinceAdvance(tip.height, answeredAt, ctx.memory);
  const oldMs = ageMs - (tip.blockAt !== undefined ? ctx.clockBoundMs : 0);
  if (oldMs <= chain.maxAgeMs) return undefined;
  return fault(
    'target.head.old',
    `block ${tip.height} is ${Math.floor(ageMs / 1_000)} s old, limit ${chain.maxAgeMs / 1_000} s`,
  );
}

interface Advance {
  readonly height: number;
  readonly at: Instant;
}

function sinceAdvance(height: number, at: Instant, memory: Map<string, unknown>): number {
  const last = memory.get('advance') as Advance | undefined;
  if (last && height <= last.height) return at - last.at;
  memory.set('advance', { height, at } satisfies Advance);
  return 0;
}

/** A node that says it syncs is degraded; one that does not answer this question properly is not judged by it. */
async function syncing(family: ChainFamily, rpc: Rpc): Promise<Fault | undefined> {
  try {
    return (await family.syncing(rpc)) ? fault('target.head.syncing') : undefined;
  } catch (thrown) {
    if (thrown instanceof FaultError) return undefined;
    throw thrown;
  }
}

function tooSlow(tenths: number, limitMs: number | undefined): Fault | undefined {
  if (limitMs === undefined || tenths <= limitMs * 10) return undefined;
  return fault('target.rpc.slow', `${tenths / 10} ms, limit ${limitMs} ms`);
}
