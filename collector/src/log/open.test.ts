import { decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { openCheckpoint, parseVerifier } from '@highwater/config/keys.ts';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOG_SHARD } from '../watched.ts';
import { type Bench, bench, filesOf, mergeAll, newYear, noteOf, ORIGIN, rootOf } from './testing.ts';

let house: Bench;
beforeEach(async () => {
  house = await bench();
});
afterEach(() => house.close());

const notes = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => noteOf(from + i));

/** What is published of a year, opened by the key that the store names. */
async function published(year: number): Promise<{ size: number; root: string }> {
  const row = await house.store.read(LOG_SHARD, (tx) => tx.getState('log', String(year)));
  const { vkey } = row?.value as { vkey: string };
  const note = decodeUtf8(house.files.get(`log/${year}/checkpoint`) ?? new Uint8Array()) ?? '';
  const opened = openCheckpoint(note, parseVerifier(vkey));
  if ('error' in opened) throw new Error(opened.error);
  return opened.checkpoint;
}

/** All tiles and bundles of the log as they are wanted, and no partial one of what is full. */
function expectFiles(year: number, entries: readonly string[]): void {
  for (const [path, bytes] of filesOf(entries)) {
    const held = house.files.get(`log/${year}/${path}`);
    expect(held === undefined ? undefined : Buffer.compare(held, bytes), path).toBe(0);
  }
  const full = new Set([...house.files.keys()].filter((path) => !path.includes('.p/')));
  expect(
    [...house.files.keys()].filter((path) => full.has(path.replace(/\.p\/.*$/, '')) && path.includes('.p/')),
  ).toEqual([]);
}

describe('the log', () => {
  it.each([1, 2, 255, 256, 257, 511, 512, 513])('of %i commits, all at once', async (count) => {
    await house.commit(count);
    const log = await house.open();
    expect(log.status()).toMatchObject({ size: 0, pending: count, year: 2026, origin: `${ORIGIN}/2026` });
    await mergeAll(log);
    expect(await published(2026)).toEqual({
      origin: `${ORIGIN}/2026`,
      size: count,
      root: rootOf(notes(count)),
    });
    expect(log.status()).toMatchObject({ size: count, pending: 0, root: rootOf(notes(count)) });
    expectFiles(2026, notes(count));
    expect(house.alarms).toEqual([]);
  });

  it('is the same files whatever the order of growth and wherever it is restarted', async () => {
    const steps = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.boolean(), { maxLength: 6 }), async (counts, restarts) => {
        await house.close();
        house = await bench();
        let log = await house.open();
        let total = 0;
        for (const [i, count] of counts.entries()) {
          await house.commit(count);
          total += count;
          await mergeAll(log);
          if (restarts[i] !== true) continue;
          await house.restart();
          log = await house.open();
        }
        expect(await published(2026)).toMatchObject({ size: total, root: rootOf(notes(total)) });
        expectFiles(2026, notes(total));
      }),
      { numRuns: 15 },
    );
  });

  it('goes on in a new log at New Year, which begins with the last checkpoint of the old one', async () => {
    await house.commit(300);
    const log = await house.open();
    await mergeAll(log);
    await house.commit(5);
    house.now = newYear(2027);
    await house.commit(7);
    // Set back over New Year: what comes then stays in the new log.
    house.now = newYear(2027) - 3_600_000;
    await house.commit(2);
    expect(log.keys).toHaveLength(1);
    await mergeAll(log);
    expect(log.keys).toHaveLength(2);
    expect(await published(2026)).toMatchObject({ size: 305, root: rootOf(notes(305)) });
    const last = await house.store.read(LOG_SHARD, (tx) => tx.lastCheckpoint(2026));
    const entries = [last?.note ?? '', ...notes(9, 305)];
    expect(await published(2027)).toMatchObject({ size: 10, root: rootOf(entries) });
    expectFiles(2026, notes(305));
    expectFiles(2027, entries);
    expect(await log.place(304)).toEqual({ year: 2026, index: 304 });
    expect(await log.place(305)).toEqual({ year: 2027, index: 1 });
    expect(await log.place(313)).toEqual({ year: 2027, index: 9 });
    expect(await log.place(314)).toBeUndefined();
    // Years without a commit have no log.
    house.now = newYear(2030);
    await house.commit(1);
    await mergeAll(log);
    expect(log.years.map(({ year }) => year)).toEqual([2026, 2027, 2030]);
    expect(await log.place(314)).toEqual({ year: 2030, index: 1 });
    expect(house.alarms).toEqual([]);
  });

  it('gives tiles and bundles, partial ones that are gone too, and nothing else', async () => {
    await house.commit(100);
    const log = await house.open();
    await mergeAll(log);
    await house.commit(500);
    await mergeAll(log);
    const old = filesOf(notes(100));
    for (const [path, bytes] of [...old, ...filesOf(notes(600))])
      expect(Buffer.compare((await log.tile(2026, path)) ?? Buffer.of(), bytes), path).toBe(0);
    for (const path of [
      'tile/0/003',
      'tile/0/002.p/89',
      'tile/0/000.p/256',
      'checkpoint',
      '../x',
      'tile/entries/001.p/0',
    ]) {
      expect(await log.tile(2026, path)).toBeUndefined();
    }
    expect(await log.tile(2027, 'tile/0/000')).toBeUndefined();
    expect(await log.checkpoint(2027)).toBeUndefined();
  });
});
