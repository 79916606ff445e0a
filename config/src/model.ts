/** What an operator declared, decoded, defaulted and cross-checked by load.ts: inside, these types are trusted. */
import type { Impact } from './domain.ts';
import type { SecretRef } from './secrets.ts';

export interface RegionDecl {
  readonly id: string;
  readonly name: string;
}

export interface ProbeDecl {
  readonly id: string;
  readonly region: string;
  /** The verifier key, `NAME+HASH+BASE64` (C2SP signed-note). */
  readonly key: string;
  readonly operator: string;
}

export interface Chain {
  readonly name: string;
  readonly family: string;
  /** EVM: a number, compared with eth_chainId. Cosmos: the network's name. */
  readonly chainId?: number | string;
  /** What the family identifies a chain by, in its own notation: hash of block 0, Graphene's chain id, Algorand's base64. */
  readonly genesis?: string;
  readonly blockTimeMs: number;
  readonly maxLagBlocks: number;
  readonly maxAgeMs: number;
  /** More blocks than this between best and finalized, for some minutes, is degraded; undefined: not judged. */
  readonly maxFinalityLagBlocks?: number;
  /** From this depth on all nodes must have the same blocks; undefined: hashes are not compared. */
  readonly forkDepthBlocks?: number;
  /** Trusted heads elsewhere: asked like nodes, shown nowhere. */
  readonly references: readonly { readonly url: string; readonly operator: string }[];
}

/** Where a check asks. Header values are text or references to secrets on the probe. */
export interface Target {
  readonly url: string;
  readonly address?: string;
  readonly address6?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly allowPrivate: boolean;
  /** Asked over this address family alone. */
  readonly family?: 4 | 6;
}

/** One check of one node, or of a service's public name (`node` is then `public`). */
export interface Monitor {
  /** `service/node/check` */
  readonly id: string;
  readonly service: string;
  readonly node: string;
  readonly check: string;
  readonly kind: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly confirm: { readonly fall: number; readonly rise: number; readonly recheckAfterMs: number };
  /** Region ids; already defaulted to all. */
  readonly regions: readonly string[];
  /** Q; undefined means floor(n / 2) + 1. */
  readonly quorum?: number;
  /** Whether its slots make up its node's. */
  readonly counts: boolean;
  /** A refusal by a rate limit or a ban (429, 403, …) says nothing of the target; else it is a fail. */
  readonly refusals?: 'skip';
  /** As written, found good by the kind's schema; the kind decodes it where it runs. */
  readonly settings: unknown;
  readonly target: Target;
  /** Name of the chain whose identity and limits apply. */
  readonly chain?: string;
}

export interface NodeDecl {
  readonly id: string;
  readonly zone: string;
  readonly url: string;
  readonly operator: string;
  readonly target: Target;
}

export interface Service {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly group?: string;
  readonly chain?: string;
  readonly visibility: 'public' | 'private';
  /** The uptime that is promised, in millionths: 999000 is 99.9 %. */
  readonly objectiveMillionths?: number;
  readonly minUp: number;
  readonly nodes: readonly NodeDecl[];
  readonly publicUrl?: string;
}

export interface ChannelDecl {
  readonly id: string;
  readonly kind: string;
  /** As written, found good by the kind's schema; secrets in it are references. */
  readonly settings: unknown;
}

export interface PolicyStep {
  readonly afterMs: number;
  readonly notify: readonly string[];
}

export interface Policy {
  readonly match: { readonly impact?: readonly Impact[]; readonly services?: readonly string[] };
  readonly steps: readonly PolicyStep[];
  readonly repeatMs?: number;
}

/** Who cosigns the log's checkpoints (C2SP tlog-witness). */
export interface WitnessDecl {
  /** Its name in the policy file. */
  readonly id: string;
  /** Submission prefix, without a slash at its end. */
  readonly url: string;
  /** Verifier key of type 04. */
  readonly key: string;
  /** It is asked at most so often; 0: for each checkpoint. */
  readonly everyMs: number;
}

export interface ReportsDecl {
  /** Ids of channels that each new report is sent to. */
  readonly to: readonly string[];
  /** From the end of a month to the making of its report. */
  readonly settleMs: number;
  /** Where the operator says that the month's end is put as well. */
  readonly anchor?: string;
}

export interface Config {
  readonly site: { readonly name: string; readonly url: string };
  /** Origin of the log without the year, `status.example.com/log`. */
  readonly origin: string;
  readonly operator: string;
  /** Absent: nobody but the operator vouches that the log is the same for everybody. 1 <= quorum <= list.length. */
  readonly witnesses?: { readonly quorum: number; readonly list: readonly WitnessDecl[] };
  readonly regions: readonly RegionDecl[];
  readonly probes: readonly ProbeDecl[];
  /** Those that services use, by name. */
  readonly chains: Readonly<Record<string, Chain>>;
  readonly controls: readonly string[];
  readonly services: readonly Service[];
  /** Every check of every node, flattened, sorted by id. */
  readonly monitors: readonly Monitor[];
  readonly alerts: { readonly channels: readonly ChannelDecl[]; readonly policies: readonly Policy[] };
  /** Of each probe; absent: as it is built. */
  readonly spool?: { readonly maxBytes: number; readonly maxAgeMs?: number };
  /** Absent: as where nothing is said (schema-reports.ts). */
  readonly reports?: ReportsDecl;
  readonly retention: {
    readonly hotMs: number;
    readonly bodiesMs: number;
    readonly slotsMs: number;
    /** Absent: for ever. */
    readonly reportsMs?: number;
  };
}

/** Every secret reference that the config names, with where; for `doctor` and the redaction test. */
export interface SecretUse {
  readonly path: string;
  readonly ref: SecretRef;
}
