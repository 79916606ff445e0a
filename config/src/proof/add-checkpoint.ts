/** What a log sends to a witness (c2sp.org/tlog-witness, add-checkpoint): the size that the witness knows, the consistency proof from it, the checkpoint. */
import { parseDecimal } from './bytes.ts';
import { formatHashLines, parseHashLines } from './hash-lines.ts';

export interface AddCheckpoint {
  /** Size of the newest checkpoint that the witness has cosigned; 0 when there is none. */
  readonly oldSize: number;
  /** At most 63. */
  readonly proof: readonly Uint8Array[];
  /** The whole note: text, empty line, signature lines. */
  readonly checkpoint: string;
}

/** Throws RangeError for a proof of over 63 hashes. */
export function formatAddCheckpoint(request: AddCheckpoint): string {
  return formatHashLines([`old ${request.oldSize}`], request.proof, request.checkpoint);
}

/** The opposite of formatAddCheckpoint; checks the form, neither the signatures nor the proof. Never throws. */
export function parseAddCheckpoint(text: string): AddCheckpoint | { error: string } {
  const parts = parseHashLines(text, (line) => line.startsWith('old '));
  if ('error' in parts) return parts;
  const [old = '', ...more] = parts.head;
  const oldSize = parseDecimal(old.slice(4));
  if (oldSize === undefined || more.length > 0)
    return { error: "the first line is not 'old' and a whole number without leading zeros" };
  if (oldSize > parts.size) return { error: 'the old size is over the size of the checkpoint' };
  return { oldSize, proof: parts.proof, checkpoint: parts.checkpoint };
}
