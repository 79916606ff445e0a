/**
 * The words of a maintenance as a remark beside its leaf: one line, title first, the lines of the body behind it. They
 * are the commit directly after the leaf, so that a store that was lost gets them back from the published log.
 */
import { MAX_ANNOTATION_CHARS, parseAnnotationLeaf } from '@highwater/config/proof/annotation-leaf.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { isProse } from '@highwater/config/proof/text.ts';
import type { Refusal } from '../decide/maintenance.ts';
import type { CommitRow } from '../store/store.ts';

export interface Words {
  readonly title: string;
  /** Several lines. */
  readonly body?: string;
}

const LINE_END = ' ¶ ';

/** The text of the remark, or why it can't be one. */
export function wordsText({ title, body }: Words): string | Refusal {
  const text = [title, ...(body === undefined ? [] : body.split('\n'))].join(LINE_END);
  if (text.length > MAX_ANNOTATION_CHARS) {
    const error = `title and body have ${text.length} characters in the log, and a remark at most ${MAX_ANNOTATION_CHARS}`;
    return { error, remedy: 'make the body shorter; each line end counts three' };
  }
  if (isProse(text, MAX_ANNOTATION_CHARS)) return text;
  const error = 'title or body: a character in it controls, turns the direction of reading or is not seen';
  return { error, remedy: 'write visible characters' };
}

/**
 * The words beside a leaf; undefined where it has none.
 *
 * @param leaf leaf hash of the maintenance, base64
 * @param next the commit directly after it
 */
export function wordsBeside(leaf: string, next: CommitRow | undefined): Words | undefined {
  if (next?.kind !== 'annot') return undefined;
  const parsed = parseNote(next.note);
  const remark = 'error' in parsed ? parsed : parseAnnotationLeaf(parsed.text);
  if ('error' in remark || remark.of !== leaf) return undefined;
  const [title = '', ...lines] = remark.text.split(LINE_END);
  return { title, ...(lines.length === 0 ? {} : { body: lines.join('\n') }) };
}
