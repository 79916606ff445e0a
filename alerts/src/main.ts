/** The alerts role: follows the feed, decides who is told, delivers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Config } from '@highwater/config/model.ts';
import type { Running } from '@highwater/config/running.ts';
import { isSecretRef, resolveSecret } from '@highwater/config/secrets.ts';
import { DAY_MS, HOUR_MS } from '@highwater/config/time.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { AlertList } from '@highwater/config/wire.ts';
import { channels as table } from './channels/index.ts';
import type { Collector } from './collector.ts';
import { blindness } from './decide/blind.ts';
import type { RegionProbes } from './decide/blind.ts';
import { blindKey, collectorKey } from './decide/route.ts';
import { silence } from './decide/silence.ts';
import { startCourier } from './deliver.ts';
import type { Channel, Courier } from './deliver.ts';
import { follow } from './feed.ts';
import { listen } from './http.ts';
import { makeMetrics } from './metrics.ts';
import { placeOf } from './place.ts';
import { makeDriver } from './step.ts';
import { openStore } from './store.ts';
import type { Store } from './store.ts';

export interface AlertsOptions {
  readonly config: Config;
  /** `alerts/alerts.db` is made in it. */
  readonly dataDir: string;
  readonly collectorUrl: string;
  /** For the collector's reads, and for ours when bound wider than loopback. */
  readonly token?: string;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly log: Logger;
  /** Where `env:NAME` secrets are; default process.env. */
  readonly secretEnv?: NodeJS.ProcessEnv;
  readonly timings?: Partial<Timings>;
}

export interface Timings {
  /** The collector counts as silent after this (CONTRACTS: two minutes). */
  readonly silentAfterMs: number;
  /** How long a request for events waits at the collector. */
  readonly waitSeconds: number;
  /** Over that wait, before a request to the collector counts as failed. */
  readonly graceMs: number;
  /** How often time is looked at: for steps that are due and for silence. */
  readonly tickMs: number;
  /** Longest time between two attempts to reach the collector. */
  readonly maxRetryMs: number;
  /** When stopped: attempts under way have this long to end by themselves. */
  readonly drainMs: number;
}

const defaults: Timings = {
  silentAfterMs: 120_000,
  waitSeconds: 30,
  graceMs: 10_000,
  tickMs: 1_000,
  maxRetryMs: 5_000,
  drainMs: 8_000,
};

/** What is over is kept this long, for `alerts list` and for threads of incidents that come back. */
const keepMs = 90 * DAY_MS;

/**
 * Starts following, deciding and delivering; resolves when it listens. Aborting `signal` ends it: attempts under
 * way get eight seconds, everything else is in the store already.
 * Rejects when the port, the data folder or a channel's settings can't be used; the message says what to do.
 */
export async function startAlerts(options: AlertsOptions, signal: AbortSignal): Promise<Running> {
  const { config, log } = options;
  const timings = { ...defaults, ...options.timings };
  const now = (): Instant => Date.now();
  const channels = prepare(config);
  const store = openStore(options.dataDir, now());
  try {
    return await run(options, timings, channels, store, now, signal);
  } catch (error) {
    store.close();
    log.error({ event: 'alerts.failed', why: error instanceof Error ? error.message : 'unknown' });
    throw error;
  }
}

function prepare(config: Config): Channel[] {
  return config.alerts.channels.map(({ id, kind, settings }) => {
    const found = table[kind];
    if (!found) {
      throw new Error(
        `alerts.channels: ${id}: kind ${kind} is not in this version; there are ${Object.keys(table).join(', ')}`,
      );
    }
    return { id, kind, send: found.prepare(settings) };
  });
}

async function run(
  options: AlertsOptions,
  timings: Timings,
  channels: readonly Channel[],
  store: Store,
  now: () => Instant,
  signal: AbortSignal,
): Promise<Running> {
  const { config, log, secretEnv } = options;
  const place = placeOf(config);
  const regions = regionProbes(config);
  const metrics = makeMetrics(
    channels.map(({ id }) => id),
    (channel) => store.pending(channel),
  );
  const { policies } = config.alerts;
  if (policies.length === 0 || channels.length === 0) {
    log.info({
      event: 'alerts.nobody',
      remedy: 'no channel or no policy is configured: nobody will be told',
    });
  }
  const driver = makeDriver(store, policies, place, log, config.reports?.to ?? []);
  const askingSince = now();
  let answeredAt: Instant | undefined;
  const collector: Collector = {
    url: options.collectorUrl,
    ...(options.token === undefined ? {} : { token: options.token }),
  };

  // Bound before anything is sent: a second process on the same port must not deliver.
  const listing = () => list(store, channels, courier, answeredAt, now());
  const health = () => ({
    status: 'ok',
    ...(answeredAt === undefined ? {} : { heardAt: answeredAt }),
    silent: openOwn(store, collectorKey) !== undefined,
  });
  const exposition = async () => ({
    type: metrics.registry.contentType,
    body: await metrics.registry.metrics(),
  });
  const views = { health, alerts: listing, metrics: exposition };
  const server = await listen(views, options.host, options.port, options.token);

  store.transact(() => {
    store.tryHeldAgain(now());
    driver.review(now());
  });
  const force = new AbortController();
  const fault = new AbortController();
  const running = AbortSignal.any([signal, fault.signal]);
  const courier: Courier = startCourier(
    {
      store,
      channels,
      secret: (ref) => reveal(ref, secretEnv),
      host: place.host,
      site: place.siteName,
      now,
      random: Math.random,
      log,
      metrics,
      undelivered: (...about) => driver.undelivered(...about),
    },
    running,
    force.signal,
  );
  const feed = follow(
    {
      collector,
      store,
      driver,
      now,
      random: Math.random,
      log,
      waitSeconds: timings.waitSeconds,
      graceMs: timings.graceMs,
      maxRetryMs: timings.maxRetryMs,
      heard: () => {
        answeredAt = now();
      },
      moved: (cursor) => {
        metrics.cursor.set(cursor);
        courier.wake();
      },
    },
    running,
  );

  function tick(): void {
    const at = now();
    const open = openOwn(store, collectorKey);
    const hearing = {
      askingSince,
      ...(answeredAt === undefined ? {} : { answeredAt }),
      ...(open ? { open } : {}),
    };
    const event = silence(hearing, timings.silentAfterMs, at);
    store.transact(() => {
      if (event) driver.incident(event, at);
      const blind = blindness(regions, store.silentProbes(), openOwn(store, blindKey), at);
      if (blind) driver.incident(blind, at);
      driver.tick(at);
    });
    if (event)
      log.warn({ event: event.type === 'resolved' ? 'collector.heard' : 'collector.silent', at: event.at });
    metrics.silent.set(openOwn(store, collectorKey) ? 1 : 0);
    courier.wake();
  }

  async function keepTime(): Promise<void> {
    let cleanedAt = 0;
    while (!running.aborted) {
      tick();
      if (now() - cleanedAt > HOUR_MS) {
        store.forget(now() - keepMs);
        cleanedAt = now();
      }
      await sleep(timings.tickMs, undefined, { signal: running }).catch(() => undefined);
    }
  }

  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  log.info({ event: 'alerts.started', url, channels: channels.map(({ id }) => id) });

  const stopped = (async () => {
    const drain = () => setTimeout(() => force.abort(), timings.drainMs).unref();
    if (running.aborted) drain();
    else running.addEventListener('abort', drain, { once: true });
    // One that fails (a full disk) ends the others: half a role that looks alive is worse than none.
    const parts = [feed, courier.stopped, keepTime()].map((part) =>
      part.catch((error: unknown) => {
        fault.abort();
        throw error;
      }),
    );
    const ends = await Promise.allSettled(parts);
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    store.close();
    log.info({ event: 'alerts.stopped' });
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  })();
  return { url, stopped };
}

function reveal(ref: string, env: NodeJS.ProcessEnv | undefined): string {
  if (!isSecretRef(ref)) throw new Error('not a reference to a secret; write env:NAME or file:PATH');
  return resolveSecret(ref, env).reveal();
}

function openOwn(store: Store, key: string) {
  return store.openLadders().find(({ incident }) => incident.key === key)?.incident;
}

/** A region counts once it has a probe; where none is declared, one is made at start in the one region. */
function regionProbes({ probes, regions }: Pick<Config, 'probes' | 'regions'>): RegionProbes {
  const made: RegionProbes = Object.fromEntries(regions.map(({ id }) => [id, []]));
  if (probes.length === 0) return made;
  const declared: Record<string, string[]> = {};
  for (const { id, region } of probes) (declared[region] ??= []).push(id);
  return declared;
}

function list(
  store: Store,
  channels: readonly Channel[],
  courier: Courier,
  heardAt: Instant | undefined,
  at: Instant,
): AlertList {
  return {
    at,
    ...(heardAt === undefined ? {} : { heardAt }),
    alerts: store.recentLadders(100).map(({ ladder, wakeAt }) => ({
      incident: {
        ...ladder.incident,
        services: [...ladder.incident.services],
        nodes: [...ladder.incident.nodes],
        updates: [...ladder.incident.updates],
      },
      state: ladder.state,
      ...(ladder.acknowledged ? { acknowledged: ladder.acknowledged } : {}),
      told: Object.entries(ladder.told).map(([channel, told]) => ({ channel, at: told.at })),
      ...(wakeAt === null ? {} : { nextAt: wakeAt }),
      because: [...ladder.because],
    })),
    channels: channels.map(({ id, kind }) => {
      const closed = courier.closed(id);
      return { id, kind, pending: store.pending(id), ...(closed === undefined ? {} : { closed }) };
    }),
  };
}
