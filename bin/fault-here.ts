/** What a fault means for one check, where that is less than what it means for all. Pure. */
import type { Observation } from '@highwater/config/domain.ts';
import { explainFault, type Explanation } from '@highwater/config/explain.ts';
import { faultId, isRefusal } from '@highwater/config/faults.ts';

type Seen = Pick<Observation, 'outcome' | 'fault'>;

/** Whether it was refused and counts as if not asked (`refusals: skip`). */
export function isRefusedAndSkipped({ outcome, fault }: Seen): boolean {
  return outcome === 'skipped' && fault !== undefined && isRefusal(fault);
}

/** The meaning of its fault; undefined where there is none. */
export function meaningHere(seen: Seen): Explanation | undefined {
  const meaning = seen.fault && explainFault(faultId(seen.fault));
  if (!meaning || !isRefusedAndSkipped(seen)) return meaning;
  return {
    ...meaning,
    // What is set already is no advice.
    look: meaning.look.replace(/; refusals: skip [^.;]*/, ''),
    source: 'Source target: the endpoint refuses this client. With refusals: skip that counts neither way.',
  };
}
