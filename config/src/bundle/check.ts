/** What checking a bundle tells: to whoever made it, to the terminal and to the browser. */
import type { Counted } from '../report/counted.ts';
import type { Logged } from '../report/logged.ts';
import type { Range } from './range.ts';

/**
 * `mismatch`: something is not what it was signed to be, or a figure is not what the evidence gives. `incomplete`: something
 * that it takes to say so is not here, or too few witnesses have signed.
 */
export interface Problem {
  readonly kind: 'mismatch' | 'incomplete';
  /** In which file; the report's path of a figure follows in `says`. */
  readonly file: string;
  readonly says: string;
}

/** What a reader should know, and what is no problem of the report: that a probe contradicts itself. */
export type Remark = Omit<Problem, 'kind'>;

/** More of one kind are counted and not told. */
export const MAX_PROBLEMS = 50;

export interface Progress {
  readonly phase: 'log' | 'bodies' | 'report';
  /** Of all that is known to be read, bytes. */
  readonly done: number;
  readonly all: number;
  /** What is being read, for people: `entries 51,200 of 216,000`, `2026-10-17`. */
  readonly of: string;
}

/** What stands behind the figures, for people who decide whom to believe. */
export interface Trust {
  /** Verifier key of the operator that signed configurations and the report. */
  readonly operatorKey: string;
  /** Whether the keys were given by the reader, or are those that the bundle names. */
  readonly keysFrom: 'reader' | 'bundle';
  readonly policyFrom: 'reader' | 'bundle';
  /** Of the last log: names of the policy's witnesses whose cosignature of the end is good, of how many, and who is asked for. */
  readonly witnesses: { readonly signed: readonly string[]; readonly all: number; readonly quorum: string };
  /** Probes that spoke in the month; those that are run by others than the operator. */
  readonly probes: { readonly byOthers: number; readonly all: number };
  /** Anchors that were given and agree. */
  readonly anchors: readonly string[];
}

/** How much was looked at. */
export interface Amount {
  readonly entries: number;
  /** Entries of the first log before the part that is here: they were not looked at, but for those that are in the bundle. */
  readonly before: number;
  readonly batches: number;
  readonly signatures: number;
  readonly bodies: number;
  readonly lines: number;
  readonly bytes: number;
}

export interface Evidence {
  readonly range: Range;
  /** Of all services of the report, or of one. */
  readonly counted: Counted;
  readonly logged: Logged;
  readonly trust: Trust;
  readonly amount: Amount;
  /** Empty: everything agrees. */
  readonly problems: readonly Problem[];
  readonly remarks: readonly Remark[];
}

export interface EvidenceOptions {
  /** This service alone, with what decides whether its chain stands still. */
  readonly service?: string;
  /** Verifier key of the operator, in place of the bundle's word. */
  readonly operatorKey?: string;
  /** Text of a policy, in place of the bundle's. */
  readonly policy?: string;
  /** Checkpoints that are known from elsewhere: `ORIGIN/YEAR SIZE ROOT`. */
  readonly anchors?: readonly string[];
  readonly progress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}
