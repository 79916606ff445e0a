/**
 * The text of a checkpoint (c2sp.org/tlog-checkpoint): three lines, without the extension lines that the format
 * allows and advises against: what nobody can audit is not signed here. keys.ts opens the signed note.
 */
import { isHashText, parseDecimal } from './bytes.ts';
import { isKeyName } from './note.ts';

export interface Checkpoint {
  /** `ORIGIN/YEAR` for the logs of this program. */
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

export function formatCheckpointText(c: Checkpoint): string {
  return `${c.origin}\n${c.size}\n${c.root}\n`;
}

/** The opposite of formatCheckpointText; one spelling for each checkpoint. Never throws. */
export function parseCheckpointText(text: string): Checkpoint | { error: string } {
  const [origin = '', sizeText = '', root = '', ...rest] = text.split('\n');
  if (rest.length !== 1 || rest[0] !== '')
    return { error: 'the checkpoint does not have exactly three lines, each ending in a line feed' };
  if (!isKeyName(origin))
    return { error: "the checkpoint's origin is not a name without spaces and plus signs" };
  const size = parseDecimal(sizeText);
  if (size === undefined)
    return { error: "the checkpoint's size is not a whole number up to 2^53 - 1 without leading zeros" };
  if (!isHashText(root)) return { error: "the checkpoint's root is not the base64 of 32 bytes" };
  return { origin, size, root };
}
