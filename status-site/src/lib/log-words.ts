/** What the pages say of the log: how old its newest entry is, and who vouches for it. Pure. */
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import { plural } from './format.ts';
import type { FrameLog } from './frame.ts';

/** Entries come each minute while a probe works and the log is signed; ten of them are no accident. */
const QUIET_MS = 600_000;

/** Nothing was entered for longer than is usual, as far as this page has seen. */
export function isQuiet({ checkedAt }: FrameLog, now: number): boolean {
  return now - checkedAt > QUIET_MS;
}

/** One sentence. */
export function vouchedText({ vouched }: FrameLog): string {
  if (vouched === undefined) return 'This page has not read its policy yet, which says who vouches for it.';
  if (vouched.of === 0) return noWitnesses;
  const by = vouched.by.join(', ');
  if (vouched.met) {
    const few = `${vouched.by.length} of ${plural(vouched.of, 'witness', 'witnesses')}`;
    return vouched.by.length === 0
      ? 'No witness has cosigned this checkpoint, and its policy asks for none.'
      : `Cosigned by ${by} (${few}).`;
  }
  return vouched.by.length === 0
    ? 'No witness has cosigned this checkpoint yet: so far only the operator vouches that everybody is shown the same history.'
    : `Cosigned by ${by} so far, fewer than its policy asks for.`;
}
