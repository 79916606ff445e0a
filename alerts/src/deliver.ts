/**
 * Carries out the outbox: at least once, in order within a thread, one at a time per channel, and each channel
 * for itself, so that a slow one delays no other. The attempt is on disk before it is made, its result after:
 * a kill between the two costs one duplicate at most.
 */
import type { Logger } from 'pino';
import type { AnyChannelKind, ChannelContext, Delivery } from '@highwater/config/kinds.ts';
import type { Instant } from '@highwater/config/time.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { backoffMs } from './backoff.ts';
import type { Metrics } from './metrics.ts';
import { scrub } from './scrub.ts';
import type { Pending, Store } from './store.ts';

/** After this an undelivered message is dead: logged, and told on another channel. */
export const deadAfterMs = DAY_MS;
/** A channel that refuses everything (deleted webhook, bad login) is left alone this long. */
export const closedMs = HOUR_MS;
/** But tried this often while no other channel works: somebody may have mended it, and nobody else is told. */
export const lastHopeMs = 5 * MINUTE_MS;
/** For one attempt as a whole. */
export const attemptMs = 30_000;
/** A Retry-After above this is not believed for the whole channel. */
const maxPauseMs = HOUR_MS;
const idleMs = 60_000;

export interface Channel {
  readonly id: string;
  readonly kind: string;
  readonly send: ReturnType<AnyChannelKind['prepare']>;
}

export interface CourierParts {
  readonly store: Store;
  readonly channels: readonly Channel[];
  /** Throws an Error that names the reference and the remedy. */
  secret(ref: string): string;
  readonly host: string;
  readonly site: string;
  readonly now: () => Instant;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /**
   * What to do about a message that a channel will not deliver, inside the transaction that ends it.
   * `working` are the channels that are open.
   */
  undelivered(
    message: Pending,
    channel: string,
    reason: string,
    working: readonly string[],
    now: Instant,
  ): void;
}

export type Courier = ReturnType<typeof startCourier>;

/** Runs until `signal` is aborted, then ends the attempts under way, by force when `force` is aborted. */
export function startCourier(parts: CourierParts, signal: AbortSignal, force: AbortSignal) {
  const { store, log, now } = parts;
  const bells = new Map<string, () => void>();
  const pausedUntil = new Map<string, Instant>();
  const closed = new Map<string, Closure>();

  const closureOf = (id: string): Closure | undefined => {
    const entry = closed.get(id);
    return entry && entry.until > now() ? entry : undefined;
  };
  const closedNow = (id: string): string | undefined => closureOf(id)?.reason;
  const working = (except: string) =>
    parts.channels.map(({ id }) => id).filter((id) => id !== except && closedNow(id) === undefined);

  /** Until something is enqueued, the time has come, or the end. */
  function rest(channel: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.min(ms, idleMs));
      function done() {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        bells.delete(channel);
        resolve();
      }
      bells.set(channel, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async function run(channel: Channel): Promise<void> {
    while (!signal.aborted) {
      const next = store.nextPending(channel.id, now());
      const dueAt = next ? Math.max(next.nextAt, pausedUntil.get(channel.id) ?? 0) : Infinity;
      const waitMs = dueAt - now();
      if (next === undefined || waitMs > 0) await rest(channel.id, waitMs);
      else await attempt(channel, next);
    }
  }

  async function attempt(channel: Channel, next: Pending): Promise<void> {
    const shut = closureOf(channel.id);
    if (shut) {
      const isLastHope = working(channel.id).length === 0 && now() >= againAt(shut);
      if (!isLastHope) return give(channel, next, shut.reason, false);
      closed.set(channel.id, { ...shut, triedAt: now() });
    }
    store.beginAttempt(next.seq);
    const revealed: string[] = [];
    const delivery = await outcome(channel, next, revealed);
    if (force.aborted) return;
    conclude(channel, next, delivery, (text) => scrub(text, revealed));
  }

  async function outcome(channel: Channel, next: Pending, revealed: string[]): Promise<Delivery> {
    const first = store.receipt(channel.id, next.thread);
    const limit = AbortSignal.any([AbortSignal.timeout(attemptMs), force]);
    const context: ChannelContext = {
      signal: limit,
      host: parts.host,
      site: parts.site,
      ...(first === undefined ? {} : { first }),
      secret(ref) {
        try {
          const secret = parts.secret(ref);
          revealed.push(secret);
          return secret;
        } catch (cause) {
          throw new SecretMissing(cause instanceof Error ? cause.message : 'a secret is missing', { cause });
        }
      },
    };
    try {
      return await Promise.race([channel.send(next.message, context), ended(limit)]);
    } catch (error) {
      if (error instanceof SecretMissing)
        return { result: 'permanent', reason: error.message, scope: 'channel' };
      const name = error instanceof Error ? error.name : 'unknown';
      const stack = error instanceof Error ? scrub(error.stack ?? error.message, revealed) : name;
      log.error({ event: 'channel.fault', channel: channel.id, key: next.key, stack });
      return { result: 'retry', reason: `a fault of this program (${name})` };
    }
  }

  function conclude(
    channel: Channel,
    next: Pending,
    delivery: Delivery,
    clean: (text: string) => string,
  ): void {
    const at = now();
    const about = {
      channel: channel.id,
      key: next.key,
      reason: next.message.reason,
      attempt: next.attempt + 1,
    };
    parts.metrics.notifications.inc({
      channel: channel.id,
      reason: next.message.reason,
      result: delivery.result,
    });
    if (delivery.result === 'delivered') {
      closed.delete(channel.id);
      store.transact(() => {
        store.finish(next.seq, 'delivered', clean(delivery.note ?? 'delivered'), at);
        if (delivery.receipt !== undefined && next.message.reason !== 'test') {
          const known = store.receipt(channel.id, next.thread) !== undefined;
          // A thread keeps its first message, unless that is gone and another one took its place.
          if (!known || next.message.reason === 'changed' || next.message.reason === 'first') {
            store.keepReceipt(channel.id, next.thread, delivery.receipt, at);
          }
        }
      });
      log.info({ event: 'alert.delivered', ...about });
      if (delivery.note !== undefined) {
        log.warn({ event: 'alert.partly', ...about, note: clean(delivery.note) });
      }
      return;
    }
    const reason = clean(delivery.reason);
    if (delivery.result === 'permanent') {
      if (delivery.scope === 'channel') {
        closed.set(channel.id, { until: at + closedMs, triedAt: at, reason });
        log.error({ event: 'channel.closed', channel: channel.id, why: reason, untilMs: at + closedMs });
      }
      return give(channel, next, reason, false);
    }
    if (at - next.createdAt >= deadAfterMs) {
      return give(channel, next, `not delivered within a day; last: ${reason}`, true);
    }
    const waitMs = delivery.afterMs ?? backoffMs(next.attempt + 1, parts.random());
    if (delivery.afterMs !== undefined) {
      pausedUntil.set(channel.id, at + Math.min(delivery.afterMs, maxPauseMs));
    }
    store.tryLater(next.seq, reason, Math.min(at + waitMs, next.createdAt + deadAfterMs));
    log.warn({ event: 'alert.retry', ...about, why: reason, waitMs });
  }

  /** The message will not go out here. With another channel it is told there; without one it is held, then dead. */
  function give(channel: Channel, next: Pending, reason: string, final: boolean): void {
    const at = now();
    const others = working(channel.id);
    const about = { channel: channel.id, key: next.key, reason: next.message.reason, why: reason };
    const old = at - next.createdAt >= deadAfterMs;
    const shut = closureOf(channel.id);
    // A report goes to each of its channels for itself: that another one works helps nobody who waits for it here.
    const isHeld = others.length === 0 || (next.message.reason === 'report' && shut !== undefined);
    if (isHeld && !final && !old && next.message.reason !== 'changed') {
      const whenShut = (closure: Closure) => (others.length === 0 ? againAt(closure) : closure.until);
      store.tryLater(next.seq, `held: ${reason}`, shut ? whenShut(shut) : at + lastHopeMs);
      log.error({
        event: 'alert.held',
        ...about,
        remedy:
          others.length === 0
            ? 'no other channel works; repair this one, restart'
            : 'repair this one, restart',
      });
      return;
    }
    store.transact(() => {
      store.finish(next.seq, 'dead', reason, at);
      parts.undelivered(next, channel.id, reason, others, at);
    });
    parts.metrics.notifications.inc({ channel: channel.id, reason: next.message.reason, result: 'dead' });
    log.error({ event: 'alert.dead', ...about });
    wake();
  }

  function wake(): void {
    for (const ring of [...bells.values()]) ring();
  }

  const stopped = Promise.all(parts.channels.map(run)).then(() => undefined);
  return { wake, stopped, closed: closedNow };
}

/** For a kind of channel that does not keep to its signal: the others must not wait for it, nor the end. */
function ended(limit: AbortSignal): Promise<Delivery> {
  const over: Delivery = { result: 'retry', reason: `no end within ${attemptMs / 1_000} s` };
  return new Promise((resolve) => {
    // One turn later, so that a channel that does keep to it says it better.
    const say = () => setImmediate(() => resolve(over));
    if (limit.aborted) say();
    else limit.addEventListener('abort', say, { once: true });
  });
}

/** A channel that refused everything. */
interface Closure {
  readonly until: Instant;
  readonly triedAt: Instant;
  readonly reason: string;
}

/** When a closed channel is tried again where no other works. */
function againAt({ until, triedAt }: Closure): Instant {
  return Math.min(until, triedAt + lastHopeMs);
}

class SecretMissing extends Error {
  override name = 'SecretMissing';
}
