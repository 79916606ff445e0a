/**
 * The key of each year's log, which signs its checkpoints and nothing else. Made in this order: in memory, then the row
 * that names it, then its file. So a file without a row was never left by a crash: the store that knew it is gone.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  generateSigningKey,
  KeyError,
  loadSigningKey,
  saveSigningKey,
  type SigningKey,
} from '@highwater/config/keys.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { Refusal, RESTORE } from './refusal.ts';
import { YEAR_CORE, type YearLog, type YearState } from './sequence.ts';

export const keyFileOf = (keysDir: string, year: number): string => join(keysDir, `log-${year}.key`);

export interface YearKeys {
  readonly origin: string;
  readonly keysDir: string;
  readonly store: Store;
}

/** Names a new key in the row of its year, then keeps it. Throws ConflictError when another was there first. */
async function make(
  parts: YearKeys,
  year: number,
  version: number,
  of: Omit<YearState, 'vkey'>,
): Promise<void> {
  const key = generateSigningKey(`${parts.origin}/${year}`);
  const state: YearState = { vkey: key.vkey, ...of };
  await parts.store.transact(LOG_SHARD, (tx) => tx.putState(YEAR_CORE, String(year), version, state));
  saveSigningKey(keyFileOf(parts.keysDir, year), key);
}

/** Begins the log of a year: its row and its key. Throws Refusal when its key is there already. */
export async function beginYear(parts: YearKeys, year: number, of: Omit<YearState, 'vkey'>): Promise<void> {
  const path = keyFileOf(parts.keysDir, year);
  if (existsSync(path)) {
    throw new Refusal(
      `the key of the log of ${year} is there (${path}), but this store never began that log: ` +
        'the store was lost, or is an older copy',
      RESTORE,
    );
  }
  await make(parts, year, 0, of);
}

/**
 * The key of a log that was begun. One that has signed nothing and whose file a crash kept from being written is made
 * anew; then the row is another, so undefined: read again. Throws Refusal when the file is gone, another, or can't be read.
 */
export async function keyOf(
  parts: YearKeys,
  log: YearLog,
  hasSigned: boolean,
): Promise<SigningKey | undefined> {
  const path = keyFileOf(parts.keysDir, log.year);
  if (!existsSync(path)) {
    if (hasSigned) {
      throw new Refusal(
        `the key of the log of ${log.year} is gone (${path}), and the log has checkpoints that it signed`,
        `put ${path} back from a backup, mode 0600; ${RESTORE}`,
      );
    }
    const { firstCommit, carried } = log;
    await make(parts, log.year, log.version, { firstCommit, ...(carried === undefined ? {} : { carried }) });
    return undefined;
  }
  const key = load(path);
  if (key.vkey === log.vkey) return key;
  throw new Refusal(
    `${path} is not the key that this store began the log of ${log.year} with`,
    `put the key ${log.vkey} back from a backup, mode 0600; ${RESTORE}`,
  );
}

function load(path: string): SigningKey {
  try {
    return loadSigningKey(path);
  } catch (error) {
    if (error instanceof KeyError)
      throw new Refusal(error.message, `make ${path} readable, or put it back from a backup`);
    throw error;
  }
}
