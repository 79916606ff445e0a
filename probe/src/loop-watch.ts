/**
 * How long the event loop stood still, and whether that was because the process was stopped: a probe that could not
 * look must not say that the target was slow, nor that nothing was due.
 *
 * Stopped (SIGSTOP, a paused machine) is told from busy by the processor time that the process had meanwhile. A
 * machine that slept shows only on the wall clock, as the monotonic one stands still with it; then the machine's
 * uptime, which goes on, tells sleep from a clock that was set.
 */
import { uptime } from 'node:os';
import type { Instant } from '@highwater/config/time.ts';

export interface Suspension {
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly lastedMs: number;
}

export interface LoopWatch {
  /** Takes in what has passed: before something begins that a stop until now must not be laid to. */
  look(): void;
  /** Milliseconds that the loop was late between two monotonic instants, the present stall included. */
  lateBetween(from: number, to: number): number;
  /** Milliseconds that the process was stopped between two monotonic instants; 0 for less than five seconds. */
  stoppedBetween(from: number, to: number): number;
  /** Whether the process was stopped at an instant of the wall clock, of the last hour. */
  wasStoppedAt(at: Instant): boolean;
  stop(): void;
}

/** The clocks that it reads; all in milliseconds but for the instant. */
export interface LoopClocks {
  readonly monotonic: () => number;
  readonly now: () => Instant;
  /** Processor time that this process has had. */
  readonly computed: () => number;
  /** Since the machine started, its sleep included. */
  readonly uptime: () => number;
  /** Told of each suspension once it is over. */
  readonly suspended?: (suspension: Suspension) => void;
}

interface Stall {
  readonly at: number;
  readonly lateMs: number;
}

interface Stop extends Suspension {
  /** Monotonic. */
  readonly from: number;
  readonly to: number;
}

const tickMs = 50;
const keptMs = 120_000;
const stopsKeptMs = 3_600_000;
/** Lateness below this is timers being timers. */
const noticeableMs = 25;
/** A shorter stop is a late loop. */
const stoppedMs = 5_000;
/** A process that was busy has had more of the time than this. */
const busyShare = 0.2;
/** The clocks are read one after the other, and uptime comes in hundredths of a second. */
const sleepSlackMs = 1_000;

export function systemClocks(monotonic: () => number): LoopClocks {
  return {
    monotonic,
    now: () => Date.now(),
    computed() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    uptime: () => uptime() * 1_000,
  };
}

export function watchLoop(clocks: LoopClocks): LoopWatch {
  const read = () => ({ mono: clocks.monotonic(), wall: clocks.now(), computed: clocks.computed() });
  let last = read();
  /** How far uptime is ahead of the monotonic clock: it grows with each sleep of the machine. */
  let sleptMs = clocks.uptime() - last.mono;
  let stalls: Stall[] = [];
  let stops: Stop[] = [];

  /** Takes in what has passed since the last look: by the timer, or by whoever asks before the timer has its turn. */
  const look = () => {
    const before = last;
    last = read();
    const passedMs = last.mono - before.mono;
    const lateMs = passedMs - tickMs;
    if (lateMs > noticeableMs) {
      stalls = stalls.filter((stall) => last.mono - stall.at < keptMs);
      stalls.push({ at: last.mono, lateMs });
    }
    const wallMs = last.wall - before.wall;
    const sleepMs = wallMs - passedMs > sleepSlackMs ? sleptSince() : 0;
    const isStopped = passedMs >= stoppedMs && last.computed - before.computed < passedMs * busyShare;
    const lastedMs = sleepMs + (isStopped ? passedMs : 0);
    if (lastedMs < stoppedMs) return;
    // The wall clock may have been set meanwhile; what it jumped over was no time that passed.
    const fromAt = Math.max(before.wall, last.wall - lastedMs);
    const stop = { from: before.mono, to: last.mono, fromAt, toAt: last.wall, lastedMs };
    stops = [...stops.filter((each) => last.mono - each.to < stopsKeptMs), stop];
    clocks.suspended?.(stop);
  };

  const sleptSince = () => {
    const before = sleptMs;
    sleptMs = clocks.uptime() - clocks.monotonic();
    return sleptMs - before > sleepSlackMs ? sleptMs - before : 0;
  };

  const timer = setInterval(look, tickMs);
  timer.unref();
  return {
    look,
    lateBetween(from, to) {
      look();
      return stalls
        .map(({ at, lateMs }) => Math.min(at, to) - Math.max(at - lateMs, from))
        .reduce((sum, overlap) => sum + Math.max(0, overlap), 0);
    },
    stoppedBetween(from, to) {
      look();
      return stops
        .filter((stop) => stop.to > from && stop.from < to)
        .reduce((sum, stop) => sum + stop.lastedMs, 0);
    },
    wasStoppedAt(at) {
      look();
      return stops.some((stop) => stop.fromAt <= at && at <= stop.toAt);
    },
    stop: () => clearInterval(timer),
  };
}
