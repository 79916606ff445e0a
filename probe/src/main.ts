/** The probe: follows its assignment, runs checks when they are due, and brings what it saw to the collector. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Observation } from '@highwater/config/domain.ts';
import { loadSigningKey, sha256, type SigningKey } from '@highwater/config/keys.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import { MAX_CLOCK_BOUND_MS } from '@highwater/config/proof/rule/none.ts';
import type { Running } from '@highwater/config/running.ts';
import { minuteOf, MINUTE_MS } from '@highwater/config/time.ts';
import { type Assigned, followAssignments, lastAssignment, openTrust } from './assign.ts';
import { checks } from './checks/index.ts';
import { clockBound, compared } from './clock.ts';
import { clockMemory, machineMonotonicMs } from './clock-memory.ts';
import { openLink } from './collector-link.ts';
import { type ControlWatch, type Reached, watchControls } from './control-watch.ts';
import { type Controls, makeControls } from './controls.ts';
import { keepEvidence } from './evidence.ts';
import { fault } from './fault.ts';
import { type Consent, parseConsent } from './io/reach.ts';
import { makeResolve } from './io/resolve.ts';
import { watchLink } from './link-watch.ts';
import { listen } from './listener.ts';
import { takeLock } from './lock.ts';
import { systemClocks, watchLoop } from './loop-watch.ts';
import { makeMetrics } from './metrics.ts';
import type { House } from './observe.ts';
import { checkpointMemory } from './prove-memory.ts';
import { startProver } from './prove.ts';
import { openRecorder } from './record.ts';
import { startRounds } from './rounds.ts';
import { secretShelf } from './secrets.ts';
import { startShipper } from './ship.ts';
import { noTip } from './sign.ts';
import type { Asker } from './signed-request.ts';
import { Spool } from './spool.ts';
import { userAgent } from './user-agent.ts';

export interface ProbeOptions {
  readonly id: string;
  /** The data folder: keys/, probe/ID/ and secrets/ lie in it. */
  readonly dataDir: string;
  readonly collectorUrl: string;
  /** The operator's verifier key; the first one seen is trusted, and kept, when it is left out. */
  readonly trust?: string;
  /** CIDRs that checks may reach although they are private; `config` means whatever the configuration allows. */
  readonly allowPrivate: readonly string[];
  /** Plain http to a collector that is not on this machine. */
  readonly insecure?: boolean;
  /** Every observation as a JSON line, beside the system. */
  readonly recordFile?: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly log: Logger;
  /** What the assignment says when left out, or 256 MiB. */
  readonly spoolMaxBytes?: number;
}

const defaultSpoolBytes = 268_435_456;
/** With a clock further off than this nothing is too old: a collector may well be away for weeks. */
const maxExpiryBoundMs = 600_000;
const drainChecksMs = 4_000;
const drainSendMs = 3_000;

/** Starts one probe; resolves when it works. Throws an Error that says what to change. */
export async function startProbe(options: ProbeOptions, signal: AbortSignal): Promise<Running> {
  const { id, dataDir } = options;
  const consent = parseConsent(options.allowPrivate);
  const key = keyOf(id, dataDir);
  const dir = join(dataDir, 'probe', id);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const opened: (() => unknown)[] = [];
  try {
    return await assemble(options, key, dir, consent, opened, signal);
  } catch (thrown) {
    await closeAll(opened);
    throw thrown;
  }
}

/** A key is never made here: under a mistyped id that would be a probe that nobody enrolled. */
function keyOf(id: string, dataDir: string): SigningKey {
  const file = join(dataDir, 'keys', `${id}.key`);
  if (!existsSync(file)) {
    throw new Error(
      `--id: there is no key ${file}; correct --id or --data, or make a new probe with: highwater probe keygen --id ${id}`,
    );
  }
  const key = loadSigningKey(file);
  if (key.name === id) return key;
  throw new Error(
    `--id: the key in ${file} is named '${key.name}', not '${id}'; start with --id ${key.name}`,
  );
}

/** Last opened, first closed. */
async function closeAll(opened: readonly (() => unknown)[]): Promise<void> {
  for (const close of opened.toReversed()) await close();
}

async function assemble(
  options: ProbeOptions,
  key: SigningKey,
  dir: string,
  consent: Consent,
  opened: (() => unknown)[],
  signal: AbortSignal,
): Promise<Running> {
  const { id, dataDir, log } = options;
  const lock = await takeLock(dir);
  opened.push(() => lock.release());
  const trust = openTrust(dir, options.trust, log);
  const monotonic = () => performance.now();
  const bare = openLink(options.collectorUrl, options.insecure ?? false);
  const link = watchLink(bare, options.collectorUrl, log, monotonic);
  opened.push(() => link.close());
  const recorder = options.recordFile === undefined ? undefined : openRecorder(options.recordFile, id);
  opened.push(() => recorder?.close());
  const maxBytes = options.spoolMaxBytes ?? defaultSpoolBytes;
  const spool = new Spool({ dir, maxBytes, now: Date.now(), key: key.vkey });
  opened.push(() => spool[Symbol.dispose]());
  tellOfSpool(spool, log);

  const now = () => Date.now();
  const metrics = makeMetrics();
  const loop = watchLoop({
    ...systemClocks(monotonic),
    suspended: ({ lastedMs }) => log.warn({ forS: Math.round(lastedMs / 1_000) }, 'probe.suspended'),
  });
  opened.push(() => loop.stop());
  const memory = clockMemory(dir);
  let clock = memory.load(spool.epoch);
  let assigned: Assigned | undefined;
  const seen = checkpointMemory(dir);
  const asker: Asker = { key, now, checkpoint: () => seen.seen?.note };
  const bound = () => clockBound(clock, { wallAt: now(), monotonicMs: machineMonotonicMs() });
  const isClockSure = () => {
    const { boundMs } = bound();
    return boundMs >= 0 && boundMs <= MAX_CLOCK_BOUND_MS;
  };
  const prover = startProver({
    spool,
    link,
    memory: seen,
    asker,
    log,
    logs: () => assigned && { origin: assigned.origin, logKeys: assigned.body.logKeys ?? [] },
    monotonic,
    takenBack: () => shipper.batchReady(),
  });
  opened.push(() => prover.stop());
  const shipper = startShipper({
    spool,
    link,
    log,
    batchAcknowledged: () => prover.poke(),
    acknowledged: ({ roundTripMs, at }) => {
      const received = { wallAt: now(), monotonicMs: machineMonotonicMs() };
      clock = compared(clock, { received, roundTripMs, collectorAt: at });
      memory.save(spool.epoch, clock);
    },
  });
  const ready = () => {
    shipper.frameReady();
    shipper.batchReady();
    guarded(expire, 'spool.failed');
  };
  const tip = () => seen.seen ?? noTip;
  const evidence = keepEvidence({ spool, log, now, monotonic, clock: bound, tip, ready });
  const observed = (observation: Observation) => {
    // A full disk costs what it costs; it must not stop the schedule.
    guarded(() => recorder?.write(observation), 'record.failed');
    guarded(() => evidence.add(lineOf(observation, log), observation.fault?.detail), 'observation.lost');
    metrics.observed(observation);
  };
  const guarded = (act: () => void, event: string) => {
    try {
      act();
    } catch (thrown) {
      log.error({ err: thrown }, event);
    }
  };
  /** By a clock that may be hours off, a batch of today could look too old. */
  const expire = () => {
    const maxAgeMs = assigned?.body.spool?.maxAgeMs;
    const { boundMs } = bound();
    if (maxAgeMs === undefined || boundMs < 0 || boundMs > maxExpiryBoundMs) return;
    const batches = spool.expire(minuteOf(now() - maxAgeMs));
    if (batches > 0) log.error({ batches, maxAgeMs }, 'spool.too-old');
  };
  const rounds = startRounds({ probe: id, table: checks, loop, isClockSure, seen: observed });
  const resolve = makeResolve();
  const secrets = secretShelf(join(dataDir, 'secrets'));
  let reached: Reached = {};
  let watching: ControlWatch | undefined;
  opened.push(() => watching?.[Symbol.dispose]());
  const watch = (controls: Controls, seed: string) =>
    watchControls({
      controls,
      // As a monitor's: spread over the minute, the same after a restart.
      phaseMs: phaseMs(seed, 'controls', id, MINUTE_MS, sha256),
      now,
      found(next) {
        tellOfNetwork(reached, next, log);
        reached = next;
        metrics.reached(next);
      },
    });
  const take = (next: Assigned) => {
    assigned = next;
    const { origin, body } = next;
    const outside = { resolve, consent, userAgent: userAgent(origin), monotonic };
    const house: House = {
      outside,
      secrets,
      now,
      clockBoundMs: () => Math.max(0, bound().boundMs),
      broke: (monitor, thrown) => log.error({ monitor, err: thrown }, 'check.broke'),
    };
    spool.limit(options.spoolMaxBytes ?? body.spool?.maxBytes ?? defaultSpoolBytes);
    metrics.assigned(body.region);
    const salts = Object.entries(body.salts ?? {}).map(([id, hex]) => [id, Buffer.from(hex, 'hex')] as const);
    evidence.assigned({ key, origin }, body.config, new Map(salts));
    const controls = makeControls(body.controls, outside);
    rounds.assigned(body, house, controls);
    watching?.[Symbol.dispose]();
    watching = body.controls.length === 0 ? undefined : watch(controls, body.seed);
    log.info(
      { number: body.number, monitors: body.monitors.length, region: body.region },
      'assignment.taken',
    );
  };
  const last = lastAssignment(dir, id, trust);
  if (last) take(last);

  const listener = await listen(options.host, options.port, {
    health: () => ({
      status: 'ok',
      probe: id,
      assignment: assigned?.body.number ?? null,
      monitors: rounds.monitors,
      controls: { ipv4: reached[4] ?? null, ipv6: reached[6] ?? null },
      spooledFrames: spool.frameCount,
      spooledBatches: spool.batchCount,
      unprovenBatches: spool.unprovenCount,
      log: { year: seen.seen?.year ?? null, size: tip().size, refused: prover.refused ?? null },
    }),
    metrics() {
      const { frameCount: frames, batchCount: batches, unprovenCount: unproven, bytes, dropped } = spool;
      metrics.spool({ frames, batches, unproven, bytes, dropped });
      metrics.log({ seen: seen.seen?.size ?? 0, isRefused: prover.refused !== undefined });
      return metrics.text();
    },
  });
  opened.push(() => listener.close());
  const after = last?.body.number ?? 0;
  const look = (ids: readonly string[]) => rounds.look(ids);
  const following = followAssignments({ dir, asker, trust, link, log, after, changed: take, look }, signal);
  log.info({ probe: id, url: listener.url, epoch: spool.epoch }, 'probe.started');

  const stop = async () => {
    await rounds.drain(drainChecksMs);
    await evidence.drain();
    await settled(() => spool.frameCount === 0, drainSendMs);
    await Promise.all([shipper.stop(), prover.stop()]);
    await following;
    await closeAll(opened);
    log.info({ probe: id }, 'probe.stopped');
  };
  const stopped = new Promise<void>((done, failed) => {
    const end = () => void stop().then(done, failed);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  return { url: listener.url, stopped };
}

/** A check that gives a fact that no line can carry has a bug; that must cost its own line only. */
function lineOf(observation: Observation, log: Logger): string {
  try {
    return formatLine(observation);
  } catch (thrown) {
    log.error({ monitor: observation.monitor, err: thrown }, 'line.impossible');
    const { monitor, dueAt, lateMs, recheck } = observation;
    const found = fault('probe.check.failed');
    return formatLine({
      monitor,
      dueAt,
      lateMs,
      recheck,
      outcome: 'skipped',
      latencyTenths: 0,
      facts: {},
      fault: found,
    });
  }
}

/** Once when a family is lost, and once when it is there again. */
function tellOfNetwork(before: Reached, now: Reached, log: Logger): void {
  for (const family of [4, 6] as const) {
    if (now[family] === false && before[family] === true) log.warn({ family }, 'probe.offline');
    if (now[family] === false && before[family] === undefined) log.info({ family }, 'probe.no-network');
    if (now[family] === true && before[family] === false) log.info({ family }, 'probe.online');
  }
}

function tellOfSpool(spool: Spool, log: Logger): void {
  const { quarantined, tornBytes } = spool.repair;
  if (tornBytes > 0) log.info({ tornBytes }, 'spool.torn-end-cut');
  if (quarantined > 0) log.error({ quarantined, epoch: spool.epoch }, 'spool.damaged');
  else if (spool.startedAnew) log.info({ epoch: spool.epoch }, 'spool.new-epoch');
}

/** Waits for something for a while; the collector may be gone too. */
async function settled(done: () => boolean, maxMs: number): Promise<void> {
  const until = performance.now() + maxMs;
  while (!done() && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
