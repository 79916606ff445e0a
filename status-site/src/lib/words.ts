/** The one place where a status becomes a word, a shape and a tone. Colour never stands alone. */
import type { PublicIncident, PublicNode, PublicRegion, PublicService } from '@highwater/config/public.ts';

/** Names a shape in Icon.svelte and a colour in app.css. */
export type Tone = 'up' | 'degraded' | 'partial' | 'down' | 'unknown' | 'maintenance';

export interface Mark {
  readonly tone: Tone;
  readonly word: string;
}

export type Component = PublicService['component'];
export type Status = PublicNode['status'];
export type Impact = PublicIncident['impact'];
export type Phase = PublicIncident['phase'];

export const unknownMark: Mark = { tone: 'unknown', word: 'No current data' };

export const componentMarks: Readonly<Record<Component, Mark>> = {
  operational: { tone: 'up', word: 'Operational' },
  degraded_performance: { tone: 'degraded', word: 'Degraded performance' },
  partial_outage: { tone: 'partial', word: 'Partial outage' },
  major_outage: { tone: 'down', word: 'Major outage' },
  under_maintenance: { tone: 'maintenance', word: 'Under maintenance' },
};

export const statusMarks: Readonly<Record<Status, Mark>> = {
  up: { tone: 'up', word: 'Up' },
  degraded: { tone: 'degraded', word: 'Degraded' },
  down: { tone: 'down', word: 'Down' },
  unknown: { tone: 'unknown', word: 'Unknown' },
};

export type ChainState = NonNullable<PublicService['head']>['state'];

/** `does` is the verb after a chain's name. */
export const chainMarks: Readonly<Record<ChainState, Mark & { readonly does: string }>> = {
  moving: { tone: 'up', word: 'Moving', does: 'moves' },
  stalled: { tone: 'down', word: 'Stands still', does: 'stands still' },
  forked: { tone: 'degraded', word: 'Forked', does: 'is forked' },
};

export type RegionState = PublicRegion['state'];

export const regionMarks: Readonly<Record<Exclude<RegionState, 'well'>, Mark>> = {
  silent: { tone: 'unknown', word: 'Silent' },
  // Of all its checks or of some: the sentence beside it says which.
  offline: { tone: 'unknown', word: 'Controls fail' },
  clock: { tone: 'unknown', word: 'Clock wrong' },
  late: { tone: 'unknown', word: 'Late' },
  apart: { tone: 'degraded', word: 'Sees it otherwise' },
};

export const impactMarks: Readonly<Record<Impact, Mark>> = {
  none: { tone: 'unknown', word: 'Notice' },
  minor: { tone: 'degraded', word: 'Minor' },
  major: { tone: 'down', word: 'Major' },
  critical: { tone: 'down', word: 'Critical' },
};

export const phaseWords: Readonly<Record<Phase, string>> = {
  investigating: 'Investigating',
  identified: 'Identified',
  monitoring: 'Monitoring',
  resolved: 'Resolved',
};
