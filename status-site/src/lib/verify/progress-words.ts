/** How far a check is, in words. Pure. */
import type { Progress } from '@highwater/config/bundle/check.ts';
import { formatSpan } from '#lib/format.ts';

const phases: Readonly<Record<Progress['phase'], string>> = {
  log: 'Log',
  bodies: 'Observations',
  report: 'Report',
};
/** Too early to tell before so much time. */
const SOON_MS = 2_000;
const MINUTE_MS = 60_000;

/** `Observations: 2026-10-17` */
export function phaseText({ phase, of }: Progress): string {
  return `${phases[phase]}: ${of}`;
}

/** 0 to 100, never falling back to nothing where all is not known. */
export function percentDone({ done, all }: Progress): number {
  return all <= 0 ? 0 : Math.min(100, Math.floor((100 * done) / all));
}

/** `34 %, about 12 s left` */
export function farText(progress: Progress, tookMs: number): string {
  const percent = `${percentDone(progress)} %`;
  const { done, all } = progress;
  if (tookMs < SOON_MS || done <= 0 || done >= all) return percent;
  const leftMs = (tookMs / done) * (all - done);
  const left =
    leftMs < 2 * MINUTE_MS ? Math.ceil(leftMs / 1_000) * 1_000 : Math.ceil(leftMs / MINUTE_MS) * MINUTE_MS;
  return `${percent}, about ${left < 2 * MINUTE_MS ? `${left / 1_000} s` : formatSpan(left)} left`;
}
