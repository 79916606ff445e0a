/** The detail of public services as bytes, made anew when its slots, its charts or the minute have changed. */
import { createHash } from 'node:crypto';
import type { Service } from '@highwater/config/model.ts';
import type { PublicCharts, PublicNumbers, PublicServiceDetail } from '@highwater/config/public-detail.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import { lastClosed, type Slots } from '../slots/slots.ts';
import type { Watched } from '../watched.ts';
import type { Kept } from './snapshot-keeper.ts';

export interface Details {
  /** Undefined for a service that is not there, and for one that is private. */
  of(service: string): Promise<Kept | undefined>;
}

export interface DetailParts {
  readonly watched: Watched;
  readonly slots: Pick<Slots, 'revision' | 'shardsOf'>;
  readonly clock: Clock;
  readonly startedAt: Instant;
  readonly numbersOf: (service: Service) => Promise<PublicNumbers>;
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
  const shown = new Map(
    watched.config.services.flatMap((each) => (each.visibility === 'public' ? [[each.id, each]] : [])),
  );
  const kept = new Map<string, { readonly version: string; readonly made: Promise<Kept> }>();

  const make = async (service: Service): Promise<Kept> => {
    const { id } = service;
    const [numbers, charts] = await Promise.all([parts.numbersOf(service), parts.chartsOf(id)]);
    return keep({ version: 1, service: id, generatedAt: clock.now(), startedAt, numbers, charts });
  };

  return {
    async of(id) {
      const service = shown.get(id);
      if (service === undefined) return undefined;
      const shards = await slots.shardsOf(id);
      const version = `${shards.map((shard) => slots.revision(shard)).join(' ')} ${lastClosed(clock.now())}`;
      const had = kept.get(id);
      if (had?.version === version) return had.made;
      const made = make(service);
      kept.set(id, { version, made });
      // What failed is tried again by the next who asks.
      made.catch(() => {
        if (kept.get(id)?.made === made) kept.delete(id);
      });
      return made;
    },
  };
}
