/**
 * Every server of the hostile farm once, by the real path of an observation: test/fixtures/hostile has the table.
 * What it costs to meet them ten thousand times is in test/faults/hostile.long.test.ts.
 */
import { isFaultId } from '@highwater/config/faults.ts';
import { expect, it } from 'vitest';
import { askFairly, flights, houseOf, verdictOf } from '../fixtures/hostile/ask.ts';
import { startFarm } from '../fixtures/hostile/farm.ts';
import { rows } from '../fixtures/hostile/rows.ts';

it('the rows differ, and what they must give is in the closed list', () => {
  expect(rows.length).toBeGreaterThan(200);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  expect(rows.filter(({ gives }) => gives !== 'ok' && !isFaultId(gives))).toEqual([]);
});

it('each hostile server gives the one fault that it is', async () => {
  await using farm = await startFarm();
  const house = houseOf(farm.plan);
  const odd = await flights(
    rows.map((row) => async () => verdictOf(row, await askFairly(row, farm.plan, house))),
    16,
  );
  expect(odd.filter((each) => each !== undefined)).toEqual([]);
}, 120_000);
