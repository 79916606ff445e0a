/** Addresses with more monitors than a probe can ask when they hang. Pure. */
import type { Monitor } from '@highwater/config/model.ts';
import { placeAsked } from '../probe/src/place-asked.ts';
import { maxAtOnce } from '../probe/src/places.ts';

/** Twenty tenths are a little more than 2. */
const rounding = 1e-9;

/**
 * A sentence for each host and port whose checks, each of its whole timeout, would need more than two at once in one region:
 * then some are skipped, and it takes longer until each says that it is down.
 */
export function crowded(monitors: readonly Monitor[]): string[] {
  const found = new Map<string, number>();
  for (const region of new Set(monitors.flatMap((monitor) => monitor.regions))) {
    const here = monitors.filter((monitor) => monitor.regions.includes(region));
    for (const [place, own] of Map.groupBy(here, placeOf)) {
      const sum = own.reduce((all, { timeoutMs, intervalMs }) => all + timeoutMs / intervalMs, 0);
      if (place !== undefined && sum > maxAtOnce + rounding)
        found.set(place, Math.max(sum, found.get(place) ?? 0));
    }
  }
  return [...found].map(
    ([place, sum]) =>
      `warning: ${place}: when it hangs its checks need ${(Math.ceil(sum * 10) / 10).toFixed(1)} at once ` +
      `(the sum of timeout / every), and at most ${maxAtOnce} ask one address and port: ` +
      'the others are skipped; fewer monitors, shorter timeouts or longer intervals for it',
  );
}

function placeOf(monitor: Monitor): string | undefined {
  const { host, port } = placeAsked(monitor);
  return host === '' || port === 0 ? undefined : `${host}:${port}`;
}
