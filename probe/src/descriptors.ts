/** Whether this process can open anything more: the resolver does not say that it could not, and tells of a refusal. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

export function isOutOfDescriptors(): boolean {
  try {
    closeSync(openSync(devNull, 'r'));
    return false;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE';
  }
}
