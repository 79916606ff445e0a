/**
 * What is under maintenance is judged, and not told: an incident of it opens when the maintenance ends and the trouble
 * is still there. An incident that is open when the maintenance begins stays.
 */
import type { Instant } from '@highwater/config/time.ts';
import { isChain, type Subject } from './cause.ts';
import { coveredUntil } from './maintenance.ts';
import type { Draft, Trouble } from './story.ts';

/** Until when a trouble is held back; undefined when it is told already, or is to be told. */
export function heldUntil(draft: Draft, subject: Subject): Instant | undefined {
  if (draft.maintained.size === 0 || draft.troubles.get(subject)?.told !== undefined) return undefined;
  if (!isChain(subject)) return coveredUntil(draft.maintained, subject);
  // A chain concerns its services: with one that is not under maintenance there is somebody to tell.
  const services = draft.places.chains.get(subject)?.services ?? [];
  const ends = services.map((service) => coveredUntil(draft.maintained, service) ?? -Infinity);
  const first = Math.min(...ends);
  return Number.isFinite(first) ? first : undefined;
}

export function isHeld(draft: Draft, subject: Subject): boolean {
  return heldUntil(draft, subject) !== undefined;
}

/** Lets go of what was held and is no longer under maintenance: for people it begins where that ended. */
export function letGo(draft: Draft): void {
  for (const [subject, trouble] of draft.troubles) {
    if (trouble.heldUntil === undefined || isHeld(draft, subject)) continue;
    const { heldUntil: end, ...rest } = trouble;
    const since = Math.max(trouble.since, Math.min(end, draft.now));
    draft.troubles.set(subject, { ...rest, since, because: `${trouble.because}; its maintenance is over` });
  }
}

/** Notes until when each is held, so that it is looked at again then. */
export function hold(draft: Draft): void {
  for (const [subject, { heldUntil: before, ...trouble }] of draft.troubles) {
    const until = heldUntil(draft, subject);
    if (until === before) continue;
    draft.troubles.set(subject, until === undefined ? trouble : { ...trouble, heldUntil: until });
  }
}

/** When a trouble that is not told is to be. */
export function tellAtOf({ tellAt, heldUntil: until = tellAt }: Trouble): Instant {
  return Math.max(tellAt, until);
}
