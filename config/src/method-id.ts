/** What the figures of a method are called: the ID of the fact `m.ID`, the same to who measures and who shows. */
import type { Monitor } from './model.ts';

interface Named {
  readonly id?: string | undefined;
  readonly method?: string | undefined;
  readonly get?: string | undefined;
}

/** Its id, else the method; a path loses its query: `/v2/blocks/{{head-10}}?x=1` is `v2.blocks.head-10`. */
export function methodIdOf({ id, method, get = '' }: Named): string {
  if (id !== undefined) return id;
  if (method !== undefined) return method;
  return get
    .replaceAll(/\{\{([^{}]*)\}\}/g, '$1')
    .replace(/\?.*$/s, '')
    .replaceAll(/[^A-Za-z0-9_-]+/g, '.')
    .replaceAll(/^\.+|\.+$/g, '')
    .slice(0, 64);
}

/** The ids that lines of this monitor may tell of, in the order declared; none where the kind has no methods. */
export function methodIdsOf({ settings }: Pick<Monitor, 'settings'>): readonly string[] {
  const methods = (settings as { readonly methods?: unknown } | null)?.methods;
  if (!Array.isArray(methods)) return [];
  // Another kind may call something else so: what gives no id has no figures.
  return methods
    .filter((each) => typeof each === 'object' && each !== null)
    .map(methodIdOf)
    .filter(Boolean);
}
