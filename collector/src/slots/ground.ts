/**
 * What the rule stands on besides lines: which configurations and enrolments are in force when, and which epochs
 * are void. A leaf's first minute depends on lower-indexed batches alone, and of those only on how far each key had
 * reached; so of all batches only one for each key between two leaves has to be remembered.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { type LoggedLeaf, readRecords, type Records } from '@highwater/config/proof/rule/evidence.ts';
import { type ConfigInForce, timelineOf, type Timeline } from '@highwater/config/proof/rule/timeline.ts';
import type { CommitRow, ReadTx, StateRow, Store } from '../store/store.ts';
import { signerOf, signerOfKey } from '../signer.ts';
import { LOG_SHARD } from '../watched.ts';
import { batchOf } from './batch-commit.ts';

/** Commits taken up at once. */
const AT_ONCE = 500;

/** `ground` in the log's shard. */
interface GroundState {
  /** The first commit that is not in it yet. */
  readonly next: number;
  /** Farthest-reaching batch: commit index and last minute, by `SEGMENT NAME+KEYID`; a segment ends at each leaf. */
  readonly reach: Readonly<Record<string, readonly [index: number, last: number]>>;
  /** By `NAME+KEYID EPOCH`: the first number that this key signed with two texts. */
  readonly voided: Readonly<Record<string, number>>;
}

export interface VoidedEpoch {
  readonly probe: string;
  /** Who contradicts himself, `NAME+KEYID`. */
  readonly signer: string;
  readonly epoch: number;
  /** The lowest number that was signed with two texts. */
  readonly from: number;
}

/** Epochs that contradict themselves, as far as the commits were taken in. */
export async function voidedEpochs(tx: ReadTx): Promise<VoidedEpoch[]> {
  return voidedIn(kept(await tx.getState('ground', 'all')));
}

function voidedIn({ voided }: GroundState): VoidedEpoch[] {
  return Object.entries(voided).map(([place, from]) => {
    const [signer = '', epoch = ''] = place.split(' ');
    return { probe: signer.split('+')[0] ?? '', signer, epoch: Number(epoch), from };
  });
}

const initial: GroundState = { next: 0, reach: {}, voided: {} };

/** One of an older version, which kept voids by probe, is made anew from the commits. */
function kept(row: StateRow | undefined): GroundState {
  const state = row?.value as Partial<GroundState> | undefined;
  return state?.voided === undefined ? initial : (state as GroundState);
}

/** The first void number of an epoch, by verifier key. */
function voidFromIn({ voided }: GroundState): (key: string, epoch: number) => number {
  return (key, epoch) => voided[`${signerOfKey(key)} ${epoch}`] ?? Infinity;
}

export interface Ground {
  readonly timeline: Timeline;
  readonly records: Records;
  /** Verifier key of a commit's signature. */
  keyOf(commit: CommitRow): string;
  /** Commit index of a configuration by its leaf hash; -1 when it is not in the sequence. */
  configIndex(hash: string): number;
  configAtIndex(index: number): ConfigInForce | undefined;
  /** Everything of this verifier key's epoch from this number on is void. */
  voidFrom(key: string, epoch: number): number;
  /** The first commit that it does not know yet. */
  readonly next: number;
}

function textOf(note: string): string {
  const parsed = parseNote(note);
  return 'error' in parsed ? '' : parsed.text;
}

/** Whole verifier keys of the probes that were ever enrolled, by `NAME+KEYID`. */
function keysOf(leaves: readonly CommitRow[]): Map<string, string> {
  const keys = new Map<string, string>();
  for (const leaf of leaves) {
    if (leaf.kind !== 'probe') continue;
    const read = parseProbeLeaf(textOf(leaf.note));
    if ('error' in read) continue;
    keys.set(signerOfKey(read.key), read.key);
  }
  return keys;
}

function build(state: GroundState, leaves: readonly CommitRow[], reaching: readonly CommitRow[]): Ground {
  const keys = keysOf(leaves);
  /** Every shard asks it of every commit, and to read a note takes long. */
  const known = new WeakMap<CommitRow, string>();
  const keyOf = (commit: CommitRow): string => {
    const had = known.get(commit);
    if (had !== undefined) return had;
    const signer = signerOf(commit.note);
    const key = keys.get(signer) ?? signer;
    known.set(commit, key);
    return key;
  };
  const logged = [...leaves, ...reaching].map((commit): LoggedLeaf => ({
    index: commit.index,
    key: keyOf(commit),
    hash: commit.hash,
    text: textOf(commit.note),
  }));
  const projections = leaves.flatMap(({ body }) =>
    body === undefined ? [] : [[encodeBase64(sha256(utf8(body))), body] as const],
  );
  const records = readRecords({ leaves: logged, bodies: new Map(projections) }, sha256);
  const timeline = timelineOf(records);
  const indexes = new Map(records.configs.map((config) => [config.hash, config.index]));
  const hashes = new Map(records.configs.map((config) => [config.index, config.hash]));
  return {
    timeline,
    records,
    keyOf,
    configIndex: (hash) => indexes.get(hash) ?? -1,
    configAtIndex: (index) => timeline.configOf(hashes.get(index) ?? ''),
    voidFrom: voidFromIn(state),
    next: state.next,
  };
}

/** @param leaves how many there are below `state.next` */
async function take(
  tx: ReadTx,
  state: GroundState,
  leaves: number,
  commits: readonly CommitRow[],
): Promise<GroundState> {
  const reach = { ...state.reach };
  const voided = { ...state.voided };
  let segment = leaves;
  for (const commit of commits) {
    const batch = batchOf(commit);
    if (batch === undefined) {
      segment += 1;
      continue;
    }
    const signer = signerOf(commit.note);
    const place = `${segment} ${signer}`;
    if (batch.minutes.last > (reach[place]?.[1] ?? -1)) reach[place] = [commit.index, batch.minutes.last];
    const { probe, epoch, number } = batch;
    const same = (await tx.batches(probe, epoch, number)).filter(({ note }) => signerOf(note) === signer);
    if (new Set(same.map(({ note }) => textOf(note))).size < 2) continue;
    voided[`${signer} ${epoch}`] = Math.min(number, voided[`${signer} ${epoch}`] ?? number);
  }
  return { next: (commits.at(-1)?.index ?? state.next - 1) + 1, reach, voided };
}

/** The batches by which leaves come into force. */
async function reachingOf(tx: ReadTx, { reach }: GroundState): Promise<CommitRow[]> {
  const reaching: CommitRow[] = [];
  for (const [index] of Object.values(reach)) reaching.push(...(await tx.commitsFrom(index, 1)));
  return reaching;
}

export interface GroundKeeper {
  /** Takes in the commits that are new, up to a bound. The same ground as before when there are none. */
  advance(): Promise<Ground>;
  /** What was in force when by the leaves below an index alone. */
  before(index: number): Promise<Timeline>;
}

/** So many commits of batches at most are taken up again by who opens it anew: they alone are not worth a write. */
const WRITTEN_EVERY = 200;

/** The ground with what it was made of, so that a beat reads no more than the commits that are new. */
interface Held {
  readonly ground: Ground;
  readonly state: GroundState;
  readonly leaves: readonly CommitRow[];
  /** The `next` that is in the state's row. */
  readonly written: number;
}

async function open(tx: ReadTx): Promise<Held> {
  const row = await tx.getState('ground', 'all');
  const state = kept(row);
  const leaves = (await tx.leaves()).filter((leaf) => leaf.index < state.next);
  const ground = build(state, leaves, await reachingOf(tx, state));
  return { ground, state, leaves, written: state.next };
}

/** With the commits that follow; what they are made of is in `state` alone, so that it can be written or not. */
async function follow(tx: ReadTx, held: Held): Promise<Held> {
  const commits = await tx.commitsFrom(held.state.next, AT_ONCE);
  if (commits.length === 0) return held;
  const state = await take(tx, held.state, held.leaves.length, commits);
  const added = commits.filter(({ kind }) => kind !== 'batch');
  if (added.length === 0 && held.ground.records.configs.length > 0) {
    const ground = { ...held.ground, voidFrom: voidFromIn(state), next: state.next };
    return { ...held, state, ground };
  }
  const leaves = [...held.leaves, ...added];
  return { ...held, state, leaves, ground: build(state, leaves, await reachingOf(tx, state)) };
}

/** What the commits below one come to, for who reads of all of them at once. */
export interface Standing {
  /** Commit indexes of the batches by which what lies below it, or comes behind it, is in force. */
  readonly reaching: readonly number[];
  /** Epochs that contradict themselves. */
  readonly voided: readonly VoidedEpoch[];
}

/** Takes in what the row, which is written now and then, does not know yet. Throws where there are fewer commits. */
export async function standingAt(tx: ReadTx, below: number): Promise<Standing> {
  let held = await open(tx);
  while (held.state.next < below) {
    const further = await follow(tx, held);
    if (further.state.next === held.state.next) throw new Error(`there are not ${below} commits`);
    held = further;
  }
  const { state } = held;
  return { reaching: Object.values(state.reach).map(([index]) => index), voided: voidedIn(state) };
}

export function keepGround(store: Store): GroundKeeper {
  let held: Held | undefined;

  /** What is said of voids, and what is known at a leaf, is written at once: others read it. */
  const isWorthWriting = (from: Held, to: Held): boolean =>
    to.leaves !== from.leaves ||
    Object.keys(to.state.voided).length !== Object.keys(from.state.voided).length ||
    Object.entries(to.state.voided).some(([place, at]) => from.state.voided[place] !== at) ||
    to.state.next - to.written >= WRITTEN_EVERY;

  const advance = async (): Promise<Ground> => {
    const before = held;
    const { size, from, to } = await store.read(LOG_SHARD, async (tx) => {
      const start = before ?? (await open(tx));
      const end = await tx.commitSize();
      return { size: end, from: start, to: start.state.next < end ? await follow(tx, start) : start };
    });
    held = to;
    if (isWorthWriting(from, to)) {
      held = undefined;
      await store.transact(LOG_SHARD, async (tx) => {
        const row = await tx.getState('ground', 'all');
        // Whoever else follows the same commits comes to the same: the one that is further stays.
        if (row !== undefined && kept(row).next > to.state.next) return;
        await tx.putState('ground', 'all', row?.version ?? 0, to.state);
      });
      held = { ...to, written: to.state.next };
    }
    return to.state.next < size ? advance() : to.ground;
  };
  const before = (index: number): Promise<Timeline> =>
    store.read(LOG_SHARD, async (tx) => {
      const { state, leaves: all } = held ?? (await open(tx));
      const leaves = all.filter((leaf) => leaf.index < index);
      return build(state, leaves, await reachingOf(tx, state)).timeline;
    });
  return { advance, before };
}
