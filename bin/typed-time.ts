/** Times and spans as somebody types them: `now`, `in 2h`, `2026-11-22T02:00Z`. Pure. */
import { parseDurationMs } from '@highwater/config/time.ts';

export const timeRemedy = 'write now, in 2h, or 2026-11-22T02:00Z';

const isoTime = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?<zone>Z|[+-]\d{2}:\d{2})?$/;

/** Unix ms, or what is wrong with it. A time without its zone would mean another instant on each machine. */
export function typedTime(typed: string, now: number): number | { readonly error: string } {
  const text = typed.trim();
  if (text === 'now') return now;
  const ahead = /^in\s+(\S+)$/.exec(text)?.[1];
  if (ahead !== undefined) {
    const span = parseDurationMs(ahead);
    return span === undefined ? { error: `in ${ahead}: not a duration, write it like in 2h` } : now + span;
  }
  const match = isoTime.exec(text);
  if (match === null) return { error: `not a time, ${timeRemedy}` };
  if (match.groups?.['zone'] === undefined) {
    const utc = text.replace(' ', 'T');
    return { error: `which zone is that? Write ${utc}Z for UTC, or ${utc}+01:00` };
  }
  const at = instantOf(text.replace(' ', 'T'));
  return at ?? { error: `no such day or time, ${timeRemedy}` };
}

/** Date.parse takes 30 February for 2 March. */
function instantOf(iso: string): number | undefined {
  const at = Date.parse(iso);
  const local = Date.parse(iso.replace(/(Z|[+-]\d{2}:\d{2})$/, 'Z'));
  if (Number.isNaN(at) || Number.isNaN(local)) return undefined;
  const isKept = new Date(local).toISOString().slice(0, 16) === iso.slice(0, 16);
  return isKept ? at : undefined;
}
