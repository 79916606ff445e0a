/**
 * How much of the operator's own leaves is taken up. Their number is the operator's choice, and so is what a reader's machine would
 * have to hold; a house of the largest kind stays far below. What is above is told as incomplete, and nothing is counted.
 */
import { limits } from '../limits.ts';
import type { RuleConfig } from '../proof/projection.ts';

/** Configuration leaves: one an hour for two years. */
export const MAX_CONFIG_LEAVES = 17_520;
/** Different keys that were ever enrolled. */
export const MAX_KEYS = 4_096;
/** Of one configuration: what a house may declare, and the references of its chains. */
export const MAX_MONITORS = limits.monitors + limits.chains * limits.references;
export const MAX_PROBES = 4 * limits.probes;
/** Of all different projections together. */
export const MAX_ALL_MONITORS = 500_000;

/** Of one day: each monitor as agreed, and as each region says. Ten regions ask as many monitors as a house may declare. */
export const MAX_VIEWS = 110_000;

interface Leaves {
  readonly configs: readonly unknown[];
  readonly probes: readonly { readonly leaf: { readonly key: string } }[];
}

/** What is above, if anything. */
export function tooManyLeaves({ configs, probes }: Leaves): string | undefined {
  if (configs.length > MAX_CONFIG_LEAVES) return above('configurations', configs.length, MAX_CONFIG_LEAVES);
  const keys = new Set(probes.map(({ leaf }) => leaf.key)).size;
  return keys > MAX_KEYS ? above('keys of probes', keys, MAX_KEYS) : undefined;
}

/** @param before monitors of the projections that were read before */
export function tooLarge({ monitors, probes }: RuleConfig, before: number): string | undefined {
  if (monitors.length > MAX_MONITORS) return above('monitors', monitors.length, MAX_MONITORS);
  if (probes.length > MAX_PROBES) return above('probes', probes.length, MAX_PROBES);
  const all = before + monitors.length;
  return all > MAX_ALL_MONITORS ? above('monitors with those before', all, MAX_ALL_MONITORS) : undefined;
}

/** @param views what one day takes (Count) */
export function tooManyViews(views: number): string | undefined {
  return views > MAX_VIEWS ? above('monitors by region in a day', views, MAX_VIEWS) : undefined;
}

function above(what: string, count: number, most: number): string {
  return `it has ${count} ${what}; a check takes up ${most} at most`;
}
