/** Minutes as a report writes them: UTC, ASCII. Pure. */
import { MINUTE_MS } from '../time.ts';

/** `2026-10-03 04:00 UTC`. */
export function formatInstantOfMinute(minute: number): string {
  return `${new Date(minute * MINUTE_MS).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `5 min`, `6 h`, `1 h 5 min`. */
export function lastsText(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}
