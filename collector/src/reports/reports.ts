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
import { keptFrom, recomputableUntil } from '../retention/bodies.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';
import { dueAtOf, endOfMonth, monthsSince, retryAfterMs, timeText } from './calendar.ts';
import { type Drafts, openDrafts } from './drafts.ts';
import { cosignedEnds, cosignedWithinMs, covered, type Shortage, shortageOf } from './ends.ts';
import { alarmKey, openFinishing } from './finishing.ts';
import { removeReport, reportName } from './folder.ts';
import type { ReportJobs } from './job.ts';
import { listed } from './listed.ts';
import { logReport } from './log-report.ts';
import { type MakeData, Mismatch } from './make.ts';
import { NoReport } from './no-report.ts';
import type { End } from './plan.ts';
import {
  keyOf,
  newestTold,
  planOf,
  type Planned,
  type Published,
  readReports,
  REPORT_CORE,
  type ReportRow,
  type ReportState,
  tellingOf,
} from './states.ts';
import { toldBefore, toldConfig } from './told.ts';

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
  readonly thread: ReportJobs;
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

const witnessesKey = (month: string): string => `report/${month}/witnesses`;

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

  /**
   * A row for each month of which all bodies are kept, or the one `asked` for; one that is only planned follows the configuration.
   * Where a restore took the only revision, the next one is planned.
   */
  const planMonths = async (asked?: string): Promise<void> => {
    const { config, startedAt } = parts;
    const { known, from } = await store.read(LOG_SHARD, async (tx) => ({
      known: await readReports(tx),
      from: await keptFrom(tx, startedAt),
    }));
    const { bodiesMs } = config().retention;
    for (const month of monthsSince(startedAt, clock.now())) {
      const own = known.filter((row) => row.month === month);
      const isKept = recomputableUntil(month, bodiesMs, { from, startedAt }) !== undefined;
      if (own.length === 0 && !isKept && month !== asked) continue;
      const planned = planOf(own, dueAtOf(month, config()), clock.now());
      if (planned !== undefined) await put({ month, ...planned }, planned.state, planned.state.dueAt);
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
    const before = newestTold(all).filter((row) => row.month < month)[0];
    const last = all.findLast((row) => row.month === month && row.state.phase === 'published');
    return {
      month,
      origin,
      ends,
      before: [...(before?.headline.trees ?? [])],
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

  /** @param isPatient waits for witnesses that are asked seldom too */
  const ends = (isPatient: boolean): Promise<End[]> => {
    const { witnesses } = parts.config();
    const withinMs = isPatient && witnesses !== undefined ? cosignedWithinMs(witnesses) : undefined;
    const { published } = bells;
    return cosignedEnds(publishedLog, witnesses, published, signal, parts.cosignedWithinMs ?? withinMs);
  };
  const finishing = openFinishing({ ...parts, ends: () => ends(true), put });

  /** It is made all the same: who verifies it is told of it, and another revision has them. */
  const tellShortage = (month: string, shortage: Shortage | undefined): void => {
    if (shortage === undefined) return alarms.clear(witnessesKey(month));
    const { cosigned, quorum } = shortage;
    log.warn({ month, ...shortage }, 'report-without-quorum');
    alarms.raise({
      key: witnessesKey(month),
      title: `The report of ${month} is short of cosignatures`,
      because: `of the witnesses ${cosigned} had cosigned the log when it was made, and the policy asks for ${quorum}: whoever verifies it is told that it is incomplete`,
      remedy: `see on the log's page which witness does not answer; once they cosign, highwater report ${month} --revise makes a revision that has them`,
    });
  };

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
    const counted = await ends(true);
    const asked = await data(month, revision, name, false, counted);
    const state = await shown(month, revision, false, (progress) => thread.make(asked, progress));
    await put(row, state, clock.now());
    log.info({ month, revision, bytes: state.archive.length }, 'report-made');
    tellShortage(month, shortageOf(counted, parts.config().witnesses));
  };

  const planAgain = (row: ReportRow): Promise<void> =>
    put(row, { phase: 'planned', dueAt: clock.now(), tries: 0 }, clock.now());

  /** The event is there once, whatever is killed between the two shards. */
  const tell = async ({ month, revision }: ReportRow, { lines }: Published['headline']): Promise<void> => {
    const event = { type: 'report.published', month, revision, lines };
    await store.transact(HOUSE_SHARD, (tx) => tx.addOutbox(`report/${month}/${revision}`, 'feed', event));
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

  /** One step of the first row that has one to do. */
  const step = async (): Promise<boolean> => {
    const now = clock.now();
    const all = await rows();
    for (const row of all) {
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
      const isOurs =
        state.phase !== 'made' && state.phase !== 'logged' ? true : await finishing.isThere(row, state);
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
        await finishing.lost(row);
        return true;
      }
      if (state.phase === 'logged' && (await finishing.finish(row, state))) return true;
      if (state.phase === 'published' && !state.isTold) {
        const telling = tellingOf(all, row, now);
        if (telling === 'wait') continue;
        if (telling === 'told') await tell(row, state.headline);
        await put(row, { ...state, isTold: true });
        bells.arrived.ring();
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
      // A revision of an old month is kept as long as it is new.
      if (Math.max(endOfMonth(row.month), row.state.madeAt) + reportsMs > clock.now()) continue;
      await put(row, { phase: 'dropped', headline: row.state.headline });
      await removeReport(folder, reportName(row.month, row.revision));
    }
  };

  const drafts = openDrafts({
    folder,
    clock,
    log,
    make: async (month, name) => {
      const asked = await data(month, 1, name, true, await ends(false));
      await shown(month, 1, true, (progress) => thread.make(asked, progress));
    },
  });

  const ask: Reports['ask'] = async (month, { revise, isDraft }) => {
    if (month > (monthsSince(clock.now(), clock.now())[0] ?? month)) {
      const due = timeText(dueAtOf(month, parts.config()));
      return { result: 'unknown', because: `${month} has not begun; its report is due ${due}` };
    }
    if (!monthsSince(parts.startedAt, clock.now()).includes(month))
      return { result: 'unknown', because: `nothing of ${month} was counted here` };
    if (isDraft) {
      drafts.want(month);
      return { result: 'making', month, revision: 0 };
    }
    await planMonths(month);
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
