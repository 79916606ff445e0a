import { describe, expect, it } from 'vitest';
import { typedTime } from './typed-time.ts';

const now = Date.UTC(2026, 10, 21, 16, 30, 12, 345);
const at = (iso: string): number => Date.parse(iso);

describe('a time that somebody types', () => {
  it.each([
    ['now', now],
    [' in 2h ', now + 7_200_000],
    ['in  90s', now + 90_000],
    ['2026-11-22T02:00Z', at('2026-11-22T02:00:00Z')],
    ['2026-11-22 02:00Z', at('2026-11-22T02:00:00Z')],
    ['2026-11-22T02:00:30.5Z', at('2026-11-22T02:00:30.500Z')],
    ['2026-11-22T02:00+01:00', at('2026-11-22T01:00:00Z')],
    ['2026-12-31T23:30-01:00', at('2027-01-01T00:30:00Z')],
    ['2028-02-29T00:00Z', at('2028-02-29T00:00:00Z')],
  ])('%s', (text, expected) => {
    expect(typedTime(text, now)).toBe(expected);
  });

  it.each([
    ['2026-11-22T02:00', 'Write 2026-11-22T02:00Z for UTC'],
    ['2026-11-22 02:00', 'Write 2026-11-22T02:00Z for UTC'],
    ['in two hours', 'not a time'],
    ['in 2hours', 'not a duration'],
    ['2h', 'not a time'],
    ['tomorrow', 'not a time'],
    ['2026-11-22', 'not a time'],
    ['2026-02-30T02:00Z', 'no such day'],
    ['2026-13-01T02:00Z', 'no such day'],
    ['2026-11-22T24:00Z', 'no such day'],
    ['2026-11-22T02:00+99:00', 'no such day'],
    ['', 'not a time'],
  ])('%j is refused', (text, error) => {
    expect(typedTime(text, now)).toHaveProperty('error', expect.stringContaining(error));
  });
});
