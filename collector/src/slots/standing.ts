/**
 * What a batch changes of what stands (rule "None", repeats): of two lines for one monitor, probe key and due time that
 * of the lower (epoch, number). Lines of one batch are compared with those of the other batches of its key that have the
 * same minutes, by looking into their bodies, which are sorted.
 */
import type { Batch } from '@highwater/config/proof/batch.ts';
import { type Claim, earlierClaim } from '@highwater/config/proof/rule/none.ts';
import type { CommitRow } from '../store/store.ts';
import type { Ground } from './ground.ts';
import { type BodyLines, type Intern, lineFor, type ReadLine, readLines, type Torn } from './read-lines.ts';

/** A batch with those of its bodies that are asked for, by service. */
export interface ReadBatch {
  readonly commit: CommitRow;
  readonly batch: Batch;
  readonly key: string;
  readonly bodies: ReadonlyMap<string, string>;
}

/**
 * Whether something that a batch says can't be read again: a body is gone, or damaged. The second text of a number may
 * never have had bodies: it counts for nothing anyway.
 */
export function isLost(
  ground: Pick<Ground, 'voidFrom'>,
  own: ReadBatch,
  isOurs: (service: string) => boolean,
): boolean {
  if (own.batch.number >= ground.voidFrom(own.key, own.batch.epoch)) return false;
  return own.batch.bodies.some(({ service }) => isOurs(service) && !own.bodies.has(service));
}

/** What stands for a due time, and whose it is. */
export interface Stand {
  readonly of: ReadBatch;
  readonly said: ReadLine | Torn;
}

export interface Change {
  readonly of: ReadBatch;
  /** Of the batch: they stand now. */
  readonly put: BodyLines;
  /** Of other batches: they stood before. */
  readonly taken: readonly Stand[];
}

const textOf = (said: ReadLine | Torn): string | undefined => ('text' in said ? said.text : undefined);

const claimOf = ({ of, said }: Stand): Claim => ({
  epoch: of.batch.epoch,
  number: of.batch.number,
  line: textOf(said),
});

/** Of two for one due time the one that stands. */
function earlier(a: Stand, b: Stand): Stand {
  const claim = earlierClaim(claimOf(a), claimOf(b));
  const isOfA = claim.epoch === a.of.batch.epoch && claim.number === a.of.batch.number;
  const winner = isOfA ? a : b;
  if (claim.line !== undefined || textOf(winner.said) === undefined) return winner;
  const { monitor, dueAt, minute } = winner.said;
  return { of: winner.of, said: { monitor, dueAt, minute } };
}

function standingAmong(others: readonly ReadBatch[], { monitor, dueAt, minute }: Torn): Stand | undefined {
  const service = monitor.slice(0, monitor.indexOf('/'));
  let standing: Stand | undefined;
  for (const of of others) {
    if (minute < of.batch.minutes.first || minute > of.batch.minutes.last) continue;
    const body = of.bodies.get(service);
    const said = body === undefined ? undefined : lineFor(body, monitor, dueAt);
    if (said !== undefined)
      standing = standing === undefined ? { of, said } : earlier(standing, { of, said });
  }
  return standing;
}

/** @param others of the same key, in the order of their commits, all before it */
export function changeOf(
  of: ReadBatch,
  others: readonly ReadBatch[],
  first: number,
  last: number,
  intern: Intern,
): Change {
  const own: BodyLines = { lines: [], torn: [] };
  for (const body of of.bodies.values()) readLines(body, first, last, intern, own);
  if (others.length === 0) return { of, put: own, taken: [] };
  const put: BodyLines = { lines: [], torn: [] };
  const taken: Stand[] = [];
  for (const said of [...own.lines, ...own.torn]) {
    const before = standingAmong(others, said);
    const after = before === undefined ? { of, said } : earlier(before, { of, said });
    if (after === before) continue;
    if (before !== undefined) taken.push(before);
    if ('text' in after.said) put.lines.push(after.said);
    else put.torn.push(after.said);
  }
  return { of, put, taken };
}
