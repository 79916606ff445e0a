/** Numbers and times as people read them. Pure; every time is UTC. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NARROW_SPACE = '\u202f';
const NO_BREAK = '\u00a0';
const months = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** `1 node`, `3 nodes`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : many}`;
}

/** Groups of three with a narrow space: `21 345 678`. Integers of either sign. */
export function formatCount(count: number): string {
  const digits = String(Math.abs(Math.trunc(count)));
  return (count < 0 ? '−' : '') + digits.replace(/\B(?=(\d{3})+$)/g, NARROW_SPACE);
}

/** A span of milliseconds in its two largest units: `4 s`, `12 min`, `2 h 5 min`, `3 days 4 h`. Negative is 0. */
export function formatSpan(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE) return `${Math.floor(span / SECOND)}${NO_BREAK}s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)}${NO_BREAK}min`;
  if (span < DAY) return two(span, HOUR, `${NO_BREAK}h`, MINUTE, `${NO_BREAK}min`);
  const days = Math.floor(span / DAY);
  return two(span, DAY, days === 1 ? `${NO_BREAK}day` : `${NO_BREAK}days`, HOUR, `${NO_BREAK}h`);
}

function two(span: number, unit: number, name: string, part: number, partName: string): string {
  const rest = Math.floor((span % unit) / part);
  return `${Math.floor(span / unit)}${name}${rest > 0 ? ` ${rest}${partName}` : ''}`;
}

/** `4 s ago`; what lies less than a second back, or ahead by a clock's error, is `just now`. */
export function formatAgo(at: number, now: number): string {
  return now - at < SECOND ? 'just now' : `${formatSpan(now - at)} ago`;
}

/** Tenths of a millisecond: `0.8 ms`, `8.3 ms`, `124 ms`, `12.4 s`. */
export function formatTenths(tenths: number): string {
  if (tenths < 100) return `${(tenths / 10).toFixed(1)}${NO_BREAK}ms`;
  if (tenths < 100_000) return `${formatCount(Math.round(tenths / 10))}${NO_BREAK}ms`;
  return `${(tenths / 10_000).toFixed(1)}${NO_BREAK}s`;
}

/** Milliseconds as seconds to a tenth: `12 s`, `3.3 s`, `0.4 s`. */
export function formatSeconds(ms: number): string {
  return `${Number((ms / SECOND).toFixed(1))}${NO_BREAK}s`;
}

/** `2026-11-21T06:14:03.000Z`, as machines read it. */
export function formatIso(at: number): string {
  return new Date(at).toISOString();
}

/** `21 Nov 2026, 06:14 UTC`. */
export function formatInstant(at: number): string {
  return `${formatDate(at)}, ${formatIso(at).slice(11, 16)}${NO_BREAK}UTC`;
}

/** `06:14:03 UTC`. */
export function formatClock(at: number): string {
  return `${formatIso(at).slice(11, 19)}${NO_BREAK}UTC`;
}

/** `06:00`, and at midnight the day that begins: `21 Nov`. */
export function formatHour(at: number): string {
  return at % DAY === 0 ? formatShortDate(at) : formatIso(at).slice(11, 16);
}

/** `21 Nov, 06:00`, for rows below each other. */
export function formatShortInstant(at: number): string {
  return `${formatShortDate(at)}, ${formatIso(at).slice(11, 16)}`;
}

/** `21 Nov`. */
export function formatShortDate(at: number): string {
  return formatDate(at)
    .replace(/ [0-9]+$/, '')
    .replace(' ', NO_BREAK);
}

/** `21 Nov 2026`. */
export function formatDate(at: number): string {
  const date = new Date(at);
  return `${date.getUTCDate()} ${monthName(date.getUTCMonth()).slice(0, 3)} ${date.getUTCFullYear()}`;
}

/** `2026-11-21` as `21 Nov 2026`; anything else as it came. */
export function formatDay(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? day : formatDate(at);
}

/** `November 2026`. */
export function formatMonth(at: number): string {
  const date = new Date(at);
  return `${monthName(date.getUTCMonth())} ${date.getUTCFullYear()}`;
}

/** A ratio without rounding up to what it is not: 0.9995 is `99.95 %`. */
export function formatRatio(ratio: number): string {
  return `${Number((Math.floor(ratio * 1_000_000 + 1e-6) / 10_000).toFixed(4))}${NO_BREAK}%`;
}

function monthName(month: number): string {
  return months[month] ?? '';
}
