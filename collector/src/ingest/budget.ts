/**
 * How much one probe key may bring: what is kept for good (leaves, their bytes, the bodies, epochs, which each may hold
 * contradictions) and what is kept for a while (frames). A key in wrong hands can spend this and no more. In memory
 * alone, for the life of the process: only the operator restarts it, and then one burst more may be spent.
 */
import type { Config } from '@highwater/config/model.ts';
import { type Bucket, filled, type Rate, waitMs, without } from './bucket.ts';

export const budgeted = ['leaves', 'leaf-bytes', 'body-bytes', 'epochs', 'frame-bytes'] as const;
export type Budgeted = (typeof budgeted)[number];
export type Rates = Readonly<Record<Budgeted, Rate>>;
export type Amounts = Readonly<Partial<Record<Budgeted, number>>>;

const MIB = 1_048_576;
/** A backlog of two days is 2,880 leaves, where one a minute is enough. */
const MIN_LEAVES: Rate = { burst: 3_000, perMinute: 30 };
const MIN_LEAF_BYTES: Rate = { burst: 32 * MIB, perMinute: MIB / 2 };
/** What a spool of the usual size holds comes at once. */
const MIN_LINE_BYTES: Rate = { burst: 512 * MIB, perMinute: 2 * MIB };
/** One begins when a disk was damaged or restored, or a number had two texts. */
const EPOCHS: Rate = { burst: 20, perMinute: 6 / 60 };
/** After an outage a backlog is caught up while live lines come. */
const TIMES_LIVE = 4;
/** Of a line with its facts, and with its detail in a frame. */
const LINE_BYTES = 128;
const FRAME_LINE_BYTES = 512;
/** A `body` line of a batch. */
const BODY_REF_BYTES = 160;
/** A batch takes about so many services, and so many bytes of bodies. */
const BATCH_SERVICES = 350;
const BATCH_BODY_BYTES = 800_000;

/** `perMinute` times four, where that is more than what everybody has; the burst grows as that does. */
function atLeast({ burst, perMinute }: Rate, live: number): Rate {
  const times = Math.max(1, (live * TIMES_LIVE) / perMinute);
  return { burst: burst * times, perMinute: perMinute * times };
}

/** What a probe needs that asks every monitor of the configuration. */
export function ratesFor({ monitors }: Pick<Config, 'monitors'>): Rates {
  const lines = monitors.reduce((sum, { intervalMs }) => sum + 60_000 / intervalMs, 0);
  const services = new Set(monitors.map(({ id }) => id.slice(0, id.indexOf('/')))).size;
  const leaves = 1 + services / BATCH_SERVICES + (lines * LINE_BYTES) / BATCH_BODY_BYTES;
  return {
    leaves: atLeast(MIN_LEAVES, leaves),
    'leaf-bytes': atLeast(MIN_LEAF_BYTES, services * BODY_REF_BYTES),
    'body-bytes': atLeast(MIN_LINE_BYTES, lines * LINE_BYTES),
    epochs: EPOCHS,
    'frame-bytes': atLeast(MIN_LINE_BYTES, lines * FRAME_LINE_BYTES),
  };
}

/** What is left of one who asks; `now` is a clock that only goes forward, ms. */
export interface Budget {
  /** Takes all of the amounts, or nothing: then what is lacking, and when to come again. */
  take(
    who: string,
    rates: Rates,
    amounts: Amounts,
    now: number,
  ): { readonly lacking: Budgeted; readonly waitMs: number } | undefined;
}

export function openBudget(): Budget {
  const all = new Map<string, ReadonlyMap<Budgeted, Bucket>>();
  return {
    take(who, rates, amounts, now) {
      const known = all.get(who);
      const asked = budgeted.filter((each) => (amounts[each] ?? 0) > 0);
      const buckets = new Map(known);
      let refusal: { lacking: Budgeted; waitMs: number } | undefined;
      for (const each of asked) {
        const amount = amounts[each] ?? 0;
        const bucket = filled(known?.get(each), rates[each], now);
        const wait = waitMs(bucket, rates[each], amount);
        if (wait > (refusal?.waitMs ?? 0)) refusal = { lacking: each, waitMs: wait };
        buckets.set(each, without(bucket, amount));
      }
      if (refusal === undefined) all.set(who, buckets);
      return refusal;
    },
  };
}
