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
}

export interface Published {
  readonly phase: 'published';
  readonly madeAt: Instant;
  readonly leaf: string;
  /** Of the archive. */
  readonly bytes: number;
  readonly files: number;
  readonly headline: Headline;
  /** The feed has its event. */
  readonly isTold: boolean;
}

/** Nothing of the month is in the log; or its files were let go (retention.reports), and its leaf alone is left. */
export interface Without {
  readonly phase: 'nothing' | 'dropped';
}

export type ReportState = Planned | Made | Logged | Published | Without;

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

/** Of those that are published, the newest revision of each month, newest month first. */
export function newestPublished(rows: readonly ReportRow[]): (ReportRow & { readonly state: Published })[] {
  const newest = new Map<string, ReportRow & { readonly state: Published }>();
  for (const { state, ...row } of rows)
    if (state.phase === 'published') newest.set(row.month, { ...row, state });
  return [...newest.values()].reverse();
}
