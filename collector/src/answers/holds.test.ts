import { expect, it } from 'vitest';
import { holdsWith } from './holds.ts';

it.each([
  [0, 0, 'No region has a probe yet: nothing is known.'],
  [1, 1, /^One region watches: what it alone sees decides/],
  [1, 0, 'No region is heard now: nothing is known.'],
  [2, 2, /^Two regions watch and both must agree/],
  [2, 1, 'Only 1 of 2 regions is heard now and 2 must agree: nothing can be known until more are.'],
  [3, 3, '3 regions watch and 2 must agree: no single region can raise an outage or hide one.'],
  [
    3,
    2,
    '2 of 3 regions are heard now: both must agree, so one alone can hide an outage, but none can raise one.',
  ],
  [3, 1, /^Only 1 of 3 regions is heard now/],
  [5, 4, '4 of 5 regions are heard now and 3 must agree: no single region can raise an outage or hide one.'],
  [5, 3, /^3 of 5 regions are heard now: all 3 must agree, so one alone can hide an outage/],
])('%i regions of which %i are heard: %s', (regions, heard, says) => {
  if (typeof says === 'string') expect(holdsWith(regions, heard)).toBe(says);
  else expect(holdsWith(regions, heard)).toMatch(says);
});
