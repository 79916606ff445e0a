/** Which numbers are done: spans [from, to), ascending, apart from each other. Pure. */
export type Spans = readonly (readonly [number, number])[];

/** `spans` and [from, to). */
export function addSpan(spans: Spans, from: number, to: number): Spans {
  if (from >= to) return spans;
  const apart = spans.filter(([a, b]) => b < from || a > to);
  const joined = spans.filter(([a, b]) => b >= from && a <= to);
  const whole = [
    Math.min(from, ...joined.map(([a]) => a)),
    Math.max(to, ...joined.map(([, b]) => b)),
  ] as const;
  return [...apart, whole].sort(([a], [b]) => a - b);
}

/** The highest numbers of [low, high) that are not done and lie together; undefined when all are. */
export function highestGap(spans: Spans, low: number, high: number): readonly [number, number] | undefined {
  let to = high;
  for (const [a, b] of [...spans].reverse()) {
    if (b < to) return b > low ? [b, to] : to > low ? [low, to] : undefined;
    if (a < to) to = a;
  }
  return to > low ? [low, to] : undefined;
}
