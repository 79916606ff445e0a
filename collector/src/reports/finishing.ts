/** The last step of a report: what is in the log gets its proof and its name, is tried again, or gives way to another revision. */
import type { Instant } from '@highwater/config/time.ts';
import type { Lasting } from '../lasting.ts';
import { LOG_SHARD } from '../watched.ts';
import { retryAfterMs } from './calendar.ts';
import { archivePath, bytesOf, partPath, reportName } from './folder.ts';
import type { ReportJobs } from './job.ts';
import { proofOf } from './log-report.ts';
import { NoReport } from './no-report.ts';
import type { End } from './plan.ts';
import {
  keyOf,
  type Logged,
  type Made,
  type Planned,
  REPORT_CORE,
  type ReportRow,
  type ReportState,
} from './states.ts';

export const alarmKey = (month: string): string => `report/${month}`;

export interface FinishingParts extends Pick<Lasting, 'store' | 'clock' | 'log' | 'publishedLog' | 'alarms'> {
  /** Of reports. */
  readonly folder: string;
  readonly thread: Pick<ReportJobs, 'finish'>;
  readonly signal: AbortSignal;
  readonly ends: () => Promise<End[]>;
  /** Compare-and-set. */
  readonly put: (row: ReportRow, state: ReportState, wakeAt?: Instant) => Promise<void>;
}

export interface Finishing {
  /** What was made, as far as it was durable; or the whole of it, where only the row was not written any more. */
  isThere(row: ReportRow, state: Made | Logged): Promise<boolean>;
  /** Publishes it where the log proves it. Returns whether the row has moved on. */
  finish(row: ReportRow, state: Logged): Promise<boolean>;
  /** It is in the log, and its bytes are not here: what a backup does not have. Another revision takes its place. */
  lost(row: ReportRow): Promise<void>;
}

export function openFinishing(parts: FinishingParts): Finishing {
  const { store, clock, log, publishedLog, alarms, folder, thread, signal, put } = parts;

  const published = async (row: ReportRow, state: Logged): Promise<boolean> => {
    const { month, revision } = row;
    const commit = await store.read(LOG_SHARD, (tx) => tx.commitByHash(state.leaf));
    // A restored store has another log's end.
    if (commit === undefined) {
      await put(row, { phase: 'planned', dueAt: clock.now(), tries: 0 }, clock.now());
      return true;
    }
    const { trees } = state.headline;
    const proof = await proofOf(publishedLog, commit.index, await parts.ends(), trees);
    if (proof === undefined) return false;
    const { madeAt, archive, note, leaf, headline } = state;
    const name = reportName(month, revision);
    const whole = await thread.finish({ folder, name, month, madeAt, archive, note, ...proof });
    await put(row, { phase: 'published', madeAt, leaf, ...whole, headline, isTold: false }, clock.now());
    log.info({ month, revision, ...whole }, 'report-published');
    alarms.clear(alarmKey(month));
    return true;
  };

  const lost = async (row: ReportRow): Promise<void> => {
    const { month, revision } = row;
    log.error({ month, revision }, 'report-lost');
    await store.transact(LOG_SHARD, async (tx) => {
      const next = keyOf(month, revision + 1);
      const now = clock.now();
      await tx.putState(REPORT_CORE, keyOf(month, revision), row.version, { phase: 'dropped' });
      if ((await tx.getState(REPORT_CORE, next)) === undefined)
        await tx.putState(
          REPORT_CORE,
          next,
          0,
          { phase: 'planned', dueAt: now, tries: 0 } satisfies Planned,
          now,
        );
    });
  };

  const failed = async (row: ReportRow, state: Logged, error: unknown): Promise<void> => {
    const { month, revision } = row;
    const because = error instanceof Error ? error.message : String(error);
    const tries = (state.failed?.tries ?? 0) + 1;
    const retryAt = clock.now() + retryAfterMs(tries);
    log.error({ month, revision, tries, because }, 'report-not-finished');
    const isLost = error instanceof NoReport;
    alarms.raise({
      key: alarmKey(month),
      title: `The report of ${month} is in the log and could not be finished`,
      because,
      remedy: isLost
        ? 'another revision is made by itself; if it comes again, look at the disk'
        : 'it is tried again by itself; if it stays, look at the log of the collector and the disk',
    });
    if (isLost) await lost(row);
    else await put(row, { ...state, failed: { tries, because, retryAt } }, retryAt);
  };

  return {
    async isThere({ month, revision }, { archive, phase }) {
      const name = reportName(month, revision);
      const part = await bytesOf(partPath(folder, name));
      if (part !== undefined && part >= archive.length) return true;
      return phase === 'logged' && (await bytesOf(archivePath(folder, name))) !== undefined;
    },
    async finish(row, state) {
      if ((state.failed?.retryAt ?? 0) > clock.now()) return false;
      try {
        return await published(row, state);
      } catch (error) {
        if (signal.aborted) throw error;
        await failed(row, state, error);
        return true;
      }
    },
    lost,
  };
}
