/**
 * How far each report is: rows of the log's shard, one a month and revision. A row is written before what it says is acted
 * on, and every step can be done again: planned, made (the leaf's text is fixed from here on), logged, published.
 */
import type { Instant } from '@highwater/config/time.ts';
import type { PublishedReport } from '@highwater/config/wire.ts';
import type { ReadTx } from '../store/store.ts';

export const REPORT_CORE = 'report';

/** What is told of a report without opening it. */
export interface Headline {
  readonly services: PublishedReport['services'];
  /** Its summary for channels. */
  readonly lines: readonly string[];
  readonly differences?: number;
  /** How far it has counted. */
  readonly trees: readonly { readonly year: number; readonly size: number }[];
}

/** How far its archive is durable; the pieces are in the index beside it. */
export interface ArchiveEnd {
  readonly length: number;
  readonly bytes: number;
  readonly crc32: number;
}

export interface Planned {
  readonly phase: 'planned';
  /** When it is made, or tried again. */
  readonly dueAt: Instant;
  readonly tries: number;
  readonly because?: string;
}

export interface Made {
  readonly phase: 'made';
  readonly madeAt: Instant;
  /** Text of its leaf: signed and logged as it is, whatever happens meanwhile. */
  readonly leafText: string;
  readonly archive: ArchiveEnd;
  readonly headline: Headline;
}

export interface Logged extends Omit<Made, 'phase'> {
  readonly phase: 'logged';
  /** The note; its leaf hash, base64; its commit. */
  readonly note: string;
  readonly leaf: string;
  readonly index: number;
  /** How often what comes behind report.json could not be added, why last, and when it is tried again. */
  readonly failed?: { readonly tries: number; readonly because: string; readonly retryAt: Instant };
}

export interface Published {
  readonly phase: 'published';
  readonly madeAt: Instant;
  readonly leaf: string;
  /** Of the archive. */
  readonly bytes: number;
  readonly files: number;
  readonly headline: Headline;
  /** The feed has its event, or is to have none. */
  readonly isTold: boolean;
}

/** Nothing of the month is in the log. */
export interface Without {
  readonly phase: 'nothing';
}

/** Its leaf alone is left. */
export interface Dropped {
  readonly phase: 'dropped';
  /** It was published, and let go (retention.reports); none where it never was, or its files were lost. */
  readonly headline?: Headline;
}

export type ReportState = Planned | Made | Logged | Published | Without | Dropped;

export interface ReportRow {
  readonly month: string;
  readonly revision: number;
  readonly version: number;
  readonly state: ReportState;
}

export const keyOf = (month: string, revision: number): string => `${month}.${revision}`;

/** By month, and of each by revision, oldest first. */
export async function readReports(tx: ReadTx): Promise<ReportRow[]> {
  const rows = (await tx.listState(REPORT_CORE)).map(({ key, version, value }) => {
    const [month = '', revision = ''] = key.split('.');
    return { month, revision: Number(revision), version, state: value as ReportState };
  });
  return rows.sort((a, b) => (a.month === b.month ? a.revision - b.revision : a.month < b.month ? -1 : 1));
}

/** Of those that were published, files or none, the newest revision of each month, newest month first. */
export function newestTold(
  rows: readonly ReportRow[],
): { readonly month: string; readonly revision: number; readonly headline: Headline }[] {
  const newest = new Map<
    string,
    { readonly month: string; readonly revision: number; readonly headline: Headline }
  >();
  for (const { month, revision, state } of rows) {
    if (state.phase !== 'published' && state.phase !== 'dropped') continue;
    const { headline } = state;
    if (headline !== undefined) newest.set(month, { month, revision, headline });
  }
  return [...newest.values()].reverse();
}

/**
 * Whether channels are told of one that was published. After an upgrade a year of months is made, oldest first: of months that
 * others follow nothing is told but that what was published is revised.
 */
export function tellingOf(
  rows: readonly ReportRow[],
  { month, revision }: Pick<ReportRow, 'month' | 'revision'>,
  now: Instant,
): 'told' | 'untold' | 'wait' {
  const isRevised = rows.some((row) => {
    const isBefore = row.month === month && row.revision < revision;
    return isBefore && 'headline' in row.state && row.state.headline !== undefined;
  });
  if (isRevised) return 'told';
  const later = rows.filter((row) => row.month > month);
  if (newestTold(later).length > 0) return 'untold';
  return later.some(({ state }) => isOnItsWay(state, now)) ? 'wait' : 'told';
}

/** One that failed keeps no other back. */
function isOnItsWay(state: ReportState, now: Instant): boolean {
  if (state.phase === 'planned') return state.dueAt <= now && state.tries === 0;
  return state.phase === 'made' || (state.phase === 'logged' && state.failed === undefined);
}

/** What is to be written of a month's rows, oldest first; undefined where they say what is to be done. */
export function planOf(
  own: readonly ReportRow[],
  dueAt: Instant,
  now: Instant,
): { readonly revision: number; readonly version: number; readonly state: Planned } | undefined {
  const last = own.at(-1);
  if (last === undefined) return { revision: 1, version: 0, state: { phase: 'planned', dueAt, tries: 0 } };
  const { revision, version, state } = last;
  if (state.phase === 'dropped') {
    // One that was published is there, or was let go on purpose.
    const isAny = own.some((row) => 'headline' in row.state);
    if (isAny) return undefined;
    return { revision: revision + 1, version: 0, state: { phase: 'planned', dueAt: now, tries: 0 } };
  }
  const isToFollow = revision === 1 && state.phase === 'planned' && state.tries === 0;
  if (!isToFollow || state.dueAt === dueAt) return undefined;
  return { revision, version, state: { phase: 'planned', dueAt, tries: 0 } };
}
