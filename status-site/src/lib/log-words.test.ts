import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import { describe, expect, it } from 'vitest';
import type { FrameLog } from './frame.ts';
import { isQuiet, vouchedText } from './log-words.ts';

const now = 1_795_000_000_000;
const log: FrameLog = { origin: 'o/log/2026', year: 2026, key: 'k', size: 29, checkedAt: now };

describe('what is said of the log', () => {
  it.each([
    [600_000, false],
    [600_001, true],
  ])('after %i ms without an entry it is quiet: %s', (ms, quiet) => {
    expect(isQuiet(log, now + ms)).toBe(quiet);
  });

  it.each<[FrameLog['vouched'], string | RegExp]>([
    [undefined, /not read its policy/],
    [{ by: [], of: 0, met: true }, noWitnesses],
    [{ by: ['w1', 'w2'], of: 3, met: true }, 'Cosigned by w1, w2 (2 of 3 witnesses).'],
    [{ by: ['w1'], of: 1, met: true }, 'Cosigned by w1 (1 of 1 witness).'],
    [{ by: [], of: 2, met: true }, /^No witness has cosigned this checkpoint, and its policy asks for none/],
    [{ by: [], of: 2, met: false }, /^No witness has cosigned .* only the operator vouches/],
    [{ by: ['w1'], of: 2, met: false }, 'Cosigned by w1 so far, fewer than its policy asks for.'],
  ])('%j: %s', (vouched, says) => {
    expect(vouchedText({ ...log, ...(vouched ? { vouched } : {}) })).toEqual(
      typeof says === 'string' ? says : expect.stringMatching(says),
    );
  });
});
