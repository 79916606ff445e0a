/** What is told of probes: what they sent, what is missing of it, and for how long they were silent. */
import { MINUTES_PER_DAY } from '../../time.ts';
import type { CountedLater, CountedProbe } from '../../report/counted.ts';
import type { RuleConfig } from '../projection.ts';
import type { MinuteRange } from '../rule/evaluate.ts';
import { formatMonth, monthOfDay } from '../rule/period.ts';
import { windowMinutesOf } from '../rule/window.ts';
import type { CountBatch } from './count.ts';
import type { Ground } from './ground.ts';
import type { Stretch } from './spans.ts';

type Numbers = { readonly first: number; readonly last: number };
type Gap = CountedProbe['gaps'][number];

/** Minutes without a line are told as silence where there are more than the shortest interval of its checks takes, and these. */
const SPARE_MINUTES = 2;

/** Ranges that touch or overlap are one. */
export function merged(ranges: readonly Numbers[]): { first: number; last: number }[] {
  const all: { first: number; last: number }[] = [];
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = all.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else all.push({ first, last });
  }
  return all;
}

/**
 * Of one key and epoch: what its batches of the month say was dropped, and the numbers between them that no batch has and none says
 * was dropped.
 */
export function gapsOf(epoch: number, ofMonth: readonly CountBatch[], all: readonly CountBatch[]): Gap[] {
  const dropped = merged(ofMonth.flatMap(({ gaps }) => gaps));
  const known = merged([
    ...all.map(({ number }) => ({ first: number, last: number })),
    ...all.flatMap(({ gaps }) => gaps),
  ]);
  let [lowest, highest] = [Infinity, -1];
  for (const { number } of ofMonth) [lowest, highest] = [Math.min(lowest, number), Math.max(highest, number)];
  const missing: Numbers[] = known.slice(1).flatMap(({ first }, i) => {
    const from = Math.max(lowest, (known[i]?.last ?? 0) + 1);
    const to = Math.min(highest, first - 1);
    return from <= to ? [{ first: from, last: to }] : [];
  });
  return [
    ...dropped.map((gap) => ({ epoch, ...gap, why: 'dropped' as const })),
    ...missing.map((gap) => ({ epoch, ...gap, why: 'missing' as const })),
  ].sort((a, b) => a.first - b.first);
}

/** Which minutes of the range a probe was to speak in. */
class Voice {
  /** Silence is longer than this, by minute in which it is to speak; 0: it is not. */
  readonly spare: Uint16Array;
  lines = 0;
  region = '';
  operator = '';

  constructor(length: number) {
    this.spare = new Uint16Array(length);
  }

  silent(firstMinute: number, heard: Uint8Array | undefined): { firstMinute: number; minutes: number }[] {
    const { spare } = this;
    const found: { firstMinute: number; minutes: number }[] = [];
    for (let at = 0; at < spare.length; at += 1) {
      const from = at;
      while (at < spare.length && spare[at] !== 0 && (heard?.[at] ?? 0) === 0) at += 1;
      if (at - from > (spare[from] ?? 0) && at > from)
        found.push({ firstMinute: firstMinute + from, minutes: at - from });
    }
    return found;
  }
}

/** The operator that a configuration names; of one of an older version, which names none, those of its nodes. */
function operatorsOf({ operator, services }: RuleConfig): string[] {
  return operator === undefined
    ? services.flatMap(({ nodes }) => nodes.map((node) => node.operator))
    : [operator];
}

export class Probes {
  private readonly ground: Ground;
  private readonly range: MinuteRange;
  /** By `ID KEY`. */
  private readonly voices = new Map<string, Voice>();
  /** By key: minutes of the range in which a line was due. */
  private readonly heardOf = new Map<string, Uint8Array>();
  /** Who runs what is watched, by the configurations in force. */
  private readonly houseOperators = new Set<string>();

  /** Lines that were read, by what `likeOf` says of their batches. */
  private readonly linesOf: Float64Array;

  constructor(ground: Ground) {
    this.ground = ground;
    this.range = ground.input.range;
    this.linesOf = new Float64Array(ground.input.batches.length);
  }

  private voiceOf(id: string, key: string): Voice {
    const name = `${id} ${key}`;
    const known = this.voices.get(name) ?? new Voice(this.range.last - this.range.first + 1);
    this.voices.set(name, known);
    return known;
  }

  /** Lines of a body that was read. @param batch its place */
  add(batch: number, lines: number): void {
    const like = this.ground.likeOf[batch] ?? 0;
    this.linesOf[like] = (this.linesOf[like] ?? 0) + lines;
  }

  /** A minute in which a line of a key was due. */
  heard(key: string, minute: number): void {
    const { first, last } = this.range;
    if (minute < first || minute > last) return;
    const minutes = this.heardOf.get(key) ?? new Uint8Array(last - first + 1);
    this.heardOf.set(key, minutes);
    minutes[minute - first] = 1;
  }

  /** Who is to speak in a day. */
  expect(stretches: readonly Stretch[]): void {
    for (const { first, last, under, speaking } of stretches) {
      const from = Math.max(first, this.range.first) - this.range.first;
      const to = Math.min(last, this.range.last) - this.range.first;
      for (const operator of operatorsOf(under.config)) this.houseOperators.add(operator);
      for (const { id, vkey, region, operator } of from > to ? [] : speaking) {
        const voice = this.voiceOf(id, vkey);
        [voice.region, voice.operator] = [region, operator];
        const asked = under.config.monitors.filter(({ regions }) => regions.includes(region));
        if (asked.length === 0) continue;
        const shortest = asked.reduce((least, { intervalMs }) => Math.min(least, intervalMs), Infinity);
        voice.spare.fill(windowMinutesOf(shortest) + SPARE_MINUTES, from, to + 1);
      }
    }
  }

  /** Those that were to speak in the range, or did. */
  result(): CountedProbe[] {
    const { input } = this.ground;
    const { first, last } = this.range;
    const leaves = new Map(input.probes.map(({ leaf }) => [leaf.key, leaf]));
    const all = Map.groupBy(input.batches, ({ probe, key }) => `${probe} ${key}`);
    const isOfMonth = ({ minutes }: CountBatch): boolean => first <= minutes.first && minutes.last <= last;
    for (const [place, batch] of input.batches.entries()) {
      if (!isOfMonth(batch)) continue;
      const like = this.ground.likeOf[place] ?? 0;
      this.voiceOf(batch.probe, batch.key).lines += this.linesOf[like] ?? 0;
      this.linesOf[like] = 0;
    }
    return [...this.voices]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, voice]) => {
        const [id = '', key = ''] = name.split(' ');
        const byEpoch = Map.groupBy(all.get(name) ?? [], ({ epoch }) => epoch);
        const epochs = [...byEpoch]
          .sort(([a], [b]) => a - b)
          .map(([epoch, batches]) => ({ epoch, batches, ofMonth: batches.filter(isOfMonth) }))
          .filter(({ ofMonth }) => ofMonth.length > 0);
        const enrolled = leaves.get(key);
        const operator = voice.operator === '' ? (enrolled?.operator ?? '') : voice.operator;
        return {
          id,
          key,
          region: voice.region === '' ? (enrolled?.region ?? '') : voice.region,
          operator,
          isByOthers: operator !== '' && !this.houseOperators.has(operator),
          batches: epochs.reduce((sum, { ofMonth }) => sum + ofMonth.length, 0),
          lines: voice.lines,
          gaps: epochs.flatMap(({ epoch, batches, ofMonth }) => gapsOf(epoch, ofMonth, batches)),
          silent: voice.silent(first, this.heardOf.get(key)),
          voided: epochs.flatMap(({ epoch }) => {
            const from = input.voidFrom(key, epoch);
            return Number.isFinite(from) ? [{ epoch, from }] : [];
          }),
        };
      });
  }

  later(): CountedLater[] {
    const { batches, before } = this.ground.input;
    if (before === undefined) return [];
    const firstDay = Math.floor(this.range.first / MINUTES_PER_DAY);
    const monthOf = ({ minutes }: CountBatch): string =>
      formatMonth(monthOfDay(Math.floor(minutes.first / MINUTES_PER_DAY)));
    const late = batches.filter(
      ({ index, minutes }) => index >= before && Math.floor(minutes.last / MINUTES_PER_DAY) < firstDay,
    );
    return [...Map.groupBy(late, (batch) => `${monthOf(batch)} ${batch.probe}`)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, own]) => {
        const [month = '', probe = ''] = name.split(' ');
        const minutes = own.map((batch) => batch.minutes);
        return {
          month,
          probe,
          batches: own.length,
          lines: own.reduce((sum, { lines }) => sum + lines, 0),
          firstMinute: minutes.reduce((least, each) => Math.min(least, each.first), Infinity),
          lastMinute: minutes.reduce((most, each) => Math.max(most, each.last), 0),
        };
      });
  }
}
