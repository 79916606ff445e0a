/** Evidence of the rule's reference as the count takes it, for tests. */
import { sha256 } from '../../keys.ts';
import { dayOfMinute } from '../../time.ts';
import { utf8 } from '../bytes.ts';
import type { MinuteRange } from '../rule/evaluate.ts';
import { type Evidence, readRecords } from '../rule/evidence.ts';
import type { Count, CountBatch, CountInput } from './count.ts';
import { openCount } from './open-count.ts';

export interface Played {
  readonly count: Count;
  readonly batches: readonly CountBatch[];
  readonly refused: readonly string[];
}

interface Options extends Pick<CountInput, 'service' | 'before'> {
  /** In which order the bodies of a day come. */
  readonly order?: (i: number) => number;
}

/** Puts all bodies of a range into a count; what was refused is named as readBody does it. */
export function play(evidence: Evidence, range: MinuteRange, options: Options = {}): Played {
  const records = readRecords(evidence, sha256);
  const { order = (i: number) => i, ...asked } = options;
  const all = records.batches.map((record) => {
    const { batch, index, key } = record;
    const { probe, epoch, number, minutes, config, clock, gaps } = batch;
    const lines = batch.bodies.reduce((sum, body) => sum + body.lines, 0);
    return { record, batch: { probe, epoch, number, minutes, config, clock, gaps, index, key, lines } };
  });
  const voidFrom = (key: string, epoch: number): number => {
    const texts = new Map<number, Set<string>>();
    for (const { record } of all) {
      if (record.key !== key || record.batch.epoch !== epoch) continue;
      const known = texts.get(record.batch.number) ?? new Set();
      texts.set(record.batch.number, known.add(record.text));
    }
    return Math.min(Infinity, ...[...texts].flatMap(([number, { size }]) => (size > 1 ? [number] : [])));
  };
  const batches = all.map(({ batch }) => batch);
  const count = openCount({ ...records, batches, range, voidFrom, hash: sha256, ...asked });
  const refused: string[] = [];
  for (let day = dayOfMinute(range.first); day <= dayOfMinute(range.last); day += 1) {
    const needed = count.needs(day);
    const ofDay = all
      .filter(({ batch }) => dayOfMinute(batch.minutes.first) === day)
      .flatMap(({ record, batch }) => record.batch.bodies.map((ref) => ({ ref, batch })))
      .filter(({ ref }) => needed.has(ref.service))
      .map((each, i) => ({ each, at: order(i) }))
      .sort((a, b) => a.at - b.at);
    for (const { each } of ofDay) {
      const body = evidence.bodies.get(each.ref.hash);
      if (body === undefined) {
        count.miss(day, each.ref.service);
        continue;
      }
      const wrong = count.add(each.batch, each.ref.service, utf8(body), each.ref.lines);
      if (wrong !== undefined) refused.push(`leaf ${each.batch.index}: ${wrong}`);
    }
    count.close(day);
  }
  return { count, batches, refused };
}
