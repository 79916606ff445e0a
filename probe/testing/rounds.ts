/** What tests of the rounds hand to them: a loop that is well, and a check that answers as the test says. */
import { defineCheck, type Reading } from '@highwater/config/kinds.ts';
import { z } from 'zod';
import type { LoopWatch } from '../src/loop-watch.ts';

export const calmLoop: LoopWatch = {
  look: () => undefined,
  lateBetween: () => 0,
  stoppedBetween: () => 0,
  wasStoppedAt: () => false,
  stop: () => undefined,
};

/** A table with one kind, `told`. */
export function toldBy(run: () => Promise<Reading>) {
  return {
    told: defineCheck({
      kind: 'told',
      summary: '',
      settings: z.unknown(),
      counts: true,
      needsChain: false,
      run,
    }),
  };
}
