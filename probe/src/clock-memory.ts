/**
 * What the probe knows of its clock, kept across a restart within the epoch: a probe that starts again while the
 * collector is away still knows how wrong its clock can be, and what it sees meanwhile counts. The monotonic clock
 * of the machine goes on across processes but not across a boot, so the boot is remembered with it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type ClockState, neverCompared } from './clock.ts';

const reading = z.strictObject({ wallAt: z.int(), monotonicMs: z.number() });
const kept = z.strictObject({
  boot: z.string(),
  epoch: z.int(),
  worst: z.array(z.strictObject({ monotonicMs: z.number(), errorMs: z.number() })),
  last: reading,
  slow: z.literal(true).optional(),
});

export interface ClockMemory {
  load(epoch: number): ClockState;
  /** Not synced to disk: what a power cut takes was of another boot anyway. */
  save(epoch: number, state: ClockState): void;
}

/** Milliseconds of the machine's monotonic clock: the same for every process until the next boot. */
export function machineMonotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** `dir` is the probe's own folder. */
export function clockMemory(dir: string, boot = bootId()): ClockMemory {
  const file = join(dir, 'clock.json');
  return {
    load(epoch) {
      const state = boot === undefined ? undefined : read(file);
      if (state === undefined || state.boot !== boot || state.epoch !== epoch) return neverCompared;
      return { worst: state.worst, last: state.last, ...(state.slow ? { slow: true } : {}) };
    },
    save(epoch, { worst, last, slow }) {
      if (boot === undefined || last === undefined) return;
      writeFileSync(`${file}.tmp`, JSON.stringify({ boot, epoch, worst, last, slow }), { mode: 0o600 });
      renameSync(`${file}.tmp`, file);
    },
  };
}

function read(file: string): z.infer<typeof kept> | undefined {
  try {
    return kept.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // Missing or torn: the next acknowledgement compares anew.
  }
}

/** Undefined where the system does not tell one boot from the next; then nothing is remembered. */
function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
