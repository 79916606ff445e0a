/** Batches with their bodies, for all shards: each commit is read once as long as it is looked at. */
import type { Bodies } from '../bodies/bodies.ts';
import type { CommitRow, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { batchOf } from './batch-commit.ts';
import type { Ground } from './ground.ts';
import type { ReadBatch } from './standing.ts';

/** Commits whose rows, and so bodies, are held: those of some minutes of some probes. */
const MAX_HELD = 64;
/** Minutes whose first commit is held. */
const MAX_MINUTES = 10_000;
/** Answers to `covering` that are held: a shard asks once for each commit of a page. */
const MAX_COVERINGS = 256;

export interface Source {
  /** A page of the log; every shard gets the same rows. */
  page(from: number, below: number, limit: number): Promise<readonly CommitRow[]>;
  /** Batches below a commit index that have minutes in [first, last]: of one key, or of all. */
  covering(ground: Ground, first: number, last: number, below: number, key?: string): Promise<CommitRow[]>;
  /** Index of the first batch, whosever it is, that has a minute; Infinity for none. */
  firstOf(ground: Ground, minute: number): Promise<number>;
  /** With the bodies of the services that are wanted. */
  read(ground: Ground, commit: CommitRow, isWanted: (service: string) => boolean): Promise<ReadBatch>;
}

/** Names of all probes that ever were: a batch of a key that was revoked covers its minutes as before. */
function namesIn({ records }: Ground): Set<string> {
  const configured = records.configs.flatMap(({ config }) => config.probes.map(({ id }) => id));
  const enrolled = records.probes.map(({ leaf }) => leaf.key.split('+', 1)[0] ?? '');
  return new Set([...configured, ...enrolled]);
}

export function openSource(store: Store, bodies: Bodies): Source {
  const rows = new Map<number, CommitRow>();
  const firsts = new Map<number, number>();
  /**
   * Every shard asks the same of every commit, and notes are long: asked of the store once. What is below an index stays
   * as it is, whatever is added, but for whose a signature is said to be.
   */
  const coverings = new Map<string, Promise<CommitRow[]>>();
  let asked: Ground['records'] | undefined;
  const names = new WeakMap<Ground['records'], Set<string>>();

  const same = (row: CommitRow): CommitRow => {
    const had = rows.get(row.index);
    if (had !== undefined) return had;
    const oldest = rows.size >= MAX_HELD ? rows.keys().next().value : undefined;
    if (oldest !== undefined) rows.delete(oldest);
    rows.set(row.index, row);
    return row;
  };

  const probesOf = (ground: Ground, key: string | undefined): Iterable<string> => {
    if (key !== undefined) return [key.split('+', 1)[0] ?? ''];
    const known = names.get(ground.records) ?? namesIn(ground);
    names.set(ground.records, known);
    return known;
  };

  const read: Source['covering'] = (ground, first, last, below, key) =>
    store.read(LOG_SHARD, async (tx) => {
      const found: CommitRow[] = [];
      for (const probe of probesOf(ground, key))
        found.push(...(await tx.batchesCovering(probe, first, last)));
      return found
        .filter((row) => row.index < below && (key === undefined || ground.keyOf(row) === key))
        .sort((a, b) => a.index - b.index)
        .map(same);
    });

  const covering: Source['covering'] = (ground, first, last, below, key) => {
    if (asked !== ground.records || coverings.size >= MAX_COVERINGS) coverings.clear();
    asked = ground.records;
    const question = `${first} ${last} ${below} ${key ?? ''}`;
    const known = coverings.get(question);
    if (known !== undefined) return known;
    const made = read(ground, first, last, below, key);
    coverings.set(question, made);
    made.catch(() => coverings.delete(question));
    return made;
  };

  /** The rows from an index on as far as they are held, without a gap. */
  const heldFrom = (from: number, end: number): CommitRow[] => {
    const held: CommitRow[] = [];
    for (let index = from; index < end; index += 1) {
      const row = rows.get(index);
      if (row === undefined) break;
      held.push(row);
    }
    return held;
  };

  return {
    covering,
    async page(from, below, limit) {
      const held = heldFrom(from, Math.min(below, from + limit));
      if (held.length >= Math.min(below - from, limit)) return held;
      const all = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(from, limit));
      return all.filter(({ index }) => index < below).map(same);
    },
    async firstOf(ground, minute) {
      const known = firsts.get(minute);
      if (known !== undefined) return known;
      const [first] = await covering(ground, minute, minute, ground.next);
      if (first === undefined) return Infinity;
      if (firsts.size >= MAX_MINUTES) firsts.clear();
      firsts.set(minute, first.index);
      return first.index;
    },
    async read(ground, commit, isWanted) {
      const batch = batchOf(commit);
      if (batch === undefined) throw new RangeError(`unreachable: commit ${commit.index} is no batch`);
      const isAny = batch.bodies.some(({ service }) => isWanted(service));
      return {
        commit,
        batch,
        key: ground.keyOf(commit),
        bodies: isAny ? await bodies.ofBatch(commit, batch, isWanted) : new Map(),
      };
    },
  };
}
