/**
 * The one way to what the collector keeps. Every call names a shard; nothing reaches across shards, so that
 * a second machine can hold some of them. A transaction is serialised and durable (FULL) when it resolves.
 *
 * The work handed to `transact` and `read` must await nothing but the transaction's own methods: it holds the
 * store while it runs, and must not open another transaction.
 */
import type { Flip } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';

export interface Store extends AsyncDisposable {
  /** Runs `work` alone; all of it is kept, or (when it throws) nothing. */
  transact<T>(shard: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs `work` on one consistent view. */
  read<T>(shard: string, work: (tx: ReadTx) => Promise<T>): Promise<T>;
}

/** A decision's memory. `version` counts its writes, from 1. */
export interface StateRow {
  readonly key: string;
  readonly version: number;
  readonly value: unknown;
}

/** A frame as it came: evidence until its lines are in a batch and `retention.hot` has passed. */
export interface NewFrame {
  readonly probe: string;
  readonly epoch: number;
  readonly frame: number;
  readonly receivedAt: Instant;
  /** The signed note as received. */
  readonly note: string;
  /** Details of faults by the line's place in the frame; for operators only, never evidence. */
  readonly details?: Readonly<Record<string, string>>;
}
export interface FrameRow extends NewFrame {
  /** Gapless within the shard, from 1, in order of receipt. */
  readonly pos: number;
}

export type CommitKind = 'batch' | 'config' | 'probe' | 'maint' | 'action' | 'annot' | 'report';

export interface BatchName {
  readonly probe: string;
  readonly epoch: number;
  readonly number: number;
}

/** One leaf of the commit sequence. */
export interface NewCommit {
  readonly kind: CommitKind;
  readonly at: Instant;
  readonly note: string;
  /** RFC 6962 leaf hash, base64. */
  readonly hash: string;
  /** Batches: who, which, and the due minutes of its lines. */
  readonly batch?: BatchName & { readonly minutes: { readonly first: number; readonly last: number } };
  /** Configurations: the projection that the leaf commits to. */
  readonly body?: string;
}
export interface CommitRow extends Omit<NewCommit, 'batch'> {
  /** Gapless, from 0, over all kinds. */
  readonly index: number;
  readonly batch?: BatchName;
}

/** What was signed of a year's log: never changed, never two of one size. */
export interface CheckpointRow {
  /** UTC year of the log. */
  readonly year: number;
  /** Entries of the log. */
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly at: Instant;
  /** The checkpoint as the log's key signed it, without cosignatures. */
  readonly note: string;
}

/** Whether a body may be served: `salted` is private too, and committed to under its service's salt. */
export type Shown = 'public' | 'private' | 'salted';

/** A body of a batch as it came. */
export interface HeldBody {
  readonly service: string;
  /** What the batch commits to, base64. */
  readonly hash: string;
  readonly shown: Shown;
  readonly text: string;
}

/** Where a body is: in the batch at `index`, the `place`th that its text names, from 0. */
export interface BodyPlace {
  readonly index: number;
  readonly place: number;
}

/** One object of bodies of one service and UTC day among the blobs. Those that came later are in another part. */
export interface PackRow {
  readonly service: string;
  readonly day: number;
  /** From 0. */
  readonly part: number;
  /** Name among the blobs. */
  readonly blob: string;
  /** Commit indexes of the batches whose bodies of the service are in it, ascending. */
  readonly commits: readonly number[];
  readonly lines: number;
  /** Of the object, and of the bodies that it gives back. */
  readonly bytes: number;
  readonly bodyBytes: number;
}

/**
 * What is made of the log and can be made anew. A period is a UTC day, hour or month number, as each view says:
 * `slots` and `latency-days` by day, `totals` by month, `latency` and `heads` by hour.
 */
export type View = 'slots' | 'totals' | 'heads' | 'latency' | 'latency-days';

/** A piece of a view: the same facts give the same bytes, in whichever order they came. */
export interface BlockRow {
  readonly period: number;
  readonly subject: string;
  readonly block: Uint8Array;
}

export interface FlipRow extends Flip {
  /** Gapless within the shard, from 1. */
  readonly seq: number;
}

/** Something to do, decided and not yet done. */
export interface OutboxRow {
  readonly key: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly attempts: number;
}

export interface EventRow {
  /** Gapless within the shard, from 1. */
  readonly seq: number;
  readonly at: Instant;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ReadTx {
  getState(core: string, key: string): Promise<StateRow | undefined>;
  listState(core: string): Promise<readonly StateRow[]>;
  /** Rows whose `wakeAt` has come, earliest first. */
  dueState(now: Instant, limit: number): Promise<readonly { core: string; key: string }[]>;
  nextWake(): Promise<Instant | undefined>;

  frame(probe: string, epoch: number, frame: number): Promise<FrameRow | undefined>;
  framesAfter(pos: number, limit: number): Promise<readonly FrameRow[]>;
  /** Frames of one epoch from `frame` on, in their order. */
  framesOf(probe: string, epoch: number, frame: number, limit: number): Promise<readonly FrameRow[]>;
  /** Newest first, received in [from, to]. */
  framesBetween(from: Instant, to: Instant, limit: number): Promise<readonly FrameRow[]>;
  lastFramePos(): Promise<number>;

  commitsFrom(index: number, limit: number): Promise<readonly CommitRow[]>;
  commitSize(): Promise<number>;
  commitByHash(hash: string): Promise<CommitRow | undefined>;
  /** Every batch signed under this number, in the order committed: more than one is equivocation. */
  batches(probe: string, epoch: number, number: number): Promise<readonly CommitRow[]>;
  /** The first batches of an epoch from a number on: by number, those of one number in the order committed. */
  batchesSince(probe: string, epoch: number, number: number, limit: number): Promise<readonly CommitRow[]>;
  /** Batches of a probe, whichever key signed them, that have minutes in [first, last], in the order committed. */
  batchesCovering(probe: string, first: number, last: number): Promise<readonly CommitRow[]>;
  /** All batches that have minutes in [first, last], in the order committed, with their first minute. */
  batchesWithin(
    first: number,
    last: number,
  ): Promise<readonly { readonly index: number; readonly first: number }[]>;
  /** Everything but batches, in order. */
  leaves(): Promise<readonly CommitRow[]>;
  lastOfKind(kind: CommitKind): Promise<CommitRow | undefined>;
  /** The batch with the highest (epoch, number) of a probe. */
  lastBatch(probe: string): Promise<CommitRow | undefined>;

  /**
   * The bodies of a batch in the order of its text, of services that are wanted; undefined when they are packed, gone, or
   * never came. Rejects for a row that is damaged.
   */
  heldBodies(
    index: number,
    isWanted?: (service: string) => boolean,
  ): Promise<readonly HeldBody[] | undefined>;
  /** Every batch that names a body by this hash. More than one is possible, also of other bodies (8 bytes are compared). */
  bodyPlaces(hash: string): Promise<readonly BodyPlace[]>;
  /** Commit indexes of batches before a UTC day whose bodies are held, ascending. */
  heldBefore(day: number, limit: number): Promise<readonly number[]>;
  packs(service: string, day: number): Promise<readonly PackRow[]>;
  /** Packs of days before one, oldest first. */
  packsBefore(day: number, limit: number): Promise<readonly PackRow[]>;

  block(view: View, period: number, subject: string): Promise<Uint8Array | undefined>;
  /** Of periods [from, to], by period and then in no particular order; of one subject or of all. */
  blocks(view: View, from: number, to: number, subject?: string): Promise<readonly BlockRow[]>;

  lastCheckpoint(year: number): Promise<CheckpointRow | undefined>;
  checkpointAt(year: number, size: number): Promise<CheckpointRow | undefined>;
  /** The largest that has at most so many entries. */
  checkpointUpTo(year: number, size: number): Promise<CheckpointRow | undefined>;
  flipsAfter(seq: number, limit: number): Promise<readonly FlipRow[]>;

  outbox(limit: number): Promise<readonly OutboxRow[]>;
  outboxSize(): Promise<number>;
  eventsAfter(seq: number, limit: number): Promise<readonly EventRow[]>;
  lastEventSeq(): Promise<number>;
  meta(key: string): Promise<string | undefined>;
}

export interface Tx extends ReadTx {
  /**
   * Compare-and-set: `version` is the one that was read, 0 for none.
   * Throws ConflictError when the row has moved on since.
   */
  putState(core: string, key: string, version: number, value: unknown, wakeAt?: Instant): Promise<number>;
  deleteState(core: string, key: string): Promise<void>;
  addFrame(frame: NewFrame): Promise<number>;
  /**
   * Deletes frames received before `receivedBefore` and at or before `pos`, of one probe or, without `probe`, of all;
   * returns how many.
   */
  dropFrames(receivedBefore: Instant, pos: number, limit: number, probe?: string): Promise<number>;
  /** Throws RangeError for a note of over 65,535 bytes: an entry of the log has no more, and none may be left out. */
  addCommit(commit: NewCommit): Promise<number>;
  /**
   * Compare-and-set: `after` is the size of the year's last checkpoint that was read, 0 for none.
   * Throws ConflictError when another was added since, or when the new one is not larger.
   */
  addCheckpoint(after: number, checkpoint: CheckpointRow): Promise<void>;
  /** With their batch, in one transaction: what is acknowledged has its bodies. */
  addBodies(index: number, bodies: readonly HeldBody[]): Promise<void>;
  /** What a pack gives back is no longer held: of these batches all bodies go. */
  dropBodies(indexes: readonly number[]): Promise<void>;
  addPack(pack: PackRow): Promise<void>;
  /** That a batch names a body by this hash, where that was not said when its bodies came. Repeating it does no harm. */
  addPlace(hash: string, place: BodyPlace): Promise<void>;
  /** That the batch at `index` names a body by this hash is forgotten: the body is gone. */
  dropPlace(hash: string, index: number): Promise<void>;
  /** The row alone; the blob goes first. */
  dropPack(service: string, day: number, part: number): Promise<void>;
  putBlock(view: View, period: number, subject: string, block: Uint8Array): Promise<void>;
  /** Deletes at most `limit` blocks of periods before one; returns how many. */
  dropBlocks(view: View, before: number, limit: number): Promise<number>;
  /** One that the log does not give. */
  dropBlock(view: View, period: number, subject: string): Promise<void>;
  addFlip(flip: Flip): Promise<number>;
  /** A key that was ever added is not added again. Returns whether it was new. */
  addOutbox(key: string, kind: string, payload: unknown): Promise<boolean>;
  /** Done: the row goes, its key stays known. */
  doneOutbox(key: string): Promise<void>;
  retryOutbox(key: string): Promise<void>;
  /** Appends to the feed once for each key; returns the seq it has. */
  addEvent(key: string, at: Instant, body: Readonly<Record<string, unknown>>): Promise<number>;
  /** Writes a value that never changes; an existing one stays. Returns the one that holds. */
  initMeta(key: string, value: string): Promise<string>;
}

/** Another writer was there first: read again and decide again. */
export class ConflictError extends Error {
  override name = 'ConflictError';
}

/** The disk is full: nothing was kept; the sender must come again. */
export class DiskFullError extends Error {
  override name = 'DiskFullError';
}
