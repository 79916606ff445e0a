/** Reads single values of the Substrate RPC. Pure; each throws FaultError `target.rpc.result` for anything else. */
import { faultError } from '../../fault.ts';
import { isRecord, type Json, shown } from '../json.ts';

/** The latest instant that a Date and a line can hold. */
const maxMs = 8_640_000_000_000_000n;

/** What a check uses of a header: it has neither a hash of its own nor a time. */
export interface Header {
  readonly height: number;
  /** 0x and 64 digits. */
  readonly parent: string;
}

/** `{number: "0x1a2b", parentHash: "0x…", …}` */
export function readHeader(value: Json | undefined, what: string): Header {
  if (!isRecord(value)) throw odd(value, what, 'no header');
  return {
    height: readHeight(value['number'], `number of ${what}`),
    parent: readHash(value['parentHash'], `parentHash of ${what}`),
  };
}

/** Hex with or without leading zeros: some servers pad to their integer's width. Above 2^53 it would be another number. */
export function readHeight(value: Json | undefined, what: string): number {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,16}$/i.test(value))
    throw odd(value, what, 'no hex number');
  const height = Number(value);
  if (!Number.isSafeInteger(height)) throw odd(value, what, 'above 2^53');
  return height;
}

/** 32 bytes, in lower case. */
export function readHash(value: Json | undefined, what: string): string {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{64}$/i.test(value))
    throw odd(value, what, 'no 32-byte hash');
  return value.toLowerCase();
}

/** A stored `u64` of milliseconds: SCALE writes integers with the lowest byte first. */
export function readMoment(value: Json | undefined, what: string): number {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{16}$/i.test(value)) throw odd(value, what, 'not of 8 bytes');
  const ms = Buffer.from(value.slice(2), 'hex').readBigUInt64LE();
  if (ms > maxMs) throw odd(value, what, 'beyond all dates');
  return Number(ms);
}

/** What `system_health` says; what is missing or odd in it is left out. */
export interface Health {
  readonly peers?: number;
  readonly isSyncing?: boolean;
  readonly shouldHavePeers?: boolean;
}

export function readHealth(value: Json | undefined): Health {
  if (!isRecord(value)) return {};
  const { peers, isSyncing, shouldHavePeers } = value;
  return {
    ...(typeof peers === 'number' && Number.isSafeInteger(peers) && peers >= 0 ? { peers } : {}),
    ...(typeof isSyncing === 'boolean' ? { isSyncing } : {}),
    ...(typeof shouldHavePeers === 'boolean' ? { shouldHavePeers } : {}),
  };
}

function odd(value: Json | undefined, what: string, why: string) {
  return faultError('target.rpc.result', `${what} is ${why}: ${shown(value)}`);
}
