import { HttpError } from './reply.ts';
import type { Route } from './routes.ts';

/** Calls of one pool that are worked on at once; more are asked to come again. */
export const MAX_CALLS = 256;

/**
 * What shares a pool: calls of the same access that read, or that write. So people who hold their reads open can't
 * lock out probes, and a body that comes slowly without a signature can't keep assignments from anyone.
 */
const poolOf = ({ access = 'write', method, pool }: Route): string => pool ?? `${access} ${method}`;

export interface Pools {
  /** Takes a place; what it returns gives it back. Throws HttpError 429 when all are taken. */
  enter(route: Route): () => void;
}

export function openPools(places: number): Pools {
  const taken = new Map<string, number>();
  return {
    enter(route) {
      const pool = poolOf(route);
      const calls = taken.get(pool) ?? 0;
      if (calls >= places) {
        throw new HttpError(429, 'too many calls at once', 'come again', { 'retry-after': '1' });
      }
      taken.set(pool, calls + 1);
      return () => taken.set(pool, (taken.get(pool) ?? 1) - 1);
    },
  };
}
