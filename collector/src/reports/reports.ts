/**
 * The reports of all months: planned by the calendar, made by a thread, signed and logged here, and published once the log
 * proves them. Every step goes by a row of the store and can be done again, whatever was killed when.
 */
import type { Progress } from '@highwater/config/bundle/check.ts';
import type { Config } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { ReportList } from '@highwater/config/wire.ts';
import type { Lasting } from '../lasting.ts';
import { policyText } from '../log/witness-policy.ts';
import { mutex } from '../mutex.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';
import { dueAtOf, endOfMonth, monthsSince, retryAfterMs } from './calendar.ts';
import { type Drafts, openDrafts } from './drafts.ts';
import { cosignedEnds, covered } from './ends.ts';
import { archivePath, bytesOf, partPath, removeReport, reportName } from './folder.ts';
import { listed } from './listed.ts';
import { logReport, proofOf } from './log-report.ts';
import { type MakeData, Mismatch } from './make.ts';
import { type End, NoReport } from './plan.ts';
import {
  keyOf,
  type Logged,
  type Made,
  newestPublished,
  type Planned,
  type Published,
  readReports,
  REPORT_CORE,
  type ReportRow,
  type ReportState,
} from './states.ts';
import { toldBefore, toldConfig } from './told.ts';
import type { ReportThread } from './thread.ts';

export type AskedFor =
  | { readonly result: 'making' | 'there'; readonly month: string; readonly revision: number }
  | { readonly result: 'early'; readonly dueAt: Instant }
  | { readonly result: 'unknown' | 'busy'; readonly because: string };

export interface ReportsParts extends Pick<
  Lasting,
  'store' | 'clock' | 'log' | 'key' | 'origin' | 'publishedLog' | 'bells' | 'alarms' | 'startedAt'
> {
  /** Of reports. */
  readonly folder: string;
  readonly config: () => Config;
  readonly thread: ReportThread;
  readonly signal: AbortSignal;
  /** In place of how long a checkpoint waits for its cosignatures. */
  readonly cosignedWithinMs?: number;
}

export interface Reports {
  readonly folder: string;
  /** Does all that is due. Returns whether something was done. */
  turn(): Promise<boolean>;
  list(): Promise<ReportList>;
  rows(): Promise<readonly ReportRow[]>;
  /** Somebody wants one: what is due is made by the next turns. */
  ask(month: string, how: { readonly revise: boolean; readonly isDraft: boolean }): Promise<AskedFor>;
  readonly drafts: Drafts;
}

const alarmKey = (month: string): string => `report/${month}`;

export function openReports(parts: ReportsParts): Reports {
  const { store, clock, log, key, origin, publishedLog, bells, alarms, folder, thread, signal } = parts;
  let making: ReportList['making'];
  const alone = mutex();

  const rows = (): Promise<ReportRow[]> => store.read(LOG_SHARD, readReports);

  /** Compare-and-set, so that a row that moved on meanwhile stays. */
  const put = async (
    { month, revision, version }: Omit<ReportRow, 'state'>,
    state: ReportState,
    wakeAt?: Instant,
  ) => {
    await store.transact(LOG_SHARD, (tx) =>
      tx.putState(REPORT_CORE, keyOf(month, revision), version, state, wakeAt),
    );
  };

  /** A row for each month; one that is only planned follows the configuration. */
  const planMonths = async (): Promise<void> => {
    const known = await rows();
    for (const month of monthsSince(parts.startedAt, clock.now())) {
      const first = known.find((row) => row.month === month && row.revision === 1);
      const dueAt = dueAtOf(month, parts.config());
      if (first !== undefined && (first.state.phase !== 'planned' || first.state.tries > 0)) continue;
      if (first?.state.phase === 'planned' && first.state.dueAt === dueAt) continue;
      const planned: Planned = { phase: 'planned', dueAt, tries: 0 };
      await put({ month, revision: 1, version: first?.version ?? 0 }, planned, dueAt);
    }
  };

  const data = async (
    month: string,
    revision: number,
    name: string,
    isDraft: boolean,
    ends: readonly End[],
  ): Promise<MakeData> => {
    const all = await rows();
    const config = parts.config();
    const before = newestPublished(all).filter((row) => row.month < month)[0];
    const last = all.findLast((row) => row.month === month && row.state.phase === 'published');
    return {
      month,
      origin,
      ends,
      before: [...(before?.state.headline.trees ?? [])],
      revision,
      isDraft,
      madeAt: clock.now(),
      operatorKey: key.vkey,
      policy: policyText(config, publishedLog.keys),
      config: toldConfig(config),
      beforeMonths: toldBefore(all, month),
      ...(last?.state.phase !== 'published' || isDraft
        ? {}
        : {
            supersedes: {
              revision: last.revision,
              leaf: last.state.leaf,
              name: reportName(month, last.revision),
            },
          }),
      folder,
      name,
    };
  };

  const ends = (): Promise<End[]> =>
    cosignedEnds(publishedLog, parts.config().witnesses, bells.published, signal, parts.cosignedWithinMs);

  /** What is being done, for who asks meanwhile. */
  const shown = async <T>(
    month: string,
    revision: number,
    isDraft: boolean,
    work: (progress: (progress: Progress) => void) => Promise<T>,
  ): Promise<T> => {
    const since = clock.now();
    const show = (
      phase: NonNullable<typeof making>['phase'],
      done: number,
      all: number,
      of: string,
    ): void => {
      making = { month, revision, isDraft, phase, doneBytes: done, allBytes: Math.max(done, all), of, since };
    };
    show('log', 0, 0, '');
    try {
      return await work(({ phase, done, all, of }) => show(phase, Math.floor(done), Math.floor(all), of));
    } finally {
      making = undefined;
    }
  };

  const made = async (row: ReportRow): Promise<void> => {
    const { month, revision } = row;
    const name = reportName(month, revision);
    await removeReport(folder, name);
    await covered(publishedLog, bells.published, signal);
    const asked = await data(month, revision, name, false, await ends());
    const state = await shown(month, revision, false, (progress) => thread.make(asked, progress));
    await put(row, state, clock.now());
    log.info({ month, revision, bytes: state.archive.length }, 'report-made');
  };

  const published = async (row: ReportRow, state: Logged): Promise<void> => {
    const { month, revision } = row;
    const commit = await store.read(LOG_SHARD, (tx) => tx.commitByHash(state.leaf));
    // A restored store has another log's end.
    if (commit === undefined) return planAgain(row);
    const proof = await proofOf(publishedLog, commit.index, await ends());
    if (proof === undefined) return;
    const { madeAt, archive, note, leaf, headline } = state;
    const name = reportName(month, revision);
    const whole = await thread.finish({ folder, name, month, madeAt, archive, note, proof });
    await put(row, { phase: 'published', madeAt, leaf, ...whole, headline, isTold: false }, clock.now());
    log.info({ month, revision, ...whole }, 'report-published');
    alarms.clear(alarmKey(month));
  };

  const planAgain = (row: ReportRow): Promise<void> =>
    put(row, { phase: 'planned', dueAt: clock.now(), tries: 0 }, clock.now());

  /** It is in the log, and its bytes are not here: what a backup does not have. Another revision takes its place. */
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

  /** The event is there once, whatever is killed between the two shards. */
  const told = async (row: ReportRow, state: Published): Promise<void> => {
    const { month, revision } = row;
    const { lines } = state.headline;
    const event = { type: 'report.published', month, revision, lines };
    await store.transact(HOUSE_SHARD, (tx) => tx.addOutbox(`report/${month}/${revision}`, 'feed', event));
    await put(row, { ...state, isTold: true });
    bells.arrived.ring();
  };

  const failed = async (row: ReportRow, state: Planned, error: unknown): Promise<void> => {
    const { month, revision } = row;
    if (error instanceof NoReport && revision === 1) {
      log.info({ month, because: error.message }, 'report-of-nothing');
      return put(row, { phase: 'nothing' });
    }
    const because = error instanceof Error ? error.message : String(error);
    const tries = state.tries + 1;
    const dueAt = clock.now() + retryAfterMs(tries);
    log.error({ month, revision, tries, because }, 'report-failed');
    alarms.raise({
      key: alarmKey(month),
      title: `The report of ${month} could not be made`,
      because:
        error instanceof Mismatch
          ? `what is in the log or the store is not what was signed: ${because}`
          : because,
      remedy:
        error instanceof Mismatch
          ? 'nothing was signed; compare the files it names with a backup, and run highwater rebuild --check'
          : 'it is tried again by itself; if it stays, look at the log of the collector and the disk',
    });
    await put(row, { phase: 'planned', dueAt, tries, because }, dueAt);
  };

  /** What was made, as far as it was durable; or the whole of it, where only the row was not written any more. */
  const isThere = async (
    { month, revision }: ReportRow,
    { archive, phase }: Made | Logged,
  ): Promise<boolean> => {
    const name = reportName(month, revision);
    const part = await bytesOf(partPath(folder, name));
    if (part !== undefined && part >= archive.length) return true;
    return phase === 'logged' && (await bytesOf(archivePath(folder, name))) !== undefined;
  };

  /** One step of the first row that has one to do. */
  const step = async (): Promise<boolean> => {
    const now = clock.now();
    for (const row of await rows()) {
      const { month, revision, state } = row;
      if (state.phase === 'planned' && state.dueAt <= now) {
        // Of a month that nothing is published of yet there is nothing to sign against.
        try {
          await made(row);
        } catch (error) {
          if (signal.aborted) throw error;
          await failed(row, state, error);
        }
        return true;
      }
      const isOurs = state.phase !== 'made' && state.phase !== 'logged' ? true : await isThere(row, state);
      if (state.phase === 'made' && !isOurs) {
        await planAgain(row);
        return true;
      }
      if (state.phase === 'made') {
        await logReport(store, key, month, revision, now);
        log.info({ month, revision }, 'report-logged');
        bells.committed.ring();
        return true;
      }
      if (state.phase === 'logged' && !isOurs) {
        await lost(row);
        return true;
      }
      if (state.phase === 'logged') {
        await published(row, state);
        const after = (await rows()).find((each) => each.month === month && each.revision === revision);
        if (after?.state.phase !== 'logged') return true;
      }
      if (state.phase === 'published' && !state.isTold) {
        await told(row, state);
        return true;
      }
    }
    return false;
  };

  const dropOld = async (): Promise<void> => {
    const { reportsMs } = parts.config().retention;
    if (reportsMs === undefined) return;
    for (const row of await rows()) {
      if (row.state.phase !== 'published' || !row.state.isTold) continue;
      if (endOfMonth(row.month) + reportsMs > clock.now()) continue;
      await put(row, { phase: 'dropped' });
      await removeReport(folder, reportName(row.month, row.revision));
    }
  };

  const drafts = openDrafts({
    folder,
    clock,
    log,
    make: async (month, name) => {
      const asked = await data(month, 1, name, true, await ends());
      await shown(month, 1, true, (progress) => thread.make(asked, progress));
    },
  });

  const ask: Reports['ask'] = async (month, { revise, isDraft }) => {
    if (!monthsSince(parts.startedAt, clock.now()).includes(month))
      return { result: 'unknown', because: `nothing of ${month} was counted here` };
    if (isDraft) {
      drafts.want(month);
      return { result: 'making', month, revision: 0 };
    }
    await planMonths();
    const own = (await rows()).filter((row) => row.month === month);
    const last = own.at(-1);
    if (last === undefined || last.state.phase === 'nothing')
      return { result: 'unknown', because: `nothing of ${month} was counted here` };
    if (last.state.phase === 'planned') {
      const settled = dueAtOf(month, parts.config());
      if (settled > clock.now()) return { result: 'early', dueAt: settled };
      // One that failed is tried at once.
      if (last.state.dueAt > clock.now()) await put(last, { ...last.state, dueAt: clock.now() }, clock.now());
      return { result: 'making', month, revision: last.revision };
    }
    const { revision } = last;
    if (last.state.phase !== 'published' && last.state.phase !== 'dropped')
      return { result: 'making', month, revision };
    if (!revise) {
      return last.state.phase === 'published'
        ? { result: 'there', month, revision }
        : { result: 'busy', because: `the report of ${month} was let go by retention.reports; revise it` };
    }
    const now = clock.now();
    await put({ month, revision: revision + 1, version: 0 }, { phase: 'planned', dueAt: now, tries: 0 }, now);
    return { result: 'making', month, revision: revision + 1 };
  };

  return {
    folder,
    drafts,
    rows,
    turn: () =>
      alone(async () => {
        await planMonths();
        await drafts.turn();
        let did = false;
        while (!signal.aborted && (await step())) did = true;
        await dropOld();
        return did;
      }),
    list: async () => listed(await rows(), making, await drafts.list(), clock.now()),
    ask,
  };
}
