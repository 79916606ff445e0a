/** The driver: where a decision with memory meets the store. */
import type { Instant } from '@highwater/config/time.ts';
import type { Core } from './decide/types.ts';
import type { Tx } from './store/store.ts';

/** How one decision is kept: under which name, from what beginning, and what its effects become. */
export interface Stepped<State, Event, Effect> {
  readonly core: string;
  readonly initial: State;
  readonly decide: Core<State, Event, Effect>;
  /** When it wants to be asked again without an event; null for never. */
  readonly wakeAt: (state: State) => Instant | null;
  /** The kind and payload of the outbox row that an effect becomes. */
  readonly outbox: (effect: Effect) => { readonly kind: string; readonly payload: unknown };
}

/**
 * One step: load, decide, save the new state and the effects as outbox rows, all in the caller's transaction.
 * An effect's key comes from the state's version, so that no crash can make two of one.
 */
export async function step<State, Event, Effect>(
  tx: Tx,
  subject: Stepped<State, Event, Effect>,
  key: string,
  event: Event,
  now: Instant,
): Promise<{ readonly state: State; readonly effects: readonly Effect[] }> {
  const row = await tx.getState(subject.core, key);
  const before = (row?.value as State | undefined) ?? subject.initial;
  const [state, effects] = subject.decide(before, event, now);
  const wakeAt = subject.wakeAt(state) ?? undefined;
  const version = await tx.putState(subject.core, key, row?.version ?? 0, state, wakeAt);
  for (const [i, effect] of effects.entries()) {
    const { kind, payload } = subject.outbox(effect);
    await tx.addOutbox(`${subject.core}/${key}/${version}/${i}`, kind, payload);
  }
  return { state, effects };
}
