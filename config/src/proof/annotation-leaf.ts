/** The leaf of a remark about another leaf: it adds words and changes nothing. */
import type { Instant } from '../time.ts';
import { MAX_INSTANT } from './bytes.ts';
import { readText, takeHash, takeNumber, takeOrigin, takeProse } from './text.ts';

const HEADER = 'highwater/annot/v1';
export const MAX_ANNOTATION_CHARS = 2_000;

export interface AnnotationLeaf {
  /** Origin of the log without the year. */
  readonly origin: string;
  /** Leaf hash of what is remarked on, base64. */
  readonly of: string;
  readonly at: Instant;
  /** One line for people; stands as it is, nothing in it is encoded. */
  readonly text: string;
}

export function formatAnnotationLeaf(a: AnnotationLeaf): string {
  return `${HEADER}\nlog ${a.origin}\nof ${a.of}\nat ${a.at}\ntext ${a.text}\n`;
}

export function parseAnnotationLeaf(text: string): AnnotationLeaf | { error: string } {
  return readText<AnnotationLeaf>(
    text,
    HEADER,
    (lines) => ({
      origin: takeOrigin(lines),
      of: takeHash(lines, 'of'),
      at: takeNumber(lines, 'at', MAX_INSTANT),
      text: takeProse(lines, 'text', MAX_ANNOTATION_CHARS),
    }),
    formatAnnotationLeaf,
  );
}
