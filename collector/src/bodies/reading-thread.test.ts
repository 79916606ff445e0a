import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PackError, type PackBody, writePack } from '@highwater/config/proof/packed/pack.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { zstd } from '../packing/zstd.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { packNames } from './pack-names.ts';
import { type PackReader, readPacks } from './read-packs.ts';
import { readPacksApart } from './reading-thread.ts';

const BLOB = 'packed/2026-11-01/rpc/0123456789abcdef0123456789abcdef';
const MINUTE = 29_000_000;

/** Two batches under number 3: what a key that was used twice signs. */
const bodies: PackBody[] = [...Array.from({ length: 120 }, (_, i) => i), 3].map((number, i) => ({
  probe: i % 2 === 0 ? 'eu-1' : 'us-1',
  epoch: 0,
  number: i < 120 ? number : 2,
  minute: MINUTE + number,
  shown: i % 3 === 0 ? 'public' : 'private',
  text: Array.from(
    { length: 60 },
    (_, n) => `rpc/n${String(n).padStart(2, '0')}/http ${(MINUTE + number) * 60_000} ok ${i * 7 + n} -\n`,
  ).join(''),
}));

let folder: string;
beforeEach(async () => {
  folder = newDataDir();
  await folderBlobs(folder).putIfAbsent(BLOB, writePack('rpc', bodies, zstd));
});
afterEach(() => dropDataDir(folder));

async function textsOf(reader: PackReader, { probe, epoch, number }: PackBody): Promise<string[]> {
  const texts: string[] = [];
  for (const { segment, place, shown } of await reader.find(BLOB, { probe, epoch, number })) {
    texts.push(`${shown} ${(await reader.segment(BLOB, segment))?.[place] ?? ''}`);
  }
  return texts.sort();
}

it.each<[string, () => PackReader]>([
  ['here', () => readPacks(folderBlobs(folder))],
  ['in a thread, also where it ends between questions', () => readPacksApart(folder, 0)],
  ['in a thread', () => readPacksApart(folder)],
])('every body is given back by its name, %s', async (_, open) => {
  const reader = open();
  const all = await Promise.all(bodies.map((body) => textsOf(reader, body)));
  for (const [i, texts] of all.entries()) {
    const { probe, number } = bodies[i] ?? { probe: '', number: 0 };
    const same = bodies.filter((body) => body.probe === probe && body.number === number);
    expect(texts).toEqual(same.map(({ shown, text }) => `${shown} ${text}`).sort());
  }
  expect(await reader.find(BLOB, { probe: 'eu-1', epoch: 1, number: 2 })).toEqual([]);
  expect(await reader.find(BLOB, { probe: 'eu-1', epoch: 0, number: 1 })).toEqual([]);
});

it('a blob that is not there has no bodies, and one that is damaged is refused as such, by a thread too', async () => {
  for (const open of [() => readPacks(folderBlobs(folder)), () => readPacksApart(folder)]) {
    const reader = open();
    const gone = BLOB.replace('rpc', 'other');
    expect(await reader.find(gone, { probe: 'eu-1', epoch: 0, number: 0 })).toEqual([]);
    expect(await reader.segment(gone, 0)).toBeUndefined();
    await expect(reader.segment(BLOB, 999)).rejects.toThrow(PackError);
  }
  writeFileSync(join(folder, BLOB), 'something else that is no pack');
  for (const open of [() => readPacks(folderBlobs(folder)), () => readPacksApart(folder)]) {
    await expect(open().find(BLOB, { probe: 'eu-1', epoch: 0, number: 0 })).rejects.toThrow(PackError);
  }
});

it('many questions at once are answered while other work goes on', async () => {
  const reader = readPacksApart(folder);
  let turns = 0;
  const beat = new EventTarget();
  const count = (): void => {
    turns += 1;
    beat.dispatchEvent(new Event('turn'));
  };
  const asked = Promise.all(bodies.slice(0, 40).map((body) => textsOf(reader, body)));
  let isOver = false;
  void asked.then(() => (isOver = true));
  while (!isOver) {
    setImmediate(count);
    await once(beat, 'turn');
  }
  // A regenerated segment in this thread would have let it turn a few times in all.
  expect(turns).toBeGreaterThan(40);
});

it('numbers are found by halves, whichever they are', () => {
  const names = packNames(
    [5, 1, 9, 5, 2 ** 40].map((number, i) => ({
      probe: 'p',
      epoch: 7,
      number,
      shown: 'salted',
      segment: i,
      place: i * 2,
    })),
  );
  const segmentsAt = (number: number) =>
    names.find({ probe: 'p', epoch: 7, number }).map(({ segment }) => segment);
  expect([1, 5, 9, 2 ** 40].map(segmentsAt)).toEqual([[1], [0, 3], [2], [4]]);
  expect([0, 2, 8, 10, 2 ** 41].map(segmentsAt)).toEqual([[], [], [], [], []]);
  expect(names.find({ probe: 'p', epoch: 7, number: 9 })).toEqual([
    { segment: 2, place: 4, shown: 'salted' },
  ]);
});
