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
import type { CommitRow, ReadTx, Store, Tx } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { batchOf } from './batch-commit.ts';

/** Commits taken up at once. */
const AT_ONCE = 500;

/** `ground` in the log's shard. */
interface GroundState {
  /** The first commit that is not in it yet. */
  readonly next: number;
  /** Farthest-reaching batch: commit index and last minute, by `SEGMENT KEYNAME`; a segment ends at each leaf. */
  readonly reach: Readonly<Record<string, readonly [index: number, last: number]>>;
  /** By `PROBE EPOCH`: the first number that was signed with two texts. */
  readonly voids: Readonly<Record<string, number>>;
}

export interface VoidedEpoch {
  readonly probe: string;
  readonly epoch: number;
  /** The lowest number that was signed with two texts. */
  readonly from: number;
}

/** Epochs that contradict themselves, as far as the commits were taken in. */
export async function voidedEpochs(tx: ReadTx): Promise<VoidedEpoch[]> {
  const state = (await tx.getState('ground', 'all'))?.value as GroundState | undefined;
  return Object.entries(state?.voids ?? {}).map(([place, from]) => {
    const [probe = '', epoch = ''] = place.split(' ');
    return { probe, epoch: Number(epoch), from };
  });
}

const initial: GroundState = { next: 0, reach: {}, voids: {} };

export interface Ground {
  readonly timeline: Timeline;
  readonly records: Records;
  /** Verifier key of a commit's signature. */
  keyOf(commit: CommitRow): string;
  /** Commit index of a configuration by its leaf hash; -1 when it is not in the sequence. */
  configIndex(hash: string): number;
  configAtIndex(index: number): ConfigInForce | undefined;
  /** Everything of this probe's epoch from this number on is void. */
  voidFrom(probe: string, epoch: number): number;
  /** The first commit that it does not know yet. */
  readonly next: number;
}

function signatureOf(note: string): string {
  const parsed = parseNote(note);
  const signature = 'error' in parsed ? undefined : parsed.signatures[0];
  return signature === undefined ? '' : `${signature.name}+${signature.keyId}`;
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
    const [name = '', keyId = ''] = read.key.split('+');
    keys.set(`${name}+${keyId}`, read.key);
  }
  return keys;
}

function build(state: GroundState, leaves: readonly CommitRow[], reaching: readonly CommitRow[]): Ground {
  const keys = keysOf(leaves);
  const keyOf = (commit: CommitRow): string => {
    const signature = signatureOf(commit.note);
    return keys.get(signature) ?? signature;
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
    voidFrom: (probe, epoch) => state.voids[`${probe} ${epoch}`] ?? Infinity,
    next: state.next,
  };
}

async function take(tx: Tx, state: GroundState, commits: readonly CommitRow[]): Promise<GroundState> {
  const reach = { ...state.reach };
  const voids = { ...state.voids };
  let segment = (await tx.leaves()).filter((leaf) => leaf.index < state.next).length;
  for (const commit of commits) {
    const batch = batchOf(commit);
    if (batch === undefined) {
      segment += 1;
      continue;
    }
    const place = `${segment} ${signatureOf(commit.note)}`;
    if (batch.minutes.last > (reach[place]?.[1] ?? -1)) reach[place] = [commit.index, batch.minutes.last];
    const { probe, epoch, number } = batch;
    if ((await tx.batches(probe, epoch, number)).length < 2) continue;
    voids[`${probe} ${epoch}`] = Math.min(number, voids[`${probe} ${epoch}`] ?? number);
  }
  return { next: (commits.at(-1)?.index ?? state.next - 1) + 1, reach, voids };
}

export interface GroundKeeper {
  /** Takes in the commits that are new, up to a bound. The same ground as before when there are none. */
  advance(): Promise<Ground>;
}

export function keepGround(store: Store): GroundKeeper {
  let ground: Ground | undefined;
  const advance = async (): Promise<Ground> => {
    const size = await store.read(LOG_SHARD, (tx) => tx.commitSize());
    if (ground !== undefined && ground.next >= size) return ground;
    const made = await store.transact(LOG_SHARD, async (tx) => {
      const row = await tx.getState('ground', 'all');
      const before = (row?.value as GroundState | undefined) ?? initial;
      const commits = await tx.commitsFrom(before.next, AT_ONCE);
      const state = commits.length === 0 ? before : await take(tx, before, commits);
      if (state !== before) await tx.putState('ground', 'all', row?.version ?? 0, state);
      const leaves = (await tx.leaves()).filter((leaf) => leaf.index < state.next);
      const onlyBatches =
        ground !== undefined && ground.records.configs.length > 0 && commits.every((c) => c.kind === 'batch');
      if (onlyBatches && ground !== undefined) {
        const voidFrom = (probe: string, epoch: number): number =>
          state.voids[`${probe} ${epoch}`] ?? Infinity;
        return { ...ground, voidFrom, next: state.next };
      }
      const reaching: CommitRow[] = [];
      for (const [index] of Object.values(state.reach)) reaching.push(...(await tx.commitsFrom(index, 1)));
      return build(state, leaves, reaching);
    });
    ground = made;
    return made.next < size ? advance() : made;
  };
  return { advance };
}
