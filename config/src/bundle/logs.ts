/** The logs of a bundle: their checkpoints, and their entries held against them. */
import { encodeBase64, sameBytes } from '../proof/bytes.ts';
import { verifyConsistency } from '../proof/tree.ts';
import { TILE_WIDTH } from '../proof/tiles.ts';
import { type Anchor, parseAnchor } from './anchors.ts';
import type { Problem, Progress } from './check.ts';
import { type SignedCheckpoint, moreThanLog, openCheckpoint } from './checkpoints.ts';
import { type Entries, type EntryPlace, readEntries } from './entries.ts';
import { isCarried } from './carried.ts';
import { names } from './files.ts';
import type { Range, RangeTree } from './range.ts';
import type { Reading } from './reading.ts';
import type { Roots } from './standing-leaves.ts';
import { GrowingTree, parseHashes, subtreesOf } from './tree.ts';
import type { Ties } from './ties.ts';
import type { Trusted } from './trust.ts';

export interface Log {
  readonly tree: RangeTree;
  /** None where the part begins with entry 0. */
  readonly start?: SignedCheckpoint;
  readonly end: SignedCheckpoint;
  /** Of the first entry that is here, and what is before it. */
  readonly first: number;
  readonly frontier: readonly Uint8Array[];
}

export interface Logs {
  readonly byYear: ReadonlyMap<number, Log>;
  /** Reads all entries. */
  readEntries(ties: Ties, take: Entries['take']): Promise<EntriesRead>;
}

/** What came of the anchors, and the trees. */
export interface EntriesRead {
  /** Undefined where a size lies before what is here. */
  rootAt(year: number, size: number): Uint8Array | undefined;
  readonly agreeing: readonly string[];
  readonly problems: readonly Problem[];
}

export function rootsOf({ byYear }: Logs): Roots {
  return new Map(
    [...byYear].map(([year, { start, end }]) => [
      year,
      new Map([start, end].flatMap((at) => (at === undefined ? [] : [[at.size, at.root] as const]))),
    ]),
  );
}

export async function readLogs(reading: Reading, range: Range, trusted: Trusted): Promise<Logs> {
  const byYear = new Map<number, Log>();
  for (const tree of range.trees) byYear.set(tree.year, await readLog(reading, range, tree, trusted));
  return { byYear, readEntries: (ties, take) => readAll(reading, range, trusted, byYear, ties, take) };
}

async function readLog(reading: Reading, range: Range, tree: RangeTree, trusted: Trusted): Promise<Log> {
  const { problems, checker } = reading;
  const { year, start: from, size } = tree;
  const opened = async (file: string, wanted: number): Promise<SignedCheckpoint> => {
    const key = trusted.logs.get(year);
    if (key === undefined)
      return problems.fatal('incomplete', names.keys, `the key of the log ${year} is not in it`);
    const checkpoint = await openCheckpoint(reading, await reading.needText(file), key);
    if ('error' in checkpoint) return problems.fatal('mismatch', file, checkpoint.error);
    // Whose cosignatures are on the end of the last log is looked at with the policy.
    const more = file === names.end(range.trees.at(-1)?.year ?? 0) ? undefined : moreThanLog(checkpoint);
    if (more !== undefined) problems.mismatch(file, more);
    return checkpoint.size === wanted
      ? checkpoint
      : problems.fatal('mismatch', file, `it is of ${checkpoint.size} entries; the range says ${wanted}`);
  };
  const hashes = async (file: string): Promise<Uint8Array[]> => {
    const list = parseHashes(await reading.needText(file));
    return 'error' in list ? problems.fatal('mismatch', file, list.error) : list;
  };
  const start = from > 0 ? await opened(names.start(year), from) : undefined;
  const end = await opened(names.end(year), size);
  if (start === undefined) return { tree, end, first: 0, frontier: [] };
  const proof = await hashes(names.consistency(year));
  const claim = { oldSize: from, newSize: size, oldRoot: start.rootBytes, newRoot: end.rootBytes, proof };
  if (!verifyConsistency(claim, checker.hash))
    problems.fatal(
      'mismatch',
      names.consistency(year),
      'it does not show that the end begins with the start',
    );
  const frontier = await hashes(names.frontier(year));
  const first = from - (from % TILE_WIDTH);
  // Where no entries follow nothing would be held against it.
  const subtrees = from === size ? 0 : subtreesOf(first);
  if (frontier.length !== subtrees)
    problems.fatal('mismatch', names.frontier(year), `it has ${frontier.length} hashes, not ${subtrees}`);
  return { tree, start, end, first, frontier };
}

async function readAll(
  reading: Reading,
  range: Range,
  trusted: Trusted,
  byYear: ReadonlyMap<number, Log>,
  ties: Ties,
  take: Entries['take'],
): Promise<EntriesRead> {
  const { problems, options, checker } = reading;
  const said: Problem[] = [];
  const say = (kind: Problem['kind'], says: string): unknown => said.push({ kind, file: '--anchor', says });
  const anchors = readAnchors(options.anchors ?? [], say);
  const counts = [...byYear.values()].map(({ tree, first }) =>
    tree.start === tree.size ? 0 : tree.size - first,
  );
  const all = counts.reduce((sum, count) => sum + count, 0);
  const so = { entries: 0, bytes: 0 };
  const progress = (entries: number, bytes: number): Progress => {
    so.entries += entries;
    so.bytes += bytes;
    // As large as those that were read so far.
    const guess = Math.round((so.bytes / so.entries) * all);
    return {
      phase: 'log',
      done: so.bytes,
      all: guess,
      of: `entries ${grouped(so.entries)} of ${grouped(all)}`,
    };
  };
  const agreeing: string[] = [];
  const trees = new Map<number, GrowingTree>();
  for (const log of byYear.values()) {
    const { tree, start, end, first, frontier } = log;
    const { year } = tree;
    const isEmpty = tree.start === tree.size;
    const own = anchors.filter(({ origin }) => origin === `${range.origin}/${year}`);
    const growing = new GrowingTree(isEmpty ? 0 : first, isEmpty ? [] : frontier, checker.hash);
    trees.set(year, growing);
    if (tree.start < tree.size) {
      const carried = (entry: Uint8Array, place: EntryPlace): Promise<boolean> =>
        isCarried(reading, range, trusted, ties, entry, place, byYear.get(year - 1)?.end);
      await readEntries(reading, tree, growing, take, carried, progress);
      const startRoot = growing.rootAt(tree.start);
      if (start !== undefined && !(startRoot && sameBytes(startRoot, start.rootBytes)))
        problems.fatal(
          'mismatch',
          names.frontier(year),
          'with the entries it does not give the root of the start',
        );
    }
    if (tree.start < tree.size || tree.size === 0) {
      const root = growing.rootAt(tree.size);
      if (!(root && sameBytes(root, end.rootBytes)))
        problems.fatal(
          'mismatch',
          names.end(year),
          'the entries do not give its root: one of them was changed',
        );
    }
    for (const anchor of own) {
      const root = rootAt(log, growing, anchor.size);
      if (root === undefined)
        say('incomplete', `anchor ${anchor.text}: the part of the log that is here does not reach it`);
      else if (root !== anchor.root)
        say('mismatch', `anchor ${anchor.text}: of that size the log here has the root ${root}`);
      else agreeing.push(anchor.text);
    }
  }
  for (const { origin, text } of anchors) {
    if (!range.trees.some(({ year }) => origin === `${range.origin}/${year}`))
      say('incomplete', `anchor ${text}: no part of this log is here`);
  }
  return { agreeing, problems: said, rootAt: (year, size) => trees.get(year)?.rootAt(size) };
}

function rootAt({ start, end }: Log, growing: GrowingTree, size: number): string | undefined {
  const known = [start, end].find((at) => at?.size === size)?.root;
  const root = growing.rootAt(size);
  return known ?? (root === undefined ? undefined : encodeBase64(root));
}

function readAnchors(
  texts: readonly string[],
  say: (kind: Problem['kind'], says: string) => unknown,
): Anchor[] {
  return texts.flatMap((text) => {
    const anchor = parseAnchor(text);
    if (!('error' in anchor)) return anchor;
    say('incomplete', `anchor ${text.slice(0, 200)}: ${anchor.error}`);
    return [];
  });
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:[0-9]{3})+$)/g, ',');
}
