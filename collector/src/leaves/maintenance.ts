/**
 * Maintenance as the operator declares and cancels it: a leaf, and in the same transaction the words for people, which
 * are a remark beside the leaf where the page shows them.
 * Nothing that is watched can bring one about: it takes the operator's token.
 */
import type { SigningKey } from '@highwater/config/keys.ts';
import { formatAnnotationLeaf } from '@highwater/config/proof/annotation-leaf.ts';
import { decodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { formatMaintLeaf } from '@highwater/config/proof/leaves.ts';
import { MAX_ENTRY_BYTES } from '@highwater/config/proof/tiles.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Maintenance, MaintenanceRequest } from '@highwater/config/wire.ts';
import {
  coverAt,
  type Declared,
  MAX_COMING,
  plan,
  planEnd,
  type Refusal,
  spanOf,
  stateOf,
} from '../decide/maintenance.ts';
import type { Cover } from '../decide/types.ts';
import type { Store, Tx } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { append } from './leaves.ts';
import { wordsText } from './maintenance-words.ts';

/** Rows of the log's shard, by id. */
const CORE = 'maintenance';

/** What is declared twice to the letter is held; its words can't be changed by that. */
export type DeclareResult =
  | { readonly result: 'declared' | 'held'; readonly one: Declared; readonly late: boolean }
  | (Refusal & { readonly result: 'wrong' | 'conflict' });
export type CancelResult =
  | { readonly result: 'cancelled'; readonly one: Declared }
  | { readonly result: 'unknown' }
  | (Refusal & { readonly result: 'conflict' });

export interface Maintenances {
  /**
   * @param request its subjects are known to be watched
   * @param isShown the page shows its words, so that they may be in the log
   */
  declare(request: MaintenanceRequest, isShown: boolean): Promise<DeclareResult>;
  /** @param endsAt the next minute without it */
  cancel(id: string, endsAt: Instant | undefined): Promise<CancelResult>;
  /** All that were ever declared, in the order of their beginning. */
  all(): readonly Declared[];
  /** What is covered at an instant: the same object for as long as that is the same. */
  readonly cover: (now: Instant) => Cover;
}

export function toWire(one: Declared, now: Instant): Maintenance {
  const { id, title, body, of, declaredAt, cancelled } = one;
  return {
    id,
    title,
    ...(body === undefined ? {} : { body }),
    of: [...of],
    ...spanOf(one),
    declaredAt,
    ...(cancelled === undefined ? {} : { cancelledAt: cancelled.at }),
    state: stateOf(one, now),
  };
}

function idOf(leaf: string): string {
  return Buffer.from(decodeBase64(leaf) ?? [])
    .toString('hex')
    .slice(0, 16);
}

/** @param committed called after each leaf */
export async function openMaintenances(
  store: Store,
  clock: Clock,
  signing: { readonly key: SigningKey; readonly origin: string },
  committed: () => void,
): Promise<Maintenances> {
  const { key, origin } = signing;
  const rows = await store.read(LOG_SHARD, (tx) => tx.listState(CORE));
  const known = new Map(rows.map((row) => [row.key, row.value as Declared]));
  let covered: { cover: Cover; since: Instant; until: Instant } | undefined;

  const keep = (one: Declared): void => {
    known.set(one.id, one);
    covered = undefined;
    committed();
  };

  const commit = async (
    tx: Tx,
    request: MaintenanceRequest,
    isShown: boolean,
    now: Instant,
  ): Promise<DeclareResult> => {
    const planned = plan(request, now);
    if ('error' in planned) return { result: 'wrong', ...planned };
    const { from, last, late } = planned;
    const of = [...new Set(request.of)].sort();
    const all = (await tx.listState(CORE)).map((row) => row.value as Declared);
    const same = all.find((one) => one.from === from && one.last === last && one.of.join() === of.join());
    if (same !== undefined) return again(same, request, late);
    if (all.filter((one) => ['planned', 'active'].includes(stateOf(one, now))).length >= MAX_COMING) {
      const remedy = 'cancel some, or declare one of several services';
      return { result: 'conflict', error: `there are ${MAX_COMING} planned or active already`, remedy };
    }
    const text = formatMaintLeaf({ act: 'declare', origin, from, last, subjects: of });
    const bytes = utf8(key.sign(text)).length;
    if (bytes > MAX_ENTRY_BYTES) {
      const error = `of: it has ${of.length} names, too many for one entry of the log (${bytes} bytes of ${MAX_ENTRY_BYTES})`;
      return { result: 'wrong', error, remedy: 'declare several, each of some of them' };
    }
    const { title, body } = request;
    const words = { title, ...(body === undefined || body === '' ? {} : { body }) };
    const said = wordsText(words);
    if (typeof said !== 'string') return { result: 'wrong', ...said };
    const leaf = await append(tx, { key, at: now }, 'maint', text);
    if (isShown) {
      const remark = formatAnnotationLeaf({ origin, of: leaf, at: now, text: said });
      await append(tx, { key, at: now }, 'annot', remark);
    }
    const one: Declared = { id: idOf(leaf), leaf, ...words, of, from, last, declaredAt: now };
    await tx.putState(CORE, one.id, 0, one);
    return { result: 'declared', one, late };
  };

  return {
    async declare(request, isShown) {
      const done = await store.transact(LOG_SHARD, (tx) => commit(tx, request, isShown, clock.now()));
      if (done.result === 'declared') keep(done.one);
      return done;
    },
    async cancel(id, endsAt) {
      const done = await store.transact(LOG_SHARD, async (tx): Promise<CancelResult> => {
        const now = clock.now();
        const row = await tx.getState(CORE, id);
        if (row === undefined) return { result: 'unknown' };
        const one = row.value as Declared;
        const from = planEnd(one, endsAt, now);
        if (typeof from !== 'number') return { result: 'conflict', ...from };
        await append(
          tx,
          { key, at: now },
          'maint',
          formatMaintLeaf({ act: 'cancel', origin, from, leaf: one.leaf }),
        );
        const cancelled: Declared = { ...one, cancelled: { at: now, from } };
        await tx.putState(CORE, id, row.version, cancelled);
        return { result: 'cancelled', one: cancelled };
      });
      if (done.result === 'cancelled') keep(done.one);
      return done;
    },
    all: () => [...known.values()].sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1)),
    cover(now) {
      if (covered === undefined || now < covered.since || now >= covered.until)
        covered = { ...coverAt(known.values(), now), since: now };
      return covered.cover;
    },
  };
}

/** One that a lost answer made somebody send again is held; two of the same leaf there can't be. */
function again(same: Declared, request: MaintenanceRequest, late: boolean): DeclareResult {
  const isSame = same.title === request.title && (same.body ?? '') === (request.body ?? '');
  if (isSame && same.cancelled === undefined) return { result: 'held', one: same, late };
  const was = same.cancelled === undefined ? 'declared already' : 'declared and cancelled';
  const remedy = 'let the new one begin or end in another minute';
  return { result: 'conflict', error: `these minutes of the same are ${was}, as ${same.id}`, remedy };
}
