/**
 * A data folder as a collector leaves it that was started some minutes ago: what is configured has been in force since,
 * so that minutes of the past are judged by it. Else they would be of no configuration, and cost nothing.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadOrMakeSigningKey } from '@highwater/config/keys.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { pino } from 'pino';
import { readConfig } from '../../bin/config-file.ts';
import { openLasting } from '../../collector/src/lasting.ts';
import { declare, prepare } from '../../collector/src/reload/declare.ts';
import { openSqliteStore } from '../../collector/src/store/sqlite/sqlite-store.ts';

/** @param file of the configuration */
export async function declaredBefore(file: string, dataDir: string, minutes: number): Promise<void> {
  const config = readConfig(file);
  const folder = join(dataDir, 'collector');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = Date.now() - minutes * MINUTE_MS;
  const clock = { now: () => at, monotonic: () => performance.now() };
  loadOrMakeSigningKey(join(dataDir, 'keys', 'operator.key'), config.origin);
  await using store = openSqliteStore(folder);
  const log = pino({ level: 'silent' });
  const lasting = await openLasting({ dataDir, origin: config.origin, store, clock, log });
  await declare(lasting, prepare(lasting, config));
}
