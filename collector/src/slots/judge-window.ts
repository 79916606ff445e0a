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

/** Judgements of a region with one probe of which all is ok, by how often: the same object for nearly all minutes. */
const plain: RegionJudgement[] = [];
const PLAIN = 64;

function judgeTallies(tallies: readonly Tally[]): RegionJudgement {
  const [only] = tallies;
  if (only === undefined || tallies.length > 1 || only.ok === 0 || only.ok >= PLAIN)
    return judgeRegion(tallies);
  if (only.degraded + only.fail + only.probe + only.clock > 0) return judgeRegion(tallies);
  return (plain[only.ok] ??= judgeRegion(tallies));
}

/** Whether one probe said so, and all it said was ok: then `ok` are its requests, and none failed. */
export const isPlain = (judged: RegionJudgement): boolean => plain[judged.ok] === judged;

/** What each region of the window says, by region; in the order of its roster. */
export function judgeRegions(
  book: TallyBook,
  rosterOf: RosterOf,
  window: MonitorWindow,
): (readonly [region: string, judged: RegionJudgement])[] {
  return rosterOf(window).regions.map(([region, probes]) => [
    region,
    judgeTallies(probes.map(({ vkey }) => tallyOfWindow(book, window, vkey))),
  ]);
}

/** Where all is ok in every region it does not matter how often: by regions and quorum. */
const allPlain = new Map<number, MonitorJudgement>();
const MAX_REGIONS = 1_000;

export function judgeAll(
  window: MonitorWindow,
  regions: readonly (readonly [string, RegionJudgement])[],
): MonitorJudgement {
  const { quorum } = window.monitor;
  const judge = (): MonitorJudgement =>
    judgeMonitor(
      regions.map(([, judged]) => judged),
      quorum,
    );
  if (!regions.every(([, judged]) => isPlain(judged)) || regions.length >= MAX_REGIONS) return judge();
  const key = (quorum ?? 0) * MAX_REGIONS + regions.length;
  const known = allPlain.get(key) ?? judge();
  allPlain.set(key, known);
  return known;
}
