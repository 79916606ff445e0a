/**
 * Whether all of the month that was logged lies in the part that is here. Batches of a probe name the one before, so the first of
 * each chain that is here shows where its chain comes from; and the log has gone on past the month.
 */
import type { MinuteRange } from '../proof/rule/evaluate.ts';
import { type Entries, placeOf } from './entries.ts';
import { names } from './files.ts';
import type { Range } from './range.ts';
import type { Reading } from './reading.ts';

/** @param standing how many of the batches are earlier leaves: they are the first ones */
export function saySpan(
  reading: Reading,
  range: Range,
  minutes: MinuteRange,
  entries: Entries,
  standing: number,
): void {
  const { problems } = reading;
  const { batches, chains } = entries;
  for (const [batch, { minutes: own }] of batches.slice(0, standing).entries()) {
    if (own.last >= minutes.first && own.first <= minutes.last)
      entries.sayOfBatch(batch, 'it is of the month, and before the part that is said to have all of it');
  }
  for (const chain of chains.firsts(standing)) {
    const first = batches[chain.batch];
    if (first === undefined || first.minutes.first < minutes.first) continue;
    const { number, gaps, index, probe } = first;
    // What its probe has dropped is in no log.
    const before = (gaps.find(({ last }) => last === number - 1)?.first ?? number) - 1;
    if (before < 0 || chain.has(before)) continue;
    const { file, name } = placeOf(range, index);
    problems.incomplete(
      file,
      `${name}, a batch of ${probe}: batch ${before} of its epoch is not here, so that nothing shows from when on its batches are left out`,
    );
  }
  const { year = 0 } = range.trees.at(-1) ?? {};
  if (range.last === undefined && !batches.some(({ minutes: own }) => own.first > minutes.last))
    problems.incomplete(
      names.end(year),
      'no batch of after the month is before it: nothing shows that all of the month was logged by then',
    );
}
