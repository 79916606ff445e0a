/**
 * A small world with all that a report has to cope with, of one day, the last of its month: outages, a chain that stands
 * still, maintenance in time and too late, numbers that were dropped, batches that came late, a clock that nobody knows, a
 * changed configuration, a key that is replaced, a probe that contradicts itself, and what came after the end.
 */
import { sha256 } from '../../keys.ts';
import { formatAnnotationLeaf } from '../../proof/annotation-leaf.ts';
import { bodiesOf } from '../../proof/batch.ts';
import { ZERO_HASH } from '../../proof/leaf-hash.ts';
import { formatConfigLeaf, formatMaintLeaf, formatProbeLeaf } from '../../proof/leaves.ts';
import { encodeBase64, utf8 } from '../../proof/bytes.ts';
import { type RuleConfig, formatProjection } from '../../proof/projection.ts';
import type { Evidence } from '../../proof/rule/evidence.ts';
import type { MinuteRange } from '../../proof/rule/evaluate.ts';
import { daysOfMonth, minutesOfDays, parseMonth } from '../../proof/rule/period.ts';
import { dueTimes } from '../../proof/testing/world.ts';
import { MINUTES_PER_DAY, MINUTE_MS } from '../../time.ts';
import { type Assembly, type File, assembleEvidence } from './assemble.ts';
import { type MadeBatch, TestLog, TestProbe } from './log.ts';
import {
  SMALL_ORIGIN,
  changedConfig,
  rekeyedConfig,
  smallConfig,
  smallKey,
  smallKeys,
} from './small-config.ts';
import { smallLine } from './small-lines.ts';
import { TestTree, testLeafHash } from './tree-files.ts';

export interface SmallOptions {
  /** Of the day; what is to happen later does not. */
  readonly minutes?: number;
  /** Entries before the month's, which are not in the bundle unless they matter; 0 begins it with entry 0. */
  readonly filler?: number;
  /** The month ends with a year: the log of the next begins in the middle. */
  readonly isTwoLogs?: boolean;
}

export interface SmallBundle {
  readonly assembly: Assembly;
  /** Without those of a report. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What `evaluate` counts; indexes are places in the order of all logs. */
  readonly evidence: Evidence;
  readonly range: MinuteRange;
  /** First minute of the day. */
  readonly day: number;
}

/** The us probe sends what it made in these minutes later. */
const LATE = { from: 1_000, to: 1_059, at: 1_180 };
/** Batches of these minutes are dropped. */
const DROPPED: Readonly<Record<string, { from: number; to: number }>> = {
  'asia-1': { from: 1_100, to: 1_109 },
  'us-1': { from: 1_105, to: 1_114 },
};
const TURN = 1_150;
const CHANGED = 1_300;
const REKEYED = 1_350;
const CONTRADICTS = 1_400;
const AFTER = 5;

export function smallBundle(options: SmallOptions = {}): SmallBundle {
  const { minutes = MINUTES_PER_DAY, filler = 300, isTwoLogs = false } = options;
  const month = isTwoLogs ? '2026-12' : '2026-10';
  const range = minutesOfDays(daysOfMonth(parseMonth(month) ?? 0));
  const day = range.last + 1 - MINUTES_PER_DAY;
  const world = new SmallWorld(day, filler, isTwoLogs);
  for (let at = 0; at < minutes; at += 1) world.minute(at);
  // That the log goes on past the month shows that the month is over.
  for (let at = 0; at < AFTER; at += 1) world.minute(MINUTES_PER_DAY + at);
  const sizes = world.logs.map((log) => log.entries.length);
  // They came when the report had been made.
  if (minutes === MINUTES_PER_DAY) world.afterTheEnd();
  const assembly: Assembly = {
    month,
    origin: SMALL_ORIGIN,
    operator: smallKeys.operator,
    logs: world.logs.map(({ year, key, entries }, i) => ({
      year,
      key,
      entries,
      start: i === 0 ? filler : 0,
      size: sizes[i] ?? 0,
    })),
    projections: world.projections,
    body: (year, index, service) =>
      world.logs.find((log) => log.year === year)?.body(index, service) ?? 'gone',
  };
  const files = new Map<string, Uint8Array>(assembleEvidence(assembly) as Iterable<File>);
  return { assembly, files, evidence: world.evidence(sizes), range, day };
}

class SmallWorld {
  readonly logs: TestLog[];
  readonly projections: string[] = [];
  readonly #day: number;
  readonly #isTwoLogs: boolean;
  readonly #probes: TestProbe[];
  #log: TestLog;
  #config = { hash: '', config: smallConfig };
  #before = this.#config;
  readonly #waiting: MadeBatch[] = [];
  readonly #atEnd: MadeBatch[] = [];

  constructor(day: number, filler: number, isTwoLogs: boolean) {
    this.#day = day;
    this.#isTwoLogs = isTwoLogs;
    this.#log = newLog(2026);
    this.logs = [this.#log];
    this.#configure(smallConfig, 0);
    for (const { vkey } of smallConfig.probes) this.#enrol(vkey, 'enrol', 0);
    while (this.#log.entries.length < filler) this.#annotate();
    const salts = new Map([['inner', sha256(utf8('a salt'))]]);
    const { asia, eu, us } = smallKeys;
    this.#probes = [asia, eu, us].map((key) => new TestProbe(key, SMALL_ORIGIN, salts));
  }

  /** What comes in, in minute `at` of the day: leaves first, then the batches that close the minute. */
  minute(at: number): void {
    if (this.#isTwoLogs && at === TURN) {
      const { key, entries } = this.#log;
      const last = new TestTree(key, entries.map(testLeafHash)).checkpoint(entries.length);
      this.#log = newLog(2027);
      this.#log.append(last, key.vkey);
      this.logs.push(this.#log);
    }
    if (at === 700) this.#maintain('web', 720, 779);
    if (at === 910) this.#maintain('rpc/b', 900, 930);
    if (at === CHANGED) this.#configure(changedConfig, at);
    if (at === REKEYED) this.#rekey(at);
    for (const probe of this.#probes) this.#close(probe, at);
    if (at !== LATE.at) return;
    for (const made of this.#waiting.splice(0)) this.#log.take(made);
  }

  afterTheEnd(): void {
    for (const made of this.#atEnd.splice(0)) this.#log.take(made);
  }

  evidence(sizes: readonly number[]): Evidence {
    const parts = this.logs.map((log, i) => log.evidence(sizes[i]));
    const projections = this.projections.map((text): [string, string] => [
      encodeBase64(sha256(utf8(text))),
      text,
    ]);
    return {
      leaves: parts.flatMap((part) => part.leaves),
      bodies: new Map([...projections, ...parts.flatMap((part) => [...part.bodies])]),
    };
  }

  #close(probe: TestProbe, at: number): void {
    const id = probe.key.name;
    if (id === 'asia-1' && at === CONTRADICTS + 10) probe.newEpoch();
    const dropped = DROPPED[id];
    const gap = dropped?.to === at - 1 ? { first: probe.number - 10, last: probe.number - 1 } : undefined;
    // A probe runs the configuration before for a while.
    const isBehind = id === 'eu-1' && at >= CHANGED && at < CHANGED + 3;
    const ran = isBehind ? this.#before : this.#config;
    const made = probe.make({
      ...this.#seen(probe, at, ran.config, 0),
      config: ran.hash,
      clockBoundMs: id === 'eu-1' && at >= 1_200 && at < 1_205 ? -1 : 5,
      gaps: gap ? [gap] : [],
    });
    if (dropped && at >= dropped.from && at <= dropped.to) return;
    if (id === 'us-1' && at >= LATE.from && at <= LATE.to) this.#waiting.push(made);
    else if (id === 'asia-1' && at === MINUTES_PER_DAY - 1) this.#atEnd.push(made);
    else this.#log.take(made);
    if (id !== 'asia-1' || at !== CONTRADICTS) return;
    const other = probe.makeAgain({ ...this.#seen(probe, at, ran.config, 1), config: ran.hash });
    this.#log.take(other, new Map());
  }

  #seen(probe: TestProbe, at: number, config: RuleConfig, longer: number) {
    const minute = this.#day + at;
    const minutes = { first: minute, last: minute };
    const id = probe.key.name;
    const lines = config.monitors.flatMap(({ id: monitor, intervalMs }) =>
      dueTimes(config.seed, monitor, id, intervalMs, minutes, sha256).flatMap((dueAt) =>
        smallLine({ monitor, dueAt, probe: id, at, longer }),
      ),
    );
    return { minutes, bodies: bodiesOf(lines) };
  }

  #configure(config: RuleConfig, at: number): void {
    const projection = formatProjection(config);
    this.projections.push(projection);
    const bytes = utf8(projection);
    const leaf = {
      origin: SMALL_ORIGIN,
      from: this.#day + at,
      bytes: bytes.length,
      hash: encodeBase64(sha256(bytes)),
    };
    this.#before = this.#config;
    this.#config = { hash: this.#log.sign(formatConfigLeaf(leaf), smallKeys.operator), config };
  }

  #enrol(key: string, act: 'enrol' | 'revoke', at: number): void {
    const probe = [smallConfig, rekeyedConfig].flatMap((c) => c.probes).find((p) => p.vkey === key);
    if (probe === undefined) throw new Error('no probe has this key');
    const { id, region, operator } = probe;
    const leaf = { origin: SMALL_ORIGIN, act, from: this.#day + at, probe: id, region, key, operator };
    this.#log.sign(formatProbeLeaf(leaf), smallKeys.operator);
  }

  #rekey(at: number): void {
    this.#enrol(smallKeys.us.vkey, 'revoke', at);
    this.#configure(rekeyedConfig, at);
    this.#before = this.#config;
    this.#enrol(smallKeys.usNext.vkey, 'enrol', at);
    this.#probes[2] = new TestProbe(
      smallKeys.usNext,
      SMALL_ORIGIN,
      new Map([['inner', sha256(utf8('a salt'))]]),
    );
  }

  #maintain(subject: string, from: number, last: number): void {
    const minutes = { from: this.#day + from, last: this.#day + last };
    const leaf = { act: 'declare' as const, origin: SMALL_ORIGIN, ...minutes, subjects: [subject] };
    this.#log.sign(formatMaintLeaf(leaf), smallKeys.operator);
  }

  #annotate(): void {
    const at = this.#day * MINUTE_MS;
    const text = `remark ${this.#log.entries.length}`;
    this.#log.sign(
      formatAnnotationLeaf({ origin: SMALL_ORIGIN, of: ZERO_HASH, at, text }),
      smallKeys.operator,
    );
  }
}

function newLog(year: number): TestLog {
  return new TestLog(year, smallKey(`${SMALL_ORIGIN}/${year}`));
}
