/** Lines as the views need them: what stands for a due time. */
import type { Outcome } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';

/** A line of a body that stands for its due time: not a recheck, and no repeat (rule "None"). */
export interface SeenLine {
  readonly monitor: string;
  readonly dueAt: Instant;
  readonly outcome: Outcome;
  readonly latencyTenths: number;
  /** `-` or an id of the list of faults. */
  readonly fault: string;
  /** What follows the fault: empty, or `k=v k=v`. */
  readonly facts: string;
}
