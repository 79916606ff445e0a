/** What has come last, as ingest has parsed it, so that a line is parsed once; the store has what is not here. */
import type { Observation } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';

/** A frame that was kept, with what its lines say by their place; undefined for one that this version can't read. */
export interface Arrived {
  readonly pos: number;
  readonly probe: string;
  readonly receivedAt: Instant;
  readonly observations: readonly (Observation | undefined)[];
  /** Details of faults, by the line's place. */
  readonly details?: Readonly<Record<string, string>>;
}

/** So many lines are held at most, some hundred bytes each: who is further behind reads the store. */
const MAX_LINES = 30_000;

export interface Recent {
  add(arrived: Arrived): void;
  /** Those that follow a position without a gap, at most `limit`; what is at or before it is let go. */
  after(pos: number, limit: number): Arrived[];
}

export function openRecent(maxLines = MAX_LINES): Recent {
  /** By position; in the order of arrival. */
  const held = new Map<number, Arrived>();
  let lines = 0;
  const drop = (arrived: Arrived): void => {
    held.delete(arrived.pos);
    lines -= arrived.observations.length;
  };
  return {
    add(arrived) {
      held.set(arrived.pos, arrived);
      lines += arrived.observations.length;
      for (const oldest of held.values()) {
        if (lines <= maxLines) break;
        drop(oldest);
      }
    },
    after(pos, limit) {
      for (const each of [...held.values()]) if (each.pos <= pos) drop(each);
      const found: Arrived[] = [];
      while (found.length < limit) {
        const next = held.get(pos + 1 + found.length);
        if (next === undefined) break;
        found.push(next);
      }
      return found;
    },
  };
}
