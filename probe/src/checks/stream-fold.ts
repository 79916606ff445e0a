/**
 * What a subscriber sees of a chain, counted: blocks in any order become a tip and the numbers of what was repeated,
 * replaced or missing. Pure.
 */
import type { Pushed } from './chains/family.ts';

export interface StreamCounts {
  /** New blocks, those that replace others too. */
  readonly fresh: number;
  /** Known already. */
  readonly repeated: number;
  /** Took the place of another of the same height, or show that one was replaced unseen. */
  readonly replaced: number;
  /** Heights passed over. */
  readonly missing: number;
}

export interface StreamState {
  /** The newest block as the chain now is: after a reorganisation it can be lower than before. */
  readonly tip?: Pushed;
  readonly finalizedHeight?: number;
  /** The latest by height, one each, ascending: what is pushed again is told by them. */
  readonly recent: readonly Pushed[];
  /** The next block may leave some out: they came while nothing was connected. */
  readonly resumed: boolean;
  readonly counts: StreamCounts;
}

/** Deeper reorganisations are seen as well, block by block. */
const maxRecent = 64;

export const noCounts: StreamCounts = { fresh: 0, repeated: 0, replaced: 0, missing: 0 };
export const noStream: StreamState = { recent: [], resumed: true, counts: noCounts };

/** A connection was made (again). */
export function resumed(state: StreamState): StreamState {
  return { ...state, resumed: true };
}

/** The counts are told and begin anew. */
export function counted(state: StreamState): StreamState {
  return { ...state, counts: noCounts };
}

/**
 * Takes up one block. `sparse`: not every height has a block and late ones of other forks are normal, so nothing is
 * missing and nothing replaced.
 */
export function pushed(state: StreamState, block: Pushed, sparse: boolean): StreamState {
  if (block.finalized) {
    const known = state.finalizedHeight ?? block.height;
    return { ...state, finalizedHeight: Math.max(known, block.height) };
  }
  const { tip } = state;
  if (!tip) return becomesTip(state, block, {});
  if (block.height < tip.height - maxRecent && !state.recent.some((each) => isSameBlock(each, block)))
    return beginsAnew(state, block, sparse);
  if (sparse) return block.height > tip.height ? becomesTip(state, block, {}) : again(state, block);
  const known = state.recent.find(({ height }) => height === block.height);
  if (block.height > tip.height) return forward(state, tip, block, known);
  if (known) return isSame(known, block) ? again(state, block) : becomesTip(state, block, { replaced: 1 });
  return fillsIn(state, block) ? late(state, block) : becomesTip(state, block, { replaced: 1 });
}

function forward(state: StreamState, tip: Pushed, block: Pushed, known: Pushed | undefined): StreamState {
  const passed = state.resumed ? 0 : block.height - tip.height - 1;
  // Of the fork that was left, or it does not build on the block before: that one was replaced unseen.
  const replaces = known && !isSame(known, block);
  const unlinked = block.height === tip.height + 1 && isOther(block.parent, tip.id);
  return becomesTip(state, block, { missing: passed, replaced: replaces || unlinked ? 1 : 0 });
}

function becomesTip(
  state: StreamState,
  block: Pushed,
  more: { readonly missing?: number; readonly replaced?: number },
): StreamState {
  const { counts } = state;
  return {
    ...state,
    tip: block,
    recent: remembered(state.recent, block),
    resumed: false,
    counts: {
      ...counts,
      fresh: counts.fresh + 1,
      missing: counts.missing + (more.missing ?? 0),
      replaced: counts.replaced + (more.replaced ?? 0),
    },
  };
}

/**
 * Deeper than any reorganisation: what stood above was made up, or is of another chain. A tip that stayed there would hide
 * for as many blocks that nothing is pushed any more.
 */
function beginsAnew(state: StreamState, block: Pushed, sparse: boolean): StreamState {
  const recent = state.recent.filter(({ height }) => height < block.height);
  return becomesTip({ ...state, recent }, block, { replaced: sparse ? 0 : 1 });
}

/**
 * The node's own tip, asked for elsewhere. Where it is as deep below what was pushed, that is waited for no longer: the next
 * block is one after the node's tip.
 */
export function restarted(state: StreamState, height: number): StreamState {
  if (!state.tip || height >= state.tip.height - maxRecent) return state;
  const recent = state.recent.filter((each) => each.height <= height);
  return { ...state, tip: { height }, recent, resumed: true };
}

/** A block that nothing was known of, below the tip: it was passed over and comes now. */
function late(state: StreamState, block: Pushed): StreamState {
  const { counts } = state;
  return {
    ...state,
    recent: remembered(state.recent, block),
    counts: { ...counts, fresh: counts.fresh + 1, missing: Math.max(0, counts.missing - 1) },
  };
}

function again(state: StreamState, block: Pushed): StreamState {
  const { counts, recent } = state;
  const known = recent.some(({ height }) => height === block.height);
  return { ...state, counts: { ...counts, repeated: counts.repeated + (known ? 1 : 0) } };
}

/** Whether it fits between the blocks that are known around its height. */
function fillsIn({ recent }: StreamState, block: Pushed): boolean {
  const [lowest] = recent;
  if (!lowest || block.height < lowest.height) return false;
  const below = recent.find(({ height }) => height === block.height - 1);
  const above = recent.find(({ height }) => height === block.height + 1);
  return !isOther(block.parent, below?.id) && !isOther(above?.parent, block.id);
}

function isSameBlock(a: Pushed, b: Pushed): boolean {
  return a.height === b.height && isSame(a, b);
}

/** By its id, else by what it builds on; where neither is told, equal heights are one block. */
function isSame(a: Pushed, b: Pushed): boolean {
  if (a.id !== undefined && b.id !== undefined) return a.id === b.id;
  return !isOther(a.parent, b.parent);
}

/** Both are known, and differ. */
function isOther(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function remembered(recent: readonly Pushed[], block: Pushed): readonly Pushed[] {
  const others = recent.filter(({ height }) => height !== block.height);
  const at = others.findLastIndex(({ height }) => height < block.height) + 1;
  return others.toSpliced(at, 0, block).slice(-maxRecent);
}
