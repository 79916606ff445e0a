/** Tells people of a probe whose budget stays spent: what it sends waits, or another machine uses its key. */
import type { Clock } from '@highwater/config/time.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import type { Budgeted } from './budget.ts';

/** Spent so long, it is told, ms; a backlog is caught up sooner, or its probe is told slowly and does not ask. */
export const TOLD_AFTER_MS = 600_000;
/** Without a refusal for so long it is over, ms. */
export const OVER_AFTER_MS = 1_800_000;
/** Told at most so often, ms. */
export const AGAIN_AFTER_MS = 86_400_000;

interface Spell {
  readonly since: number;
  readonly last: number;
  readonly toldAt?: number;
}

/** To be called at each refusal. @param alarm told until somebody takes it up */
export function openOverspent(
  clock: Pick<Clock, 'monotonic'>,
  alarm: (alarm: Alarm) => void,
): (probe: string, lacking: Budgeted) => void {
  const spells = new Map<string, Spell>();
  return (probe, lacking) => {
    const now = clock.monotonic();
    const known = spells.get(probe);
    const isOver = known === undefined || now - known.last > OVER_AFTER_MS;
    const spell: Spell = { ...known, since: isOver ? now : known.since, last: now };
    const isDue = spell.toldAt === undefined || now - spell.toldAt >= AGAIN_AFTER_MS;
    const isLong = now - spell.since >= TOLD_AFTER_MS;
    spells.set(probe, isLong && isDue ? { ...spell, toldAt: now } : spell);
    if (!isLong || !isDue) return;
    alarm({
      key: `budget ${probe}`,
      title: `Probe ${probe} sends more than a probe needs`,
      because: `For ${Math.round((now - spell.since) / 60_000)} minutes some of what is signed by its key was refused (429): more ${lacking} than its budget. What the probe itself sends may wait behind that.`,
      remedy: `Where the probe runs nothing is amiss: its key may be known; make a new one (highwater probe keygen --id ${probe}) and put it in the configuration in place of the old one. After a long outage: it catches up by itself; acknowledge this.`,
    });
  };
}
