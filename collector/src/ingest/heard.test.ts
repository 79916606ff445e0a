import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player } from '../testing/player.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { type FrameIngest, frameIngest } from './frames.ts';
import { type HeardBook, type HeardState, openHeard } from './heard.ts';

const start = 1_750_000_000_000;
const { config, keys } = testHouse();
let folder: string;
let store: Store;
let now: number;
let heard: HeardBook;
let frames: FrameIngest;

const open = async (): Promise<void> => {
  store = openSqliteStore(folder);
  heard = await openHeard(store);
  const clock = { now: () => now, monotonic: () => now };
  frames = frameIngest(watch(config), store, clock, () => undefined, undefined, undefined, heard);
};
const restart = async (): Promise<void> => {
  await store[Symbol.asyncDispose]();
  await open();
};
/** A frame of the probe in eu that comes at an instant; sent by a player of its own it begins its epoch anew. */
const comes = async (at: number, from: ReturnType<typeof player>): Promise<void> => {
  now = at;
  const answer = await frames.accept(from.frame([`web/main/http ${at} ok 400 -`]), {});
  expect(answer.body).toMatchObject({ result: 'accepted' });
};
const row = async (): Promise<HeardState | undefined> =>
  (await store.read(LOG_SHARD, (tx) => tx.getState('heard', 'eu-1')))?.value as HeardState | undefined;

beforeEach(async () => {
  folder = newDataDir();
  now = start;
  await open();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

it('knows after a restart what frames said whose word was not written', async () => {
  const from = player(config.origin, keys.eu);
  expect(heard.of('eu-1')).toBeUndefined();
  for (let i = 0; i < 500; i += 1) await comes(start + i, from);
  const before = heard.of('eu-1');
  expect(before?.at).toBe(start + 499);
  expect((await row())?.at).toBe(start);
  await restart();
  expect(heard.of('eu-1')).toEqual(before);
});

it.each<[string, number, number]>([
  ['half a minute later', start + 30_000, start + 30_000],
  ['when the clock was set back', start - 60_000, start - 60_000],
  ['not before', start + 29_999, start],
])('writes again %s', async (_, at, written) => {
  const from = player(config.origin, keys.eu);
  await comes(start, from);
  await comes(at, from);
  expect((await row())?.at).toBe(written);
  expect(heard.of('eu-1')?.at).toBe(at);
  await restart();
  expect(heard.of('eu-1')?.at).toBe(at);
});

it('writes another epoch at once, and a frame of a lower number', async () => {
  const say = async (at: number, epoch: number, frame: number): Promise<void> => {
    const state = { at, epoch, frame };
    const said = await store.transact(LOG_SHARD, (tx) => heard.write(tx, 'eu-1', state));
    said.keep();
    expect(await row()).toEqual(state);
  };
  await say(start, 1, 7);
  await say(start + 1, 2, 0);
  await say(start + 2, 1, 8);
  await say(start + 3, 1, 5);
});
