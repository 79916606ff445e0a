/** What may be taken out of what fills up again: pure, the time is passed in. */

/** Amounts are whole or not, of whatever is counted. */
export interface Rate {
  /** As much as may be taken at once. */
  readonly burst: number;
  readonly perMinute: number;
}

export interface Bucket {
  readonly left: number;
  /** On the caller's clock, ms. */
  readonly at: number;
}

const MINUTE_MS = 60_000;

/** What is in it by now; full when there was none. A clock that goes back fills nothing. */
export function filled(bucket: Bucket | undefined, { burst, perMinute }: Rate, now: number): Bucket {
  if (bucket === undefined) return { left: burst, at: now };
  const more = (Math.max(0, now - bucket.at) / MINUTE_MS) * perMinute;
  return { left: Math.min(burst, bucket.left + more), at: Math.max(bucket.at, now) };
}

/** How long until `amount` is in it, ms; 0 when it is. What is over the burst may be taken once it is full. */
export function waitMs({ left }: Bucket, { burst, perMinute }: Rate, amount: number): number {
  const lacking = Math.min(amount, burst) - left;
  return lacking <= 0 ? 0 : Math.ceil((lacking / perMinute) * MINUTE_MS);
}

/** What is left may be less than nothing, by what was over the burst. */
export function without(bucket: Bucket, amount: number): Bucket {
  return { ...bucket, left: bucket.left - amount };
}
