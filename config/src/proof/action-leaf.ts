/** The leaf of something that an operator or the program did: acknowledged, applied a configuration, moved, froze. */
import type { Instant } from '../time.ts';
import { MAX_INSTANT } from './bytes.ts';
import { type TextReader, hashField, readText, takeId, takeNumber, takeOrigin, takeProse } from './text.ts';

const HEADER = 'highwater/action/v1';
/** Leaf hashes that one action names. */
export const MAX_ACTION_EVIDENCE = 64;
export const MAX_ACTION_NOTE_CHARS = 500;
export const MAX_ACTION_SUBJECT_CHARS = 256;

export interface ActionLeaf {
  /** Origin of the log without the year. */
  readonly origin: string;
  /** Who did it: a person with the operator's rights, or the program by itself. */
  readonly by: 'operator' | 'highwater';
  /** What was done, an id: `acknowledge`, `config-apply`, `move`, `freeze`. */
  readonly what: string;
  /** To what: one word of printable ASCII, as `rpc/eu` or an incident's id. */
  readonly subject: string;
  readonly at: Instant;
  /** Leaf hashes, base64, each once: why, in the order of the one who says it. */
  readonly evidence: readonly string[];
  /** One line for people. */
  readonly note?: string;
}

export function formatActionLeaf(a: ActionLeaf): string {
  const head = `${HEADER}\nlog ${a.origin}\nby ${a.by}\nwhat ${a.what}\nsubject ${a.subject}\nat ${a.at}\n`;
  const evidence = a.evidence.map((leaf) => `evidence ${leaf}\n`).join('');
  return head + evidence + (a.note === undefined ? '' : `note ${a.note}\n`);
}

export function parseActionLeaf(text: string): ActionLeaf | { error: string } {
  return readText<ActionLeaf>(text, HEADER, readAction, formatActionLeaf);
}

function readAction(lines: TextReader): ActionLeaf {
  const origin = takeOrigin(lines);
  const [who] = lines.take('by', 1);
  if (who !== 'operator' && who !== 'highwater') return lines.fail('by: neither operator nor highwater');
  const what = takeId(lines, 'what');
  const [subject = ''] = lines.take('subject', 1);
  if (subject.length > MAX_ACTION_SUBJECT_CHARS || !/^[\x21-\x7e]+$/.test(subject))
    lines.fail(`subject: not one word of 1 to ${MAX_ACTION_SUBJECT_CHARS} printable ASCII characters`);
  const at = takeNumber(lines, 'at', MAX_INSTANT);
  const evidence: string[] = [];
  while (lines.at('evidence')) {
    const [leaf] = lines.take('evidence', 1);
    if (evidence.length === MAX_ACTION_EVIDENCE) lines.fail(`evidence: over ${MAX_ACTION_EVIDENCE} leaves`);
    if (evidence.includes(hashField(lines, 'evidence', leaf))) lines.fail('evidence: a leaf twice');
    evidence.push(leaf ?? '');
  }
  const action: ActionLeaf = { origin, by: who, what, subject, at, evidence };
  return lines.at('note') ? { ...action, note: takeProse(lines, 'note', MAX_ACTION_NOTE_CHARS) } : action;
}
