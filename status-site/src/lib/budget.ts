/** The error budget in words, and how long its bar is. Pure. */
import type { PublicBudget, PublicBurn } from '@highwater/config/public-detail.ts';
import { formatCount } from './format.ts';

export interface BudgetView {
  readonly title: string;
  /** `12 of 43 minutes spent, 31 left (72.0930 %).` */
  readonly text: string;
  /** What unknown minutes leave open; empty without any. */
  readonly bounds: string;
  /** Of the bar's length, 0..1; 1 when it is overspent. */
  readonly spentShare: number;
  readonly isOverspent: boolean;
  readonly burn: readonly { readonly window: string; readonly rate: string; readonly bounds: string }[];
}

const windows: Readonly<Record<PublicBurn['window'], string>> = {
  '1h': '1 hour',
  '6h': '6 hours',
  '1d': '1 day',
  '3d': '3 days',
};

export function budgetView(budget: PublicBudget): BudgetView {
  const { allowedMinutes, spentMinutes, leftMinutes, leftAtLeastMinutes, leftAtMostMinutes } = budget;
  const isOverspent = leftMinutes < 0;
  const hasNone = allowedMinutes === 0 && spentMinutes === 0;
  const part = budget.left === undefined || isOverspent ? '' : ` (${budget.left})`;
  const rest = isOverspent
    ? `${minutes(-leftMinutes)} more than it has`
    : `${formatCount(leftMinutes)}\u00a0left${part}`;
  return {
    title: `Objective ${budget.objective} over 30 days`,
    text: hasNone
      ? budget.objective === '100 %'
        ? 'It allows no minute down, and none was.'
        : 'What was counted so far allows no whole minute yet, and none was down.'
      : `${formatCount(spentMinutes)} of ${minutes(allowedMinutes)} that may be down spent, ${rest}.`,
    bounds:
      leftAtLeastMinutes === undefined || leftAtMostMinutes === undefined
        ? ''
        : `Unknown minutes leave it open: between ${formatCount(leftAtLeastMinutes)} and ${minutes(leftAtMostMinutes)} left.`,
    spentShare:
      allowedMinutes === 0 ? (spentMinutes > 0 ? 1 : 0) : Math.min(1, spentMinutes / allowedMinutes),
    isOverspent,
    burn: budget.burn.map((one) => ({
      window: windows[one.window],
      rate: one.rate === undefined ? noRate(one) : `${one.rate}\u00a0×`,
      bounds:
        one.atLeast === undefined || one.atMost === undefined || one.atLeast === one.atMost
          ? ''
          : `between ${one.atLeast} and ${one.atMost}`,
    })),
  };
}

function noRate({ none }: PublicBurn): string {
  return none === 'no-budget' ? 'no budget' : 'no data';
}

/** `43 minutes`, `1 minute`; of either sign. */
function minutes(count: number): string {
  return `${formatCount(count)}\u00a0${count === 1 ? 'minute' : 'minutes'}`;
}
