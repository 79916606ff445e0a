/** What an answer over HTTP is worth. Pure. */
import type { Fault, FaultId } from '@highwater/config/faults.ts';
import type { Assertion, ExchangeAnswer } from '@highwater/config/kinds.ts';
import { refusalStatuses } from '@highwater/config/faults/refusals.ts';
import { fault } from '../fault.ts';
import { budgetMs, type Expressions, expressions, maxMatchedBytes } from './expression.ts';
import type { HeaderWish, Settings, StatusRange } from './http-settings.ts';
import { excerpt, type Json, readJson, valueAt } from './json.ts';
import { foundText, type JsonExpectation, wishes } from './json-expect.ts';

/** One thing that was asked of the answer. */
interface Finding extends Assertion {
  readonly id: FaultId;
  /** Of the fault, where it does not hold. */
  readonly detail: string;
}

type Answer = Pick<ExchangeAnswer, 'status' | 'headers' | 'body' | 'latencyTenths'>;

/**
 * The fault of the first thing that does not hold. Judges no further than that unless somebody reads the assertions:
 * `told` hears of each.
 */
export function unexpected(
  answer: Answer,
  wanted: Settings,
  told?: (assertion: Assertion) => void,
): Fault | undefined {
  let found: Fault | undefined;
  for (const { id, detail, ...assertion } of findings(answer, wanted)) {
    if (!assertion.held) found ??= fault(id, detail);
    if (!told && found) return found;
    told?.(assertion);
  }
  return found;
}

export function isGood(code: number, ranges: readonly StatusRange[]): boolean {
  return ranges.some(({ low, high }) => code >= low && code <= high);
}

function* findings(answer: Answer, wanted: Settings): Generator<Finding> {
  const status = String(answer.status);
  yield {
    what: `the status is ${wanted.status.map(rangeText).join(', ')}`,
    held: isGood(answer.status, wanted.status),
    found: status,
    id: refusalStatuses.has(answer.status) ? 'target.http.refused' : 'target.http.status',
    detail: status,
  };
  const tries = expressions();
  for (const [name, wish] of wanted.responseHeaders ?? [])
    yield* headerFindings(name, valueOf(answer.headers, name), wish, tries);
  yield* textFindings(answer.body, wanted, tries);
  if (wanted.json) yield* jsonFindings(answer.body, wanted.json, tries);
  const { slow } = wanted;
  if (slow === undefined) return;
  const took = `${answer.latencyTenths / 10} ms`;
  yield {
    what: `it takes at most ${slow} ms`,
    held: answer.latencyTenths <= slow * 10,
    found: took,
    id: 'target.http.slow',
    detail: `${took}, limit ${slow} ms`,
  };
}

/** A header may be called `constructor`. */
function valueOf(headers: Answer['headers'], name: string): string | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

function rangeText({ low, high }: StatusRange): string {
  return low === high ? String(low) : `${low}-${high}`;
}

function* headerFindings(
  name: string,
  came: string | undefined,
  { equals, contains, matches, exists }: HeaderWish,
  tries: Expressions,
): Generator<Finding> {
  const found = came === undefined ? 'missing' : excerpt(came);
  const finding = (text: string, held: boolean | undefined): Finding => ({
    what: `the header ${name} is ${text}`,
    held: held === true,
    found: held === undefined ? tooHard : found,
    id: 'target.http.wrong-header',
    detail: `${name} is ${found}, expected ${held === undefined ? tooHard : text}`,
  });
  if (exists !== undefined) yield finding(exists ? 'there' : 'missing', (came !== undefined) === exists);
  if (equals !== undefined) yield finding(excerpt(equals), came?.trim() === equals.trim());
  if (contains !== undefined)
    yield finding(`something with ${excerpt(contains)}`, came?.includes(contains) === true);
  if (matches !== undefined)
    yield finding(`a match of ${matches}`, came === undefined ? false : tries.isMatch(matches, came));
}

/** Of the target all the same: it decides what comes, and must not be able to end the judging of it. */
const tooHard = `not known: the expressions take over ${budgetMs} ms on what came`;

function* textFindings(
  body: string,
  { contains = [], lacks = [], matches }: Settings,
  tries: Expressions,
): Generator<Finding> {
  const id = 'target.http.body';
  for (const text of contains) {
    const held = body.includes(text);
    const detail = `${excerpt(text)} is not in the answer`;
    yield {
      what: `the body has ${excerpt(text)}`,
      held,
      ...(held ? {} : { found: beginning(body) }),
      id,
      detail,
    };
  }
  for (const text of lacks) {
    const at = body.indexOf(text);
    const found = at < 0 ? {} : { found: excerpt(body.slice(Math.max(0, at - 20), at + text.length + 20)) };
    const detail = `${excerpt(text)} is in the answer`;
    yield { what: `the body lacks ${excerpt(text)}`, held: at < 0, ...found, id, detail };
  }
  if (matches === undefined) return;
  const held = tries.isMatch(matches, body.slice(0, maxMatchedBytes));
  const found = held === undefined ? tooHard : beginning(body);
  const detail = held === undefined ? `${matches}: ${tooHard}` : `no match of ${matches}: ${found}`;
  yield { what: `the body matches ${matches}`, held: held === true, ...(held ? {} : { found }), id, detail };
}

function beginning(body: string): string {
  return body.trim() === '' ? 'an empty body' : `a body that begins with ${excerpt(body)}`;
}

function* jsonFindings(
  body: string,
  wanted: readonly (readonly [path: string, expectation: JsonExpectation])[],
  tries: Expressions,
): Generator<Finding> {
  const id = 'target.http.body';
  const read = readJson(body);
  if ('because' in read) {
    const what = 'the body is JSON';
    const found = read.because;
    if (read.isTooLarge) yield { what, held: false, found, id: 'target.http.too-large', detail: found };
    else yield { what, held: false, found, id, detail: `not JSON: ${found}` };
    return;
  }
  for (const [path, expectation] of wanted) {
    const came: Json | undefined = valueAt(read.value, path);
    const seen = foundText(came, expectation);
    for (const { text, held } of wishes(came, expectation, tries)) {
      const found = held === undefined ? tooHard : seen;
      yield {
        what: `${path} is ${text}`,
        held: held === true,
        found,
        id,
        detail: `${path} is ${seen}, expected ${held === undefined ? tooHard : text}`,
      };
    }
  }
}
