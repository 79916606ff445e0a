/** Reads numbers that a node says as JSON numbers. */
import { faultError } from '../../fault.ts';
import { type Json, shown } from '../json.ts';

/** The latest instant that a Date and a line can hold. */
const maxSeconds = 8_640_000_000_000;

/** Whether it is a whole number from 0 to 2^53 - 1. */
export function isWhole(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Throws FaultError `target.rpc.result` for anything but a whole number. */
export function whole(value: Json | undefined, what: string): number {
  if (!isWhole(value)) throw faultError('target.rpc.result', `${what} is no whole number: ${shown(value)}`);
  return value;
}

/** Unix seconds as Unix ms. Throws as `whole`, and for what no date can be. */
export function secondsAsMs(value: Json | undefined, what: string): number {
  const seconds = whole(value, what);
  if (seconds > maxSeconds) throw faultError('target.rpc.result', `${what} is beyond all dates: ${seconds}`);
  return seconds * 1_000;
}
