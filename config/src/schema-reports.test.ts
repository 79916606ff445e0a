import { expect, it } from 'vitest';
import { reportsSchema } from './schema-reports.ts';

it('a channel that is named twice is refused, since nobody wants a report twice', () => {
  expect(reportsSchema.safeParse({ to: ['ops', 'mail'] }).success).toBe(true);
  expect(reportsSchema.safeParse({ to: ['ops', 'ops'] }).error?.issues[0]?.message).toContain('named twice');
});

it('what is no duration is told with all units, days too', () => {
  expect(reportsSchema.parse({ settle: '2d' }).settle).toBe(172_800_000);
  expect(reportsSchema.safeParse({ settle: '2 days' }).error?.issues[0]?.message).toContain('or 2d');
});
