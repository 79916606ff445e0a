/**
 * What the site knows at one moment, and how old it is. A page is a pure function of its frame.
 * The rule: nothing is green on stale data (CONTRACTS "Stale").
 */
import type { PublicServiceDetail } from '@highwater/config/public-detail.ts';
import type { PublicSnapshot } from '@highwater/config/public.ts';
import type { Report } from '@highwater/config/report/report.ts';
import type { ReportList } from '@highwater/config/wire-reports.ts';

/** The newest log that this page holds a copy of, as it was proven here. */
export interface FrameLog {
  /** `ORIGIN/YEAR` */
  readonly origin: string;
  readonly year: number;
  /** The log's verifier key. */
  readonly key: string;
  /** Entries. */
  readonly size: number;
  /** When this page first saw and verified a checkpoint of this size, Unix ms. */
  readonly checkedAt: number;
  /** Since when, and how, what the collector shows contradicts it. */
  readonly refused?: { readonly since: number; readonly because: string };
  /** Who besides the operator vouches for the newest checkpoint; absent while the page has no policy. */
  readonly vouched?: Vouched;
}

export interface Vouched {
  /** Those of the policy whose cosignature is on the checkpoint and good, by its names. */
  readonly by: readonly string[];
  /** Witnesses in the policy. */
  readonly of: number;
  /** As many as it asks for. */
  readonly met: boolean;
}

export interface FrameReports {
  /** As the collector listed them last; absent until the first time ever. */
  readonly list: ReportList | undefined;
  /** Whether that was since this page was started. */
  readonly isAnswered: boolean;
  /** The revision that is kept here; undefined where none is. */
  revisionOf(month: string): number | undefined;
  /** From the disk; undefined where none is kept, or it is damaged. */
  read(month: string): Promise<Report | undefined>;
}

export interface Frame {
  /** The site's own clock, Unix ms, frozen for one rendering. */
  readonly now: number;
  /** The last good snapshot; absent until the first one ever. */
  readonly snapshot?: PublicSnapshot;
  /** When that snapshot first arrived, by the site's clock. */
  readonly receivedAt?: number;
  /** Since when the collector does not answer; absent while it does. */
  readonly lostAt?: number;
  /** Public address of this site, without a slash at the end, where the operator gave one on the command line. */
  readonly siteUrl?: string;
  readonly log?: FrameLog;
  /** Monthly reports that were published, and those that are kept here. */
  readonly reports?: FrameReports;
  /** Numbers and charts by service id, the last good ones; those that never came are absent. */
  readonly details?: ReadonlyMap<string, PublicServiceDetail>;
}

export type Freshness =
  /** There is no snapshot. */
  | { readonly kind: 'none' }
  /** There is a snapshot, and no probe has reported yet. */
  | { readonly kind: 'waiting'; readonly since: number }
  | { readonly kind: 'fresh' | 'stale'; readonly since: number; readonly ageMs: number };

/**
 * How old the newest observation is. Both clocks are asked and the greater age counts: ours against the
 * collector's, and ours since the snapshot came plus how old its data was then, by the collector's own clock.
 */
export function freshness(frame: Frame): Freshness {
  const { snapshot, now } = frame;
  if (!snapshot) return { kind: 'none' };
  const since = snapshot.observedAt ?? snapshot.generatedAt;
  const held = now - (frame.receivedAt ?? snapshot.generatedAt) + snapshot.generatedAt - since;
  const ageMs = Math.max(0, now - since, held);
  if (ageMs > snapshot.staleAfterMs) return { kind: 'stale', since, ageMs };
  if (snapshot.observedAt === undefined) return { kind: 'waiting', since: snapshot.startedAt };
  return { kind: 'fresh', since, ageMs };
}

/** Public address of the site without a slash at the end. */
export function siteUrl(frame: Frame): string {
  return (frame.siteUrl ?? frame.snapshot?.site.url ?? '').replace(/\/+$/, '');
}
