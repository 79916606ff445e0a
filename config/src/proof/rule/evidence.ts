/**
 * What the number is computed from: leaves with their index, and the bodies that they commit to.
 * Reading is total: what does not fit its commitment is left out and named, since evidence can be hostile.
 * The signatures are the caller's part: `key` is the verifier key that the note was opened with.
 */
import { type Batch, type BodyRef, dueMinuteOf, linesOfBody, parseBatchText } from '../batch.ts';
import { howCommitted } from '../body-hash.ts';
import { type Hash, encodeBase64, utf8 } from '../bytes.ts';
import {
  type MaintLeaf,
  type ProbeLeaf,
  parseConfigLeaf,
  parseMaintLeaf,
  parseProbeLeaf,
} from '../leaves.ts';
import { parseLine } from '../line.ts';
import { type RuleConfig, parseProjection } from '../projection.ts';

export interface LoggedLeaf {
  /** Place in the log; until the log is built, in the commit sequence. */
  readonly index: number;
  /** Verifier key of the note's one signature. */
  readonly key: string;
  /** Leaf hash of the note, base64. */
  readonly hash: string;
  /** The note's text. */
  readonly text: string;
}

export interface Evidence {
  readonly leaves: readonly LoggedLeaf[];
  /** Bodies and projections by SHA-256 (base64). One that is missing is silence. */
  readonly bodies: ReadonlyMap<string, string>;
}

interface Placed {
  readonly index: number;
  readonly hash: string;
}

export interface ConfigRecord extends Placed {
  readonly from: number;
  readonly config: RuleConfig;
}

export interface ProbeRecord extends Placed {
  readonly leaf: ProbeLeaf;
}

export interface MaintRecord extends Placed {
  readonly leaf: MaintLeaf;
}

export interface BatchRecord extends Placed {
  readonly key: string;
  readonly text: string;
  readonly batch: Batch;
}

/** The leaves that the rule reads, each list ascending by index. */
export interface Records {
  readonly configs: readonly ConfigRecord[];
  readonly probes: readonly ProbeRecord[];
  readonly maints: readonly MaintRecord[];
  readonly batches: readonly BatchRecord[];
  /** What was left out and why, for people. */
  readonly problems: readonly string[];
}

/** Sorts the leaves by index, each once, and reads those whose header is known; other leaves do not matter here. */
export function readRecords(evidence: Evidence, hash: Hash): Records {
  const configs: ConfigRecord[] = [];
  const probes: ProbeRecord[] = [];
  const maints: MaintRecord[] = [];
  const batches: BatchRecord[] = [];
  const problems: string[] = [];
  const problem = (leaf: LoggedLeaf, error: string): unknown => problems.push(`leaf ${leaf.index}: ${error}`);
  const byIndex = new Map(evidence.leaves.map((leaf) => [leaf.index, leaf]));
  for (const leaf of [...byIndex.values()].sort((a, b) => a.index - b.index)) {
    const { index, key, text } = leaf;
    const placed = { index, hash: leaf.hash };
    switch (text.slice(0, text.indexOf('\n'))) {
      case 'highwater/config/v1': {
        const read = readConfig(text, evidence.bodies, hash);
        if ('error' in read) problem(leaf, read.error);
        else configs.push({ ...placed, ...read });
        break;
      }
      case 'highwater/probe/v1': {
        const read = parseProbeLeaf(text);
        if ('error' in read) problem(leaf, read.error);
        else probes.push({ ...placed, leaf: read });
        break;
      }
      case 'highwater/maint/v1': {
        const read = parseMaintLeaf(text);
        if ('error' in read) problem(leaf, read.error);
        else maints.push({ ...placed, leaf: read });
        break;
      }
      case 'highwater/batch/v1': {
        const read = parseBatchText(text);
        if ('error' in read) problem(leaf, read.error);
        else batches.push({ ...placed, key, text, batch: read });
        break;
      }
    }
  }
  return { configs, probes, maints, batches: firstOfEach(batches), problems };
}

/** A batch that stands in the log twice is one batch, at its lower index. */
function firstOfEach(batches: readonly BatchRecord[]): BatchRecord[] {
  const seen = new Set<string>();
  return batches.filter(({ key, text }) => {
    const id = `${key}\n${text}`;
    return !seen.has(id) && seen.add(id);
  });
}

function readConfig(
  text: string,
  bodies: Evidence['bodies'],
  hash: Hash,
): { from: number; config: RuleConfig } | { error: string } {
  const leaf = parseConfigLeaf(text);
  if ('error' in leaf) return leaf;
  const projection = bodies.get(leaf.hash);
  if (projection === undefined) return { error: 'its projection is missing' };
  const bytes = utf8(projection);
  if (bytes.length !== leaf.bytes || encodeBase64(hash(bytes)) !== leaf.hash) {
    return { error: 'its projection has other bytes than the leaf commits to' };
  }
  const config = parseProjection(projection);
  return 'error' in config ? config : { from: leaf.from, config };
}

/** The lines of one body, or why it is left out whole. With the service's salt a salted one is read too. */
export function readBody(
  ref: BodyRef,
  batch: Batch,
  bodies: Evidence['bodies'],
  hash: Hash,
  salt?: Uint8Array,
): readonly string[] | { error: string } {
  const body = bodies.get(ref.hash);
  if (body === undefined) return { error: `the body of ${ref.service} is missing` };
  const lines = linesOfBody(body);
  if (lines?.length !== ref.lines || howCommitted(ref, utf8(body), salt, hash) === undefined)
    return { error: `the body of ${ref.service} has other bytes than the batch commits to` };
  const alien = lines.find((line) => !belongs(line, ref.service, batch.minutes));
  if (alien !== undefined)
    return { error: `the body of ${ref.service} has a line that does not belong in it` };
  return lines;
}

function belongs(line: string, service: string, minutes: Batch['minutes']): boolean {
  if (!line.startsWith(`${service}/`) || 'error' in parseLine(line)) return false;
  const minute = dueMinuteOf(line);
  return minutes.first <= minute && minute <= minutes.last;
}
