/** Counted minutes as everybody is told them: what the rule's own functions make of the totals, field by field. */
import type { Totals } from '@highwater/config/domain.ts';
import { budgetOf, burnOf, printedLeft, printedObjective } from '@highwater/config/proof/rule/budget.ts';
import { printedShare, printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { type RuleTotals, withMaintenance } from '@highwater/config/proof/rule/totals.ts';
import type { PublicBurn, PublicCounted } from '@highwater/config/public-detail.ts';
import type { PublicAllowance } from '@highwater/config/public.ts';

export function publicTotals(totals: Totals): Totals {
  const { up, down, unknown, maintenance, stalled, degraded } = totals;
  return { up, down, unknown, maintenance, stalled, degraded };
}

export function publicCounted(totals: RuleTotals): PublicCounted {
  const { requests, succeeded } = totals;
  const share = printedShare(totals);
  return {
    totals: publicTotals(totals),
    unknown: {
      noData: totals.unknownNoData,
      split: totals.unknownSplit,
      probe: totals.unknownProbe,
      clock: totals.unknownClock,
    },
    requests,
    succeeded,
    uptime: printedUptime(totals),
    withMaintenance: printedUptime(withMaintenance(totals)),
    ...(share === undefined ? {} : { share }),
  };
}

/** @param objective millionths */
export function allowanceOf(totals: RuleTotals, objective: number): PublicAllowance {
  const budget = budgetOf(totals, objective);
  const left = printedLeft(budget);
  return {
    objective: printedObjective(objective),
    allowedMinutes: budget.allowed,
    spentMinutes: budget.spent,
    leftMinutes: budget.left,
    ...(totals.unknown === 0
      ? {}
      : { leftAtLeastMinutes: budget.leftAtLeast, leftAtMostMinutes: budget.leftAtMost }),
    ...(left === undefined ? {} : { left }),
  };
}

/** The windows in which a burn rate is looked at, minutes (proof/rule/budget.ts). */
export const burnWindows = { '1h': 60, '6h': 360, '1d': 1_440, '3d': 4_320 } as const;

/** @param objective millionths */
export function publicBurn(window: PublicBurn['window'], totals: RuleTotals, objective: number): PublicBurn {
  return { window, ...burnOf(totals, objective) };
}
