/** Whose bodies a bundle holds: by the configuration that the batch names, so that everybody comes to the same. */
import type { RuleConfig } from '../proof/projection.ts';
import { REFERENCE_PREFIX } from '../proof/rule/stalled.ts';

/** Whether bodies of a service are in the bundle: of public services, and of references of chains. */
export function isPublished(config: RuleConfig | undefined, service: string): boolean {
  if (config === undefined) return false;
  if (service.startsWith(REFERENCE_PREFIX)) {
    return config.chains.some(({ name }) => `${REFERENCE_PREFIX}${name}` === service);
  }
  return config.services.some(({ id, visibility }) => id === service && visibility === 'public');
}

/** Why a body is not in a bundle: it is not kept any more, or was private when it came. */
export const missingWhy = ['gone', 'private'] as const;
export type MissingWhy = (typeof missingWhy)[number];

/** Cuts bodies, by their sizes in their order, into files of at most `limit` bytes; one that is larger is alone in its own. */
export function cutAt(
  limit: number,
  sizes: readonly number[],
): { readonly from: number; readonly to: number }[] {
  const files: { from: number; to: number }[] = [];
  let from = 0;
  let bytes = 0;
  for (const [i, size] of sizes.entries()) {
    if (i > from && bytes + size > limit) {
      files.push({ from, to: i });
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < sizes.length) files.push({ from, to: sizes.length });
  return files;
}
