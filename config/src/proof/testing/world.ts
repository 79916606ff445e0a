/**
 * A small world to make evidence in: what the vectors and the property tests are written with, and what any other
 * implementation of the rule can be fed from. Keys are names and nothing is signed: the rule never looks at a signature.
 */
import { MINUTE_MS } from '../../time.ts';
import { type Batch, bodiesOf, bodyRefs, formatBatchText, minutesOf } from '../batch.ts';
import { type Hash, encodeBase64, utf8 } from '../bytes.ts';
import { nextDueAt, phaseMs } from '../due.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '../leaf-hash.ts';
import { formatConfigLeaf, formatMaintLeaf, formatProbeLeaf } from '../leaves.ts';
import { formatVerifierKey } from '../note.ts';
import { type RuleConfig, formatProjection } from '../projection.ts';
import type { Evidence, LoggedLeaf } from '../rule/evidence.ts';

export const WORLD_ORIGIN = 'status.example.com/log';
export const WORLD_SEED = '00112233445566778899aabbccddeeff';

/** `eu-1` is a probe's first key, `eu-1#2` its second: same name, other bytes. */
export function worldKey(probe: string, hash: Hash): string {
  return formatVerifierKey(probeIdOf(probe), hash(utf8(`highwater vector key ${probe}`)), hash);
}

export function probeIdOf(probe: string): string {
  return probe.split('#')[0] ?? probe;
}

export interface BatchOptions {
  readonly epoch?: number;
  readonly number?: number;
  /** Leaf hash of the configuration that the probe ran. */
  readonly config: string;
  readonly clockBoundMs?: number;
  /** For an empty batch: the minute it closes. */
  readonly minute?: number;
}

/** Writes leaves with rising index. */
export interface World {
  config(config: RuleConfig, from: number): string;
  enrol(probe: string, region: string, from: number, act?: 'enrol' | 'revoke'): void;
  maintain(subjects: readonly string[], from: number, last: number): string;
  cancel(leaf: string, from: number): void;
  /** A batch of lines of one UTC day; returns its number. */
  batch(probe: string, lines: readonly string[], options: BatchOptions): number;
  evidence(): Evidence;
}

export function newWorld(hash: Hash): World {
  const leaves: LoggedLeaf[] = [];
  const bodies = new Map<string, string>();
  const numbers = new Map<string, number>();
  const keep = (text: string): string => {
    const id = encodeBase64(hash(utf8(text)));
    bodies.set(id, text);
    return id;
  };
  const log = (key: string, text: string): string => {
    const leaf = { index: leaves.length, key, hash: leafHashOfNote(text, hash), text };
    leaves.push(leaf);
    return leaf.hash;
  };
  const operator = worldKey('operator', hash);
  const origin = WORLD_ORIGIN;
  return {
    config(config, from) {
      const text = formatProjection(config);
      return log(operator, formatConfigLeaf({ origin, from, bytes: utf8(text).length, hash: keep(text) }));
    },
    enrol(probe, region, from, act = 'enrol') {
      const leaf = {
        origin,
        act,
        from,
        probe: probeIdOf(probe),
        region,
        key: worldKey(probe, hash),
        operator: 'Example',
      };
      log(operator, formatProbeLeaf(leaf));
    },
    maintain(subjects, from, last) {
      const sorted = [...subjects].sort();
      return log(operator, formatMaintLeaf({ act: 'declare', origin, from, last, subjects: sorted }));
    },
    cancel(leaf, from) {
      log(operator, formatMaintLeaf({ act: 'cancel', origin, from, leaf }));
    },
    batch(probe, lines, options) {
      const { epoch = 1, config, clockBoundMs = 5, minute = 0 } = options;
      const key = worldKey(probe, hash);
      const number = options.number ?? numbers.get(`${key} ${epoch}`) ?? 0;
      numbers.set(`${key} ${epoch}`, number + 1);
      const made = bodiesOf(lines);
      for (const body of made.values()) keep(body);
      const batch: Batch = {
        origin,
        probe: probeIdOf(probe),
        epoch,
        number,
        prev: ZERO_HASH,
        minutes: minutesOf(lines) ?? { first: minute, last: minute },
        config,
        clock: { boundMs: clockBoundMs, ageS: 0 },
        tip: { size: 0, root: encodeBase64(emptyRoot(hash)) },
        gaps: [],
        bodies: bodyRefs(made, hash),
      };
      log(key, formatBatchText(batch));
      return number;
    },
    evidence: () => ({ leaves: [...leaves], bodies: new Map(bodies) }),
  };
}

/** All due times in the minutes `first` to `last`, both inclusive. */
export function dueTimes(
  seed: string,
  monitor: string,
  probe: string,
  intervalMs: number,
  minutes: { readonly first: number; readonly last: number },
  hash: Hash,
): number[] {
  const phase = phaseMs(seed, monitor, probe, intervalMs, hash);
  const times: number[] = [];
  let at = nextDueAt(minutes.first * MINUTE_MS - 1, phase, intervalMs);
  // -1 has a negative remainder; the first due time of all is the phase itself.
  if (minutes.first === 0) at = phase;
  for (; at < (minutes.last + 1) * MINUTE_MS; at += intervalMs) times.push(at);
  return times;
}
