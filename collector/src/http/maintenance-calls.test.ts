/** What is acknowledged while the log is not signed is said to be no more than that. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { maintenanceCancelled, maintenanceDeclared } from '@highwater/config/wire.ts';
import { expect, it } from 'vitest';
import type { Declared } from '../decide/maintenance.ts';
import { testHouse } from '../testing/config.ts';
import { watch } from '../watched.ts';
import { maintenanceRoutes } from './maintenance-calls.ts';

const one: Declared = { id: 'aa', leaf: 'l', title: 'T', of: ['web'], from: 10, last: 19, declaredAt: 0 };

async function call(path: string, body: object, because: string | undefined): Promise<unknown> {
  const routes = maintenanceRoutes({
    watched: watch(testHouse(20_000).config),
    clock: { now: () => 0, monotonic: () => 0 },
    maintenances: {
      declare: async () => ({ result: 'declared', one, late: false }),
      cancel: async () => ({ result: 'cancelled', one }),
      all: () => [one],
      cover: () => new Map(),
    },
    unsigned: () => because,
  });
  const route = routes.find((each) => each.method === 'POST' && each.path === path);
  const request = Object.assign(Readable.from([Buffer.from(JSON.stringify(body))]), {
    headers: { 'content-type': 'application/json' },
  }) as unknown as IncomingMessage;
  const reply = await route?.handle({
    request,
    query: new URLSearchParams(),
    params: { id: 'aa' },
    signal: new AbortController().signal,
  });
  return JSON.parse(reply?.body as string);
}

it.each<[string | undefined, readonly unknown[]]>([
  [undefined, []],
  [
    'witness w1 knows more',
    [
      expect.stringMatching(
        /^acknowledged, but not yet in the log, .*\(witness w1 knows more\); highwater log status/,
      ),
    ],
  ],
])('while the log is refused because of %s, declaring and cancelling warn: %j', async (because, warnings) => {
  const request = { title: 'T', of: ['web'], forMs: 600_000 };
  const declared = maintenanceDeclared.parse(await call('/v1/maintenance', request, because));
  const cancelled = maintenanceCancelled.parse(await call('/v1/maintenance/:id/cancel', {}, because));
  expect(declared.warnings).toEqual(warnings);
  expect(cancelled.warnings).toEqual(warnings);
});
