/**
 * A bundle of one day and five monitors in which anything is another than it was: 500 bytes, each file dropped, files swapped,
 * a batch signed by a stranger, figures raised and signed anew. All through the engine, a share through the real command:
 * exit 1 or 2 each time, with the file and the reason. HIGHWATER_MUTATIONS sets how many bytes, HIGHWATER_SEED which.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SmallBundle, smallBundle } from '@highwater/config/bundle/testing/small.ts';
import { reportedFiles } from '../fixtures/month/report.ts';
import { randomFrom } from './random.ts';
import {
  type Files,
  type Mutation,
  changedByte,
  check,
  droppedFiles,
  raised,
  resigned,
  swapped,
} from './report-mutations.ts';

const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_000);
const bytes = Number(process.env['HIGHWATER_MUTATIONS'] ?? 500);
/** Each so manieth goes through the command too. */
const SHARE = 25;
const launcher = fileURLToPath(new URL('../../bin/highwater', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'highwater-mutations-'));
let small: SmallBundle;
let files: Files;
let turn = 0;

beforeAll(async () => {
  small = smallBundle();
  files = await reportedFiles(small.assembly);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function command(of: Files): { status: number | null; said: string } {
  const path = join(folder, String((turn += 1)));
  for (const [name, content] of of) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  const { status, stdout, stderr } = spawnSync(launcher, ['verify', path], { encoding: 'utf8' });
  rmSync(path, { recursive: true });
  return { status, said: `${stdout}${stderr}` };
}

/** What is wrong with how a mutation is found; undefined when all is as it has to be. */
async function missed({ what, files: mutated }: Mutation, isCommand: boolean): Promise<string | undefined> {
  const [problem] = (await check(mutated)).problems;
  if (problem === undefined) return `${what}: not found`;
  if (problem.file === '' || problem.says === '') return `${what}: without file or reason`;
  if (!isCommand) return undefined;
  const { status, said } = command(mutated);
  if (status !== 1 && status !== 2) return `${what}: exit ${status}\n${said}`;
  return said.includes(problem.file) ? undefined : `${what}: it does not name ${problem.file}\n${said}`;
}

async function allMissed(mutations: Iterable<Mutation>, share: number): Promise<string[]> {
  const all: string[] = [];
  let i = 0;
  for (const mutation of mutations) {
    const text = await missed(mutation, i % share === 0);
    if (text !== undefined) all.push(text);
    i += 1;
  }
  return all;
}

describe(`a report's bundle that was altered, seed ${seed}`, () => {
  it('is good before', async () => {
    expect((await check(files)).problems).toEqual([]);
    expect(command(files)).toMatchObject({ status: 0 });
  });

  it(`is found out by any of ${bytes} bytes`, async () => {
    const random = randomFrom(seed);
    const mutations = (function* () {
      for (let i = 0; i < bytes; i += 1) yield changedByte(files, random);
    })();
    expect(await allMissed(mutations, SHARE)).toEqual([]);
  });

  it('is found out by each file that is dropped', async () => {
    expect(await allMissed(droppedFiles(files), SHARE)).toEqual([]);
  });

  it('is found out by files that are swapped, a stranger’s batch, and figures that were raised', async () => {
    const day = 'bodies/2026-10-31';
    const mutations = [
      swapped(files, `${day}/rpc/000`, `${day}/web/000`),
      swapped(files, 'logs/2026/entries/003', 'logs/2026/entries/004'),
      swapped(files, 'leaves/2026/1', 'leaves/2026/2'),
      swapped(files, 'logs/2026/start.checkpoint', 'logs/2026/end.checkpoint'),
      swapped(files, 'report.md', 'report.csv'),
      ...resigned(small.assembly, files),
      ...raised(small.assembly, files),
    ];
    expect(await allMissed(mutations, 1)).toEqual([]);
  });
});
