/** A line in the parts that become columns: everything that is not as common as it could be makes it a line of its own. */
import { MAX_NUMBER } from './wire.ts';

export interface LineParts {
  /** `node/check`: the service is the body's. */
  readonly monitor: string;
  readonly dueAt: number;
  readonly latency: number;
  /** `OUTCOME FAULT KEY KEY …` */
  readonly shape: string;
  /** In the order of the shape's keys. */
  readonly values: readonly string[];
}

/** Due times of 13 digits, so that lines that are sorted bytewise are sorted by due time: from 2001 to 2286. */
export const MIN_DUE = 1_000_000_000_000;
export const MAX_DUE = 9_999_999_999_999;
export const MAX_LATENCY = 4_294_967_295;
/** Keys of one line. */
export const MAX_KEYS = 256;

/** The number whose only spelling this is; -1 for any other text. */
export function numberOf(text: string): number {
  const { length } = text;
  if (length === 0 || length > 16 || (length > 1 && text.charCodeAt(0) === 48)) return -1;
  let value = 0;
  for (let i = 0; i < length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= MAX_NUMBER ? value : -1;
}

const isPhases = (text: string): boolean => {
  const parts = text.split(',');
  return parts.length === 5 && parts.every((part) => numberOf(part) >= 0);
};

/** Undefined for a line that is no better than its text. `service` ends in a slash. */
export function partsOf(line: string, service: string): LineParts | undefined {
  const [monitor = '', due = '', outcome = '', latencyText = '', fault = '', ...facts] = line.split(' ');
  if (!monitor.startsWith(service) || outcome === '' || fault === '' || facts.length > MAX_KEYS)
    return undefined;
  const [dueAt, latency] = [numberOf(due), numberOf(latencyText)];
  if (dueAt < MIN_DUE || dueAt > MAX_DUE || latency < 0 || latency > MAX_LATENCY) return undefined;
  let shape = `${outcome} ${fault}`;
  const values: string[] = [];
  for (const fact of facts) {
    const equals = fact.indexOf('=');
    if (equals < 1) return undefined;
    const key = fact.slice(0, equals);
    const value = fact.slice(equals + 1);
    if (key === 'h' && numberOf(value) < 0) return undefined;
    if (key === 'p' && !isPhases(value)) return undefined;
    shape += ` ${key}`;
    values.push(value);
  }
  // A key that comes twice would be one column for two.
  if (new Set(shape.split(' ').slice(2)).size !== values.length) return undefined;
  return { monitor: monitor.slice(service.length), dueAt, latency, shape, values };
}
