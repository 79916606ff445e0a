/** What belongs in a block of which part can't be made again: the days whose bodies are gone stay as they are. */
import type { RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import type { Instant } from '@highwater/config/time.ts';
import { type DayTotals, decodeMonth, encodeMonth } from '../slots/month.ts';
import { periodOf, staysMs } from '../retention/blocks.ts';
import type { View } from '../store/store.ts';
import { daysOf } from './differences.ts';

export type Belongs = (
  view: View,
  period: number,
  now: Uint8Array | undefined,
  made: Uint8Array | undefined,
) => Uint8Array | undefined;

type Month = ReadonlyMap<number, DayTotals>;

/** What is there may be damaged: then there is nothing to keep. */
function keptMonth(block: Uint8Array | undefined): Month {
  try {
    return readMonth(block);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new Map();
  }
}

/** By day, as it is written. */
function readMonth(block: Uint8Array | undefined): Month {
  const days = new Map<number, Map<string, RuleTotals>>();
  for (const [plane, totals] of block === undefined ? [] : decodeMonth(block)) {
    for (const [day, each] of totals) {
      const planes = days.get(day) ?? new Map<string, RuleTotals>();
      days.set(day, planes.set(plane, each));
    }
  }
  return days;
}

/**
 * @param gone UTC days
 * @param retention what it lets go is not missing
 */
export function belongsWith(
  gone: ReadonlySet<number>,
  retention: { readonly now: Instant; readonly slotsMs: number },
): Belongs {
  return (view, period, now, made) => {
    const keptFrom = retention.now - staysMs(view, retention.slotsMs);
    if (now === undefined && period < periodOf[view](keptFrom)) return undefined;
    const { first, last } = daysOf(view, period);
    const isTouched = [...gone].some((day) => first <= day && day <= last);
    if (!isTouched) return made;
    if (view !== 'totals') return now;
    const kept = [...keptMonth(now)].filter(([day]) => gone.has(day));
    const anew = [...readMonth(made)].filter(([day]) => !gone.has(day));
    const month = new Map([...kept, ...anew]);
    return month.size === 0 ? undefined : encodeMonth(month);
  };
}
