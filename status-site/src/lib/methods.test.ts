import { expect, test } from 'vitest';
import { aMethod, aNode, without } from '../../../test/fixtures/snapshots.ts';
import { methodViews } from './methods.ts';

const now = Date.UTC(2026, 10, 21, 6, 14, 3);
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
const flat = (value: number | null) => Array.from({ length: 24 }, () => value);

test('method by method, with a row for each node that has it, on one scale', () => {
  const views = methodViews([
    aNode(now, { id: 'a', methods: [aMethod(now, 'x', 100, { hourlyP50Tenths: flat(100) })] }),
    aNode(now, {
      id: 'b',
      methods: [
        aMethod(now, 'x', 200, { hourlyP50Tenths: flat(200) }),
        aMethod(now, 'y', 50, { hourlyP50Tenths: flat(50) }),
      ],
    }),
  ]);
  expect(views.map((view) => [view.method, view.check, plain(view.highest)])).toEqual([
    ['x', '', '20 ms'],
    ['y', '', '5.0 ms'],
  ]);
  expect(
    views[0]?.rows.map((row) => [row.node, plain(row.median), plain(row.p95), plain(row.calls)]),
  ).toEqual([
    ['a', '10 ms', '23 ms', '4 320 calls'],
    ['b', '20 ms', '46 ms', '4 320 calls'],
  ]);
  // Half as high, on the scale of both.
  expect(views[0]?.rows.map((row) => row.path.split('L')[0])).toEqual(['M0,20.5', 'M0,2']);
});

test('one method of two checks is told apart', () => {
  const methods = ['http', 'ws'].map((check) => aMethod(now, 'x', 100, { check }));
  expect(methodViews([aNode(now, { methods })]).map((view) => [view.method, view.check])).toEqual([
    ['x', 'http'],
    ['x', 'ws'],
  ]);
});

test('faults are named in words, two kinds of them, and counted', () => {
  const faults = [
    { fault: 'target.rpc.limit', count: 5 },
    { fault: 'target.new.thing', count: 4 },
    { fault: 'target.http.timeout', count: 3 },
    { fault: 'target.rpc.json', count: 2 },
    { fault: 'target.rpc.id', count: 1 },
  ];
  const [view] = methodViews([aNode(now, { methods: [aMethod(now, 'x', 100, { calls: 985, faults })] })]);
  const [row] = view?.rows ?? [];
  expect(plain(row?.failed ?? '')).toBe('1.5 % failed');
  expect(plain(row?.calls ?? '')).toBe('1 000 calls');
  expect(row?.faults.map(({ count, means }) => `${count} ${means}`)).toEqual([
    '5 The node refused because of a rate limit.',
    '4 ',
  ]);
  expect(row?.more).toBe('6 faults of other kinds');
});

test.each([
  [0, 10, ''],
  [1, 99_999, 'under 0.1 % failed'],
  [1, 1, '50 % failed'],
  [99_999, 1, 'over 99.9 % failed'],
  [3, 0, '100 % failed'],
])('%i faults and %i answers read "%s"', (count, calls, text) => {
  const faults = count === 0 ? [] : [{ fault: 'target.rpc.error', count }];
  const [view] = methodViews([aNode(now, { methods: [aMethod(now, 'x', 1, { calls, faults })] })]);
  expect(plain(view?.rows[0]?.failed ?? '')).toBe(text);
});

test('a method that was never answered has no figures and no line', () => {
  const never = aMethod(now, 'x', 1, {
    calls: 0,
    faults: [{ fault: 'target.rpc.method', count: 2 }],
    hourlyP50Tenths: flat(null),
  });
  const methods = [without(without(never, 'p50Tenths'), 'p95Tenths')];
  const [view] = methodViews([aNode(now, { id: 'a', methods })]);
  expect(view?.highest).toBe('');
  expect(view?.rows[0]).toMatchObject({ median: '', p95: '', path: '', text: 'a: no answer in 24 hours.' });
});

test('the chart is told in a sentence', () => {
  const hourlyP50Tenths = [null, 300, 100, null, ...Array.from({ length: 20 }, () => 200)];
  const [view] = methodViews([aNode(now, { id: 'a', methods: [aMethod(now, 'x', 1, { hourlyP50Tenths })] })]);
  expect(plain(view?.rows[0]?.text ?? '')).toBe(
    'a, hourly medians of the last 24 hours: lowest 10 ms, highest 30 ms, no answer in 2 hours.',
  );
});
