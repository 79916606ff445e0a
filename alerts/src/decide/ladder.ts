/** What is remembered of one incident while it is told: plain data, saved after each decision. */
import type { Impact, Incident } from '@highwater/config/domain.ts';
import type { Message } from '@highwater/config/kinds.ts';
import type { Instant } from '@highwater/config/time.ts';

export interface Acknowledgement {
  readonly by: string;
  readonly at: Instant;
}

export interface Ladder {
  /** As it was last heard of. */
  readonly incident: Incident;
  /** `held`: over, but it flaps, so the recovery message waits until it has stayed over. */
  readonly state: 'open' | 'held' | 'over';
  /** 0 for the first time, one more for each reopening that was told as such. */
  readonly episode: number;
  /** When this episode began. */
  readonly beganAt: Instant;
  /** Policies matched in this episode: their steps count from then, even if the impact falls later. */
  readonly matched: Readonly<Record<string, Instant>>;
  /** `policy#step` of the steps that were taken in this episode. */
  readonly done: readonly string[];
  /** When a policy's channels are told again. */
  readonly repeatAt: Readonly<Record<string, Instant>>;
  /** Channels told in this episode by a message of its own: when last, and of which impact. */
  readonly told: Readonly<Record<string, { readonly at: Instant; readonly impact: Impact }>>;
  /** Channels that ever had a message of this incident: there is something to edit there. */
  readonly threads: readonly string[];
  /** Reopenings of the last hour. */
  readonly reopenedAt: readonly Instant[];
  /** When the held recovery message goes out. */
  readonly resolveAt?: Instant;
  readonly acknowledged?: Acknowledgement;
  /** Channels whose failure was told on another one: once for each incident. */
  readonly rerouted: readonly string[];
  /** Messages decided so far: makes the keys of the next ones unique. */
  readonly sent: number;
  /** Newest last, at most `reasonsKept`. */
  readonly because: readonly string[];
}

export type LadderEvent =
  | {
      readonly type: 'opened' | 'updated' | 'reopened' | 'resolved';
      readonly incident: Incident;
      readonly at: Instant;
    }
  | { readonly type: 'acknowledged'; readonly by: string; readonly at: Instant }
  | { readonly type: 'tick' };

/** Why a message is sent: render.ts makes its heading from this. */
export type Why = 'opened' | 'step' | 'worse' | 'again' | 'repeat' | 'state' | 'over' | 'undelivered';

/** One message to one channel. */
export interface Send {
  readonly channel: string;
  readonly why: Why;
  readonly reason: Message['reason'];
  /** Unique and the same when decided again from the same state: the idempotency key. */
  readonly key: string;
  readonly because: string;
}
