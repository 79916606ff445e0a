import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { type Behind, type Door, openDoor } from './door.ts';
import type { Reply } from './reply.ts';
import type { Route } from './routes.ts';

const says = { summary: '', gives: { 'text/plain': z.string() } };
const behind = (handle: Route['handle'], path = '/x'): Behind => ({
  routes: [{ method: 'GET', path, says, handle }],
  signal: new AbortController().signal,
});
const replying = (body: string): Behind => behind(async () => ({ status: 200, body }));

/** A call by the route that is at `path` now; `complete` says whether its body has come. */
function call(door: Door, path = '/x', complete = true): Promise<Reply> {
  const route = door.routes().find((each) => each.path === path);
  if (route === undefined) throw new Error(`no route ${path}`);
  return route.handle({
    request: { complete } as IncomingMessage,
    query: new URLSearchParams(),
    params: {},
    signal: new AbortController().signal,
  });
}

/** Whether a promise has settled once everything that was due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => void (settled = true);
  promise.then(note, note);
  await new Promise((turn) => setImmediate(turn));
  return settled;
}

it('closes once those inside have left, and not before', async () => {
  const door = openDoor();
  const work = Promise.withResolvers<Reply>();
  door.open(behind(() => work.promise));
  const inside = call(door);
  const closed = door.close();
  expect(await isSettled(closed)).toBe(false);
  work.resolve({ status: 200, body: 'done' });
  expect((await inside).body).toBe('done');
  await closed;
});

it('does not wait for a call whose body is still on the way', async () => {
  const door = openDoor();
  door.open(behind(() => new Promise(() => undefined)));
  void call(door, '/x', false);
  await door.close();
});

it('lets a call wait, which is then answered by the routes that hold, or told that there is nothing any more', async () => {
  const door = openDoor();
  door.open(replying('old'));
  await door.close();
  const waiting = call(door);
  expect(await isSettled(waiting)).toBe(false);
  door.open(replying('new'));
  expect((await waiting).body).toBe('new');

  await door.close();
  const gone = call(door);
  door.open(behind(async () => ({ status: 200 }), '/y'));
  await expect(gone).rejects.toMatchObject({ status: 404 });
});

it('tells a call to come again when a hand-over takes too long', async () => {
  const door = openDoor([], 1);
  door.open(replying('old'));
  await door.close();
  await expect(call(door)).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
});

it('asks for the signal of a call only where its route does, and then makes one', async () => {
  const door = openDoor();
  let asked = 0;
  const through = (): Promise<Reply> => {
    const [route] = door.routes().filter(({ path }) => path === '/x');
    if (route === undefined) throw new Error('no route /x');
    return route.handle({
      request: { complete: true } as IncomingMessage,
      query: new URLSearchParams(),
      params: {},
      get signal() {
        asked += 1;
        return new AbortController().signal;
      },
    });
  };
  door.open(replying('at once'));
  await through();
  expect(asked).toBe(0);
  door.open(behind(async (held) => ({ status: 200, body: String(held.signal === held.signal) })));
  expect((await through()).body).toBe('true');
  expect(asked).toBe(1);
});
