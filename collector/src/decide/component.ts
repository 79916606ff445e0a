/** The word that the public page has for a service: Statuspage's component status. */
import type { Instant } from '@highwater/config/time.ts';
import type { Judgement } from './types.ts';

export type ComponentWord =
  'operational' | 'degraded_performance' | 'partial_outage' | 'major_outage' | 'under_maintenance';

/** What is kept of a service between looks. */
export interface Component {
  readonly word: ComponentWord;
  /** When a verdict last stood behind the word; absent before the first. */
  readonly knownAt?: Instant;
  /** Set when the word is a guess for want of data: 'No current data since …'. */
  readonly noDataSince?: Instant;
}

export interface ComponentInput {
  readonly service: Judgement;
  /** Those that are not under maintenance by themselves. */
  readonly nodes: readonly Judgement[];
  /** Twice the shortest interval, at least two minutes. */
  readonly staleAfterMs: number;
  /** Since when the service is watched. */
  readonly watchedSince: Instant;
  /** The service is under maintenance: that says it, whatever is seen. */
  readonly maintenance?: boolean;
}

/**
 * CONTRACTS "Live", Statuspage words. Unknown keeps the last word until it is older than `staleAfterMs`; then, and
 * before the first verdict, it is degraded performance, because nothing is green on stale data.
 */
export function component(previous: Component | undefined, input: ComponentInput, now: Instant): Component {
  const { service, staleAfterMs } = input;
  const known = service.status === 'unknown' ? previous?.knownAt : now;
  const knownAt = known === undefined ? {} : { knownAt: known };
  const stale = known === undefined || now - known > staleAfterMs;
  const noData = stale ? { noDataSince: known ?? input.watchedSince } : {};
  if (input.maintenance) return { word: 'under_maintenance', ...knownAt, ...noData };
  if (service.status !== 'unknown') return { word: wordOf(service, input.nodes), ...knownAt };
  if (stale) return { word: 'degraded_performance', ...knownAt, ...noData };
  return { word: seenDown(service) ? 'partial_outage' : lastWord(previous), ...knownAt };
}

/** When the word goes stale if nothing changes; null when it is. For the driver's wakeAt. */
export function staleAt(kept: Component, staleAfterMs: number): Instant | null {
  return kept.knownAt === undefined || kept.noDataSince !== undefined
    ? null
    : kept.knownAt + staleAfterMs + 1;
}

function wordOf(service: Judgement, nodes: readonly Judgement[]): ComponentWord {
  if (service.status === 'down') return 'major_outage';
  if (nodes.some((node) => node.status === 'down') || seenDown(service)) return 'partial_outage';
  const degraded = service.status === 'degraded' || nodes.some((node) => node.status === 'degraded');
  return degraded ? 'degraded_performance' : 'operational';
}

/** At least two regions, but too few for a verdict, see it down. */
function seenDown(service: Judgement): boolean {
  return service.status !== 'down' && service.downIn.length >= 2;
}

/** After a maintenance without data nothing better is known than that it may be slow. */
function lastWord(previous: Component | undefined): ComponentWord {
  const word = previous?.word ?? 'degraded_performance';
  return word === 'under_maintenance' ? 'degraded_performance' : word;
}
