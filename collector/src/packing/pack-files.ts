/**
 * Packs bodies that lie in files: versions before kept all of them so, and a restore puts some there. The log is walked once,
 * commit by commit; a file goes when a pack has its body and the store knows by the body's hash where it is. Killed anywhere
 * and done again, a stretch of the walk comes to the same: what is packed is not packed twice, and files that are left go.
 */
import { decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { MIXED } from '@highwater/config/proof/packed/pack.ts';
import type { BodyRef } from '@highwater/config/proof/batch.ts';
import type { Instant } from '@highwater/config/time.ts';
import { readFileBody, removeFileBody } from '../bodies/files.ts';
import { readSent } from '../ingest/bodies.ts';
import { readSalts } from '../ingest/salts.ts';
import type { HeldBody, ReadTx, Tx } from '../store/store.ts';
import {
  type BodySource,
  type FoundPlace,
  packDay,
  packedIndexes,
  type PackingWork,
  readPackOf,
  type WalkedState,
} from './pack-days.ts';
import { isSettled, type ReadBatch, readBatch } from './plan.ts';

const CORE = 'packing-files';
const KEY = 'walked';
/** Commits looked at before it is written how far it has come: some days of some probes. */
const AT_ONCE = 20_000;
const ALL = 2 ** 40;
/** Batches whose files go together. */
const BATCHES_AT_ONCE = 200;
/** Batches of a restore's files come again within so many commits behind what it has. */
const RESTORED_COMMITS = 20_000;

async function walkedIn(tx: ReadTx): Promise<WalkedState> {
  const row = await tx.getState(CORE, KEY);
  // All that is in the log when this version comes to it may be in files.
  return (row?.value as WalkedState | undefined) ?? { next: 0, thorough: await tx.commitSize() };
}

export async function putWalked(tx: Tx, state: WalkedState): Promise<void> {
  const row = await tx.getState(CORE, KEY);
  await tx.putState(CORE, KEY, row?.version ?? 0, state);
}

/** After a restore any batch may have files again. */
export async function walkAgain(tx: Tx): Promise<void> {
  await putWalked(tx, { next: 0, thorough: (await tx.commitSize()) + RESTORED_COMMITS });
}

/** Whether the walk has anything to look at. */
export async function isToWalk(tx: ReadTx, now: Instant): Promise<boolean> {
  const { next } = await walkedIn(tx);
  if (next >= (await tx.commitSize())) return false;
  const batch = await readBatch(tx, next);
  return batch === undefined || isSettled(batch, now);
}

/** Whether a batch may have files: of one that came with its bodies the store knows where they are. */
async function mayHaveFiles(tx: ReadTx, { index, batch }: ReadBatch, thorough: number): Promise<boolean> {
  if (index < thorough) return batch.bodies.length > 0;
  const [first] = batch.bodies;
  if (first === undefined) return false;
  return !(await tx.bodyPlaces(first.hash)).some((place) => place.index === index);
}

/** The next stretch: batches that may have files, by day, and where it ends. */
async function stretch(
  { tx, now }: Pick<PackingWork, 'tx' | 'now'>,
  { next, thorough }: WalkedState,
  held: ReadonlySet<number>,
): Promise<{ readonly days: ReadonlyMap<number, number[]>; readonly end: number }> {
  const days = new Map<number, number[]>();
  for (let at = next; at < next + AT_ONCE; at += 1) {
    if (at >= (await tx.commitSize())) return { days, end: at };
    const read = await readBatch(tx, at);
    if (read === undefined) continue;
    if (!isSettled(read, now)) return { days, end: at };
    // Its row could not be packed, or is to be: whatever else there is of it stays.
    if (held.has(at) || !(await mayHaveFiles(tx, read, thorough))) continue;
    days.set(read.day, [...(days.get(read.day) ?? []), at]);
  }
  return { days, end: next + AT_ONCE };
}

/** A body in its file; or in the pack of another batch that has the same, and took the file. */
async function findBody({ tx, blobs, packed }: PackingWork, index: number, ref: BodyRef) {
  const file = await readFileBody(blobs, ref.hash);
  const text = file === undefined ? undefined : decodeUtf8(file.bytes);
  if (file !== undefined && text !== undefined) return { text, shown: file.shown };
  for (const place of await tx.bodyPlaces(ref.hash)) {
    const other = place.index === index ? undefined : await readBatch(tx, place.index);
    if (other?.refs.get(ref.service)?.hash !== ref.hash) continue;
    const [body] = await packed.ofBatch(other.commit, other.batch, (service) => service === ref.service);
    if (body !== undefined) return body;
  }
  return undefined;
}

/** A file's name alone says little: what is packed is what its batch commits to, and whole lines of its service. */
async function filesOf(work: PackingWork): Promise<BodySource> {
  const saltOf = await readSalts(work.tx);
  return {
    async bodies(index, isWanted) {
      const read = await readBatch(work.tx, index);
      const bodies: HeldBody[] = [];
      for (const ref of read?.batch.bodies ?? []) {
        const { service, hash } = ref;
        const found = isWanted(service) ? await findBody(work, index, ref) : undefined;
        if (read === undefined || found === undefined) continue;
        if ('error' in readSent(read.batch, { [service]: found.text }, saltOf)) continue;
        bodies.push({ service, hash, shown: found.shown, text: found.text });
      }
      return bodies;
    },
  };
}

/** What packs have is found by its hash from now on, and its file goes. */
async function removeFiles(
  { tx, blobs, packed: bodies, port }: PackingWork,
  day: number,
  indexes: readonly number[],
) {
  const packOf = await readPackOf(tx);
  const packed = new Map<string, ReadonlySet<number>>();
  const places: FoundPlace[] = [];
  for (const index of indexes) {
    const read = await readBatch(tx, index);
    // A mixed pack has what it has of a batch: one of them says nothing of another.
    const isMixed = (named: string): boolean => packOf(named, index) === MIXED;
    const mixed = read === undefined ? [] : await bodies.ofBatch(read.commit, read.batch, isMixed);
    const given = new Set(mixed.map(({ hash }) => hash));
    for (const [place, { service: named, hash }] of (read?.batch.bodies ?? []).entries()) {
      const service = packOf(named, index);
      if (service === MIXED && !given.has(hash)) continue;
      const known = packed.get(service) ?? (await packedIndexes(tx, service, day));
      packed.set(service, known);
      if (known.has(index)) places.push({ hash, index, place });
    }
  }
  if (places.length === 0) return;
  await port.placed(places);
  for (const { hash } of places) await removeFileBody(blobs, hash);
}

/** Goes on with the walk as far as days are over. What is in rows is packed before. */
export async function packFiles(work: PackingWork): Promise<void> {
  const { tx, port } = work;
  const held = new Set(await tx.heldBefore(ALL, ALL));
  const source = await filesOf(work);
  for (let state = await walkedIn(tx); ;) {
    const { days, end } = await stretch(work, state, held);
    if (end === state.next) return;
    // Some of its bodies get their places before all files are gone: if this ends here, all of it is looked at again.
    if (days.size > 0) await port.walked({ next: state.next, thorough: Math.max(state.thorough, end) });
    for (const [day, indexes] of days) {
      await packDay(work, day, indexes, source);
      for (let at = 0; at < indexes.length; at += BATCHES_AT_ONCE) {
        await removeFiles(work, day, indexes.slice(at, at + BATCHES_AT_ONCE));
      }
    }
    state = { next: end, thorough: state.thorough };
    await port.walked(state);
  }
}
