/** The slots of one shard in one minute, by the rule, into its book: monitors, then what stands still, nodes, services. */
import { monitorParts } from '@highwater/config/domain.ts';
import type { RuleProbe } from '@highwater/config/proof/projection.ts';
import { type Judged, judgeNode, type MonitorPart } from '@highwater/config/proof/rule/node.ts';
import { emptyTally } from '@highwater/config/proof/rule/probe-minute.ts';
import { type RegionJudgement, slotOfRegion } from '@highwater/config/proof/rule/region.ts';
import { judgeService, UNSEEN } from '@highwater/config/proof/rule/service.ts';
import { isStalled } from '@highwater/config/proof/rule/stalled.ts';
import { dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { type Book, symbolIn } from './book.ts';
import { byteOf, isOldByte, slotOfByte, withStalled } from './byte.ts';
import { isPlain, judgeAll, judgeRegions } from './judge-window.ts';
import type { LaidNode, LaidService, Layout } from './layout.ts';
import { byteOfSymbol, failedOfSymbol, requestsOfSymbol, symbolOf } from './symbol.ts';
import type { Standpoint, TallyBook } from './tally-book.ts';
import type { MonitorWindow } from './windows.ts';

/** Judgements of windows that are longer than a minute, as long as they may be asked for again. */
export type JudgedWindows = Map<string, ReturnType<typeof judgeFresh>>;

function judgeFresh(tallies: TallyBook, point: Standpoint, window: MonitorWindow) {
  const regions = judgeRegions(tallies, point.rosterOf, window);
  return { agreed: judgeAll(window, regions), regions };
}

export interface MinuteScene {
  readonly point: Standpoint;
  readonly tallies: TallyBook;
  readonly book: Book;
  readonly layout: Layout;
  readonly minute: number;
  /** For the minutes that are judged together. */
  readonly judged: JudgedWindows;
  /** Whether the tallies of a window of the monitor are here; where not, it is as it was a minute before. */
  readonly isRead: (window: MonitorWindow) => boolean;
  /** Monitors whose windows can't be read again: their slots stay. */
  readonly kept: ReadonlySet<string>;
}

/**
 * Judges a minute whole, or of its monitors some alone. Returns whether a slot changed.
 *
 * @param isCleared whether slots were taken away before: what is built on monitors is made in any case
 */
export function evaluateMinute(scene: MinuteScene, some?: ReadonlySet<string>, isCleared = false): boolean {
  let changed = isCleared;
  const regions = new Set<string>();
  for (const { id } of scene.layout.monitors) {
    if (some !== undefined && !some.has(id)) continue;
    if (scene.kept.has(id)) for (const region of regionsOf(scene, id)) regions.add(region);
    else changed = putMonitor(scene, id, regions) || changed;
  }
  // What is built on monitors that are as they were is as it was.
  if (!changed) return false;
  for (const chain of scene.layout.chains) putStalled(scene, chain);
  if (some !== undefined) {
    for (const { monitors } of nodesOf(scene.layout)) {
      for (const id of monitors) for (const region of regionsOf(scene, id)) regions.add(region);
    }
  }
  for (const service of scene.layout.services) {
    for (const plane of ['', ...regions]) putService(scene, service, plane);
  }
  return true;
}

function* nodesOf({ services }: Layout): Generator<{ readonly monitors: readonly string[] }> {
  for (const { nodes, open } of services) {
    yield { monitors: open };
    yield* nodes;
  }
}

function regionsOf({ book, minute }: MinuteScene, subject: string): string[] {
  const planes = book.planes(subject, dayOfMinute(minute));
  return planes === undefined ? [] : [...planes.keys()].filter((name) => name !== '');
}

function symbolAt({ book, minute }: MinuteScene, subject: string, plane: string): number {
  return symbolIn(book.planes(subject, dayOfMinute(minute)), plane, minute % MINUTES_PER_DAY);
}

function isCovered({ point, minute }: MinuteScene, service: string, node?: string): boolean {
  const { timeline } = point.ground;
  return (
    timeline.isMaintained(service, minute) || (node !== undefined && timeline.isMaintained(node, minute))
  );
}

function judge(scene: MinuteScene, window: MonitorWindow): ReturnType<typeof judgeFresh> {
  if (window.first === window.last) return judgeFresh(scene.tallies, scene.point, window);
  const key = `${window.monitor.id} ${window.first}`;
  const known = scene.judged.get(key) ?? judgeFresh(scene.tallies, scene.point, window);
  scene.judged.set(key, known);
  return known;
}

/** By how many were ok. */
const plainSymbols: number[] = [];

function plainSymbol(judged: RegionJudgement): number {
  const make = (): number => {
    const byte = byteOf({ ...slotOfRegion(judged), maintenance: false, stalled: false });
    return symbolOf(byte, judged.ok, 0);
  };
  return (plainSymbols[judged.ok] ??= make());
}

function putMonitor(scene: MinuteScene, id: string, regions: Set<string>): boolean {
  const { point, book, minute } = scene;
  const window = point.windows.at(id, minute);
  if (window === undefined) return false;
  if (!scene.isRead(window)) return goOn(scene, window, regions);
  const { agreed, regions: said } = judge(scene, window);
  const { service } = monitorParts(id);
  const maintenance = isCovered(scene, service, id.slice(0, id.lastIndexOf('/')));
  const over = { maintenance, stalled: false };
  let changed = book.set(id, '', minute, byteOf({ ...agreed, ...over }, agreed.old));
  const roster = point.rosterOf(window).regions;
  for (const [i, [region, judgement]] of said.entries()) {
    regions.add(region);
    // Nearly every minute of nearly every monitor.
    if (window.first === window.last && !maintenance && isPlain(judgement)) {
      changed = book.set(id, region, minute, plainSymbol(judgement)) || changed;
      continue;
    }
    const byte = byteOf({ ...slotOfRegion(judgement), ...over });
    const { requests, failed } = requestsOf(scene, window, roster[i]?.[1] ?? []);
    changed = book.set(id, region, minute, symbolOf(byte, requests, failed)) || changed;
  }
  return changed;
}

/** A window's result is that of each of its minutes: nothing new was said, so that it is as in the minute before. */
function goOn(scene: MinuteScene, window: MonitorWindow, regions: Set<string>): boolean {
  const { id } = window.monitor;
  const { book, minute } = scene;
  const maintenance = isCovered(scene, monitorParts(id).service, id.slice(0, id.lastIndexOf('/')));
  let changed = false;
  for (const plane of ['', ...regionsOf(scene, id)]) {
    const byte = byteOfSymbol(symbolAt({ ...scene, minute: minute - 1 }, id, plane));
    const slot = slotOfByte(byte);
    if (slot === undefined) continue;
    if (plane !== '') regions.add(plane);
    const own = byteOf({ ...slot, maintenance, stalled: false }, isOldByte(byte));
    // Its line may have come before the minute was over: the requests are the minute's own.
    const probes = scene.point.rosterOf(window).regions.find(([region]) => region === plane)?.[1] ?? [];
    const { requests, failed } = requestsOf(scene, window, probes);
    changed = book.set(id, plane, minute, symbolOf(own, requests, failed)) || changed;
  }
  return changed;
}

/** Single requests that counted in the minute itself. */
function requestsOf(
  { tallies, minute }: MinuteScene,
  window: MonitorWindow,
  probes: readonly RuleProbe[],
): { requests: number; failed: number } {
  let [requests, failed] = [0, 0];
  for (const { vkey } of probes) {
    const { ok, degraded, fail } = tallies.of(minute, vkey, window.monitor.id) ?? emptyTally;
    requests += ok + degraded + fail;
    failed += fail;
  }
  return { requests, failed };
}

/** Lays over all heads of a chain, or takes from them, that it stands still. */
function putStalled(scene: MinuteScene, { heads, judging }: Layout['chains'][number]): void {
  const { book, minute } = scene;
  const said = judging.flatMap(({ id, operator }) => {
    const byte = byteOfSymbol(symbolAt(scene, id, ''));
    const state = slotOfByte(byte)?.state;
    return state === undefined ? [] : [{ state, old: isOldByte(byte), operator }];
  });
  const stalled = isStalled(said);
  for (const id of heads) {
    for (const plane of ['', ...regionsOf(scene, id)]) {
      const symbol = symbolAt(scene, id, plane);
      const byte = byteOfSymbol(symbol);
      if (byte === 0) continue;
      book.set(id, plane, minute, symbol - byte + withStalled(byte, stalled));
    }
  }
}

interface Parts {
  readonly parts: readonly MonitorPart[];
  readonly requests: number;
  readonly failed: number;
}

/** What a plane says of some monitors. */
function partsOf(scene: MinuteScene, monitors: readonly string[], plane: string): Parts {
  const parts: MonitorPart[] = [];
  let [requests, failed] = [0, 0];
  for (const id of monitors) {
    const symbol = symbolAt(scene, id, plane);
    const slot = slotOfByte(byteOfSymbol(symbol));
    if (slot === undefined) continue;
    const { state, degraded, stalled, cause } = slot;
    // Of monitors only heads are ever stalled.
    parts.push({ state, degraded, stalledHead: stalled, ...(cause === undefined ? {} : { cause }) });
    requests += requestsOfSymbol(symbol);
    failed += failedOfSymbol(symbol);
  }
  return { parts, requests, failed };
}

function put(
  scene: MinuteScene,
  subject: string,
  plane: string,
  judged: Judged,
  isMaintained: boolean,
  { requests, failed }: Omit<Parts, 'parts'>,
): void {
  const byte = byteOf({ ...judged, maintenance: isMaintained });
  const symbol = plane === '' ? byte : symbolOf(byte, requests, failed);
  scene.book.set(subject, plane, scene.minute, symbol);
}

type NodeOfService = Judged & { readonly hasStalledHead: boolean };

function judgeParts(parts: readonly MonitorPart[]): NodeOfService | undefined {
  const judged = judgeNode(parts);
  return judged && { ...judged, hasStalledHead: parts.some((part) => part.stalledHead) };
}

/** What monitors come to that all have one slot, by its byte and how many they are: the same object each time. */
const uniform = new Map<number, NodeOfService | undefined>();
const MAX_UNIFORM = 1_000;

/** What a plane says of a node, if all its monitors say the same; undefined where they don't. */
function uniformOf(
  scene: MinuteScene,
  { monitors }: LaidNode,
  plane: string,
): { readonly judged: NodeOfService | undefined; requests: number; failed: number } | undefined {
  let [byte, requests, failed] = [0, 0, 0];
  for (const [i, id] of monitors.entries()) {
    const symbol = symbolAt(scene, id, plane);
    const own = byteOfSymbol(symbol);
    if (i > 0 && own !== byte) return undefined;
    byte = own;
    requests += requestsOfSymbol(symbol);
    failed += failedOfSymbol(symbol);
  }
  if (byte === 0 || monitors.length >= MAX_UNIFORM) return undefined;
  const key = byte * MAX_UNIFORM + monitors.length;
  const judged = uniform.has(key) ? uniform.get(key) : judgeParts(partsOf(scene, monitors, plane).parts);
  uniform.set(key, judged);
  return { judged, requests, failed };
}

function putNode(
  scene: MinuteScene,
  node: LaidNode,
  plane: string,
  asked: { requests: number; failed: number },
): NodeOfService | undefined {
  const same = uniformOf(scene, node, plane);
  const own = same ?? partsOf(scene, node.monitors, plane);
  const judged = 'parts' in own ? judgeParts(own.parts) : own.judged;
  if (judged === undefined) return undefined;
  put(scene, node.id, plane, judged, isCovered(scene, node.service, node.id), own);
  asked.requests += own.requests;
  asked.failed += own.failed;
  return judged;
}

function putService(scene: MinuteScene, laid: LaidService, plane: string): void {
  const { service, open } = laid;
  const asked = { requests: 0, failed: 0 };
  const seen = laid.nodes.map((node) => putNode(scene, node, plane, asked));
  const own = partsOf(scene, open, plane);
  // A region that asks none of what the service is judged by says nothing of it.
  if (open.length > 0 ? own.parts.length === 0 : seen.every((node) => node === undefined)) return;
  const nodes = seen.map((node) => node ?? { ...UNSEEN, hasStalledHead: false });
  const judged = judgeService(own.parts, nodes, service.minUp);
  if (judged === undefined) return;
  put(scene, service.id, plane, judged, isCovered(scene, service.id), open.length > 0 ? own : asked);
}

export function whySlot(regions: readonly (readonly [string, RegionJudgement])[], state: string): string {
  const said = regions.map(([region, { say, cause }]) => `${region}: ${say}${cause ? ` (${cause})` : ''}`);
  return `${state}; ${said.length === 0 ? 'no region had an enrolled probe' : said.join(', ')}`;
}
