/** What a backup is: `backup.json` in its folder, written last, so that a folder with one holds all that it names. */
import { z } from 'zod';

export const MANIFEST = 'backup.json';
export const FORMAT = 'highwater/backup/v1';

const file = z.strictObject({ path: z.string(), bytes: z.int(), sha256: z.string() });
export type BackedFile = z.infer<typeof file>;

export const manifest = z.strictObject({
  format: z.literal(FORMAT),
  /** Unix milliseconds of the moment that the store is of. */
  at: z.int(),
  /** Of the log without the year. */
  origin: z.string(),
  /** Commits of the store, signed or not. */
  commits: z.int(),
  /** What was signed of each year's log, oldest first; size 0 where nothing was. */
  logs: z.array(
    z.strictObject({ year: z.int(), key: z.string(), size: z.int(), root: z.string().optional() }),
  ),
  store: file,
  alerts: file.optional(),
  config: file.optional(),
  /** Names in `keys`; empty in a backup without keys. */
  keys: z.array(z.string()),
  /** Bodies and projections. */
  bodies: z.strictObject({ count: z.int(), bytes: z.int() }),
});
export type Manifest = z.infer<typeof manifest>;
