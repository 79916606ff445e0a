/**
 * How long a chain takes for a block, learned from its agreed heads: a configured block time that is wrong would make
 * lags of samples that were only taken apart. Bounded by what is configured, since a head can be a lie.
 */
import type { Instant } from '@highwater/config/time.ts';

/** What has been learned; JSON. */
export interface Pace {
  /** The head that the next step is measured from. */
  readonly height: number;
  readonly blockAt: Instant;
  /** Of a block, ms; a fraction of one where blocks are fast. */
  readonly blockMs: number;
  readonly samples: number;
}

/** Weight of the newest step, and how many it takes before they are believed (eRPC's: chains-and-failover A.7). */
const ALPHA = 0.1;
const MIN_SAMPLES = 3;
/** What is learned stays within a quarter and four times of what is configured. */
const BOUND = 4;
/** Block times are often whole seconds: over this they are off by a tenth at most. */
const MIN_STEP_MS = 10_000;

/** Takes a head in. One without a time of its own teaches nothing; one that went back begins anew from there. */
export function learn(
  pace: Pace | undefined,
  head: { readonly height: number; readonly blockAt?: Instant },
  configuredMs: number,
): Pace | undefined {
  const { height, blockAt } = head;
  if (blockAt === undefined) return pace;
  if (pace === undefined) return { height, blockAt, blockMs: configuredMs, samples: 0 };
  if (height < pace.height || blockAt < pace.blockAt) return { ...pace, height, blockAt };
  const blocks = height - pace.height;
  const stepMs = blockAt - pace.blockAt;
  if (blocks === 0 || stepMs < MIN_STEP_MS) return pace;
  const seenMs = bounded(stepMs / blocks, configuredMs);
  const known = pace.samples === 0 ? seenMs : bounded(pace.blockMs, configuredMs);
  return { height, blockAt, blockMs: known + ALPHA * (seenMs - known), samples: pace.samples + 1 };
}

/** What is known goes on from a head: the way to it was no usual one, since the chain stood still. */
export function goOn(
  pace: Pace | undefined,
  { height, blockAt }: { readonly height: number; readonly blockAt?: Instant },
): Pace | undefined {
  return pace === undefined || blockAt === undefined ? pace : { ...pace, height, blockAt };
}

/** Whole ms, at least 1: what is learned, or what is configured until enough is. */
export function blockTimeMs(pace: Pace | undefined, configuredMs: number): number {
  if (pace === undefined || pace.samples < MIN_SAMPLES) return configuredMs;
  return Math.max(1, Math.round(bounded(pace.blockMs, configuredMs)));
}

function bounded(ms: number, configuredMs: number): number {
  return Math.min(Math.max(ms, configuredMs / BOUND), configuredMs * BOUND);
}
