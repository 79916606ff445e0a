/** The views of one shard: a fold over the commits, in memory, flushed with how far it has come in one transaction. */
import { setImmediate } from 'node:timers/promises';
import { dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import type { CommitRow, ReadTx, Store, View } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { batchOf } from './batch-commit.ts';
import { type Blocks, openBlocks } from './blocks.ts';
import { Book } from './book.ts';
import { differsIn, firstChanged } from './changed-past.ts';
import { evaluateMinute, type JudgedWindows } from './evaluate-minutes.ts';
import type { Ground, GroundKeeper } from './ground.ts';
import { type Layout, layoutIn } from './layout.ts';
import type { LineView } from './line-view.ts';
import { minuteChanges } from './minute-changes.ts';
import { LOADED_AT_ONCE, readTallies } from './read-tallies.ts';
import { rosters } from './rosters.ts';
import { tellDamagedBlock } from './readable.ts';
import type { Source } from './source.ts';
import { type Change, changeOf, isLost } from './standing.ts';
import { type Standpoint, TallyBook } from './tally-book.ts';
import { Touched } from './touched.ts';
import { isLong } from './waiting.ts';
import { earliestOf, type VoidWork, voidSteps, withVoid } from './void-work.ts';
import { type MonitorWindow, windowFinder } from './windows.ts';

/** Minutes after their closing for which all tallies stay in memory: late batches are mostly no later. */
const KEPT_MINUTES = 30;

/** Minutes of void batches that are judged again in a beat: the others of the beat do not wait for years of them. */
const VOIDED_AT_ONCE = 240;

const none: ReadonlySet<string> = new Set();

const startOfDay = (minute: number): number => minute - (minute % MINUTES_PER_DAY);

/** `slots` in each shard. */
interface SlotsState {
  /** The first commit that is not in the views yet. */
  readonly next: number;
  /** The last minute that has its slots. */
  readonly closed: number;
  /** Leaves below this index were known when they were judged. */
  readonly ground: number;
  /** What became void, and how much of it is judged again. */
  readonly voids?: readonly VoidWork[];
}

export interface ShardParts {
  readonly shard: string;
  readonly store: Store;
  readonly source: Source;
  readonly keeper: GroundKeeper;
  readonly views: readonly LineView[];
  /** Whether a service is, or ever was, in the shard. */
  readonly isOurs: (service: string) => boolean;
}

export class ShardSlots {
  readonly blocks: Blocks;
  readonly #parts: ShardParts;
  readonly #book: Book;
  readonly #tallies = new TallyBook();
  readonly #touched: Touched;
  readonly #interned = new Map<string, string>();
  #point: Standpoint | undefined;
  #version = 0;
  #state: SlotsState = { next: 0, closed: -1, ground: 0 };
  #isOpen = false;
  #isChanged = false;
  #hasPast = false;

  constructor(parts: ShardParts) {
    this.#parts = parts;
    this.blocks = openBlocks((damaged) => tellDamagedBlock(parts.store, damaged));
    this.#book = new Book(this.blocks);
    this.#touched = new Touched(parts.shard);
  }

  get shard(): string {
    return this.#parts.shard;
  }

  get next(): number {
    return this.#state.next;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get closed(): number {
    return this.#state.closed;
  }

  /** Whether minutes are left that are to be judged again. */
  get owes(): boolean {
    return this.#state.voids?.some(({ next }) => next !== undefined) === true;
  }

  /** Whether a day that is over was touched, and should be flushed at once. */
  get hasPast(): boolean {
    return this.#hasPast;
  }

  /** Takes up where the store is. @param first the first minute and commit that can matter */
  async open(first: { readonly minute: number; readonly index: number }): Promise<void> {
    if (this.#isOpen) return;
    const { store, shard } = this.#parts;
    const row = await store.read(shard, (tx) => tx.getState('slots', 'all'));
    const kept = row?.value as SlotsState | undefined;
    this.#version = row?.version ?? 0;
    this.#state = kept ?? { next: first.index, closed: first.minute - 1, ground: first.index };
    this.#isOpen = true;
  }

  /** Stands on a ground: what its new leaves change of the past is to be judged again. */
  async stand(ground: Ground): Promise<void> {
    const before = this.#point?.ground;
    if (before?.timeline === ground.timeline) {
      if (this.#point !== undefined) this.#point = { ...this.#point, ground };
      return;
    }
    const { shard, keeper } = this.#parts;
    const { closed, ground: known } = this.#state;
    const since = firstChanged(ground, known);
    if (since <= closed) {
      const old = before?.timeline ?? (await keeper.before(known));
      for (let minute = since; minute <= closed; minute += 1) {
        if (differsIn(old, ground.timeline, shard, minute)) this.#touched.anew(minute);
      }
    }
    // Services that were put into this shard may have been in another before: their lines are not in the tallies.
    const isPlacedAnew = before?.records.configs.length !== ground.records.configs.length;
    this.#tallies.forget((minute) => isPlacedAnew || minute >= since);
    this.#point = {
      ground,
      windows: windowFinder(ground.timeline),
      rosterOf: rosters(ground.timeline),
    };
    this.#state = { ...this.#state, ground: ground.next };
  }

  #on(): Standpoint {
    if (this.#point === undefined) throw new RangeError('unreachable: slots without a ground');
    return this.#point;
  }

  readonly #intern = (text: string): string => {
    const had = this.#interned.get(text);
    if (had !== undefined) return had;
    // A copy: the text is a piece of a body, and would keep it.
    const own = Buffer.from(text, 'latin1').toString('latin1');
    if (this.#interned.size > 100_000) this.#interned.clear();
    this.#interned.set(own, own);
    return own;
  };

  /** Takes in one commit. Returns whether it said anything of this shard. */
  async take(commit: CommitRow): Promise<boolean> {
    const { source, isOurs } = this.#parts;
    const point = this.#on();
    this.#state = { ...this.#state, next: commit.index + 1 };
    const batch = batchOf(commit);
    if (batch === undefined) return false;
    const { first, last } = batch.minutes;
    this.#takeVoid(commit);
    if (!batch.bodies.some(({ service }) => isOurs(service))) return false;
    const own = await source.read(point.ground, commit, isOurs);
    const rows = await source.covering(point.ground, first, last, commit.index, own.key);
    const others = await Promise.all(rows.map((row) => source.read(point.ground, row, isOurs)));
    // Of those before it is asked when they are judged: a batch may say that it covers years.
    for (let minute = Math.max(first, this.#state.closed - KEPT_MINUTES); minute <= last; minute += 1) {
      if (this.#tallies.has(minute, true)) continue;
      if ((await source.firstOf(point.ground, minute)) >= commit.index) this.#tallies.start(minute);
    }
    const change = changeOf(own, others, first, last, this.#intern);
    this.#tallies.apply(point, change);
    if (isLost(point.ground, own, isOurs)) this.#tallies.lose(batch.minutes);
    this.#touched.change(point, change, this.#state.closed);
    await this.#show(change);
    this.#isChanged = true;
    return true;
  }

  /** Batches that became void: their slots are to be judged again, although no line of them came. */
  #takeVoid(commit: CommitRow): void {
    const { voids = [] } = this.#state;
    const more = withVoid(voids, this.#on().ground, commit);
    if (more === voids) return;
    this.#state = { ...this.#state, voids: more };
    this.#tallies.forget(() => true);
    this.#isChanged = true;
  }

  /** Some of the minutes that are to be judged again since their batches became void. */
  async #touchVoided(): Promise<void> {
    if (!this.owes) return;
    const { store, shard, isOurs } = this.#parts;
    const { closed, voids = [] } = this.#state;
    const point = this.#on();
    const longest = layoutIn(point.ground.timeline, shard, closed)?.longest ?? 1;
    const most = Math.max(VOIDED_AT_ONCE, longest);
    // A long window is judged before it is over, by what was said of all its minutes.
    const bounds = { first: earliestOf(point.ground), last: closed + MINUTES_PER_DAY, most, isOurs };
    const { stretches, left } = await store.read(LOG_SHARD, (tx) => voidSteps(tx, voids, bounds));
    for (const stretch of stretches) this.#touched.again(point, stretch, closed);
    this.#state = { ...this.#state, voids: left };
    this.#isChanged = true;
  }

  async #show(change: Change): Promise<void> {
    const { store, shard, views } = this.#parts;
    if (views.length === 0) return;
    const changes = minuteChanges(this.#on().ground, change, shard);
    await store.read(shard, async (tx) => {
      for (const each of changes) for (const view of views) await view.apply(tx, this.blocks, each);
    });
  }

  /** Closes minutes up to one, and judges again what was touched. Returns whether a slot changed. */
  async judge(until: number): Promise<boolean> {
    const { closed } = this.#state;
    for (let minute = closed + 1; minute <= until; minute += 1) this.#touched.whole(minute);
    await this.#touchVoided();
    let changed = false;
    const minutes = this.#touched.minutes();
    for (let i = 0; i < minutes.length; i += LOADED_AT_ONCE) {
      // Others get their turn.
      if (i > 0) await setImmediate();
      changed = (await this.#judgeSome(minutes.slice(i, i + LOADED_AT_ONCE))) || changed;
    }
    if (Math.max(until, closed) !== closed) this.#isChanged = true;
    this.#isChanged ||= changed;
    this.#state = { ...this.#state, closed: Math.max(until, closed) };
    this.#touched.clear();
    this.#thin();
    return changed;
  }

  async #judgeSome(minutes: readonly number[]): Promise<boolean> {
    const point = this.#on();
    const { store, shard } = this.#parts;
    const { closed } = this.#state;
    await this.#load(minutes);
    const days = new Set(minutes.flatMap((minute) => [dayOfMinute(minute - 1), dayOfMinute(minute)]));
    await store.read(shard, async (tx) => {
      for (const day of days) await this.#book.open(tx, day);
    });
    const judged: JudgedWindows = new Map();
    let changed = false;
    for (const minute of minutes) {
      const layout = layoutIn(point.ground.timeline, shard, minute);
      // What can't be read again stays as it was counted: a window of which any minute is gone is gone whole.
      if (minute <= closed && this.#tallies.isGone({ first: minute, last: minute })) continue;
      const kept = minute <= closed ? this.#keptIn(minute, layout) : none;
      if (kept.size > 0 && kept.size === layout?.monitors.length) continue;
      const isAnew = this.#touched.isAnew(minute);
      if (isAnew) this.#book.clear(minute, (subject) => kept.has(subject));
      if (layout === undefined) continue;
      const isRead = (window: MonitorWindow): boolean => this.#touched.isRead(point, window, minute);
      const scene = { point, tallies: this.#tallies, book: this.#book, layout, minute, judged, isRead, kept };
      if (!evaluateMinute(scene, this.#touched.monitors(minute), isAnew)) continue;
      changed = true;
      if (dayOfMinute(minute) < dayOfMinute(closed)) this.#hasPast = true;
    }
    return changed;
  }

  /** Monitors whose window over a minute can't be read again, at least in part. */
  #keptIn(minute: number, layout: Layout | undefined): ReadonlySet<string> {
    if (layout === undefined || !this.#tallies.hasGone) return none;
    const { windows } = this.#on();
    return new Set(
      layout.slow.filter((id) => {
        const window = windows.at(id, minute);
        return window !== undefined && this.#tallies.isGone(window);
      }),
    );
  }

  /** Reads the tallies of these minutes and of all windows over them that are judged. */
  async #load(minutes: readonly number[]): Promise<void> {
    const { ground, windows } = this.#on();
    const missing = new Set<number>();
    const want = (minute: number, isForLong: boolean): void => {
      if (!this.#tallies.has(minute, isForLong)) missing.add(minute);
    };
    for (const minute of minutes) {
      const layout = layoutIn(ground.timeline, this.#parts.shard, minute);
      if (layout === undefined || layout.monitors.length === 0) continue;
      const some = this.#touched.monitors(minute);
      // A window that began under another configuration goes on to its end, which is that of the day at most.
      const isSame = ground.timeline.configAt(minute) === ground.timeline.configAt(startOfDay(minute));
      const isPlain = isSame && layout.windows.size === 1 && layout.windows.has(1);
      const slow = isPlain ? [] : (some ?? (isSame ? layout.slow : layout.monitors.map(({ id }) => id)));
      if (some === undefined) want(minute, false);
      for (const id of slow) {
        const window = windows.at(id, minute);
        if (window === undefined || !this.#touched.isRead(this.#on(), window, minute)) continue;
        for (let each = window.first; each <= window.last; each += 1) want(each, isLong(window));
      }
      for (const id of some ?? []) if (!layout.isSlow(id)) want(minute, false);
    }
    await this.#read([...missing].sort((a, b) => a - b));
  }

  #read(minutes: readonly number[]): Promise<void> {
    const own = { point: this.#on(), tallies: this.#tallies, below: this.#state.next, intern: this.#intern };
    return readTallies({ ...this.#parts, ...own }, minutes);
  }

  #thin(): void {
    const { ground, windows } = this.#on();
    const { closed } = this.#state;
    const layout = layoutIn(ground.timeline, this.#parts.shard, closed);
    this.#tallies.thin(closed - KEPT_MINUTES, (id) => {
      const window = windows.at(id, closed);
      return window !== undefined && isLong(window);
    });
    const longest = layout?.longest ?? 1;
    const floor = Math.min(closed - KEPT_MINUTES, closed - (closed % longest));
    this.#tallies.forget((minute) => minute < floor);
  }

  /** What a view has open of a subject, or of all, goes into the blocks. */
  async settle(tx: ReadTx, view?: View, subject?: string): Promise<void> {
    const isOfSlots = view === 'slots' || view === 'totals';
    if (view === undefined || isOfSlots) await this.#book.close(tx, subject);
    const only = view === undefined ? undefined : { view, subject };
    if (!isOfSlots) for (const each of this.#parts.views) each.close(this.blocks, only);
  }

  async flush(): Promise<void> {
    if (!this.#isOpen || !this.#isChanged) return;
    const { store, shard } = this.#parts;
    const state = this.#state;
    this.#version = await store.transact(shard, async (tx) => {
      await this.settle(tx);
      await this.blocks.flush(tx);
      return tx.putState('slots', 'all', this.#version, state);
    });
    this.blocks.kept();
    this.#isChanged = false;
    this.#hasPast = false;
  }

  /** Everything that is not flushed is made again from the store. */
  forget(): void {
    this.blocks.forget();
    this.#book.forget();
    this.#tallies.forget(() => true);
    this.#touched.clear();
    for (const view of this.#parts.views) view.forget();
    this.#point = undefined;
    this.#isOpen = false;
    this.#isChanged = false;
    this.#hasPast = false;
  }

  /** The tallies of a window, for whoever asks why. */
  async talliesOf(window: MonitorWindow): Promise<TallyBook> {
    const missing: number[] = [];
    for (let minute = window.first; minute <= window.last; minute += 1) {
      if (!this.#tallies.has(minute, isLong(window))) missing.push(minute);
    }
    await this.#read(missing);
    return this.#tallies;
  }

  standpoint(): Standpoint {
    return this.#on();
  }
}
