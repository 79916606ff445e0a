/** What tlog-proof and add-checkpoint share: head lines, hashes one a line, an empty line, a signed checkpoint. */
import { decodeBase64, encodeBase64, isHashText } from './bytes.ts';
import { parseCheckpointText } from './checkpoint.ts';
import { MAX_NOTE_CHARS, parseNote } from './note.ts';

/** Hashes in one proof at most: the bound of add-checkpoint, above the path of any tree of up to 2^63 entries. */
export const MAX_PROOF_HASHES = 63;

export interface HashLines {
  /** What stands before the hashes. */
  readonly head: readonly string[];
  readonly proof: readonly Uint8Array[];
  /** The whole note: text, empty line, signature lines. */
  readonly checkpoint: string;
  /** As the note says, unverified. */
  readonly size: number;
}

export function formatHashLines(
  head: readonly string[],
  proof: readonly Uint8Array[],
  checkpoint: string,
): string {
  if (proof.length > MAX_PROOF_HASHES) throw new RangeError(`a proof has at most ${MAX_PROOF_HASHES} hashes`);
  return [...head, ...proof.map(encodeBase64), '', checkpoint].join('\n');
}

/** Splits such a text; `isHead` says which of its first lines come before the hashes. Checks form, no signature. */
export function parseHashLines(
  text: string,
  isHead: (line: string) => boolean,
): HashLines | { error: string } {
  if (text.length > MAX_NOTE_CHARS) return { error: `the text has over ${MAX_NOTE_CHARS} characters` };
  // The first empty line: one stands inside the checkpoint too, before its signatures.
  const split = text.indexOf('\n\n');
  if (split < 0) return { error: 'there is no empty line before the checkpoint' };
  const lines = text.slice(0, split).split('\n');
  const headLines = lines.findIndex((line) => !isHead(line));
  const head = headLines < 0 ? lines : lines.slice(0, headLines);
  const hashes = lines.slice(head.length);
  if (hashes.length > MAX_PROOF_HASHES) return { error: `the proof has over ${MAX_PROOF_HASHES} hashes` };
  const proof: Uint8Array[] = [];
  for (const [i, line] of hashes.entries()) {
    const bytes = isHashText(line) ? decodeBase64(line) : undefined;
    if (!bytes) return { error: `line ${head.length + i + 1} is not the base64 of 32 bytes` };
    proof.push(bytes);
  }
  const checkpoint = text.slice(split + 2);
  const note = parseNote(checkpoint);
  if ('error' in note) return { error: `the checkpoint: ${note.error}` };
  const parsed = parseCheckpointText(note.text);
  if ('error' in parsed) return parsed;
  return { head, proof, checkpoint, size: parsed.size };
}
