/** The schema of `reports`: the monthly report, when it is made and who gets it. */
import { z } from 'zod';
import { durationBetween, id, key, line } from './fields.ts';
import { limits } from './limits.ts';
import { DAY_MS, HOUR_MS } from './time.ts';

export const reportsSchema = z.strictObject({
  to: key(
    z
      .array(id)
      .max(limits.channels)
      .refine((ids) => new Set(ids).size === ids.length, 'a channel is named twice, keep one')
      .default([]),
    'Channels that each new report is sent to, as a summary with links.',
    ['mail'],
  ),
  settle: key(
    durationBetween(HOUR_MS, 30 * DAY_MS).default(2 * DAY_MS),
    'How long after the end of a month (UTC) its report is made, so that what comes late is in it. What comes later still is in a revision, and told by the next report.',
    '48h',
  ),
  anchor: key(
    line(200).optional(),
    "Where you put the size and root of the log at the month's end as well, in words: a transaction, a proposal. Told in the report.",
    'memo of account example-anchor on Hive',
  ),
});

/** What holds where nothing is said. */
export const REPORT_SETTLE_MS = 2 * DAY_MS;
