/**
 * SIGKILL while bodies are packed, and while packs that are too old are let go. After each: every body that was acknowledged
 * and is not old can be read with its hash, none is in two packs, and the log is what it was. Then one that is let go on
 * leaves no object that no row names.
 *
 *   npm run test:long -- faults/packing      50 kills of each; HIGHWATER_PACK_KILLS for fewer, HIGHWATER_SEED=N to repeat
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testHouse } from '../../collector/src/testing/config.ts';
import { fill } from '../../collector/src/testing/filled.ts';
import { randomFrom } from './random.ts';
import { readStored, type Stored } from './stored.ts';

const kills = Number(process.env['HIGHWATER_PACK_KILLS'] ?? 50);
const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_007);
const writer = join(import.meta.dirname, 'pack-writer.ts');
const DAY_MINUTES = 1_440;
const FIRST_DAY = 20_000;
const DAYS = 2;
/** Twenty at each end of a day. */
const minutes = 40;

const dir = mkdtempSync(join(tmpdir(), 'highwater-packing-'));
const template = join(dir, 'template');
const acknowledged = new Map<string, string>();
/** UTC day of a body, by its hash. */
const dayOf = new Map<string, number>();
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64');
let commits: string;

beforeAll(async () => {
  const house = testHouse(20_000);
  const random = randomFrom(seed);
  for (let day = 0; day < DAYS; day += 1) {
    const from = (FIRST_DAY + day + 1) * DAY_MINUTES - minutes / 2;
    for (const [hash, text] of await fill(template, house, { from, minutes, random, epoch: day })) {
      acknowledged.set(hash, digestOf(text));
      dayOf.set(hash, Math.floor(Number(text.split(' ')[1]) / (DAY_MINUTES * 60_000)));
    }
  }
  ({ commits } = await readStored(template));
}, 300_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** @param fromDay bodies of days before it may be gone */
function expectWhole(stored: Stored, fromDay = 0): void {
  expect(stored.commits).toBe(commits);
  const wrong = [...acknowledged].filter(([hash, digest]) => {
    const there = stored.bodies.get(hash);
    return there === undefined ? (dayOf.get(hash) ?? 0) >= fromDay : there !== digest;
  });
  expect(wrong).toEqual([]);
  expect(stored.doubled).toEqual([]);
}

interface Blow {
  /** It falls when so many objects have their rows, and then so much later. */
  readonly objects: number;
  readonly afterMs: number;
}

/** How a process ended, and how long it worked, ms. */
async function pack(
  data: string,
  now: number,
  blow?: Blow,
  keptMs?: number,
): Promise<{ signal: string | null; ms: number }> {
  const child = spawn(
    process.execPath,
    [writer, data, String(now), ...(keptMs === undefined ? [] : [String(keptMs)])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const gone = once(child, 'exit') as Promise<[number | null, string | null]>;
  let from = performance.now();
  let said = -1;
  createInterface({ input: child.stdout }).on('line', () => {
    said += 1;
    if (said === 0) from = performance.now();
    if (said === blow?.objects) setTimeout(() => child.kill('SIGKILL'), blow.afterMs);
  });
  const [code, signal] = await gone;
  if (signal === null) expect(code).toBe(0);
  return { signal, ms: performance.now() - from };
}

it(`${kills} kills while packing: nothing is lost, nothing doubled (seed ${seed})`, async () => {
  console.log(
    `seed ${seed}: HIGHWATER_SEED=${seed} HIGHWATER_PACK_KILLS=${kills} npm run test:long -- faults/packing`,
  );
  const random = randomFrom(seed + 1);
  const now = (FIRST_DAY + DAYS + 3) * DAY_MINUTES * 60_000;
  const fresh = (): string => {
    const data = join(dir, 'data');
    rmSync(data, { recursive: true, force: true });
    cpSync(template, data, { recursive: true });
    return data;
  };
  let data = fresh();
  const { ms: whole } = await pack(data, now);
  const done = await readStored(data);
  expectWhole(done);
  expect([done.held, done.stray]).toEqual([0, []]);
  expect(done.packs.length).toBeGreaterThan(DAYS);

  data = fresh();
  const { held: all } = await readStored(data);
  let [killed, halfway, rounds] = [0, 0, 0];
  while (killed < kills) {
    // Half of them at any moment, half between what follows one another quickly.
    const blow =
      random() < 0.5
        ? { objects: 0, afterMs: random() * whole }
        : { objects: 1 + Math.floor(random() * done.packs.length), afterMs: random() * 4 };
    const { signal } = await pack(data, now, blow);
    const stored = await readStored(data);
    expectWhole(stored);
    if (signal === 'SIGKILL') killed += 1;
    if (stored.packs.length > 0 && stored.held > 0) halfway += 1;
    if (stored.held > 0) continue;
    // Done: what is left of it is told by one that finds nothing to do.
    await pack(data, now);
    const settled = await readStored(data);
    expectWhole(settled);
    expect(settled.stray).toEqual([]);
    data = fresh();
    rounds += 1;
  }
  await pack(data, now);
  const settled = await readStored(data);
  expectWhole(settled);
  expect([settled.held, settled.stray]).toEqual([0, []]);
  console.log(
    `${killed} kills in ${rounds + 1} packings of ${all} batches, ${halfway} of them halfway; ${acknowledged.size} bodies`,
  );
  expect(halfway).toBeGreaterThan(0);
});

it(`${kills} kills while packs are let go: none goes before its time (seed ${seed})`, async () => {
  console.log(
    `seed ${seed}: HIGHWATER_SEED=${seed} HIGHWATER_PACK_KILLS=${kills} npm run test:long -- faults/packing`,
  );
  const random = randomFrom(seed + 2);
  const now = (FIRST_DAY + DAYS + 3) * DAY_MINUTES * 60_000;
  // All but the last day is old.
  const keptMs = now - (FIRST_DAY + DAYS) * DAY_MINUTES * 60_000;
  const packed = join(dir, 'packed');
  cpSync(template, packed, { recursive: true });
  await pack(packed, now);
  const data = join(dir, 'data');
  const fresh = (): void => {
    rmSync(data, { recursive: true, force: true });
    cpSync(packed, data, { recursive: true });
  };
  fresh();
  const { ms: whole } = await pack(data, now, undefined, keptMs);
  const done = await readStored(data);
  expectWhole(done, FIRST_DAY + DAYS);
  expect(done.packs.every(({ day }) => day >= FIRST_DAY + DAYS)).toBe(true);
  expect([done.bodies.size > 0, done.bodies.size < acknowledged.size, done.stray]).toEqual([true, true, []]);

  let [killed, halfway] = [0, 0];
  fresh();
  const { length: all } = (await readStored(data)).packs;
  while (killed < kills) {
    const { signal } = await pack(data, now, { objects: 0, afterMs: random() * whole }, keptMs);
    const stored = await readStored(data);
    expectWhole(stored, FIRST_DAY + DAYS);
    if (signal === 'SIGKILL') killed += 1;
    if (stored.packs.length < all && stored.packs.length > done.packs.length) halfway += 1;
    if (signal === 'SIGKILL' && stored.packs.length > done.packs.length) continue;
    await pack(data, now, undefined, keptMs);
    expect(await readStored(data)).toEqual(done);
    fresh();
  }
  await pack(data, now, undefined, keptMs);
  expect(await readStored(data)).toEqual(done);
  console.log(`${killed} kills, ${halfway} of them halfway through ${all - done.packs.length} packs`);
  expect(halfway).toBeGreaterThan(0);
});
