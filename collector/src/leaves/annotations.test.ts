import { generateSigningKey } from '@highwater/config/keys.ts';
import { parseAnnotationLeaf } from '@highwater/config/proof/annotation-leaf.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, bench, newYear, ORIGIN } from '../log/testing.ts';
import { LOG_SHARD } from '../watched.ts';
import { annotate, parseEntryName } from './annotations.ts';

const hash = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
const hex = '0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62';

describe('a name of an entry', () => {
  it.each<[string, ReturnType<typeof parseEntryName>]>([
    [hash, { hash }],
    [hex, { hash }],
    [hex.toUpperCase(), { hash }],
    ['2026/0', { year: 2026, index: 0 }],
    ['2026/1234', { year: 2026, index: 1234 }],
    ['2026/01', undefined],
    ['2026/-1', undefined],
    ['2026/1/2', undefined],
    ['2026', undefined],
    ['', undefined],
    [hash.slice(0, -1), undefined],
    [hex.slice(2), undefined],
    ['CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=', undefined],
  ])('%j is %j', (text, name) => {
    expect(parseEntryName(text)).toEqual(name);
  });
});

describe('a remark', () => {
  const signing = { key: generateSigningKey(ORIGIN), origin: ORIGIN };
  let on: Bench;
  beforeEach(async () => {
    on = await bench();
  });
  afterEach(() => on.close());

  const clock = { now: () => on.now, monotonic: () => 0 };
  const write = (of: string, text: string) => {
    const name = parseEntryName(of);
    if (name === undefined) throw new Error(`${of} is no name`);
    return annotate(on.store, clock, signing, name, text);
  };
  const commits = () => on.store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 100));

  it('names an entry by its place once that is signed, also of a year that carries the one before', async () => {
    await on.commit(3);
    const log = await on.open();
    expect(await write('2026/0', 'not yet')).toBeUndefined();
    while (await log.beat());
    on.now = newYear(2027) + 1_000;
    await on.commit(2);
    while (await log.beat());
    const hashes = (await commits()).map((commit) => commit.hash);
    // Entry 0 of 2027 is the last checkpoint of 2026.
    for (const [place, commit] of [
      ['2026/0', 0],
      ['2026/2', 2],
      ['2027/1', 3],
      ['2027/2', 4],
    ] as const)
      expect([place, (await write(place, `about ${place}`))?.of]).toEqual([place, hashes[commit]]);
    for (const place of ['2026/3', '2027/0', '2027/3', '2025/0', '2028/0'])
      expect([place, await write(place, 'x')]).toEqual([place, undefined]);
  });

  it('is a leaf of the operator, once for each text', async () => {
    await on.commit(1);
    const [about] = await commits();
    const of = about?.hash ?? '';
    const first = await write(of, 'The disk was full; nothing was lost.');
    expect(first).toMatchObject({ result: 'written', of, at: on.now });
    const at = on.now;
    on.now += 1;
    expect(await write(of, 'The disk was full; nothing was lost.')).toMatchObject({
      result: 'held',
      leaf: first?.leaf,
    });
    // Of a remark, too, and of one that is in no checkpoint yet.
    expect(await write(first?.leaf ?? '', 'No: the cable.')).toMatchObject({ result: 'written' });
    const [, leaf, ...more] = await commits();
    expect([leaf?.kind, leaf?.hash, more.length]).toEqual(['annot', first?.leaf, 1]);
    const parsed = parseNote(leaf?.note ?? '');
    if ('error' in parsed) throw new Error(parsed.error);
    const text = 'The disk was full; nothing was lost.';
    expect(parseAnnotationLeaf(parsed.text)).toEqual({ origin: ORIGIN, of, at, text });
    expect(await write(hash, 'about nothing')).toBeUndefined();
  });
});
