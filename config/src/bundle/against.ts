/** A report held against what its bundle's evidence gives: figure by figure, each difference named by its path. */
import { encodeBase64 } from '../proof/bytes.ts';
import { utf8 } from '../proof/bytes.ts';
import { parseNote } from '../proof/note.ts';
import { type ReportLeaf, parseReportLeaf } from '../proof/report-leaf.ts';
import type { Report } from '../report/report.ts';
import type { Found } from './evidence.ts';
import { names } from './files.ts';
import { minutesOfRange } from './range.ts';
import type { Reading } from './reading.ts';

/** What the report says of the logs and of what was counted; `service` alone where one is given. */
export function againstReport(reading: Reading, found: Found, report: Report, isWhole: boolean): void {
  const { problems, options } = reading;
  const say = (says: string): void => {
    problems.mismatch(names.report, says);
  };
  const { month, last, origin, trees } = found.range;
  const minutes = minutesOfRange(found.range);
  const draft = last === undefined ? undefined : { lastMinute: last };
  const logs = trees.map(({ year, start, size }) => ({
    year,
    start,
    size,
    root: found.logs.byYear.get(year)?.end.root ?? '',
    key: found.trusted.vkeys.get(year) ?? '',
  }));
  const { policyWitnesses: witnesses, operatorKey } = found;
  compare('', { month, minutes, draft, origin, operatorKey, witnesses, logs }, pick(report), say);
  // Without all of its evidence the figures differ, and each of them says no more than what is missing.
  if (!isWhole) return;
  compare('logged', found.logged, report.logged, say);
  const { service } = options;
  if (service === undefined) {
    compare('counted', found.counted, report.counted, say);
    return;
  }
  const of = (counted: Report['counted']): Report['counted']['services'] =>
    counted.services.filter(({ id }) => id === service);
  const own = of(found.counted);
  if (own.length === 0 && of(report.counted).length === 0)
    problems.incomplete(names.report, `it has no service ${service}`);
  compare('counted.services', own, of(report.counted), say);
}

function pick({ month, minutes, draft, origin, operatorKey, witnesses, logs }: Report) {
  return { month, minutes, draft, origin, operatorKey, witnesses, logs };
}

/** The signed note of the report's bytes. */
export async function againstNote(
  reading: Reading,
  found: Found,
  report: Report,
  json: Uint8Array,
  noteText: string,
): Promise<void> {
  const { problems, signatures, checker } = reading;
  const say = (says: string): void => {
    problems.mismatch(names.note, says);
  };
  const { operator } = found.trusted;
  const note = parseNote(noteText);
  if ('error' in note) {
    say(note.error);
    return;
  }
  const [signature, ...more] = note.signatures;
  if (signature === undefined || more.length > 0) {
    say('it does not have exactly one signature');
    return;
  }
  if (signature.name !== operator.name || signature.keyId !== operator.keyId) {
    say(`it is signed by ${signature.name}+${signature.keyId}, which is not the operator's key`);
    return;
  }
  if (!(await signatures.verify(operator, utf8(note.text), signature.bytes))) {
    say("the operator's signature does not fit its text");
    return;
  }
  const leaf = parseReportLeaf(note.text);
  if ('error' in leaf) {
    say(leaf.error);
    return;
  }
  const wanted: ReportLeaf = {
    origin: found.range.origin,
    month: found.range.month,
    revision: report.revision,
    minutes: minutesOfRange(found.range),
    trees: found.range.trees.map(({ year, size }) => ({
      year,
      size,
      root: found.logs.byYear.get(year)?.end.root ?? '',
    })),
    bytes: json.length,
    hash: encodeBase64(checker.hash(json)),
  };
  compare('', wanted, leaf, say, 'the note');
}

// ------------------------------------------------------------- comparing

type Say = (says: string) => void;

/** Tells each place in which two values of the same kind differ. */
export function compare(path: string, found: unknown, told: unknown, say: Say, who = 'the report'): void {
  if (Array.isArray(found) && Array.isArray(told)) {
    compareLists(path, found, told, say, who);
  } else if (isRecord(found) && isRecord(told)) {
    for (const key of new Set([...Object.keys(found), ...Object.keys(told)]))
      compare(path === '' ? key : `${path}.${key}`, found[key], told[key], say, who);
  } else if (found !== told) {
    say(`${path}: ${who} says ${shown(told)}, the evidence gives ${shown(found)}`);
  }
}

/** Things with a name by it, wherever they stand; then their order. */
function compareLists(
  path: string,
  found: readonly unknown[],
  told: readonly unknown[],
  say: Say,
  who: string,
): void {
  const mine = named(found);
  const theirs = named(told);
  if (mine === undefined || theirs === undefined) {
    for (let i = 0; i < Math.max(found.length, told.length); i += 1)
      compare(`${path}.${i}`, found[i], told[i], say, who);
    return;
  }
  for (const [name, value] of mine) compare(`${path}.${name}`, value, theirs.get(name), say, who);
  for (const [name, value] of theirs)
    if (!mine.has(name)) compare(`${path}.${name}`, undefined, value, say, who);
  const isSame = [...mine.keys()].join('\n') === [...theirs.keys()].join('\n');
  if (!isSame && mine.size === theirs.size && [...mine.keys()].every((name) => theirs.has(name)))
    say(`${path}: ${who} has them in another order than the evidence gives`);
}

/** By what tells them apart; undefined for a list of what has no names, or the same twice. */
function named(list: readonly unknown[]): Map<string, unknown> | undefined {
  const byName = new Map<string, unknown>();
  for (const value of list) {
    if (!isRecord(value)) return undefined;
    const { id, subject, region, method, monitor } = value;
    const words = [id, subject, region, method, monitor].filter((word) => typeof word === 'string');
    if (words.length > 0) byName.set(words.join(' '), value);
  }
  return byName.size === list.length ? byName : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MAX_SHOWN = 120;

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
