import { expect, test } from 'vitest';
import { lagOf, reachedByTwo } from './lag.ts';

const none = null;

test.each([
  { name: 'nobody says anything', all: [[none], [none]], reached: [none], lags: [[none], [none]] },
  {
    name: 'one alone has nothing to be compared with',
    all: [[9], [none]],
    reached: [none],
    lags: [[none], [none]],
  },
  { name: 'of two the higher is ahead', all: [[9], [7]], reached: [7], lags: [[-2], [0]] },
  { name: 'two are where it is', all: [[9], [9], [7]], reached: [9], lags: [[0], [0], [2]] },
  {
    name: 'what one alone says moves nobody',
    all: [[9_000_000], [9], [7]],
    reached: [9],
    lags: [[-8_999_991], [0], [2]],
  },
  {
    name: 'each stretch for itself',
    all: [
      [1, 4, none],
      [2, none, 6],
      [2, 3, 7],
    ],
    reached: [2, 3, 6],
    lags: [
      [1, -1, none],
      [0, none, 0],
      [0, 0, -1],
    ],
  },
])('$name', ({ all, reached, lags }) => {
  const length = all[0]?.length ?? 0;
  expect(reachedByTwo(all, length)).toEqual(reached);
  expect(all.map((own) => lagOf(own, reachedByTwo(all, length)))).toEqual(lags);
});
