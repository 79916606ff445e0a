/** Marks of one exchange, and the phases between them. */
import type { Phases } from '@highwater/config/domain.ts';

export type PhaseName = keyof Phases;

const order: readonly PhaseName[] = ['resolve', 'connect', 'tls', 'firstByte', 'transfer'];

export const noPhases: Phases = { resolve: 0, connect: 0, tls: 0, firstByte: 0, transfer: 0 };

/**
 * Charges elapsed time to the phase that is running. Sums are rounded, not parts, so that the phases
 * add up to the total exactly.
 */
export interface Stopwatch {
  /** The phase that is running now. */
  readonly running: PhaseName;
  /** Ends the running phase and starts another; a phase may run more than once. */
  start(phase: PhaseName): void;
  /** Tenths of a millisecond so far, the running phase included. */
  phases(): Phases;
}

/** `monotonic` gives milliseconds. Starts at once in `first`. */
export function stopwatch(first: PhaseName, monotonic: () => number): Stopwatch {
  return new Running(first, monotonic);
}

class Running implements Stopwatch {
  running: PhaseName;
  readonly #monotonic: () => number;
  readonly #spent: Record<PhaseName, number> = { ...noPhases };
  #since: number;

  constructor(first: PhaseName, monotonic: () => number) {
    this.running = first;
    this.#monotonic = monotonic;
    this.#since = monotonic();
  }

  start(phase: PhaseName): void {
    this.#charge();
    this.running = phase;
  }

  phases(): Phases {
    this.#charge();
    return roundedPhases(this.#spent);
  }

  #charge(): void {
    const now = this.#monotonic();
    this.#spent[this.running] += now - this.#since;
    this.#since = now;
  }
}

/** Adds phases up, part by part. */
export function addPhases(a: Phases, b: Phases): Phases {
  return {
    resolve: a.resolve + b.resolve,
    connect: a.connect + b.connect,
    tls: a.tls + b.tls,
    firstByte: a.firstByte + b.firstByte,
    transfer: a.transfer + b.transfer,
  };
}

/** Tenths of a millisecond in all phases together. */
export function totalTenths(phases: Phases): number {
  return order.reduce((sum, name) => sum + phases[name], 0);
}

function roundedPhases(spentMs: Readonly<Record<PhaseName, number>>): Phases {
  const out: Record<PhaseName, number> = { ...noPhases };
  let exact = 0;
  let given = 0;
  for (const name of order) {
    exact += spentMs[name] * 10;
    out[name] = Math.round(exact) - given;
    given += out[name];
  }
  return out;
}
