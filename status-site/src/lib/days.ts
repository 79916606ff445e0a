/** Ninety days of slots as bars and as words. Pure. */
import type { PublicDay } from '@highwater/config/public.ts';
import { formatDay, plural } from './format.ts';

const DAY_MS = 86_400_000;
export const DAYS_SHOWN = 90;

/** What a bar is divided into, from the top down. `degraded` is cut out of `up`, over which it lies. */
export const layers = ['up', 'degraded', 'maintenance', 'stalled', 'unknown', 'down'] as const;
export type Layer = (typeof layers)[number];

export interface Bar {
  /** `2026-11-21` */
  readonly date: string;
  /** Absent where nothing was recorded. */
  readonly day?: PublicDay;
  /** Shares of the height, 0..1, from the top down; they add up to 1, or there are none. */
  readonly parts: readonly { readonly layer: Layer; readonly share: number }[];
  /** What happened, in words. */
  readonly text: string;
}

/** The 90 UTC days that end with the day of `now`, oldest first, recorded or not. */
export function bars(days: readonly PublicDay[], now: number): readonly Bar[] {
  const byDate = new Map(days.map((day) => [day.date, day]));
  return Array.from({ length: DAYS_SHOWN }, (_, index) => {
    const date = new Date(now - (DAYS_SHOWN - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return barOf(date, byDate.get(date));
  });
}

/** @param least share of a bar that trouble gets, where there is any; left out: so much that it strikes the eye */
export function barOf(date: string, day: PublicDay | undefined, least?: number): Bar {
  return day && minutes(day) > 0
    ? { date, day, parts: parts(day, least), text: `${formatDay(date)}: ${dayText(day)}` }
    : { date, parts: [], text: `${formatDay(date)}: no record` };
}

/** All minutes of a day that have a slot. */
export function minutes(day: PublicDay): number {
  return day.up + day.down + day.unknown + day.maintenance + day.stalled;
}

/** `1 minute counted`; empty without any, and from a whole day on, when the bars say it. */
export function countedText(bars: readonly Bar[]): string {
  const counted = bars.reduce((sum, { day }) => sum + (day ? minutes(day) : 0), 0);
  return counted === 0 || counted >= DAY_MS / 60_000 ? '' : `${plural(counted, 'minute')} counted`;
}

/** Least share of a bar, so that one bad minute in 1,440 can be seen, and one good one too. */
const leastShare: Readonly<Record<Layer, number>> = {
  up: 0.1,
  degraded: 0.25,
  maintenance: 0.25,
  stalled: 0.25,
  unknown: 0.25,
  down: 0.4,
};

/** Trouble gets its least share first, up what is left. */
function parts(day: PublicDay, least?: number): Bar['parts'] {
  const counts = { ...day, up: day.up - Math.min(day.degraded, day.up) };
  const total = minutes(day);
  const trouble = layers
    .filter((layer) => layer !== 'up' && counts[layer] > 0)
    .map((layer) => ({ layer, share: Math.max(least ?? leastShare[layer], counts[layer] / total) }));
  const taken = trouble.reduce((sum, part) => sum + part.share, 0);
  const room = counts.up > 0 ? 1 - (least ?? leastShare.up) : 1;
  const scale = taken > room || counts.up === 0 ? room / taken : 1;
  const scaled = trouble.map(({ layer, share }) => ({ layer, share: share * scale }));
  return counts.up > 0 ? [{ layer: 'up', share: 1 - taken * scale }, ...scaled] : scaled;
}

const dayWords: Readonly<Record<Exclude<Layer, 'up'>, string>> = {
  down: 'down',
  unknown: 'unknown',
  maintenance: 'maintenance',
  stalled: 'chain stalled',
  degraded: 'degraded',
};

/** `12 min down, 3 min unknown`, or `up all 1 440 min`. */
export function dayText(day: PublicDay): string {
  const said = (['down', 'unknown', 'maintenance', 'stalled', 'degraded'] as const)
    .filter((layer) => day[layer] > 0)
    .map((layer) => `${plural(day[layer], 'min', 'min')} ${dayWords[layer]}`);
  return said.length > 0 ? said.join(', ') : `up all ${plural(minutes(day), 'min', 'min')}`;
}

/** One sentence for those who do not see the bars. */
export function barsText(bars: readonly Bar[]): string {
  const recorded = bars.flatMap((bar) => bar.day ?? []);
  if (recorded.length === 0) return 'Nothing is recorded yet.';
  const withDown = recorded.filter((day) => day.down > 0).length;
  const withUnknown = recorded.filter((day) => day.unknown > 0).length;
  const trouble = [
    withDown > 0 ? `down minutes on ${plural(withDown, 'day')}` : 'no down minutes',
    withUnknown > 0 ? `unknown minutes on ${plural(withUnknown, 'day')}` : '',
  ].filter(Boolean);
  return `${plural(recorded.length, 'day')} recorded: ${trouble.join(', ')}.`;
}

export const BAR_HEIGHT = 32;
export const BAR_WIDTH = 7;
/** From the left edge of one bar to that of the next. */
export const BAR_PITCH = 10;

/** One SVG path for each layer that occurs, so that 90 bars cost some hundred bytes compressed. */
export function barPaths(
  bars: readonly Bar[],
): readonly { readonly layer: Layer | 'none'; readonly d: string }[] {
  const boxes = bars.flatMap((bar, index) => {
    let top = 0;
    return (bar.parts.length > 0 ? bar.parts : [{ layer: 'none' as const, share: 1 }]).map(
      ({ layer, share }) => {
        const d = `M${index * BAR_PITCH} ${tenth(top)}h${BAR_WIDTH}v${tenth(share * BAR_HEIGHT)}h-${BAR_WIDTH}z`;
        top += share * BAR_HEIGHT;
        return { layer, d };
      },
    );
  });
  return (['none', ...layers] as const)
    .map((layer) => ({ layer, d: boxes.flatMap((box) => (box.layer === layer ? box.d : [])).join('') }))
    .filter(({ d }) => d !== '');
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
