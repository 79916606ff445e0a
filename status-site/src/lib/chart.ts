/** Hours of latency as a line. Pure. */

export const CHART_WIDTH = 240;
export const CHART_HEIGHT = 40;

/** An SVG path in a box of 240 by 40: one stretch for each without a gap, scaled from 0 to `highest`. */
export function linePath(hours: readonly (number | null)[], highest: number): string {
  const step = CHART_WIDTH / Math.max(1, hours.length - 1);
  const top = 2;
  return hours
    .map((value, index) => {
      if (value === null) return '';
      const y = CHART_HEIGHT - 1 - (value / highest) * (CHART_HEIGHT - 1 - top);
      const point = `${round(index * step)} ${round(y)}`;
      const begins = hours[index - 1] === null || index === 0;
      const alone = begins && (hours[index + 1] === null || index === hours.length - 1);
      // An hour alone is as long as its dot is high: the last one is drawn towards the left.
      return begins
        ? `M${point}${alone ? (index === hours.length - 1 && index > 0 ? 'h-4' : 'h4') : ''}`
        : `L${point}`;
    })
    .join('');
}

/** The highest of several lines, so that they can be compared; at least 1. */
export function highestOf(lines: readonly (readonly (number | null)[])[]): number {
  return Math.max(1, ...lines.flatMap((hours) => hours.map((value) => value ?? 0)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
