import { type Batch, parseBatchText } from '@highwater/config/proof/batch.ts';
import { leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { type Clock, minuteOf } from '@highwater/config/time.ts';
import type { CommitRow, FrameRow, HeldBody, ReadTx, Store, Tx } from '../store/store.ts';
import { heldOf } from '../bodies/held.ts';
import { mutex } from '../mutex.ts';
import { signerOf } from '../signer.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';
import { refuse, type IngestAnswer } from './answer.ts';
import { readSent } from './bodies.ts';
import { publicIn } from './shown.ts';
import { type Amounts, openBudget } from './budget.ts';
import { openSaid } from './open.ts';
import { beginsEpoch, openQuota, type Quota } from './quota.ts';
import { readSalts, type SaltOf } from './salts.ts';
import {
  afterBatch,
  linesOfFrame,
  type LinesOf,
  rebuild,
  type RebuiltBody,
  waitingLines,
  type SpoolState,
} from './rebuild.ts';

/** How far past the collector's clock a batch may reach, minutes (CONTRACTS "In force"). */
const MAX_AHEAD_MINUTES = 2;
/** Frames looked at for one batch: hours of one a second. */
const MAX_FRAMES = 10_000;
/**
 * Bodies of one batch, bytes: all of them are in memory while it is taken in, and in one row. A probe closes a batch at a
 * twentieth of it.
 */
export const MAX_BODY_BYTES = 16_777_216;
/** Batches of one probe that may wait for each other; more are asked to come again. */
const MAX_WAITING = 4;
/** Contradictions of one epoch of a probe that are kept; the rest are counted in the metrics. */
const MAX_CONFLICTS = 16;

export interface BatchIngest {
  /** Keeps a batch and its bodies durably before it is acknowledged; the same one again is `held`. */
  accept(note: string, bodies: Readonly<Record<string, string>>): Promise<IngestAnswer>;
}

const bodyBytesOf = ({ bodies }: Batch): number => bodies.reduce((sum, { bytes }) => sum + bytes, 0);

interface Incoming {
  readonly batch: Batch;
  readonly note: string;
  readonly hash: string;
  readonly at: number;
}

/** What its key signed under this number, in the order committed: another key of the same probe contradicts nobody. */
async function ofSigner(tx: ReadTx, { batch, note }: Incoming, number: number): Promise<CommitRow[]> {
  const signer = signerOf(note);
  const rows = await tx.batches(batch.probe, batch.epoch, number);
  return rows.filter((row) => signerOf(row.note) === signer);
}

/** What is already held under its number, or why its chain does not fit; undefined for a batch that is new. */
async function alreadyHeld(tx: ReadTx, incoming: Incoming): Promise<IngestAnswer | 'other' | undefined> {
  const { batch, hash, at } = incoming;
  const [held] = await ofSigner(tx, incoming, batch.number);
  // The first one alone: a second text is in the log too, and its probe has to learn of it however often it asks.
  if (held !== undefined && held.hash !== hash) return 'other';
  if (held !== undefined) return { status: 200, body: { result: 'held', at, index: held.index } };
  if (batch.number === 0) {
    return batch.prev === ZERO_HASH ? undefined : refuse(400, at, 'prev of batch 0 is not 32 zero bytes');
  }
  const before = await ofSigner(tx, incoming, batch.number - 1);
  if (before.length === 0 || before.some((each) => each.hash === batch.prev)) return undefined;
  return refuse(409, at, `prev is not the batch ${batch.number - 1} that is held`);
}

/** Contradictions of an epoch that were kept: `conflicts` in the log's shard, by `NAME+KEYID EPOCH`. */
interface ConflictState {
  readonly kept: number;
  /** The lowest number among them: from it on the rule takes nothing of this epoch. */
  readonly least: number;
}

/**
 * Two texts under one number: the second is kept as evidence against the key, and refused. Past the cap only one
 * that says more is kept, with a lower number; a key in wrong hands must not fill the log. One that came before is
 * refused again, and not kept twice.
 */
async function keepConflict(
  tx: Tx,
  { batch, note, hash, at }: Incoming,
  quota: Quota,
): Promise<IngestAnswer> {
  const { probe, epoch, number, minutes } = batch;
  const key = `${signerOf(note)} ${epoch}`;
  const row = await tx.getState('conflicts', key);
  const { kept, least } = (row?.value as ConflictState | undefined) ?? { kept: 0, least: number };
  const isKept = (await tx.commitByHash(hash)) !== undefined;
  if (!isKept && (kept < MAX_CONFLICTS || number < least)) {
    const over = quota.take(probe, { leaves: 1, 'leaf-bytes': note.length }, at);
    if (over !== undefined) return over;
    await tx.addCommit({ kind: 'batch', at, note, hash, batch: { probe, epoch, number, minutes } });
    const next: ConflictState = { kept: kept + 1, least: Math.min(least, number) };
    await tx.putState('conflicts', key, row?.version ?? 0, next);
  }
  return refuse(409, at, `batch ${number} of epoch ${epoch} is held with another text`, {
    remedy: 'the probe starts a new epoch; two machines may be using one key',
  });
}

export interface BatchEvents {
  committed(probe: string): void;
  conflict(probe: string, epoch: number, number: number): void;
  /** A batch that its probe signed, whatever becomes of it; not one that waited in vain. */
  closed(batch: Batch): void;
}

/** By probe: one batch at a time, and how many wait or are under way. */
export type Turns = Map<string, { readonly run: ReturnType<typeof mutex>; waiting: number }>;

export function batchIngest(
  watched: Watched,
  store: Store,
  clock: Clock,
  events: BatchEvents,
  turns: Turns = new Map(),
  isPublic: (service: string) => boolean = publicIn(watched.config),
  quota: Quota = openQuota(watched, openBudget(), clock, () => undefined),
  linesOf: LinesOf = linesOfFrame,
): BatchIngest {
  const turnOf = (probe: string) => {
    const turn = turns.get(probe) ?? { run: mutex(), waiting: 0 };
    turns.set(probe, turn);
    return turn;
  };

  /** Rebuilds what was not sent, from what is in the store. */
  const gather = (batch: Batch, sent: ReadonlyMap<string, RebuiltBody>, saltOf: SaltOf) =>
    store.read(LOG_SHARD, async (tx) => {
      const spool = (await tx.getState('spool', batch.probe))?.value as SpoolState | undefined;
      const floor = spool?.epoch === batch.epoch ? spool.floor : 0;
      const frames = await tx.framesOf(batch.probe, batch.epoch, floor, MAX_FRAMES);
      const waiting = waitingLines(frames, spool, linesOf);
      const rebuilt = rebuild(batch, waiting, saltOf);
      const bodies = new Map([...rebuilt.bodies, ...sent]);
      return { spool, frames, waiting, bodies, missing: rebuilt.missing.filter((id) => !bodies.has(id)) };
    });

  const commit = (
    incoming: Incoming,
    bodies: ReadonlyMap<string, RebuiltBody>,
    held: readonly HeldBody[],
    from: { frames: readonly FrameRow[]; waiting: ReturnType<typeof waitingLines> },
  ) =>
    store.transact(LOG_SHARD, async (tx): Promise<IngestAnswer> => {
      const already = await alreadyHeld(tx, incoming);
      if (already === 'other') return keepConflict(tx, incoming, quota);
      if (already !== undefined) return already;
      const { batch, note, hash, at } = incoming;
      const { probe, epoch, number, minutes } = batch;
      const named = { probe, epoch, number, minutes };
      const index = await tx.addCommit({ kind: 'batch', at, note, hash, batch: named });
      await tx.addBodies(index, held);
      const row = await tx.getState('spool', probe);
      const spool = afterBatch(
        batch,
        new Map([...bodies].map(([service, { lines }]) => [service, lines])),
        from.frames,
        from.waiting,
        row?.value as SpoolState | undefined,
        minuteOf(at),
        linesOf,
      );
      await tx.putState('spool', probe, row?.version ?? 0, spool);
      return { status: 200, body: { result: 'accepted', at, index } };
    });

  /** What a batch that is not held yet leaves here for good. */
  const costOf = async ({ batch, note }: Incoming): Promise<Amounts> => ({
    leaves: 1,
    'leaf-bytes': note.length,
    'body-bytes': bodyBytesOf(batch),
    epochs: (await store.read(LOG_SHARD, (tx) => beginsEpoch(tx, batch))) ? 1 : 0,
  });

  const take = async (incoming: Incoming, sent: Readonly<Record<string, string>>): Promise<IngestAnswer> => {
    const { batch, at } = incoming;
    const held = await store.read(LOG_SHARD, (tx) => alreadyHeld(tx, incoming));
    if (held !== undefined && held !== 'other') return held;
    if (held === 'other') {
      events.conflict(batch.probe, batch.epoch, batch.number);
      return store.transact(LOG_SHARD, async (tx) => keepConflict(tx, incoming, quota));
    }
    if (bodyBytesOf(batch) > MAX_BODY_BYTES) {
      const remedy = 'send its lines in several batches';
      return refuse(413, at, `the bodies of a batch have over ${MAX_BODY_BYTES} bytes`, { remedy });
    }
    const saltOf = await store.read(LOG_SHARD, readSalts);
    const read = readSent(batch, sent, saltOf);
    if ('error' in read) return refuse(400, at, read.error);
    const found = await gather(batch, read.bodies, saltOf);
    if (found.missing.length > 0) {
      const remedy = 'send the batch again with these bodies, as application/json';
      const services = [...found.missing];
      return refuse(428, at, 'some bodies can not be rebuilt from the frames', { remedy, services });
    }
    const over = quota.take(batch.probe, await costOf(incoming), at);
    if (over !== undefined) return over;
    const kept = heldOf(batch, found.bodies, isPublic);
    const answer = await commit(incoming, found.bodies, kept, found);
    if (answer.status === 200) events.committed(batch.probe);
    return answer;
  };

  return {
    async accept(note, sent) {
      const at = clock.now();
      const opened = openSaid(watched, note, parseBatchText, at);
      if ('refusal' in opened) return opened.refusal;
      const batch = opened.said;
      events.closed(batch);
      if (batch.minutes.last > minuteOf(at) + MAX_AHEAD_MINUTES) {
        const remedy = "set the probe's clock";
        return refuse(422, at, `minute ${batch.minutes.last} is ahead of the collector's clock`, { remedy });
      }
      const turn = turnOf(batch.probe);
      if (turn.waiting >= MAX_WAITING) {
        return refuse(429, at, `${batch.probe} has batches waiting`, { remedy: 'send one at a time' });
      }
      turn.waiting += 1;
      try {
        const hash = leafHashOfNote(note, sha256);
        return await turn.run(() => take({ batch, note, hash, at }, sent));
      } finally {
        turn.waiting -= 1;
      }
    },
  };
}
