/** Which probes have fallen silent: a probe that says nothing is no news of its targets, but news of itself. */
import type { Instant } from '@highwater/config/time.ts';
import type { Core } from './types.ts';

/** The probes that are silent now, by id. */
export type Silences = Readonly<Record<string, { readonly region: string; readonly since: Instant }>>;

/** When each enrolled probe was last heard, by receipt; for one never heard, when it was enrolled. */
export type Heard = Readonly<Record<string, { readonly region: string; readonly at: Instant }>>;

export interface SilenceEffect {
  readonly type: 'silent' | 'heard';
  readonly probe: string;
  readonly region: string;
  /** When it was last heard before it fell silent. */
  readonly since: Instant;
}

/** CONTRACTS "Live" gives a collector two minutes before it counts as silent; probes get the same. */
export const SILENT_AFTER_MS = 120_000;

/** Compares last receipts with the clock. A probe that is no longer enrolled is forgotten without a word. */
export const listen: Core<Silences, Heard, SilenceEffect> = (state, heard, now) => {
  const effects: SilenceEffect[] = [];
  const next: Record<string, { region: string; since: Instant }> = {};
  for (const probe of Object.keys(heard).sort()) {
    const { region, at } = heard[probe] ?? { region: '', at: now };
    const was = state[probe];
    if (now - at >= SILENT_AFTER_MS) {
      next[probe] = was ? { region, since: was.since } : { region, since: at };
      if (!was) effects.push({ type: 'silent', probe, region, since: at });
    } else if (was) {
      effects.push({ type: 'heard', probe, region, since: was.since });
    }
  }
  return [next, effects];
};

/** When the next probe falls silent if nothing is heard; null when all are silent already. */
export function wakeAt(state: Silences, heard: Heard): Instant | null {
  const ends = Object.entries(heard)
    .filter(([probe]) => state[probe] === undefined)
    .map(([, { at }]) => at + SILENT_AFTER_MS);
  return ends.length === 0 ? null : Math.min(...ends);
}
