/**
 * A merge that fails at each of its operations, with what it did kept or not, and is done again after a restart: the
 * same files as without a failure, one history. After the plan of Sunlight's TestSequenceErrors (FiloSottile/sunlight).
 */
import { parseNote } from '@highwater/config/proof/note.ts';
import { parseCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { expect, it } from 'vitest';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { type Bench, bench, filesOf, mergeAll, newYear, noteOf, rootOf } from './testing.ts';

interface Failing {
  readonly blobs: Blobs;
  readonly store: Store;
  /** Operations so far. */
  readonly count: () => number;
  /** `size root` of all that was ever published of a year. */
  readonly seen: readonly { readonly year: number; readonly size: number; readonly root: string }[];
}

/** The operation number `at` fails, before or after it was done; when the process is gone, those after it fail too. */
function failing(house: Bench, at: number, when: 'before' | 'after', isGone = false): Failing {
  let done = 0;
  const seen: { year: number; size: number; root: string }[] = [];
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    done += 1;
    // Files are written several at once.
    const own = done;
    if ((isGone && own > at) || (own === at && when === 'before')) throw new Error('it fails here');
    const result = await work();
    if (own === at) throw new Error('it fails here');
    return result;
  };
  const { blobs, store } = house;
  const wrapped: Blobs = {
    putIfAbsent: (name, bytes) => through(() => blobs.putIfAbsent(name, bytes)),
    async replace(name, bytes) {
      return through(async () => {
        await blobs.replace(name, bytes);
        const note = parseNote(Buffer.from(bytes).toString());
        const checkpoint = 'error' in note ? note : parseCheckpointText(note.text);
        if (!('error' in checkpoint)) seen.push({ ...checkpoint, year: Number(name.split('/')[1]) });
      });
    },
    get: (name) => through(() => blobs.get(name)),
    range: (name, start, end) => through(() => blobs.range(name, start, end)),
    remove: (name) => through(() => blobs.remove(name)),
    removeUnder: (name) => through(() => blobs.removeUnder(name)),
  };
  return {
    blobs: wrapped,
    store: {
      transact: (shard, work) => through(() => store.transact(shard, work)),
      read: (shard, work) => through(() => store.read(shard, work)),
      [Symbol.asyncDispose]: async () => undefined,
    },
    count: () => done,
    seen,
  };
}

const OLD = 250;
/** Over the end of a bundle, then into a new year. */
const [MORE, NEXT] = [10, 3];

async function prepared(): Promise<Bench> {
  const house = await bench();
  await house.commit(OLD);
  await mergeAll(await house.open());
  await house.commit(MORE);
  house.now = newYear(2027);
  await house.commit(NEXT);
  return house;
}

const notes = (from: number, end: number): string[] =>
  Array.from({ length: end - from }, (_, i) => noteOf(from + i));

async function expectOneHistory(house: Bench, total: number): Promise<void> {
  const first = OLD + MORE;
  const carried = await house.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(2026));
  const logs = new Map([
    [2026, notes(0, first)],
    [2027, [carried?.note ?? '', ...notes(first, total)]],
  ]);
  for (const [year, entries] of logs) {
    const last = await house.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(year));
    expect([year, last?.size, last?.root]).toEqual([year, entries.length, rootOf(entries)]);
    for (const [path, bytes] of filesOf(entries)) {
      expect(Buffer.compare(house.files.get(`log/${year}/${path}`) ?? Buffer.of(), bytes), path).toBe(0);
    }
    expect(Buffer.from(house.files.get(`log/${year}/checkpoint`) ?? []).toString()).toBe(last?.note);
  }
  expect(
    [...house.files.keys()].filter((path) => path.startsWith('log/2026/tile/') && path.includes('/000.p/')),
  ).toEqual(['log/2026/tile/1/000.p/1']);
}

it('that fails at any of its operations, kept or not, comes to the same log', async () => {
  const whole = await prepared();
  const uninterrupted = failing(whole, Infinity, 'before');
  await mergeAll(await whole.open(uninterrupted));
  const operations = uninterrupted.count();
  await expectOneHistory(whole, OLD + MORE + NEXT);
  const names = [...whole.files.keys()].sort();
  await whole.close();
  expect(operations).toBeGreaterThan(30);

  for (let at = 1; at <= operations; at += 1) {
    for (const when of ['before', 'after'] as const) {
      const house = await prepared();
      // Half of them by a restart, half by the next turn of the loop.
      const isGone = at % 4 < 2 === (when === 'before');
      const crash = failing(house, at, when, isGone);
      let log = await house.open(crash).catch(() => undefined);
      if (log !== undefined) await expect(mergeAll(log), `${at} ${when}`).rejects.toThrow('it fails here');
      // Every second time there is more by the time that it is back.
      const more = at % 2 === 0 ? 2 : 0;
      if (more > 0) await house.commit(more);
      let after = crash;
      if (isGone || log === undefined) {
        await house.restart();
        after = failing(house, Infinity, 'before');
        log = await house.open(after);
      }
      await mergeAll(log);
      expect(house.alarms, `${at} ${when}`).toEqual([]);
      await expectOneHistory(house, OLD + MORE + NEXT + more);
      if (more === 0) expect([...house.files.keys()].sort()).toEqual(names);
      // Whoever read on the way saw the beginning of what came to be.
      for (const { year, size, root } of [...crash.seen, ...after.seen]) {
        if (year === 2026) expect(root).toBe(rootOf(notes(0, size)));
        const signed = await house.store.read(LOG_SHARD, (tx) => tx.checkpointAt(year, size));
        expect(signed?.root).toBe(root);
      }
      await house.close();
    }
  }
}, 120_000);
