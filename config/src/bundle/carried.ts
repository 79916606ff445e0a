/** The last checkpoint of a year's log, which the log of the next begins with. */
import { decodeUtf8 } from '../proof/bytes.ts';
import { type SignedCheckpoint, openCheckpoint } from './checkpoints.ts';
import type { EntryPlace } from './entries.ts';
import { names } from './files.ts';
import type { Range } from './range.ts';
import type { Reading } from './reading.ts';
import type { Ties } from './ties.ts';
import type { Trusted } from './trust.ts';

/**
 * Entry 0 of all logs but the first ever: the last checkpoint of the one before. False for a leaf.
 *
 * @param before the end of the log before, where that is in the bundle
 */
export async function isCarried(
  reading: Reading,
  range: Range,
  trusted: Trusted,
  ties: Ties,
  entry: Uint8Array,
  { year, file }: EntryPlace,
  before?: SignedCheckpoint,
): Promise<boolean> {
  const { problems } = reading;
  const text = decodeUtf8(entry) ?? '';
  const isLeaf = text.startsWith('highwater/');
  if (isLeaf && before === undefined) return false;
  const other = /^([^\n]*)\/([0-9]{4})\n/.exec(text.slice(0, 1_000));
  const [, origin = '', otherYear = ''] = other ?? [];
  if (isLeaf || origin !== range.origin || Number(otherYear) >= year)
    return problems.fatal(
      'mismatch',
      file,
      `entry 0 of ${year} is not the last checkpoint of the log before`,
    );
  const key = trusted.logs.get(Number(otherYear));
  if (key === undefined)
    return problems.fatal(
      'incomplete',
      names.keys,
      `the key of the log ${otherYear} is not in it; entry 0 of ${year} names it`,
    );
  const checkpoint = await openCheckpoint(reading, text, key);
  if ('error' in checkpoint)
    return problems.fatal('mismatch', file, `entry 0 of ${year}: ${checkpoint.error}`);
  if (before !== undefined && (checkpoint.size !== before.size || checkpoint.root !== before.root))
    return problems.fatal(
      'mismatch',
      file,
      `entry 0 of ${year} is not the checkpoint that the log ${otherYear} is counted to: that one is not its last`,
    );
  ties.carry(year, Number(otherYear), checkpoint);
  return true;
}
