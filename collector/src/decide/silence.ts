/** Which probes have fallen silent: a probe that says nothing is no news of its targets, but news of itself. */
import type { Instant } from '@highwater/config/time.ts';
import type { Core } from './types.ts';

/** The probes that are silent now, by id. */
export type Silences = Readonly<Record<string, { readonly region: string; readonly since: Instant }>>;

/** When each enrolled probe was last heard, by receipt; for one never heard, when it was enrolled. */
export type Heard = Readonly<Record<string, { readonly region: string; readonly at: Instant }>>;

export interface Listening {
  readonly heard: Heard;
  /** Since when somebody has listened without a gap: before that, that nothing was heard says nothing. */
  readonly since: Instant;
}

export interface SilenceEffect {
  readonly type: 'silent' | 'heard';
  readonly probe: string;
  readonly region: string;
  /** When it was last heard before it fell silent. */
  readonly since: Instant;
}

/** A probe sends a batch each minute, an empty one too: half a minute more, and the page says it within two minutes. */
export const SILENT_AFTER_MS = 90_000;

/** From when a probe's silence counts: nobody was there to hear it before the listening began. */
const quietFrom = (at: Instant, since: Instant): Instant => Math.max(at, since);

/**
 * Compares last receipts with the clock. A probe that is silent stays so until something newer is heard of it; one
 * that is no longer enrolled is forgotten without a word.
 */
export const listen: Core<Silences, Listening, SilenceEffect> = (state, { heard, since }, now) => {
  const effects: SilenceEffect[] = [];
  const next: Record<string, { region: string; since: Instant }> = {};
  for (const [probe, { region, at }] of Object.entries(heard).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const was = state[probe];
    if (was !== undefined && (at <= was.since || now - at >= SILENT_AFTER_MS)) {
      next[probe] = { region, since: was.since };
    } else if (was !== undefined) {
      effects.push({ type: 'heard', probe, region, since: was.since });
    } else if (now - quietFrom(at, since) >= SILENT_AFTER_MS) {
      next[probe] = { region, since: at };
      effects.push({ type: 'silent', probe, region, since: at });
    }
  }
  return [next, effects];
};

/** When the next probe falls silent if nothing is heard; null when all are silent already. */
export function wakeAt(state: Silences, { heard, since }: Listening): Instant | null {
  const ends = Object.entries(heard)
    .filter(([probe]) => state[probe] === undefined)
    .map(([, { at }]) => quietFrom(at, since) + SILENT_AFTER_MS);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** A listener that was not awake for so long has missed what came meanwhile, ms. */
const GAP_MS = 30_000;

/** Since when is listened without a gap, as of a beat at `now`; `before` is what the beat before gave. */
export function listenedSince(
  before: { readonly since: Instant; readonly beat: Instant } | undefined,
  now: Instant,
): { readonly since: Instant; readonly beat: Instant } {
  const goesOn = before !== undefined && now - before.beat < GAP_MS;
  return { since: goesOn ? before.since : now, beat: now };
}
