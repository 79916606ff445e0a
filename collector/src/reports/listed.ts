/** What GET /v1/reports answers. Pure. */
import type { Instant } from '@highwater/config/time.ts';
import type { ReportList } from '@highwater/config/wire.ts';
import type { ReportRow } from './states.ts';

function publishedOf({ month, revision, state }: ReportRow): ReportList['reports'] {
  if (state.phase !== 'published') return [];
  const { madeAt, leaf, bytes, files, headline } = state;
  const { services, differences } = headline;
  const more = differences === undefined ? {} : { differences };
  return [{ month, revision, madeAt, leaf, bytes, services: [...services], files, ...more }];
}

/** @param rows oldest first */
export function listed(
  rows: readonly ReportRow[],
  making: ReportList['making'],
  drafts: ReportList['drafts'],
  now: Instant,
): ReportList {
  const planned = rows.flatMap(({ month, state }) => (state.phase === 'planned' ? [{ month, state }] : []));
  const next = planned
    .filter(({ state }) => state.tries === 0)
    .sort((a, b) => a.state.dueAt - b.state.dueAt)[0];
  const failed = rows.flatMap(({ month, state }) => {
    if (state.phase === 'logged' && state.failed !== undefined) return [{ month, ...state.failed }];
    if (state.phase !== 'planned' || state.tries === 0) return [];
    return [{ month, because: state.because ?? '', tries: state.tries, retryAt: state.dueAt }];
  });
  const last = failed.at(-1);
  return {
    at: now,
    reports: rows.flatMap(publishedOf).reverse(),
    ...(making === undefined ? {} : { making }),
    ...(next === undefined ? {} : { next: { month: next.month, dueAt: next.state.dueAt } }),
    ...(last === undefined ? {} : { failed: last }),
    drafts,
  };
}
