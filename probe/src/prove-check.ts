/**
 * Whether what a collector says of its log fits what this probe has seen of it, and which leaves it proves. Pure: the
 * answer has its form already (wire.ts), everything else about it is hostile. The rule is that of RFC 9162 section
 * 2.1: a leaf is proven by a path to the root of a checkpoint, which was shown to continue the one seen last.
 */
import { openCheckpoint, parseVerifier, sha256, type Verifier } from '@highwater/config/keys.ts';
import { decodeBase64, decodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import { formatNote } from '@highwater/config/proof/note.ts';
import { verifyConsistency, verifyInclusion } from '@highwater/config/proof/tree.ts';
import type { LogProofs } from '@highwater/config/wire.ts';

/** A checkpoint that the log's key signed. */
export interface SeenCheckpoint {
  readonly year: number;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** With the signature of the log's key alone. */
  readonly note: string;
}

export interface Question {
  /** Leaf hashes, hex. */
  readonly leaves: ReadonlySet<string>;
  /** The newest checkpoint that was found consistent. */
  readonly seen: SeenCheckpoint | undefined;
  /** Origin of the log without the year. */
  readonly origin: string;
  /** Verifier keys of the logs, as the operator signed them. */
  readonly logKeys: readonly string[];
}

/**
 * `key`: signed by another key than the operator names; `shrank`, `forked`: not a continuation of what was seen;
 * `year`: a log does not begin with the end of the one before; `proof`: a leaf is not where it is said to be;
 * `form`: no answer to the question, which says nothing of the log.
 */
export interface Wrong {
  readonly kind: 'key' | 'shrank' | 'forked' | 'year' | 'proof' | 'form';
  readonly because: string;
}

export type Checked =
  | {
      readonly proven: ReadonlySet<string>;
      /** The newest one; undefined as long as there is none, or no key for it. */
      readonly checkpoint: SeenCheckpoint | undefined;
    }
  | { readonly wrong: Wrong };

type Log = LogProofs['logs'][number];

/** Ends the check. */
class Found extends Error {
  readonly wrong: Wrong;

  constructor(found: Wrong) {
    super(found.because);
    this.wrong = found;
  }
}

/** Never throws. */
export function checkProofs(answer: LogProofs, question: Question): Checked {
  try {
    const logs = walk(answer.logs, question);
    demandContinued(logs, question);
    const proven = provenLeaves(answer, logs, question);
    return { proven, checkpoint: [...logs.values()].at(-1) };
  } catch (thrown) {
    if (thrown instanceof Found) return { wrong: thrown.wrong };
    throw thrown;
  }
}

/** The checkpoints of the answer by year, each linked to the one before, as far as there are keys for them. */
function walk(given: readonly Log[], question: Question): Map<number, SeenCheckpoint> {
  const { seen } = question;
  if (seen) demandSameKey(seen, question);
  const logs = new Map<number, SeenCheckpoint>();
  let before: SeenCheckpoint | undefined;
  for (const log of given) {
    if (before && log.year <= before.year) wrong('form', 'the logs are not in the order of their years');
    const verifier = verifierOf(log.year, question);
    // The year is new, and the assignment with its key is still under way.
    if (!verifier) break;
    const checkpoint = opened(log.checkpoint, log.year, verifier);
    if (before) demandLink(log, checkpoint, before, question);
    if (seen?.year === log.year) demandConsistent(log, checkpoint, seen, verifier.name);
    logs.set(log.year, checkpoint);
    before = checkpoint;
  }
  return logs;
}

/** The operator may not name another key for a year whose log was seen already. */
function demandSameKey(seen: SeenCheckpoint, question: Question): void {
  const name = nameOf(seen.year, question);
  const verifier = verifierOf(seen.year, question);
  if (!verifier) wrong('key', `the assignment names no key for ${name}, whose log this probe has seen`);
  if ('error' in openCheckpoint(seen.note, verifier)) {
    wrong('key', `the assignment names another key for ${name} than the one that signed what this probe saw`);
  }
}

function verifierOf(year: number, question: Question): Verifier | undefined {
  const name = nameOf(year, question);
  const [vkey, ...more] = new Set(question.logKeys.filter((each) => each.startsWith(`${name}+`)));
  if (more.length > 0) wrong('key', `the assignment names several keys for ${name}`);
  if (vkey === undefined) return undefined;
  try {
    return parseVerifier(vkey);
  } catch {
    return wrong('key', `the assignment's key for ${name} is none`);
  }
}

function opened(note: string, year: number, verifier: Verifier): SeenCheckpoint {
  const open = openCheckpoint(note, verifier);
  if ('error' in open) return wrong(open.code === 'malformed' ? 'form' : 'key', open.error);
  const { size, root } = open.checkpoint;
  if (size === 0) wrong('form', 'a checkpoint of an empty log');
  const own = open.note.signatures.filter(
    ({ name, keyId }) => name === verifier.name && keyId === verifier.keyId,
  );
  return { year, size, root, note: formatNote({ text: open.text, signatures: own.slice(0, 1) }) };
}

/** Entry 0 of a log is the last checkpoint of the log before. */
function demandLink(
  { carried }: Log,
  checkpoint: SeenCheckpoint,
  before: SeenCheckpoint,
  question: Question,
): void {
  const [name, last] = [nameOf(checkpoint.year, question), nameOf(before.year, question)];
  const verifier = verifierOf(before.year, question);
  if (!carried || !verifier) return wrong('year', `${name} is not linked to ${last}`);
  const end = openCheckpoint(carried.note, verifier);
  if ('error' in end)
    return wrong('year', `what ${name} begins with is no checkpoint of ${last}: ${end.error}`);
  if (end.checkpoint.size !== before.size || end.checkpoint.root !== before.root) {
    wrong('year', `${name} begins with another checkpoint than the last one of ${last}`);
  }
  const claim = {
    index: 0,
    size: checkpoint.size,
    leaf: leafHash(utf8(carried.note), sha256),
    root: hashOf(checkpoint.root),
    proof: carried.inclusion.map(hashOf),
  };
  if (!verifyInclusion(claim, sha256)) wrong('year', `${name} does not begin with a checkpoint of ${last}`);
}

function demandConsistent(log: Log, checkpoint: SeenCheckpoint, seen: SeenCheckpoint, name: string): void {
  if (checkpoint.size < seen.size) {
    wrong('shrank', `the log ${name} has ${checkpoint.size} entries; this probe has seen ${seen.size}`);
  }
  if (checkpoint.size === seen.size && checkpoint.root !== seen.root) {
    wrong('forked', `the log ${name} has two different histories of ${seen.size} entries`);
  }
  const claim = {
    oldSize: seen.size,
    newSize: checkpoint.size,
    oldRoot: hashOf(seen.root),
    newRoot: hashOf(checkpoint.root),
    proof: log.consistency.map(hashOf),
  };
  if (!verifyConsistency(claim, sha256)) {
    wrong(
      'forked',
      `the log ${name} of ${checkpoint.size} entries does not continue the ${seen.size} that this probe has seen`,
    );
  }
}

/** The log that was seen must be among them, or what was seen could be left behind. */
function demandContinued(logs: ReadonlyMap<number, SeenCheckpoint>, question: Question): void {
  const { seen } = question;
  if (!seen || logs.has(seen.year)) return;
  const name = nameOf(seen.year, question);
  const newest = [...logs.keys()].at(-1) ?? -Infinity;
  if (newest < seen.year)
    wrong('shrank', `the log ${name} is gone; this probe has seen ${seen.size} entries of it`);
  wrong('year', `nothing leads from ${name}, which this probe has seen, to a later log`);
}

function provenLeaves(
  answer: LogProofs,
  logs: ReadonlyMap<number, SeenCheckpoint>,
  { leaves }: Question,
): Set<string> {
  const proven = new Set<string>();
  for (const { leaf, year, index, inclusion } of answer.leaves) {
    if (!leaves.has(leaf) || proven.has(leaf) || answer.unknown.includes(leaf)) {
      wrong('form', 'a proof that was not asked for');
    }
    const checkpoint = logs.get(year);
    if (!checkpoint) continue;
    const { size, root } = checkpoint;
    const claim = {
      index,
      size,
      leaf: decodeHex(leaf) ?? new Uint8Array(),
      root: hashOf(root),
      proof: inclusion.map(hashOf),
    };
    if (!verifyInclusion(claim, sha256)) {
      wrong('proof', `the proof that a batch is entry ${index} of the log of ${year} does not hold`);
    }
    proven.add(leaf);
  }
  return proven;
}

function nameOf(year: number, { origin }: Question): string {
  return `${origin}/${year}`;
}

function hashOf(base64: string): Uint8Array {
  return decodeBase64(base64) ?? wrong('form', 'a hash is not base64');
}

function wrong(kind: Wrong['kind'], because: string): never {
  throw new Found({ kind, because });
}
