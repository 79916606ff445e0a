/** What a refusal is worth, where the operator says that it says nothing of the target. Pure. */
import type { Outcome } from '@highwater/config/domain.ts';
import { isRefusal } from '@highwater/config/faults.ts';
import type { Reading } from '@highwater/config/kinds.ts';

/**
 * The outcome as it is written: with `skip` that of a refusal (config's faults/refusals.ts) is `skipped`. Its fault,
 * its facts and its phases stay, so that people can see what came.
 */
export function outcomeOf(
  { outcome, fault }: Pick<Reading, 'outcome' | 'fault'>,
  refusals: 'skip' | undefined,
): Outcome {
  return refusals === 'skip' && fault && isRefusal(fault) ? 'skipped' : outcome;
}
