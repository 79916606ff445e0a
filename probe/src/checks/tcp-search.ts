/**
 * Looks for a text or an expression in what comes piece by piece, at a cost that the far side cannot drive up: a text
 * is looked for once in each byte; an expression is tried now and then, and all tries together have a budget of time,
 * since what it is tried on is hostile and some expressions take for ever on the right input.
 */
import { type Ending, pause } from '../deadline.ts';
import { faultError } from '../fault.ts';
import { budgetMs, expressions, maxMatchedBytes } from './expression.ts';
import type { Expectation } from './tcp-settings.ts';

/** Between tries: a server that sends byte by byte does not cost a try for each. */
const pauseMs = 20;

export interface Search {
  /** How many were looked at. */
  readonly bytes: number;
  /** The beginning of what came. */
  text(): string;
  /** Whether it is there now. Throws FaultError `target.tcp.unexpected` when the budget is used up. */
  has(more: Uint8Array, signal: Ending): Promise<boolean>;
}

export function searchFor({ contains, matches }: Expectation): Search {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const all = (): Buffer => {
    const joined = Buffer.concat(pieces.splice(0));
    pieces.push(joined);
    return joined;
  };
  const added = (more: Uint8Array): void => {
    pieces.push(more);
    bytes += more.length;
  };
  const found = matches === undefined ? finder(contains ?? '') : matcher(matches, all);
  return {
    get bytes() {
      return bytes;
    },
    text: () => all().subarray(0, 1_024).toString('utf8'),
    has(more, signal) {
      added(more);
      return found(more, signal);
    },
  };
}

type Found = (more: Uint8Array, signal: Ending) => Promise<boolean>;

/** Looks into what is new, and so much before it that a text across the border is found. */
function finder(text: string): Found {
  const wanted = Buffer.from(text, 'utf8');
  let tail: Uint8Array = Buffer.alloc(0);
  return (more) => {
    const looked = Buffer.concat([tail, more]);
    tail = looked.subarray(Math.max(0, looked.length - wanted.length + 1));
    return Promise.resolve(looked.includes(wanted));
  };
}

function matcher(expression: string, all: () => Buffer): Found {
  const tries = expressions();
  let looked = -1;
  return async (_, signal) => {
    const seen = all().subarray(0, maxMatchedBytes);
    if (seen.length === looked) return false;
    looked = seen.length;
    const is = tries.isMatch(expression, seen.toString('utf8'));
    if (is === undefined)
      throw faultError('target.tcp.unexpected', `the expression takes over ${budgetMs} ms on what came`);
    if (is) return true;
    // The deadline and the end are told by who reads.
    await pause(pauseMs, signal);
    return false;
  };
}
