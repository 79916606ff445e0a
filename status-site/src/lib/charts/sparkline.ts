/** A line without axes, for the cell of a table whose other cells say the figures. Pure. */
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';

export const SPARK_WIDTH = 240;
export const SPARK_HEIGHT = 40;
const TOP = 2;

/** An SVG path in a box of 240 by 40: one stretch for each without a gap, scaled from 0 to `highest`. */
export function sparkline(values: readonly (number | null)[], highest: number): string {
  const x = scaleLinear([0, Math.max(1, values.length - 1)], [0, SPARK_WIDTH]);
  const y = scaleLinear([0, Math.max(1, highest)], [SPARK_HEIGHT - 1, TOP]);
  const path = line<number | null>()
    .defined((value) => value !== null)
    .x((_, index) => x(index))
    .y((value) => y(value ?? 0))
    .digits(1);
  return path(values) ?? '';
}
