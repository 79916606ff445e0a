/** What Prometheus reads of the log. */
import { Gauge, type Registry } from 'prom-client';
import type { Log } from '../log/log.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** Registers the gauges; the function that is returned fills them. */
export function logMetrics(
  store: Store,
  log: Pick<Log, 'status'>,
  registers: Registry[],
): () => Promise<void> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const size = gauge('highwater_log_size', 'Leaves that were acknowledged, of all years');
  const pending = gauge(
    'highwater_log_pending',
    'Leaves that were acknowledged and are under no checkpoint yet',
  );
  const signedSize = gauge(
    'highwater_log_signed_size',
    "Entries of this year's log under its newest checkpoint",
  );
  const signedAt = gauge(
    'highwater_log_signed_at_seconds',
    "Unix time of the newest checkpoint of this year's log; 0 before the first",
  );
  const refused = gauge(
    'highwater_log_refused',
    'Whether signing was stopped (1), because it would show another history, or not (0)',
  );
  return async () => {
    const status = log.status();
    size.set(await store.read(LOG_SHARD, (tx) => tx.commitSize()));
    pending.set(status.pending);
    signedSize.set(status.size);
    signedAt.set((status.signedAt ?? 0) / 1_000);
    refused.set(status.refused === undefined ? 0 : 1);
  };
}
