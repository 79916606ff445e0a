/** From a window's tallies to what the rule says of its monitor: the rule's own steps, over what is in memory. */
import { judgeMonitor, type MonitorJudgement } from '@highwater/config/proof/rule/monitor.ts';
import { addTallies, emptyTally, type Tally } from '@highwater/config/proof/rule/probe-minute.ts';
import { judgeRegion, type RegionJudgement } from '@highwater/config/proof/rule/region.ts';
import type { RosterOf } from './rosters.ts';
import type { TallyBook } from './tally-book.ts';
import type { MonitorWindow } from './windows.ts';

function tallyOfWindow(book: TallyBook, { monitor, first, last }: MonitorWindow, key: string): Tally {
  let sum = emptyTally;
  for (let minute = first; minute <= last; minute += 1) {
    const own = book.of(minute, key, monitor.id);
    if (own !== undefined) sum = sum === emptyTally ? own : addTallies(sum, own);
  }
  return sum;
}

/** What each region of the window says, by region. */
export function judgeRegions(
  book: TallyBook,
  rosterOf: RosterOf,
  window: MonitorWindow,
): (readonly [region: string, judged: RegionJudgement])[] {
  return rosterOf(window).regions.map(([region, probes]) => [
    region,
    judgeRegion(probes.map(({ vkey }) => tallyOfWindow(book, window, vkey))),
  ]);
}

export function judgeAll(
  window: MonitorWindow,
  regions: readonly (readonly [string, RegionJudgement])[],
): MonitorJudgement {
  return judgeMonitor(
    regions.map(([, judged]) => judged),
    window.monitor.quorum,
  );
}
