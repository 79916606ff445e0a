import { afterEach, beforeEach, expect, it } from 'vitest';
import { folderBlobs } from '../store/blobs/folder.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { type LogCalls, logRoutes, MAX_WAITING } from './log-calls.ts';
import type { Call } from './routes.ts';

let folder: string;
beforeEach(() => (folder = newDataDir()));
afterEach(() => dropDataDir(folder));

it('bodies are looked for one at a time; who would wait behind many is asked to come again', async () => {
  let underWay = 0;
  let most = 0;
  let looked = 0;
  const first = Promise.withResolvers<undefined>();
  const routes = logRoutes({
    blobs: folderBlobs(folder),
    bodies: {
      async read() {
        underWay += 1;
        looked += 1;
        most = Math.max(most, underWay);
        await first.promise;
        underWay -= 1;
        return undefined;
      },
    },
    shown: new Map(),
    log: { keys: [] },
    operatorKey: '',
    policy: () => undefined,
  } as unknown as LogCalls);
  const route = routes.find(({ path }) => path.includes('/body/'));
  const ask = (i: number): Promise<unknown> =>
    route?.handle({
      params: { year: '2026', sha256: i.toString(16).padStart(64, '0') },
    } as unknown as Call) ?? Promise.resolve();
  const statusOf = async (asked: Promise<unknown>): Promise<unknown> => {
    try {
      return await asked;
    } catch (error) {
      const { status, headers } = error as { status: number; headers?: Record<string, string> };
      return `${status} ${headers?.['retry-after'] ?? ''}`;
    }
  };
  const asked = Array.from({ length: MAX_WAITING }, (_, i) => statusOf(ask(i)));
  expect(await statusOf(ask(MAX_WAITING))).toBe('503 1');
  first.resolve(undefined);
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['404 ']));
  expect([most, looked]).toEqual([1, MAX_WAITING]);
  // There is room again.
  expect(await statusOf(ask(0))).toBe('404 ');
});
