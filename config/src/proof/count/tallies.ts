/** The rule's own steps from tallies to slots, each worked out once for what is alike: ids stand for tallies and judgements. */
import { judgeMonitor } from '../rule/monitor.ts';
import { type Tally, addTallies, emptyTally } from '../rule/probe-minute.ts';
import { type RegionJudgement, judgeRegion, slotOfRegion } from '../rule/region.ts';
import { byteOf } from '../rule/slot-byte.ts';

/** Tallies of so many ok lines and nothing else have their number as id; 0 is the empty one. */
export const PLAIN = 64;
/** Of each kind: then all begin anew, with the next day. */
const MAX_KNOWN = 200_000;

export class Tallies {
  private readonly tallies: Tally[] = [];
  private readonly ids = new Map<string, number>();
  /** Single requests that counted, and those that succeeded; by id. */
  readonly asked: number[] = [];
  readonly succeeded: number[] = [];
  private readonly judgements: RegionJudgement[] = [];
  private readonly regionIds = new Map<string, number>();
  private readonly agreed = new Map<string, number>();
  /** Slots of regions by id of the judgement. */
  readonly regionBytes: number[] = [];

  constructor() {
    for (let ok = 0; ok < PLAIN; ok += 1) this.add({ ...emptyTally, ok });
  }

  get isFull(): boolean {
    return Math.max(this.tallies.length, this.regionIds.size, this.agreed.size) > MAX_KNOWN;
  }

  private add(tally: Tally): number {
    const id = this.tallies.push(tally) - 1;
    this.succeeded.push(tally.ok + tally.degraded);
    this.asked.push(tally.ok + tally.degraded + tally.fail);
    return id;
  }

  idOf(tally: Tally): number {
    const { ok, degraded, fail, old, probe, clock } = tally;
    if (degraded + fail + probe + clock === 0 && ok < PLAIN) return ok;
    const key = `${ok} ${degraded} ${fail} ${old} ${probe} ${clock}`;
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = this.add(tally);
    this.ids.set(key, id);
    return id;
  }

  /** Of ok lines and nothing else. */
  idOfOk(ok: number): number {
    return ok < PLAIN ? ok : this.idOf({ ...emptyTally, ok });
  }

  /** Of a window: the sum of its minutes. */
  sumOf(minutes: Uint32Array, first: number, last: number): number {
    let sum = emptyTally;
    for (let minute = first; minute <= last; minute += 1) {
      const id = minutes[minute] ?? 0;
      if (id !== 0) sum = addTallies(sum, this.tallies[id] ?? emptyTally);
    }
    return this.idOf(sum);
  }

  /** Judges a region by the tallies of its probes. */
  regionOf(probes: readonly number[]): number {
    const key = probes.join(' ');
    const known = this.regionIds.get(key);
    if (known !== undefined) return known;
    const judged = judgeRegion(probes.map((id) => this.tallies[id] ?? emptyTally));
    const id = this.judgements.push(judged) - 1;
    this.regionBytes.push(byteOf({ ...slotOfRegion(judged), maintenance: false, stalled: false }));
    this.regionIds.set(key, id);
    return id;
  }

  /** The slot that regions agree on, by their judgements. */
  agreedByte(regions: readonly number[], quorum: number | undefined): number {
    const key = `${quorum ?? ''}:${regions.join(' ')}`;
    const known = this.agreed.get(key);
    if (known !== undefined) return known;
    const judged = judgeMonitor(
      regions.flatMap((id) => this.judgements[id] ?? []),
      quorum,
    );
    const byte = byteOf({ ...judged, maintenance: false, stalled: false }, judged.old);
    this.agreed.set(key, byte);
    return byte;
  }
}
