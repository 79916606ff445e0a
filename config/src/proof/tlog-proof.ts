/**
 * A proof that anybody can check without asking anybody (c2sp.org/tlog-proof): the entry's index, its inclusion
 * proof, and the signed checkpoint with its cosignatures. The entry itself is not in it.
 */
import { decodeBase64, encodeBase64, parseDecimal } from './bytes.ts';
import { formatHashLines, parseHashLines } from './hash-lines.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';

export interface TlogProof {
  /** Opaque, not signed, never to be trusted; not empty. */
  readonly extra?: Uint8Array;
  readonly index: number;
  /** From the leaf's sibling upwards; at most 63. */
  readonly proof: readonly Uint8Array[];
  /** The whole note: text, empty line, signature lines. */
  readonly checkpoint: string;
}

/** Throws RangeError for a proof of over 63 hashes. */
export function formatTlogProof(p: TlogProof): string {
  const extra = p.extra ? [`extra ${encodeBase64(p.extra)}`] : [];
  return formatHashLines([HEADER, ...extra, `index ${p.index}`], p.proof, p.checkpoint);
}

/** The opposite of formatTlogProof; checks the form, neither the signatures nor the proof. Never throws. */
export function parseTlogProof(text: string): TlogProof | { error: string } {
  const parts = parseHashLines(
    text,
    (line) => line === HEADER || line.startsWith('extra ') || line.startsWith('index '),
  );
  if ('error' in parts) return parts;
  const [header, ...fields] = parts.head;
  if (header !== HEADER) return { error: `the first line is not ${HEADER}` };
  const [extraLine, indexLine = ''] = fields.length === 2 ? fields : [undefined, ...fields];
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice(6)) : undefined;
  if (fields.length > 2 || index === undefined)
    return { error: 'there is not one line of extra data at most, then one of the index' };
  if (index >= parts.size) return { error: 'the index is not in a tree of the size of the checkpoint' };
  const proof = { index, proof: parts.proof, checkpoint: parts.checkpoint };
  if (extraLine === undefined) return proof;
  const extra = extraLine.startsWith('extra ') ? decodeBase64(extraLine.slice(6)) : undefined;
  return extra && extra.length > 0 ? { extra, ...proof } : { error: 'the extra data is not base64' };
}
