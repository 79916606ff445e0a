/** What this process counts (CONTRACTS "Metrics"). */
import { Counter, Gauge, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof makeMetrics>;

/** `pending` is asked when metrics are read. */
export function makeMetrics(channels: readonly string[], pending: (channel: string) => number) {
  const registry = new Registry();
  const registers = [registry];
  const notifications = new Counter({
    name: 'highwater_notifications_total',
    help: 'Attempts to deliver a message, by channel, reason and result (delivered, retry, permanent, dead).',
    labelNames: ['channel', 'reason', 'result'] as const,
    registers,
  });
  const outbox = new Gauge({
    name: 'highwater_outbox_pending',
    help: 'Messages decided but not yet delivered.',
    labelNames: ['channel'] as const,
    registers,
    collect() {
      for (const channel of channels) this.set({ channel }, pending(channel));
    },
  });
  const cursor = new Gauge({
    name: 'highwater_feed_cursor',
    help: "The last event of the collector's feed that was handled.",
    registers,
  });
  const silent = new Gauge({
    name: 'highwater_collector_silent',
    help: '1 while the collector does not answer and this is told as an alert, else 0.',
    registers,
  });
  return { registry, notifications, outbox, cursor, silent };
}
