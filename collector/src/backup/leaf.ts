/** An entry of the log -> the commit that it was, its signature verified. */
import { openNote, parseVerifier, sha256, type Verifier } from '@highwater/config/keys.ts';
import { type Batch, parseBatchText } from '@highwater/config/proof/batch.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import {
  type ConfigLeaf,
  parseConfigLeaf,
  parseProbeLeaf,
  type ProbeLeaf,
} from '@highwater/config/proof/leaves.ts';
import { MINUTE_MS, type Instant } from '@highwater/config/time.ts';
import type { CommitKind, NewCommit } from '../store/store.ts';

export interface Leaf {
  /** Without `at` and without the body of a configuration. */
  readonly commit: Omit<NewCommit, 'at'>;
  /** About when it was committed, from what it says; undefined where it says nothing of it. */
  readonly about: Instant | undefined;
  readonly batch?: Batch;
  readonly config?: ConfigLeaf;
  readonly probe?: ProbeLeaf;
}

const kinds: readonly CommitKind[] = ['batch', 'config', 'probe', 'maint', 'action', 'annot', 'report'];
const TYPE = /^highwater\/([a-z]+)\/v1\n/;

/** Who may have signed: the operator, and every probe's key that was enrolled before. */
export class Signers {
  readonly #operator: Verifier;
  readonly #probes = new Map<string, Verifier>();

  constructor(operator: Verifier) {
    this.#operator = operator;
  }

  enrol({ act, key }: ProbeLeaf): void {
    // One that was revoked stays: what it signed after that is a leaf too, and counts for nothing.
    if (act === 'enrol') this.#probes.set(key, parseVerifier(key));
  }

  /** What a note is, or what is wrong with it. */
  read(note: string): Leaf | { error: string } {
    const kind = kinds.find((each) => each === TYPE.exec(note)?.[1]);
    if (kind === undefined) return { error: 'it is of no type that this version knows' };
    const opened = openNote(note, kind === 'batch' ? [...this.#probes.values()] : [this.#operator]);
    if ('error' in opened) return { error: opened.error };
    const hash = leafHashOfNote(note, sha256);
    if (kind === 'batch') {
      const batch = parseBatchText(opened.text);
      if ('error' in batch) return batch;
      const { probe, epoch, number, minutes } = batch;
      if (probe !== opened.verifier.name)
        return { error: `it is of ${probe}, signed by ${opened.verifier.name}` };
      const about = (minutes.last + 1) * MINUTE_MS;
      return { commit: { kind, note, hash, batch: { probe, epoch, number, minutes } }, about, batch };
    }
    if (kind === 'config') {
      const config = parseConfigLeaf(opened.text);
      if ('error' in config) return config;
      return { commit: { kind, note, hash }, about: (config.from - 1) * MINUTE_MS, config };
    }
    if (kind === 'probe') {
      const probe = parseProbeLeaf(opened.text);
      if ('error' in probe) return probe;
      return { commit: { kind, note, hash }, about: (probe.from - 1) * MINUTE_MS, probe };
    }
    return { commit: { kind, note, hash }, about: undefined };
  }
}
