import { expect, test } from 'vitest';
import { partlyCounted, spanOf } from './counted-span.ts';
import { missingDays, servicesText } from './missing.ts';
import { sampleReport } from './testing/sample.ts';

const report = sampleReport();
const { first } = report.minutes;
const days = (counted: readonly boolean[]) => [
  { subject: 'rpc', days: counted.map((is) => [is ? 1_440 : 0, 0, 0, 0, 0, 0] as never) },
];
const minutes = { first, last: first + 3 * 1_440 - 1 };

test.each([
  [4_320, [true, true, true], undefined],
  [2_880, [false, true, true], 'counted from 2026-10-02 on (2,880 of 4,320 minutes)'],
  [1_440, [false, true, false], 'counted from 2026-10-02 to 2026-10-02 (1,440 of 4,320 minutes)'],
  [2_880, [true, true, false], 'counted to 2026-10-02 (2,880 of 4,320 minutes)'],
  [4_000, [true, true, true], 'counted over 4,000 of 4,320 minutes'],
  [0, [false, false, false], 'counted over 0 of 4,320 minutes'],
])('%i minutes on days %j: %s', (counted, on, said) => {
  expect(spanOf({ id: 'rpc', minutes: counted, days: days(on) }, minutes)).toBe(said);
});

test('of many services that were counted in part the first are named', () => {
  const [one] = report.counted.services;
  const [told] = report.told.services;
  if (one === undefined || told === undefined) throw new Error('the sample has services');
  const ids = Array.from({ length: 30 }, (_, i) => `s${i}`);
  const services = ids.map((id) => ({
    ...one,
    id,
    minutes: 5,
    days: [],
    subjects: one.subjects.map((subject) => ({ ...subject, subject: id })),
  }));
  const many = {
    ...report,
    counted: { ...report.counted, services },
    told: { ...report.told, services: ids.map((id) => ({ ...told, id, name: id })) },
  };
  const lines = partlyCounted(many);
  expect(lines.length).toBe(6);
  expect(lines.at(0)).toBe('s0: counted over 5 of 44,640 minutes');
  expect(lines.at(-1)).toBe('25 more services in part');
});

test('bodies that are gone are told by day, of all services at once', () => {
  const missing = Array.from({ length: 26 }, (_, i) => ({ service: `s${i}`, date: '2026-10-07', bodies: 1 }));
  const [day, ...more] = missingDays(missing);
  expect(more).toEqual([]);
  expect(day).toMatchObject({ date: '2026-10-07', bodies: 26 });
  expect(servicesText(day?.services ?? [])).toBe('s0, s1, s2 and 23 more');
  expect(servicesText(['a'])).toBe('a');
  expect(servicesText(['a', 'b'])).toBe('a and b');
  expect(servicesText(['a', 'b', 'c'])).toBe('a, b and c');
});
