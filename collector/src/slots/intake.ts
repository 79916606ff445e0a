/** From commits to tallies of one shard: what of each batch's bodies belongs to its services. */
import { dueMinuteOf, type Batch } from '@highwater/config/proof/batch.ts';
import { readBody } from '@highwater/config/proof/rule/evidence.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Bodies } from '../bodies/bodies.ts';
import type { CommitRow, Store, TallyEntry } from '../store/store.ts';
import { readSalts } from '../ingest/salts.ts';
import { LOG_SHARD } from '../watched.ts';
import { batchOf } from './batch-commit.ts';
import type { Ground } from './ground.ts';

export interface TallyAddition {
  readonly monitor: string;
  readonly key: string;
  readonly minute: number;
  readonly entries: TallyEntry[];
}

export interface Intake {
  readonly additions: readonly TallyAddition[];
  /** Minutes whose judgement may have changed although no line of them came: of batches that became void. */
  readonly voided: ReadonlySet<number>;
}

function entriesOf(
  ground: Ground,
  commit: CommitRow,
  batch: Batch,
  lines: readonly string[],
  into: Map<string, TallyAddition>,
): void {
  const key = ground.keyOf(commit);
  const config = ground.configIndex(batch.config);
  for (const line of lines) {
    const [monitor = '', dueAt = '', ...rest] = line.split(' ');
    const minute = dueMinuteOf(line);
    const place = `${monitor} ${minute} ${key}`;
    const addition = into.get(place) ?? { monitor, key, minute, entries: [] };
    into.set(place, addition);
    addition.entries.push({
      dueAt: Number(dueAt),
      epoch: batch.epoch,
      number: batch.number,
      index: commit.index,
      boundMs: batch.clock.boundMs,
      config,
      rest: rest.join(' '),
    });
  }
}

/** Lines that are no recheck: those never count, and would only take room. */
function counting(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.endsWith(' re=1') && !line.includes(' re=1 '));
}

/** Minutes of the batches that a contradiction makes void: their slots have to be judged again. */
async function minutesVoided(
  store: Store,
  ground: Ground,
  commit: CommitRow,
  batch: Batch,
): Promise<number[]> {
  const key = ground.keyOf(commit);
  const from = ground.voidFrom(key, batch.epoch);
  if (batch.number !== from) return [];
  const rows = await store.read(LOG_SHARD, (tx) => tx.batchesSince(batch.probe, batch.epoch, from));
  return rows.flatMap((row) => {
    if (ground.keyOf(row) !== key) return [];
    const { first, last } = batchOf(row)?.minutes ?? { first: 0, last: -1 };
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Reads what belongs to a shard. `isOurs` says which services do. A body that is missing is silence. */
export async function readCommits(
  store: Store,
  bodies: Bodies,
  ground: Ground,
  commits: readonly CommitRow[],
  isOurs: (service: string) => boolean,
): Promise<Intake> {
  const additions = new Map<string, TallyAddition>();
  const voided = new Set<number>();
  const saltOf = await store.read(LOG_SHARD, readSalts);
  for (const commit of commits) {
    const batch = batchOf(commit);
    if (batch === undefined) continue;
    for (const minute of await minutesVoided(store, ground, commit, batch)) voided.add(minute);
    const texts = await bodies.ofBatch(commit, batch, isOurs);
    for (const ref of batch.bodies) {
      const text = texts.get(ref.service);
      if (text === undefined) continue;
      const lines = readBody(ref, batch, new Map([[ref.hash, text]]), sha256, saltOf(ref.service));
      if (!('error' in lines)) entriesOf(ground, commit, batch, counting(lines), additions);
    }
  }
  return { additions: [...additions.values()], voided };
}
