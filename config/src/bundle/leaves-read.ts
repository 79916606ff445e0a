/** The leaves that are signed by the operator: what the rule reads of them, and what the report tells of them. */
import { type ActionLeaf, parseActionLeaf } from '../proof/action-leaf.ts';
import { type AnnotationLeaf, parseAnnotationLeaf } from '../proof/annotation-leaf.ts';
import type { Hash } from '../proof/bytes.ts';
import {
  type ConfigLeaf,
  type MaintLeaf,
  type ProbeLeaf,
  parseConfigLeaf,
  parseMaintLeaf,
  parseProbeLeaf,
} from '../proof/leaves.ts';
import { parseVerifierKey } from '../proof/note.ts';
import { type ReportLeaf, parseReportLeaf } from '../proof/report-leaf.ts';
import type { ProbeKey } from './chains.ts';
import type { Problems } from './problems.ts';

/** Where a leaf stands, and how to speak of it. */
export interface LeafPlace {
  /** Among all logs (orderOf). */
  readonly index: number;
  readonly file: string;
  /** `entry 17` */
  readonly name: string;
  /** Base64. */
  readonly hash: string;
  /** Not one of the earlier leaves. */
  readonly isInPart: boolean;
}

export type Placed<T> = LeafPlace & { readonly leaf: T };

export class OperatorLeaves {
  readonly configs: Placed<ConfigLeaf>[] = [];
  readonly probes: Placed<ProbeLeaf>[] = [];
  readonly maints: Placed<MaintLeaf>[] = [];
  readonly actions: Placed<ActionLeaf>[] = [];
  readonly annotations: Placed<AnnotationLeaf>[] = [];
  readonly reports: Placed<ReportLeaf>[] = [];
  readonly #keys = new Map<string, ProbeKey>();
  readonly #origin: string;
  readonly #hash: Hash;
  readonly #problems: Problems;

  constructor(origin: string, hash: Hash, problems: Problems) {
    this.#origin = origin;
    this.#hash = hash;
    this.#problems = problems;
  }

  /** The key with this name and id that was enrolled so far. */
  keyOf(name: string, keyId: string): ProbeKey | undefined {
    return this.#keys.get(`${name} ${keyId}`);
  }

  take(text: string, place: LeafPlace): void {
    const error = this.#read(text, place);
    if (error !== undefined) this.#problems.mismatch(place.file, `${place.name}: ${error}`);
  }

  /** What is wrong with it, if anything. */
  #read(text: string, place: LeafPlace): string | undefined {
    switch (text.slice(0, text.indexOf('\n'))) {
      case 'highwater/config/v1':
        return this.#add(this.configs, parseConfigLeaf(text), place);
      case 'highwater/probe/v1': {
        const leaf = parseProbeLeaf(text);
        return 'error' in leaf ? leaf.error : (this.#add(this.probes, leaf, place) ?? this.#enrol(leaf));
      }
      case 'highwater/maint/v1':
        return this.#add(this.maints, parseMaintLeaf(text), place);
      case 'highwater/action/v1':
        return this.#add(this.actions, parseActionLeaf(text), place);
      case 'highwater/annot/v1':
        return this.#add(this.annotations, parseAnnotationLeaf(text), place);
      case 'highwater/report/v1':
        return this.#add(this.reports, parseReportLeaf(text), place);
      default:
        this.#problems.incomplete(
          place.file,
          `${place.name} is of a kind that is not known here; a newer program may know it`,
        );
        return undefined;
    }
  }

  #add<T extends { readonly origin: string }>(
    list: Placed<T>[],
    leaf: T | { error: string },
    place: LeafPlace,
  ): string | undefined {
    if ('error' in leaf) return leaf.error;
    if (leaf.origin !== this.#origin) return `it is of another log, ${leaf.origin}`;
    list.push({ ...place, leaf });
    return undefined;
  }

  #enrol({ act, key: vkey }: ProbeLeaf): string | undefined {
    const key = parseVerifierKey(vkey, this.#hash);
    if ('error' in key) return `its key: ${key.error}`;
    const id = `${key.name} ${key.keyId}`;
    const known = this.#keys.get(id);
    if (known !== undefined && known.vkey !== vkey) return 'its key has the name and the id of another one';
    if (act === 'enrol') this.#keys.set(id, { vkey, key });
    return undefined;
  }
}
