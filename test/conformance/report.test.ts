/** A share of test/faults/report.long.test.ts, over two hours of the small world: what was altered is found, with file and reason. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type SmallBundle, smallBundle } from '@highwater/config/bundle/testing/small.ts';
import { reportedFiles } from '../fixtures/month/report.ts';
import { randomFrom } from '../faults/random.ts';
import { type Files, changedByte, check, raised, swapped } from '../faults/report-mutations.ts';

const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_000);
let small: SmallBundle;
let files: Files;
beforeAll(async () => {
  small = smallBundle({ minutes: 120 });
  files = await reportedFiles(small.assembly);
});

describe(`a report's bundle in which something is another, seed ${seed}`, () => {
  it('is good before', async () => {
    expect((await check(files)).problems).toEqual([]);
  });

  it('is found out by any byte', async () => {
    const random = randomFrom(seed);
    const missed: string[] = [];
    for (let i = 0; i < 60; i += 1) {
      const mutation = changedByte(files, random);
      const [problem] = (await check(mutation.files)).problems;
      if (problem === undefined || problem.file === '' || problem.says === '') missed.push(mutation.what);
    }
    expect(missed).toEqual([]);
  });

  it('is found out by figures that were raised, and by files that were swapped', async () => {
    const mutations = [
      ...raised(small.assembly, files, 2),
      swapped(files, 'bodies/2026-10-31/rpc/000', 'bodies/2026-10-31/web/000'),
    ];
    for (const { what, files: other } of mutations) {
      const [problem] = (await check(other)).problems;
      expect([what, problem?.file, problem?.says]).toEqual([what, expect.any(String), expect.any(String)]);
    }
  });
});
