/**
 * Brings a copy of a backup's store up to the log as it was published, so that what is signed next is never another
 * history of what somebody has seen. The published entries are the commit sequence; what the backup has beyond its
 * last checkpoint is held against them one by one:
 *
 * - Usually they are the same, since a backup is a beginning of the sequence that its collector went on with: then the
 *   published ones past its end are added, and what it has past theirs stays where it is, to be signed next.
 * - They differ when the log went on from another restore. A published entry can't be taken back, an unsigned commit
 *   has no place that anybody was promised: so the published ones win, and the backup's are added again behind them
 *   (they were acknowledged, and nothing acknowledged is lost), except those that the log has by now anyway.
 * - Where they differ before the backup's own last checkpoint there are two logs under one key. Nothing is restored.
 */
import { parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { decodeBase64, decodeUtf8, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import type { Instant } from '@highwater/config/time.ts';
import { type Bodies, openBodies } from '../bodies/bodies.ts';
import { keepFileBody, readFileBody } from '../bodies/files.ts';
import { checkpointBlob } from '../log/files.ts';
import { grow, readEdge, wholeBundles, writeFiles } from '../log/grow.ts';
import {
  commitOf,
  readEntries,
  readYears,
  YEAR_CORE,
  type YearLog,
  yearOf,
  type YearState,
} from '../log/sequence.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { type CutCommit, cutCommits } from '../store/sqlite/snapshot.ts';
import type { NewCommit, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { type Leaf, Signers } from './leaf.ts';
import { BackupProblem } from './problem.ts';
import {
  type Published,
  publishedBody,
  publishedEntries,
  type PublishedLog,
  publishedLog,
} from './published.ts';
import { GrowingRoot } from './root.ts';

/** Commits read or added in one transaction. */
const CHUNK = 256;
/** Entries whose tiles are made at once. */
const GROW_AT_ONCE = 8_192;

export interface TakeOverParts {
  /** Closed while commits are cut from its file. */
  readonly open: () => Store;
  readonly file: string;
  readonly blobs: Blobs;
  readonly published: Published;
  /** Verifier key by year: of the key files. */
  readonly keyOf: (year: number) => string | undefined;
  readonly operatorKey: string;
  readonly now: Instant;
  readonly progress: (says: string) => void;
}

export interface TakenOver {
  /** Commits that the published log had and the backup had not. */
  readonly added: number;
  /** Unsigned commits of the backup that were added again behind the published ones. */
  readonly again: number;
  /** Bodies that are neither in the backup nor published, by service: private ones, mostly. */
  readonly missing: Readonly<Record<string, number>>;
  /** The newest checkpoint of each year that was asked for. */
  readonly logs: readonly PublishedLog[];
}

const startOf = (year: number): Instant => Date.UTC(year, 0, 1);

function forked(published: Published, year: number, what: string): BackupProblem {
  return new BackupProblem(
    'no',
    `${published.base}/${year} is another history than this backup: ${what}`,
    'name where the log of this backup is published with --published URL; if it is there, two collectors have signed with one key, and this log can not be gone on with',
  );
}

/** Who shows less than the backup has signed shows an old copy: what was published after the backup is not there either. */
function olderCopy(
  { base }: Published,
  { year, checkpoint, ageS }: PublishedLog,
  signed: number,
): BackupProblem {
  const cached = ageS === undefined ? '' : `, from a cache that has it for ${ageS} s`;
  return new BackupProblem(
    'no',
    `${base}/${year} has ${checkpoint.size} entries${cached}, and this backup has signed ${signed}: it is an old copy of the log`,
    'name where the newest is published with --published URL. Only where nobody can have seen a checkpoint newer than the backup: --published none',
  );
}

class TakeOver {
  readonly #parts: TakeOverParts;
  readonly #signers: Signers;
  store: Store;
  /** The commit that the next published entry is. */
  #next = 0;
  #size = 0;
  #added = 0;
  #cut: readonly CutCommit[] = [];
  #adding: NewCommit[] = [];
  #missing: Record<string, number> = {};

  constructor(parts: TakeOverParts) {
    this.#parts = parts;
    this.#signers = new Signers(parseVerifier(parts.operatorKey));
    this.store = parts.open();
  }

  async run(): Promise<TakenOver> {
    const years = await this.store.read(LOG_SHARD, readYears);
    this.#size = await this.store.read(LOG_SHARD, (tx) => tx.commitSize());
    for (const { kind, note } of await this.store.read(LOG_SHARD, (tx) => tx.leaves())) {
      const leaf = kind === 'probe' ? this.#signers.read(note) : undefined;
      if (leaf !== undefined && !('error' in leaf) && leaf.probe !== undefined)
        this.#signers.enrol(leaf.probe);
    }
    const logs: PublishedLog[] = [];
    const lastSigned = await this.#lastSigned(years);
    const thisYear = yearOf(this.#parts.now);
    const [commit] = await this.store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 1));
    const from = (lastSigned ?? years[0])?.year ?? yearOf(commit?.at ?? this.#parts.now);
    let before: PublishedLog | undefined;
    for (let year = from; year <= Math.max(thisYear, from) + 1; year += 1) {
      const key = this.#parts.keyOf(year) ?? years.find((log) => log.year === year)?.vkey;
      const log = await this.#publishedOf(year, key, lastSigned);
      if (log === undefined) continue;
      this.#parts.progress(`log of ${year}: ${log.checkpoint.size} entries are published`);
      const known = years.find((each) => each.year === year);
      await this.#takeYear(log, known, before);
      logs.push(log);
      before = log;
    }
    const again = await this.#addAgain(years, logs);
    for (const log of logs) await this.#sign(log);
    return { added: this.#added, again, missing: this.#missing, logs };
  }

  async #lastSigned(years: readonly YearLog[]): Promise<YearLog | undefined> {
    for (const log of years.toReversed()) {
      if ((await this.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(log.year))) !== undefined) return log;
    }
    return undefined;
  }

  async #publishedOf(
    year: number,
    key: string | undefined,
    signed: YearLog | undefined,
  ): Promise<PublishedLog | undefined> {
    const { published } = this.#parts;
    if (key !== undefined) {
      const log = await publishedLog(published, year, key);
      if (log !== undefined || signed?.year !== year) return log;
      throw new BackupProblem(
        'no',
        `${published.base} has no log of ${year}, which this backup has`,
        'name where it is published with --published URL; if nobody can have seen more than the backup has: --published none',
      );
    }
    if ((await published.get(`${year}/checkpoint`, 65_536)) === undefined) return undefined;
    throw new BackupProblem(
      'no',
      `${published.base} has a log of ${year}, which was begun after the backup: its key is not in it`,
      `put the file log-${year}.key of the lost data folder into a folder with the other keys, and name that with --keys`,
    );
  }

  /** Holds a year's published entries against the store's, and takes over what it has not. */
  async #takeYear(
    log: PublishedLog,
    known: YearLog | undefined,
    before: PublishedLog | undefined,
  ): Promise<void> {
    const { published } = this.#parts;
    const { year, checkpoint } = log;
    const last = await this.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(year));
    const signed = last?.size ?? 0;
    const growing = new GrowingRoot(sha256);
    if (known !== undefined && signed > 0) {
      const at = Math.min(signed, checkpoint.size);
      for await (const hash of this.#stored(known, at)) growing.push(hash);
      if (growing.size < at) throw forked(published, year, 'the backup has fewer commits than it has signed');
      this.#next = commitOf(known, at);
    }
    const asSigned = checkpoint.size >= signed ? last?.root : checkpoint.root;
    if (signed > 0 && growing.root() !== asSigned) {
      throw forked(published, year, `the first ${growing.size} entries are not the same`);
    }
    if (checkpoint.size < signed) throw olderCopy(published, log, signed);
    const firstCommit = known !== undefined && signed > 0 ? known.firstCommit : this.#next;
    let carried = signed > 0 ? known?.carried : undefined;
    let done = growing.size;
    for await (const { first, entries } of publishedEntries(published, year, growing.size, checkpoint.size)) {
      for (const [i, entry] of entries.entries()) {
        growing.push(leafHash(entry, sha256));
        const text = decodeUtf8(entry);
        if (text === undefined) throw forked(published, year, `entry ${first + i} is no text`);
        if (first + i === 0 && before !== undefined) {
          if (text !== before.signed)
            throw forked(published, year, `entry 0 is not the end of ${before.year}`);
          carried = text;
          continue;
        }
        await this.#take(text, year, first + i);
      }
      done += entries.length;
      this.#parts.progress(`log of ${year}: ${done} of ${checkpoint.size} entries`);
    }
    await this.#flush();
    if (growing.root() !== checkpoint.root)
      throw forked(published, year, 'its entries do not give its own root');
    await this.#keepYear(log, { firstCommit, ...(carried === undefined ? {} : { carried }) });
  }

  /** Leaf hashes of the first entries of a log, from the store. */
  async *#stored(log: YearLog, size: number): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < size;) {
      const entries = await readEntries(this.store, log, {
        from,
        least: size,
        most: Math.min(size, from + 4_096),
        maxBytes: Infinity,
      });
      if (entries.length === 0) return;
      for (const { hash } of entries) yield hash;
      from += entries.length;
    }
  }

  async #take(note: string, year: number, index: number): Promise<void> {
    const at = this.#next;
    this.#next += 1;
    if (at < this.#size) {
      const [held] = await this.store.read(LOG_SHARD, (tx) => tx.commitsFrom(at, 1));
      if (held?.note === note) return;
      await this.#cutFrom(at);
    }
    const leaf = this.#signers.read(note);
    if ('error' in leaf) {
      const { base } = this.#parts.published;
      throw new BackupProblem(
        'no',
        `${base}/${year}, entry ${index}: ${leaf.error}`,
        'update this program if it is older than the one that wrote the log; else somebody else has its key',
      );
    }
    if (leaf.probe !== undefined) this.#signers.enrol(leaf.probe);
    const body = await this.#bodiesOf(leaf, year);
    const about = Math.min(Math.max(leaf.about ?? startOf(year), startOf(year)), startOf(year + 1) - 1);
    this.#adding.push({ ...leaf.commit, at: about, ...(body === undefined ? {} : { body }) });
    this.#added += 1;
    if (this.#adding.length >= CHUNK) await this.#flush();
  }

  async #flush(): Promise<void> {
    const adding = this.#adding.splice(0);
    if (adding.length === 0) return;
    await this.store.transact(LOG_SHARD, async (tx) => {
      for (const commit of adding) await tx.addCommit(commit);
    });
  }

  get #bodies(): Bodies {
    return openBodies(this.store, this.#parts.blobs);
  }

  /** Bodies of what is cut are put beside the store: the same batches come again, under other indexes. */
  async #setAside(from: number): Promise<void> {
    for (let at = from; at < this.#size; at += 1) {
      const [commit] = await this.store.read(LOG_SHARD, (tx) => tx.commitsFrom(at, 1));
      for (const { service, hash } of (commit && batchOf(commit)?.bodies) ?? []) {
        const body = await this.#bodies.read(hash);
        if (body !== undefined) await keepFileBody(this.#parts.blobs, { service, hash, ...body });
      }
    }
  }

  async #cutFrom(at: number): Promise<void> {
    await this.#setAside(at);
    await this.store[Symbol.asyncDispose]();
    this.#cut = cutCommits(this.#parts.file, at);
    this.store = this.#parts.open();
    this.#size = at;
  }

  /** Keeps the bodies that a leaf names, from the backup or as published; gives the text of a projection. */
  async #bodiesOf(leaf: Leaf, year: number): Promise<string | undefined> {
    const { blobs, published } = this.#parts;
    const fetched = async (hash: string, bytes: number): Promise<Uint8Array | undefined> => {
      const hex = encodeHex(decodeBase64(hash) ?? new Uint8Array());
      const file = await readFileBody(blobs, hash);
      if (file !== undefined) return file.bytes;
      const held = await this.#bodies.read(hash);
      if (held !== undefined) return utf8(held.text);
      const body = await publishedBody(published, year, hex, bytes);
      if (body !== undefined) await blobs.putIfAbsent(hex, body);
      return body;
    };
    await Promise.all(
      (leaf.batch?.bodies ?? []).map(async ({ service, hash, bytes }) => {
        if ((await fetched(hash, bytes)) !== undefined) return;
        this.#missing[service] = (this.#missing[service] ?? 0) + 1;
      }),
    );
    if (leaf.config === undefined) return undefined;
    const projection = await fetched(leaf.config.hash, leaf.config.bytes);
    if (projection === undefined)
      this.#missing['(configuration)'] = (this.#missing['(configuration)'] ?? 0) + 1;
    return projection === undefined ? undefined : decodeUtf8(projection);
  }

  async #keepYear({ year }: PublishedLog, of: Omit<YearState, 'vkey'>): Promise<void> {
    const vkey = this.#parts.keyOf(year);
    await this.store.transact(LOG_SHARD, async (tx) => {
      const row = await tx.getState(YEAR_CORE, String(year));
      const state: YearState = { vkey: vkey ?? (row?.value as YearState).vkey, ...of };
      await tx.putState(YEAR_CORE, String(year), row?.version ?? 0, state);
    });
  }

  /** What was cut, behind all that is published; a year that was begun over it and has signed nothing begins anew. */
  async #addAgain(years: readonly YearLog[], logs: readonly PublishedLog[]): Promise<number> {
    if (this.#cut.length === 0) return 0;
    const newest = logs.at(-1)?.year ?? 0;
    const signers = this.#signers;
    return this.store.transact(LOG_SHARD, async (tx) => {
      for (const { year } of years) if (year > newest) await tx.deleteState(YEAR_CORE, String(year));
      let again = 0;
      for (const { note, body } of this.#cut) {
        const leaf = signers.read(note);
        if ('error' in leaf) throw new Error(`a commit of the backup can not be read: ${leaf.error}`);
        if (leaf.probe !== undefined) signers.enrol(leaf.probe);
        if ((await tx.commitByHash(leaf.commit.hash)) !== undefined) continue;
        const at = Math.max(this.#parts.now, startOf(newest));
        await tx.addCommit({ ...leaf.commit, at, ...(body === undefined ? {} : { body }) });
        again += 1;
      }
      return again;
    });
  }

  /** The files of a log at its published size, and the checkpoint: written only now that its root is known to be right. */
  async #sign({ year, checkpoint, note, signed }: PublishedLog): Promise<void> {
    const { blobs } = this.#parts;
    const log = (await this.store.read(LOG_SHARD, readYears)).find((each) => each.year === year);
    const last = await this.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(year));
    if (log === undefined || checkpoint.size <= (last?.size ?? 0)) return;
    for (let size = last?.size ?? 0; size < checkpoint.size;) {
      const edge = await readEdge(blobs, year, size);
      if (edge === undefined) throw new Error(`log/${year}: the tiles of ${size} entries are not all there`);
      const to = Math.min(checkpoint.size, wholeBundles(size) + GROW_AT_ONCE);
      const bounds = { from: edge.size, least: to, most: to, maxBytes: Infinity };
      await writeFiles(blobs, year, grow(edge, size, await readEntries(this.store, log, bounds)).files);
      size = to;
    }
    const row = { year, size: checkpoint.size, root: checkpoint.root, at: this.#parts.now, note: signed };
    await this.store.transact(LOG_SHARD, (tx) => tx.addCheckpoint(last?.size ?? 0, row));
    await blobs.replace(checkpointBlob(year), utf8(note));
  }
}

/** Leaves the store that it has opened open, for what follows. */
export async function takeOver(parts: TakeOverParts): Promise<{ taken: TakenOver; store: Store }> {
  const work = new TakeOver(parts);
  try {
    return { taken: await work.run(), store: work.store };
  } catch (error) {
    await work.store[Symbol.asyncDispose]();
    throw error;
  }
}
