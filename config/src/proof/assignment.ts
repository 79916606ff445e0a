/** The assignment: what a probe is to do, as a note of the operator that commits to a JSON body. */
import { type Hash, encodeBase64, utf8 } from './bytes.ts';
import { readText, takeHash, takeId, takeNumber, takeOrigin } from './text.ts';

const HEADER = 'highwater/assignment/v1';

export interface AssignmentNote {
  /** Origin of the log without the year. */
  readonly origin: string;
  readonly probe: string;
  /** Counts up; a probe never goes back. */
  readonly number: number;
  /** Leaf hash of the configuration, base64. */
  readonly config: string;
  /** SHA-256 of the body's UTF-8 bytes, base64. */
  readonly bodyHash: string;
}

export function formatAssignmentText(a: AssignmentNote): string {
  return `${HEADER}\nlog ${a.origin}\nprobe ${a.probe}\nnumber ${a.number}\nconfig ${a.config}\nbody ${a.bodyHash}\n`;
}

export function parseAssignmentText(text: string): AssignmentNote | { error: string } {
  return readText<AssignmentNote>(
    text,
    HEADER,
    (lines) => ({
      origin: takeOrigin(lines),
      probe: takeId(lines, 'probe'),
      number: takeNumber(lines, 'number'),
      config: takeHash(lines, 'config'),
      bodyHash: takeHash(lines, 'body'),
    }),
    formatAssignmentText,
  );
}

/** What `bodyHash` must be for a body. */
export function bodyHashOf(body: string, hash: Hash): string {
  return encodeBase64(hash(utf8(body)));
}
