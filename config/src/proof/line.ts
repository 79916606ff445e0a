/**
 * The line: one observation as text (CONTRACTS "Line").
 * `MONITOR DUE_MS OUTCOME LATENCY FAULT [KEY=VALUE …]`, single spaces, sorted keys, no floats, a closed grammar.
 * Every accepted text is exactly what formatLine writes, so that a body has one spelling.
 */
import type { Observation, Outcome, Phases } from '../domain.ts';
import { type Fault, faultFromId, faultId, isRefusal } from '../faults.ts';
import { MAX_INSTANT, isMonitorId, parseDecimal, parseInteger } from './bytes.ts';

/** A line without its LF. */
export const MAX_LINE_BYTES = 4_096;
/** Latencies, phases and lateness: an unsigned 32-bit number. */
export const MAX_TENTHS = 4_294_967_295;

/** A bug of the caller: an observation that no line can carry. */
export class LineError extends Error {
  override name = 'LineError';
}

const isInstant = (value: string): boolean => parseDecimal(value, MAX_INSTANT) !== undefined;
const isCount = (value: string): boolean => parseDecimal(value) !== undefined;
const isPrefix = (value: string): boolean => /^[0-9a-f]{8}$/.test(value);
const isTenths = (value: string): boolean => parseDecimal(value, MAX_TENTHS) !== undefined;
/** `HEIGHT.ID`: a block by its height and the first 8 hex digits of its hash. */
const isBlock = (value: string): boolean => {
  const [height = '', id = '', ...more] = value.split('.');
  return more.length === 0 && isCount(height) && isPrefix(id);
};

/** The facts a line may carry, apart from `m.ID`: key, meaning, and what its value may be. */
export const factTable: Readonly<Record<string, { readonly means: string; valid(value: string): boolean }>> =
  {
    ack: { means: 'until the subscription was acknowledged, tenths of a millisecond', valid: isTenths },
    age: { means: 'since the last block was pushed, ms', valid: isCount },
    answered: { means: 'name servers that answered', valid: isCount },
    asked: { means: 'name servers that were asked', valid: isCount },
    bt: { means: 'time of the newest block, Unix ms', valid: isInstant },
    cc: { means: 'close code of the long-lived WebSocket', valid: (value) => /^[1-4][0-9]{3}$/.test(value) },
    ce: { means: 'earliest expiry among the certificates presented, Unix ms', valid: isInstant },
    cl: { means: "expiry of the server's own certificate, Unix ms", valid: isInstant },
    cp: { means: 'an older block, HEIGHT.ID, by which forks are seen', valid: isBlock },
    cv: { means: 'expiry of the best chain to a trusted root, Unix ms', valid: isInstant },
    fh: { means: 'finalized height', valid: isCount },
    first: { means: 'until the first block was pushed, tenths of a millisecond', valid: isTenths },
    fp: { means: "first 8 hex digits of the SHA-256 of the server's own certificate", valid: isPrefix },
    fpb: { means: 'the same of the certificate in the round before, where it was another', valid: isPrefix },
    g: { means: 'first 8 hex digits of the genesis hash', valid: isPrefix },
    gap: { means: 'blocks missing among those pushed since the last round', valid: isCount },
    h: { means: 'height of the newest block', valid: isCount },
    id: { means: 'first 8 hex digits of the newest block id', valid: isPrefix },
    lost: { means: 'times the long-lived WebSocket was lost since the last round', valid: isCount },
    peers: { means: 'peers that the node has', valid: isCount },
    reorg: { means: 'blocks pushed since the last round that replaced others', valid: isCount },
    rep: { means: 'blocks pushed again since the last round', valid: isCount },
    sc: { means: 'HTTP status', valid: (value) => /^[1-9][0-9]{2}$/.test(value) },
    tv: { means: 'TLS version', valid: (value) => /^1\.[0-9]$/.test(value) },
    serial: { means: 'serial number of the zone, the lowest where they differ', valid: isTenths },
    ttl: { means: 'shortest time to live, s', valid: isTenths },
    v: { means: 'value, an integer', valid: (value) => parseInteger(value) !== undefined },
    ver: {
      means: 'version that the node says',
      valid: (value) => /^[A-Za-z0-9][A-Za-z0-9._+/-]{0,63}$/.test(value),
    },
  };

const factsByKey = new Map(Object.entries(factTable).map(([key, fact]) => [key, { key, fact }]));
const methodKey = /^m\.[A-Za-z0-9._-]{1,64}$/;
const equalKey = /^e\.[A-Za-z0-9._-]{1,64}$/;
const equalValue = /^[0-9a-f]{8}\.[0-9a-f]{8}$/;
const phaseNames = ['resolve', 'connect', 'tls', 'firstByte', 'transfer'] as const;
const outcomes: ReadonlySet<string> = new Set<Outcome>(['ok', 'degraded', 'fail', 'skipped']);

/**
 * Whether a fact may stand in a line. `m.ID` is a method's latency in tenths of a millisecond, or its fault;
 * `e.ID` the first 8 hex digits of the SHA-256 of its parameters and of its result, to compare nodes by.
 */
export function isFact(key: string, value: string): boolean {
  if (Object.hasOwn(factTable, key)) return factTable[key]?.valid(value) ?? false;
  if (equalKey.test(key)) return equalValue.test(value);
  return (
    methodKey.test(key) && (parseDecimal(value, MAX_TENTHS) !== undefined || faultFromId(value) !== undefined)
  );
}

/**
 * The one text of an observation; the fault's detail stays out of it.
 * Throws LineError where parseLine would refuse the text: that is a bug of the caller, not of a target.
 */
export function formatLine(o: Observation): string {
  const because = unwritable(o);
  if (because !== undefined) throw new LineError(`observation of ${shown(o.monitor)}: ${because}`);
  const fields: (readonly [key: string, value: string])[] = Object.entries(o.facts);
  if (o.lateMs !== 0) fields.push(['late', String(o.lateMs)]);
  if (o.phases) fields.push(['p', phaseNames.map((name) => o.phases?.[name]).join(',')]);
  if (o.recheck) fields.push(['re', '1']);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  const fault = o.fault ? faultId(o.fault) : '-';
  let line = `${o.monitor} ${o.dueAt} ${o.outcome} ${o.latencyTenths} ${fault}`;
  for (const [key, value] of fields) line += ` ${key}=${value}`;
  if (line.length > MAX_LINE_BYTES) throw new LineError(`observation of ${shown(o.monitor)}: ${tooLong}`);
  return line;
}

/** Why parseLine would refuse it, apart from its length; the same rules, without reading back what was just written. */
function unwritable(o: Observation): string | undefined {
  if (!isMonitorId(o.monitor)) return notMonitor;
  if (!isWhole(o.dueAt, MAX_INSTANT)) return notDue;
  if (!isOutcome(o.outcome)) return notOutcome;
  if (!isWhole(o.latencyTenths, MAX_TENTHS)) return notLatency;
  if (o.fault && !faultFromId(faultId(o.fault))) return notFault;
  if (!isWhole(o.lateMs, MAX_TENTHS)) return notLate;
  const { phases, facts } = o;
  if (phases && !phaseNames.every((name) => isWhole(phases[name], MAX_TENTHS))) return notPhases;
  for (const key of Object.keys(facts)) {
    const value = facts[key] ?? '';
    if (!isFact(key, value)) return `'${shown(`${key}=${value}`)}' is not a fact of this version`;
  }
  return outcomeMismatch(o.outcome, o.fault);
}

/** A number whose text parseDecimal reads. */
function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

const tooLong = `the line has over ${MAX_LINE_BYTES} bytes`;
const notMonitor = 'the monitor id is not service/node/check in [a-z0-9._-], 64 each';
const notDue = 'the due time is not Unix milliseconds';
const notOutcome = 'the outcome is not one of ok, degraded, fail, skipped';
const notLatency = 'the latency is not a number of tenths of a millisecond';
const notFault = 'the fault is not in the list of this version';
const notLate = 'late is not a positive number of milliseconds';
const notPhases = 'p is not five tenths of a millisecond with commas';

/** Reads one line without its LF. Linear in its length; never throws. */
export function parseLine(text: string): Observation | { error: string } {
  if (text.length > MAX_LINE_BYTES) return { error: tooLong };
  // Cut by hand: lines are most of what is read, and a list of their words costs as much as the rest.
  const dueFrom = endOf(text, 0) + 1;
  const outcomeFrom = endOf(text, dueFrom) + 1;
  const latencyFrom = endOf(text, outcomeFrom) + 1;
  const faultFrom = endOf(text, latencyFrom) + 1;
  const faultTo = endOf(text, faultFrom);
  const monitor = text.slice(0, dueFrom - 1);
  const due = text.slice(dueFrom, outcomeFrom - 1);
  const outcome = text.slice(outcomeFrom, latencyFrom - 1);
  const latency = text.slice(latencyFrom, faultFrom - 1);
  const faultText = text.slice(faultFrom, faultTo);
  if (!isMonitorId(monitor)) return { error: notMonitor };
  const dueAt = parseDecimal(due, MAX_INSTANT);
  if (dueAt === undefined) return { error: notDue };
  if (!isOutcome(outcome)) return { error: notOutcome };
  const latencyTenths = parseDecimal(latency, MAX_TENTHS);
  if (latencyTenths === undefined) return { error: notLatency };
  const fault = faultText === '-' ? undefined : faultFromId(faultText);
  if (fault === undefined && faultText !== '-') return { error: notFault };
  const mismatch = outcomeMismatch(outcome, fault);
  if (mismatch !== undefined) return { error: mismatch };
  const rest = parseFields(text, faultTo + 1);
  if ('error' in rest) return rest;
  const { facts, lateMs, recheck, phases } = rest;
  const read: { -readonly [K in keyof Observation]: Observation[K] } = {
    monitor,
    dueAt,
    outcome,
    latencyTenths,
    facts,
    lateMs,
    recheck,
  };
  if (fault !== undefined) read.fault = fault;
  if (phases !== undefined) read.phases = phases;
  return read;
}

/** Where the word ends that begins at `from`: at the next space or at the end, which is also after the end. */
function endOf(text: string, from: number): number {
  const space = text.indexOf(' ', from);
  return space < 0 ? text.length : space;
}

function isOutcome(text: string): text is Outcome {
  return outcomes.has(text);
}

function outcomeMismatch(outcome: Outcome, fault: Fault | undefined): string | undefined {
  if (outcome === 'ok' && fault) return 'an ok line has a fault';
  if (outcome === 'fail' && !fault) return 'a fail line has no fault';
  if (outcome === 'skipped' && !(fault && (fault.source === 'probe' || isRefusal(fault))))
    return 'a skipped line has neither a fault of the probe nor a refusal';
  return undefined;
}

type Fields = Pick<Observation, 'facts' | 'lateMs' | 'recheck'> & { readonly phases: Phases | undefined };

/** The fields of a line from a place on; past its end there are none. */
function parseFields(text: string, from: number): Fields | { error: string } {
  const facts: Record<string, string> = {};
  let lateMs = 0;
  let recheck = false;
  let phases: Phases | undefined;
  let previous = '';
  for (let at = from, end: number; at <= text.length; at = end + 1) {
    end = endOf(text, at);
    const equals = text.indexOf('=', at);
    const word = equals < 0 || equals >= end ? '' : text.slice(at, equals);
    if (word <= previous)
      return { error: `the keys are not KEY=VALUE, sorted, each once, at '${shown(text.slice(at, end))}'` };
    // The same text as it stands in the table: one that is cut out anew is slow as the name of a property.
    const known = factsByKey.get(word);
    const key = known?.key ?? word;
    const value = text.slice(equals + 1, end);
    previous = key;
    if (key === 'late') {
      lateMs = parseDecimal(value, MAX_TENTHS) ?? 0;
      if (lateMs === 0) return { error: notLate };
    } else if (key === 'p') {
      phases = parsePhases(value);
      if (!phases) return { error: notPhases };
    } else if (key === 're') {
      if (value !== '1') return { error: 're is not 1' };
      recheck = true;
    } else if (known === undefined ? isFact(key, value) : known.fact.valid(value)) {
      facts[key] = value;
    } else {
      return { error: `'${shown(text.slice(at, end))}' is not a fact of this version` };
    }
  }
  return { facts, lateMs, recheck, phases };
}

function parsePhases(value: string): Phases | undefined {
  const read = { resolve: 0, connect: 0, tls: 0, firstByte: 0, transfer: 0 };
  let from = 0;
  for (const name of phaseNames) {
    const comma = value.indexOf(',', from);
    const isLast = name === 'transfer';
    if (comma < 0 !== isLast) return undefined;
    const tenths = parseDecimal(value.slice(from, isLast ? undefined : comma), MAX_TENTHS);
    if (tenths === undefined) return undefined;
    read[name] = tenths;
    from = comma + 1;
  }
  return read;
}

/** A piece of a hostile text for an error message: short, printable ASCII. */
function shown(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, '?');
}
