/** What a report tells from the log's leaves (report/logged.ts), made from the leaves that were read. */
import type { MaintLeaf, ProbeLeaf } from '../proof/leaves.ts';
import type { MinuteRange } from '../proof/rule/evaluate.ts';
import { type Held, overlaid } from '../proof/rule/in-force.ts';
import type { Timeline } from '../proof/rule/timeline.ts';
import { type Logged, MAX_CHANGED_LINES } from '../report/logged.ts';
import { orderOf } from './files.ts';
import type { OperatorLeaves, Placed } from './leaves-read.ts';

export interface LoggedInput {
  readonly leaves: OperatorLeaves;
  /** Of all batches that are known. */
  readonly timeline: Timeline;
  readonly range: MinuteRange;
  /** Texts of projections by their SHA-256, base64. */
  readonly projections: ReadonlyMap<string, string>;
  readonly unsigned: Logged['files'];
}

export function loggedOf(input: LoggedInput): Logged {
  const { leaves } = input;
  return {
    configs: configsOf(input),
    keys: keysOf(input),
    maintenance: maintenanceOf(input),
    actions: leaves.actions
      .filter(({ isInPart }) => isInPart)
      .map((action) => {
        const { by, what, subject, at, note } = action.leaf;
        return { ...placeOf(action), by, what, subject, at, ...(note === undefined ? {} : { note }) };
      }),
    annotations: leaves.annotations
      .filter(({ isInPart }) => isInPart)
      .map((annotation) => {
        const { of, at, text } = annotation.leaf;
        return { ...placeOf(annotation), of, at, text };
      }),
    files: input.unsigned,
  };
}

function placeOf({ index }: { readonly index: number }): { year: number; index: number } {
  const year = Math.floor(index / orderOf(1, 0));
  return { year, index: index - orderOf(year, 0) };
}

function aheadOf(timeline: Timeline, { index }: { readonly index: number }): { regionsAhead?: number } {
  const regionsAhead = timeline.regionsAhead(index);
  return regionsAhead === 0 ? {} : { regionsAhead };
}

/** Those that hold for some minute of the range. */
function standingIn<T>(leaves: readonly Held<T>[], range: MinuteRange): ReadonlySet<T> {
  const standing = overlaid(leaves);
  const held = standing.filter(({ since }, i) => {
    const next = standing[i + 1]?.since ?? Infinity;
    return since <= range.last && next > range.first;
  });
  return new Set(held.map(({ value }) => value));
}

function configsOf({ leaves, timeline, range, projections }: LoggedInput): Logged['configs'] {
  const held = leaves.configs.map((value) => ({ since: timeline.inForceFrom(value.index) ?? 0, value }));
  const standing = standingIn(held, range);
  const changed = changesOnce(projections);
  let before: string | undefined;
  return held.flatMap(({ since, value }) => {
    const { hash } = value.leaf;
    const previous = before ?? hash;
    before = hash;
    if (!value.isInPart && !standing.has(value)) return [];
    return {
      ...placeOf(value),
      leaf: value.hash,
      from: value.leaf.from,
      inForceFrom: since,
      ...aheadOf(timeline, value),
      added: changed(previous, hash),
      removed: changed(hash, previous),
    };
  });
}

type Changed = Logged['configs'][number]['added'];

/** What a projection has beyond another, by their hashes: of many leaves that name the same two it is looked up once. */
function changesOnce(projections: LoggedInput['projections']): (other: string, own: string) => Changed {
  const known = new Map<string, Changed>();
  return (other, own) => {
    const both = `${other} ${own}`;
    const made =
      other === own
        ? { count: 0, lines: [] }
        : (known.get(both) ?? linesBeyond(projections.get(other) ?? '', projections.get(own) ?? ''));
    known.set(both, made);
    return made;
  };
}

/** Lines of a text that another does not have. */
function linesBeyond(other: string, text: string): Changed {
  const known = new Set(other.split('\n'));
  const lines = text.split('\n').filter((line) => !known.has(line));
  return { count: lines.length, lines: lines.slice(0, MAX_CHANGED_LINES) };
}

function keysOf({ leaves, timeline, range }: LoggedInput): Logged['keys'] {
  const byKey = new Map<string, Held<Placed<ProbeLeaf>>[]>();
  for (const value of leaves.probes) {
    const { key } = value.leaf;
    const own = byKey.get(key) ?? [];
    own.push({ since: timeline.inForceFrom(value.index) ?? 0, value });
    byKey.set(key, own);
  }
  const standing = new Set([...byKey.values()].flatMap((held) => [...standingIn(held, range)]));
  return leaves.probes.flatMap((value) => {
    const { act, probe, region, operator, key, from } = value.leaf;
    if (!value.isInPart && !(act === 'enrol' && standing.has(value))) return [];
    const inForceFrom = timeline.inForceFrom(value.index) ?? from;
    return {
      ...placeOf(value),
      act,
      probe,
      region,
      operator,
      key,
      from,
      inForceFrom,
      ...aheadOf(timeline, value),
    };
  });
}

function maintenanceOf({ leaves, timeline, range }: LoggedInput): Logged['maintenance'] {
  const declared = new Map<string, { readonly at: Placed<MaintLeaf>; last: number; isCancelled: boolean }>();
  for (const at of leaves.maints) {
    if (at.leaf.act === 'declare') {
      declared.set(at.hash, { at, last: at.leaf.last, isCancelled: false });
      continue;
    }
    const cancelled = declared.get(at.leaf.leaf);
    if (cancelled === undefined) continue;
    cancelled.last = Math.min(cancelled.last, (timeline.inForceFrom(at.index) ?? at.leaf.from) - 1);
    cancelled.isCancelled = true;
  }
  return [...declared.values()].flatMap(({ at, last: countsTo, isCancelled }) => {
    if (at.leaf.act !== 'declare') return [];
    const { from, last, subjects } = at.leaf;
    if (!at.isInPart && (last < range.first || from > range.last)) return [];
    const countsFrom = timeline.inForceFrom(at.index) ?? from;
    const isLate = countsFrom > from;
    return {
      ...placeOf(at),
      subjects: [...subjects],
      from,
      last,
      countsFrom,
      ...aheadOf(timeline, at),
      countsTo,
      isLate,
      isCancelled,
    };
  });
}
