/** The detail of public services as bytes, made anew when its slots, its charts or the minute have changed. */
import { createHash } from 'node:crypto';
import type { PublicCharts, PublicNumbers, PublicServiceDetail } from '@highwater/config/public-detail.ts';
import { type Clock, type Instant, minuteOf } from '@highwater/config/time.ts';
import type { Slots } from '../slots/slots.ts';
import type { Watched } from '../watched.ts';
import type { Kept } from './snapshot-keeper.ts';

export interface Details {
  /** Undefined for a service that is not there, and for one that is private. */
  of(service: string): Promise<Kept | undefined>;
}

export interface DetailParts {
  readonly watched: Watched;
  readonly slots: Pick<Slots, 'revision'>;
  readonly clock: Clock;
  readonly startedAt: Instant;
  readonly numbersOf: (service: string) => Promise<PublicNumbers>;
  readonly chartsOf: (service: string) => Promise<PublicCharts>;
}

/** The entity tag leaves out when it was made: what says the same is the same. */
function keep(detail: PublicServiceDetail): Kept {
  const { generatedAt: _, ...said } = detail;
  const hash = createHash('sha256').update(JSON.stringify(said)).digest('base64url').slice(0, 27);
  return { bytes: Buffer.from(JSON.stringify(detail)), etag: `"${hash}"` };
}

export function openDetails(parts: DetailParts): Details {
  const { watched, slots, clock, startedAt } = parts;
  const shown = new Set(
    watched.config.services.filter((each) => each.visibility === 'public').map(({ id }) => id),
  );
  const kept = new Map<string, { readonly version: string; readonly made: Promise<Kept> }>();

  const make = async (service: string): Promise<Kept> => {
    const [numbers, charts] = await Promise.all([parts.numbersOf(service), parts.chartsOf(service)]);
    return keep({ version: 1, service, generatedAt: clock.now(), startedAt, numbers, charts });
  };

  return {
    async of(service) {
      const shard = shown.has(service) ? watched.shardOf.get(service) : undefined;
      if (shard === undefined) return undefined;
      const version = `${slots.revision(shard)} ${minuteOf(clock.now())}`;
      const had = kept.get(service);
      if (had?.version === version) return had.made;
      const made = make(service);
      kept.set(service, { version, made });
      // What failed is tried again by the next who asks.
      made.catch(() => {
        if (kept.get(service)?.made === made) kept.delete(service);
      });
      return made;
    },
  };
}
