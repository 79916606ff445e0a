/**
 * What to ask of one witness about one year's log, and when: pure, so that each turn of a conversation is a row of a
 * table. A witness cosigns a checkpoint when it is told the size that it cosigned last and the proof from there
 * (C2SP tlog-witness); only the newest checkpoint is asked for, one request at a time, so that a witness that was away
 * for a day costs one request and not a day of them.
 */
import type { Instant } from '@highwater/config/time.ts';

export interface WitnessPlan {
  /** Size of the newest published checkpoint; 0 before any. */
  readonly published: number;
  /** Whether the witness cosigned that one since the start. After a start it is asked again: it may know more. */
  readonly covered: boolean;
  /** The newest size that it cosigned, with when; 0 before any. */
  readonly cosigned: number;
  readonly cosignedAt?: Instant;
  /** What it is told that it cosigned last. */
  readonly old: number;
  /** What is under way. */
  readonly asking?: Question;
  /** Its last answer was another size than `old`; a second one in a row is believed after a wait. */
  readonly corrected: boolean;
  /** Its last answer was a larger size than ours; it is asked a second time before that is believed. */
  readonly doubted: boolean;
  /** In a row. */
  readonly failures: number;
  readonly notBefore: Instant;
  /** Why its last answer was no cosignature. */
  readonly error?: string;
}

export interface Question {
  readonly old: number;
  readonly size: number;
}

/** What came of a question; `jitter` in 0..1 spreads the next attempt. */
export type WitnessAnswer =
  /** A cosignature that holds, of the size that was asked for. */
  | { readonly kind: 'cosigned' }
  /** 409: what it says that it cosigned last. */
  | { readonly kind: 'size'; readonly size: number }
  /** 422: our proof does not lead there from what it knows under `old`. */
  | { readonly kind: 'inconsistent' }
  /** Anything else, `waitMs` when it said when to come again. */
  | { readonly kind: 'failed'; readonly because: string; readonly waitMs?: number };

export type WitnessEvent =
  | { readonly kind: 'published'; readonly size: number }
  | { readonly kind: 'due' }
  | { readonly kind: 'answered'; readonly answer: WitnessAnswer; readonly jitter: number };

export type WitnessAction =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'ask' } & Question)
  /** To be kept, and its line published. */
  | { readonly kind: 'cosigned'; readonly size: number }
  /** It cosigned a size that this store never signed: a restored backup, or a second collector. */
  | { readonly kind: 'ahead'; readonly size: number }
  /** It names a size that nobody can have written. */
  | { readonly kind: 'absurd'; readonly size: number }
  /** Under this size it holds another root than this store: two histories under one key, or a witness at fault. */
  | { readonly kind: 'forked'; readonly size: number };

/** Waits between attempts double from here, ms. */
export const FIRST_WAIT_MS = 1_000;
export const MAX_WAIT_MS = 60_000;
/** A witness that says when to come again is believed up to here, ms. */
export const MAX_TOLD_WAIT_MS = 3_600_000;

/** Entries past ours that a second collector, or this one before a restore, may have written: at 30 a second, four days. */
export const MAX_CREDIBLE_AHEAD = 10_000_000;

const none: WitnessAction = { kind: 'none' };

/** What is known at a start: the newest size that the witness cosigned, from the store. */
export function startPlan(cosigned = 0, cosignedAt?: Instant): WitnessPlan {
  return {
    published: 0,
    covered: false,
    cosigned,
    ...(cosignedAt === undefined ? {} : { cosignedAt }),
    old: cosigned,
    corrected: false,
    doubted: false,
    failures: 0,
    notBefore: 0,
  };
}

/** When there is something to do; undefined while there is nothing, or a question is under way. */
export function wakeAt(plan: WitnessPlan): Instant | undefined {
  if (plan.asking || plan.covered || plan.published === 0 || plan.cosigned > plan.published) return undefined;
  return plan.notBefore;
}

/** @param everyMs the witness is asked at most so often; 0: for each checkpoint */
export function decideWitness(
  plan: WitnessPlan,
  event: WitnessEvent,
  now: Instant,
  everyMs: number,
): [WitnessPlan, WitnessAction] {
  switch (event.kind) {
    case 'published':
      return published(plan, event.size);
    case 'due': {
      const at = wakeAt(plan);
      if (at === undefined || now < at) return [plan, none];
      // Our own smaller size is never asked for: what the witness said is larger was judged when it said so.
      const old = Math.min(plan.old, plan.published);
      const asking = { old, size: plan.published };
      return [
        { ...plan, old, asking },
        { kind: 'ask', ...asking },
      ];
    }
    case 'answered':
      return plan.asking ? answered(plan, plan.asking, event, now, everyMs) : [plan, none];
  }
}

function published(plan: WitnessPlan, size: number): [WitnessPlan, WitnessAction] {
  if (size === plan.published) return [plan, none];
  const next = { ...plan, published: size, covered: false };
  // Kept from an earlier run: the checkpoints themselves were lost since.
  return plan.cosigned > size ? [next, { kind: 'ahead', size: plan.cosigned }] : [next, none];
}

function answered(
  { asking: _, error: __, ...plan }: WitnessPlan,
  asking: Question,
  { answer, jitter }: Extract<WitnessEvent, { kind: 'answered' }>,
  now: Instant,
  everyMs: number,
): [WitnessPlan, WitnessAction] {
  const failed = (error: string, toldMs = 0): WitnessPlan => {
    const failures = plan.failures + 1;
    const waitMs =
      Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10)) * (0.5 + jitter / 2);
    return {
      ...plan,
      failures,
      error,
      notBefore: now + Math.max(Math.round(waitMs), Math.min(toldMs, MAX_TOLD_WAIT_MS)),
    };
  };
  switch (answer.kind) {
    case 'cosigned': {
      const { size } = asking;
      const done = {
        ...plan,
        cosigned: size,
        cosignedAt: now,
        old: size,
        covered: size === plan.published,
        corrected: false,
        doubted: false,
        failures: 0,
        notBefore: now + everyMs,
      };
      return [done, { kind: 'cosigned', size }];
    }
    case 'size':
      return otherSize(plan, asking, answer.size, failed, now);
    case 'inconsistent':
      // From nothing every tree follows, so only its own fault can make a witness say so.
      return asking.old === 0
        ? [failed('it refuses a proof from the empty tree, which needs none (422)'), none]
        : [failed(otherHistory(asking.old)), { kind: 'forked', size: asking.old }];
    case 'failed':
      return [failed(answer.because, answer.waitMs), none];
  }
}

function otherSize(
  plan: WitnessPlan,
  asking: Question,
  size: number,
  failed: (error: string) => WitnessPlan,
  now: Instant,
): [WitnessPlan, WitnessAction] {
  if (size > plan.published + MAX_CREDIBLE_AHEAD) {
    return [
      failed(`it says that it has cosigned size ${size}, which is more than can have been written`),
      { kind: 'absurd', size },
    ];
  }
  if (size > plan.published) {
    // Unsigned, and what it would stop is the log: once may be an accident, or somebody on the way.
    if (!plan.doubted) return [{ ...plan, doubted: true, notBefore: now }, none];
    return [
      failed(`it has cosigned size ${size}, and this store has signed ${plan.published}`),
      { kind: 'ahead', size },
    ];
  }
  if (size === asking.old) {
    // The one conflict that is not about sizes: same size, other root.
    return size === asking.size
      ? [
          { ...failed(otherHistory(size)), doubted: false },
          { kind: 'forked', size },
        ]
      : [
          { ...failed(`it says that it cosigned size ${size} last, as it was told (409)`), doubted: false },
          none,
        ];
  }
  const next = { ...plan, old: size, doubted: false };
  if (!plan.corrected) return [{ ...next, corrected: true, notBefore: now }, none];
  return [
    { ...failed(`it names another size each time, now ${size} (409)`), old: size, doubted: false },
    none,
  ];
}

function otherHistory(size: number): string {
  return `it holds another history of this log: what it cosigned at size ${size} is not under our checkpoint`;
}
