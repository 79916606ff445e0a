/** Follows the collector's feed by the cursor, for ever. What a page says and the cursor are one transaction. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Instant } from '@highwater/config/time.ts';
import { feedEvent, operatorStatus } from '@highwater/config/wire.ts';
import type { FeedEvent } from '@highwater/config/wire.ts';
import { backoffMs } from './backoff.ts';
import { ask } from './collector.ts';
import type { Collector } from './collector.ts';
import { incidentOf } from './step.ts';
import type { Driver } from './step.ts';
import type { Store } from './store.ts';

export interface FeedParts {
  readonly collector: Collector;
  readonly store: Store;
  readonly driver: Driver;
  now(): Instant;
  random(): number;
  readonly log: Logger;
  /** Seconds to wait at the collector for something new. */
  readonly waitSeconds: number;
  /** Over that wait, before a request counts as failed. */
  readonly graceMs: number;
  /** Longest time between two attempts to reach a collector that does not answer. */
  readonly maxRetryMs: number;
  /** The collector answered. */
  heard(): void;
  /** Something was decided. */
  moved(cursor: number): void;
}

/** Events that this version does not know pass; one that it knows but can't read stops the page. */
const page = z.object({
  events: z.array(z.unknown()),
  last: z.int().min(0),
  at: z.int(),
  history: z.string().default(''),
});
const anyEvent = z.looseObject({ seq: z.int(), type: z.string() });
const known: readonly string[] = feedEvent.options.map((option) => option.shape.type.value);

/** Runs until the signal is aborted; never rejects for what the collector does. */
export async function follow(parts: FeedParts, signal: AbortSignal): Promise<void> {
  let failures = 0;
  // The first answer is not waited for: what was missed, and whether the feed is still the same one, shows at once.
  let waitSeconds = 0;
  while (!signal.aborted) {
    try {
      const cursor = parts.store.cursor();
      if (cursor === undefined) await begin(parts, signal);
      else await read(parts, cursor, waitSeconds, signal);
      failures = 0;
      waitSeconds = parts.waitSeconds;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      // Once per outage: a collector that is away for a day is not a day of log.
      waitSeconds = 0;
      if (failures === 1) {
        parts.log.warn({
          event: 'feed.failed',
          url: parts.collector.url,
          why: whyOf(error),
          remedy:
            'is the collector running there? it is asked again until it answers; --collector names another',
        });
      }
      const waitMs = Math.min(parts.maxRetryMs, backoffMs(failures, parts.random()));
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause: unknown = error.cause;
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return `${error.name}: ${error.message}${code}`;
}

async function pageAfter(parts: FeedParts, after: number, seconds: number, signal: AbortSignal) {
  const path = `/v1/events?after=${after}&wait=${seconds}s`;
  const got = await ask(parts.collector, path, page, seconds * 1_000 + parts.graceMs, signal);
  const events: FeedEvent[] = [];
  let last = after;
  for (const raw of got.events) {
    const { seq, type } = anyEvent.parse(raw);
    if (seq <= last) continue;
    if (known.includes(type)) events.push(feedEvent.parse(raw));
    else parts.log.warn({ event: 'feed.unknown', seq, type });
    last = seq;
  }
  return { events, last, collectorLast: got.last, history: got.history };
}

async function read(
  parts: FeedParts,
  cursor: number,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const { store, driver, log } = parts;
  const got = await pageAfter(parts, cursor, waitSeconds, signal);
  parts.heard();
  if (got.collectorLast < cursor || got.history !== store.history()) {
    // Another history: a store that was made anew, or restored. Its numbers may have passed ours by now.
    log.error({
      event: 'feed.rewound',
      cursor,
      last: got.collectorLast,
      remedy: 'starting over from what is open',
    });
    return begin(parts, signal);
  }
  if (got.last === cursor) return;
  store.transact(() => {
    const now = parts.now();
    for (const event of got.events) driver.handle(event, now);
    store.moveCursor(got.last);
  });
  parts.moved(got.last);
}

/**
 * The first start ever: history is not told again, what is open now is. The cursor is taken before the state,
 * so what happens between the two is seen twice, which does no harm, and never missed.
 */
async function begin(parts: FeedParts, signal: AbortSignal): Promise<void> {
  const { store, driver, log } = parts;
  let last = 0;
  let history = '';
  for (;;) {
    const got = await pageAfter(parts, last, 0, signal);
    history = got.history;
    const next = Math.max(got.last, got.collectorLast);
    if (got.last === last || next === last) {
      last = next;
      break;
    }
    last = next;
  }
  const status = await ask(parts.collector, '/v1/status', operatorStatus, parts.graceMs, signal);
  parts.heard();
  const open = status.incidents.filter(({ phase }) => phase !== 'resolved').map(incidentOf);
  store.transact(() => {
    const now = parts.now();
    // Another history has other silences; those that last are told again by it.
    store.allProbesHeard();
    for (const incident of open) driver.incident({ type: 'opened', incident, at: now }, now);
    for (const alarm of status.alarms) {
      driver.alarm(alarm, alarm.since, now);
      if (alarm.acknowledged) driver.acknowledged(alarm.id, alarm.acknowledged, now);
    }
    driver.forgotten(new Set([...open, ...status.alarms].map(({ id }) => id)), now);
    store.beginFeed(last, history);
  });
  log.info({ event: 'feed.began', cursor: last, open: open.length });
  parts.moved(last);
}
