/** The slots of one shard's nodes and services for some minutes, by the rule, from the tallies in the store. */
import { judgeMinute, newTable } from '@highwater/config/proof/rule/evaluate.ts';
import type { MonitorJudgement } from '@highwater/config/proof/rule/monitor.ts';
import { dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import type { ReadTx, Tx } from '../store/store.ts';
import { byteOf } from './byte.ts';
import type { Ground } from './ground.ts';
import { judgeWindow } from './judge-window.ts';
import { partOf } from './part.ts';
import type { WindowFinder } from './windows.ts';

const none = new Map<never, never>();

/** Judges every monitor of the shard in one minute; windows that were judged before are not judged again. */
async function judgeMonitors(
  tx: ReadTx,
  ground: Ground,
  windows: WindowFinder,
  shard: string,
  minute: number,
  judged: Map<string, MonitorJudgement>,
): Promise<void> {
  const under = ground.timeline.configAt(minute);
  for (const { id } of under === undefined ? [] : partOf(under, shard).monitors) {
    const window = windows.at(id, minute);
    if (window === undefined || judged.has(`${id} ${window.first}`)) continue;
    const rows = await tx.tallies(id, window.first, window.last);
    judged.set(`${id} ${window.first}`, judgeWindow(ground, window, rows));
  }
}

/** Blocks of the days that are being written, by subject and day. */
class Blocks {
  readonly #tx: Tx;
  readonly #blocks = new Map<string, { subject: string; day: number; block: Uint8Array; changed: boolean }>();

  constructor(tx: Tx) {
    this.#tx = tx;
  }

  async set(subject: string, minute: number, byte: number): Promise<void> {
    const day = dayOfMinute(minute);
    const held = this.#blocks.get(`${subject} ${day}`) ?? (await this.#load(subject, day));
    const at = minute % MINUTES_PER_DAY;
    if (held.block[at] === byte) return;
    held.block[at] = byte;
    held.changed = true;
  }

  async #load(subject: string, day: number) {
    const [row] = await this.#tx.slotDays(subject, day, day);
    const block = row === undefined ? new Uint8Array(MINUTES_PER_DAY) : Uint8Array.from(row.block);
    const held = { subject, day, block, changed: false };
    this.#blocks.set(`${subject} ${day}`, held);
    return held;
  }

  async save(): Promise<boolean> {
    const changed = [...this.#blocks.values()].filter((each) => each.changed);
    for (const { subject, day, block } of changed) await this.#tx.putSlotDay(subject, day, block);
    return changed.length > 0;
  }
}

/** Writes the slots of these minutes. Returns whether any changed. */
export async function evaluateMinutes(
  tx: Tx,
  ground: Ground,
  windows: WindowFinder,
  shard: string,
  minutes: Iterable<number>,
): Promise<boolean> {
  const judged = new Map<string, MonitorJudgement>();
  const blocks = new Blocks(tx);
  for (const minute of minutes) {
    const under = ground.timeline.configAt(minute);
    if (under === undefined) continue;
    await judgeMonitors(tx, ground, windows, shard, minute, judged);
    const table = newTable(minute, 1);
    const judge = (id: string, at: number): MonitorJudgement => {
      const found = judged.get(`${id} ${windows.at(id, at)?.first}`);
      if (found === undefined) throw new Error(`${id} was not judged in minute ${at}`);
      return found;
    };
    judgeMinute(minute, partOf(under, shard), ground.timeline, judge, none, table);
    for (const rows of [table.nodes, table.services]) {
      for (const [subject, [slot]] of rows) {
        if (slot !== undefined) await blocks.set(subject, minute, byteOf(slot));
      }
    }
  }
  return blocks.save();
}
