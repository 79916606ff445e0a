/** Which methods the configuration has: others that a probe tells of are not shown. */
import { methodIdsOf } from '@highwater/config/method-id.ts';
import type { Watched } from './watched.ts';

/** By monitor, the ids of its methods; monitors without any are left out. */
export type DeclaredMethods = ReadonlyMap<string, ReadonlySet<string>>;

export function declaredMethods(watched: Watched): DeclaredMethods {
  return new Map(
    watched.config.monitors.flatMap((monitor) => {
      const ids = methodIdsOf(monitor);
      return ids.length === 0 ? [] : [[monitor.id, new Set(ids)] as const];
    }),
  );
}
