/**
 * SIGKILL while views are made again. After each: the log and its bodies are what they were, every block is either what it
 * was before or what belongs there, and the next rebuild puts all right.
 *
 *   npm run test:long -- faults/rebuild      50 kills; HIGHWATER_REBUILD_KILLS for fewer, HIGHWATER_SEED=N to repeat
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rebuildViews, type Rebuilt } from '../../collector/src/rebuild/rebuild.ts';
import { openSqliteStore } from '../../collector/src/store/sqlite/sqlite-store.ts';
import type { View } from '../../collector/src/store/store.ts';
import { testHouse } from '../../collector/src/testing/config.ts';
import { fill } from '../../collector/src/testing/filled.ts';
import { randomFrom } from './random.ts';
import { readStored } from './stored.ts';

const kills = Number(process.env['HIGHWATER_REBUILD_KILLS'] ?? 50);
const seed = Number(process.env['HIGHWATER_SEED'] ?? Date.now() % 1_000_000_007);
const writer = join(import.meta.dirname, 'rebuild-writer.ts');
const FROM = 20_001 * 1_440 - 30;
const MINUTES = 60;
const now = (FROM + MINUTES + 60) * 60_000;
const shards = ['chain:devnet', 'service:web'];
const views: readonly View[] = ['slots', 'totals', 'heads', 'latency', 'latency-days'];
const WRONG = Uint8Array.of(255);

const dir = mkdtempSync(join(tmpdir(), 'highwater-rebuild-'));
const data = join(dir, 'data');
const configFile = join(dir, 'config.json');
const house = testHouse(20_000);

beforeAll(async () => {
  writeFileSync(configFile, JSON.stringify(house.config));
  await fill(data, house, { from: FROM, minutes: MINUTES, random: randomFrom(seed) });
}, 300_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Every block in base64, by `SHARD VIEW PERIOD SUBJECT`. */
async function blocks(): Promise<Map<string, string>> {
  await using store = openSqliteStore(join(data, 'collector'));
  const all = new Map<string, string>();
  for (const shard of shards) {
    for (const view of views) {
      for (const { period, subject, block } of await store.read(shard, (tx) => tx.blocks(view, 0, 2 ** 40))) {
        all.set(`${shard} ${view} ${period} ${subject}`, Buffer.from(block).toString('base64'));
      }
    }
  }
  return all;
}

/** Makes a part of all blocks wrong: changed, missing, and some that do not belong. */
async function plant(random: () => number): Promise<void> {
  await using store = openSqliteStore(join(data, 'collector'));
  for (const shard of shards) {
    await store.transact(shard, async (tx) => {
      for (const view of views) {
        for (const { period, subject } of await tx.blocks(view, 0, 2 ** 40)) {
          const kind = random();
          if (kind < 0.3) await tx.putBlock(view, period, subject, WRONG);
          else if (kind < 0.5) await tx.dropBlock(view, period, subject);
          else if (kind < 0.6) await tx.putBlock(view, period, `${subject}-other`, WRONG);
        }
      }
    });
  }
}

const rebuild = (isCheck: boolean): Promise<Rebuilt> =>
  rebuildViews({ dataDir: data, config: house.config, now, isCheck, progress: () => undefined });

async function killed(afterMs: number): Promise<{ signal: string | null; ms: number }> {
  const child = spawn(process.execPath, [writer, data, configFile, String(now)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit') as Promise<[number | null, string | null]>;
  await Promise.race([once(child.stdout, 'data'), gone]);
  const from = performance.now();
  if (Number.isFinite(afterMs)) setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [code, signal] = await gone;
  if (signal === null) expect(code).toBe(0);
  return { signal, ms: performance.now() - from };
}

it(`${kills} kills while views are made again (seed ${seed})`, async () => {
  console.log(
    `seed ${seed}: HIGHWATER_SEED=${seed} HIGHWATER_REBUILD_KILLS=${kills} npm run test:long -- faults/rebuild`,
  );
  const random = randomFrom(seed + 1);
  expect((await rebuild(true)).differences).toEqual([]);
  const [right, evidence] = [await blocks(), await readStored(data)];
  expect(right.size).toBeGreaterThan(20);
  await plant(random);
  const { ms: whole } = await killed(Infinity);
  expect(await blocks()).toEqual(right);

  let [count, partly] = [0, 0];
  let before = right;
  while (count < kills) {
    if (before.size === right.size && [...right].every(([place, block]) => before.get(place) === block)) {
      await plant(random);
      before = await blocks();
    }
    // What is put right is put right at the end: half of the blows fall there.
    const { signal } = await killed((random() < 0.5 ? random() : 0.8 + random() * 0.2) * whole);
    if (signal === 'SIGKILL') count += 1;
    const after = await blocks();
    const strange = [...new Set([...after.keys(), ...before.keys(), ...right.keys()])].filter(
      (place) => after.get(place) !== before.get(place) && after.get(place) !== right.get(place),
    );
    expect(strange).toEqual([]);
    const wrongIn = (all: ReadonlyMap<string, string>): number =>
      [...new Set([...all.keys(), ...right.keys()])].filter((place) => all.get(place) !== right.get(place))
        .length;
    if (wrongIn(after) > 0 && wrongIn(after) < wrongIn(before)) partly += 1;
    expect(await readStored(data)).toEqual(evidence);
    before = after;
  }
  await rebuild(false);
  expect(await blocks()).toEqual(right);
  expect((await rebuild(true)).differences).toEqual([]);
  console.log(`${count} kills, ${partly} of them with a part put right; ${right.size} blocks`);
});
