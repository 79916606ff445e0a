/**
 * What of a restored store does not follow the commits by a cursor, and has to fit them again. What does follow (ground,
 * tallies, slots, latency) goes on from its cursor; live verdicts are judged anew from the frames that come.
 */
import { randomBytes } from 'node:crypto';
import { parseMaintLeaf, parseProbeLeaf } from '@highwater/config/proof/leaves.ts';
import { parseReportLeaf } from '@highwater/config/proof/report-leaf.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import type { Instant } from '@highwater/config/time.ts';
import { FEED_CORE, FEED_KEY } from '../answers/events.ts';
import type { Declared } from '../decide/maintenance.ts';
import type { AssignmentState } from '../leaves/assignments.ts';
import type { EnrolledState } from '../leaves/leaves.ts';
import { wordsBeside } from '../leaves/maintenance-words.ts';
import { walkAgain } from '../packing/pack-files.ts';
import { keyOf, REPORT_CORE, type ReportState } from '../reports/states.ts';
import type { Store, Tx } from '../store/store.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';

function textOf(note: string): string {
  const parsed = parseNote(note);
  return 'error' in parsed ? '' : parsed.text;
}

/** Who is enrolled, as the leaves say: a second enrolment of the same key would move its beginning. */
async function enrol(tx: Tx): Promise<void> {
  const enrolled = new Map<string, EnrolledState>();
  for (const { kind, note, at } of await tx.leaves()) {
    const leaf = kind === 'probe' ? parseProbeLeaf(textOf(note)) : undefined;
    if (leaf === undefined || 'error' in leaf) continue;
    const { act, probe, key, region, operator } = leaf;
    if (act === 'revoke') enrolled.delete(probe);
    else enrolled.set(probe, { key, region, operator, at });
  }
  for (const { key } of await tx.listState('enrolled')) await tx.deleteState('enrolled', key);
  for (const [probe, state] of enrolled) await tx.putState('enrolled', probe, 0, state);
}

/** Maintenance that was declared or cancelled after the backup. The words for people of private services are in no leaf. */
async function maintain(tx: Tx): Promise<void> {
  const idOf = (hash: string): string => Buffer.from(hash, 'base64').toString('hex').slice(0, 16);
  const leaves = await tx.leaves();
  const byIndex = new Map(leaves.map((leaf) => [leaf.index, leaf]));
  for (const { index, kind, note, hash, at } of leaves) {
    const leaf = kind === 'maint' ? parseMaintLeaf(textOf(note)) : undefined;
    if (leaf === undefined || 'error' in leaf) continue;
    const id = idOf(leaf.act === 'declare' ? hash : leaf.leaf);
    const row = await tx.getState('maintenance', id);
    if (leaf.act === 'declare') {
      if (row !== undefined) continue;
      const { from, last, subjects } = leaf;
      const one: Declared = {
        id,
        leaf: hash,
        ...(wordsBeside(hash, byIndex.get(index + 1)) ?? { title: 'Maintenance' }),
        of: subjects,
        from,
        last,
        declaredAt: at,
      };
      await tx.putState('maintenance', id, 0, one);
      continue;
    }
    const one = row?.value as Declared | undefined;
    // Of several the one that ends it first counts.
    if (row === undefined || one === undefined || (one.cancelled?.from ?? Infinity) <= leaf.from) continue;
    await tx.putState('maintenance', id, row.version, { ...one, cancelled: { at, from: leaf.from } });
  }
}

/**
 * Assignments are numbered and never rolled back, and a probe may have seen more than the backup knows. The next one of
 * each probe is numbered by the second of the restore, which no count of changes has come to.
 */
async function renumber(tx: Tx, now: Instant): Promise<void> {
  for (const { key, version, value } of await tx.listState('assignment')) {
    const state = value as AssignmentState;
    const number = Math.max(state.number, Math.floor(now / 1_000));
    // Of other tasks than any: so it is made anew, and signed, at the next start.
    await tx.putState('assignment', key, version, { ...state, number, tasks: '' });
  }
}

/**
 * Reports that were logged after the backup: their files are not in it, and their revision is taken. What was made of them
 * before is nothing any more.
 */
async function takeReports(tx: Tx): Promise<void> {
  for (const { kind, note } of await tx.leaves()) {
    const leaf = kind === 'report' ? parseReportLeaf(textOf(note)) : undefined;
    if (leaf === undefined || 'error' in leaf) continue;
    const key = keyOf(leaf.month, leaf.revision);
    const row = await tx.getState(REPORT_CORE, key);
    const state = row?.value as ReportState | undefined;
    // One that was let go keeps what it told.
    if (state?.phase === 'published' || state?.phase === 'dropped') continue;
    await tx.putState(REPORT_CORE, key, row?.version ?? 0, { phase: 'dropped' } satisfies ReportState);
  }
}

/** @param isCurrent what was published was taken over: what others showed of it is in this store now */
export async function refitViews(store: Store, now: Instant, isCurrent: boolean): Promise<void> {
  await store.transact(LOG_SHARD, async (tx) => {
    if (isCurrent)
      for (const { key } of await tx.listState('log-evidence')) await tx.deleteState('log-evidence', key);
    await enrol(tx);
    await maintain(tx);
    await renumber(tx, now);
    await takeReports(tx);
    await walkAgain(tx);
  });
  await store.transact(HOUSE_SHARD, async (tx) => {
    // The feed's numbers go back: whoever follows it must not take new events for known ones.
    const row = await tx.getState(FEED_CORE, FEED_KEY);
    await tx.putState(FEED_CORE, FEED_KEY, row?.version ?? 0, randomBytes(8).toString('hex'));
  });
}
