import { expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import type { AssignedMonitor, AssignmentBody } from '@highwater/config/wire.ts';
import { testHouse } from '../testing/check.ts';
import { calmLoop } from '../testing/rounds.ts';
import { serveHttp } from '../testing/servers.ts';
import { checks } from './checks/index.ts';
import { startRounds } from './rounds.ts';

const hour = 3_600_000;

function roundsOf(url: string, ids: readonly string[], more: Partial<AssignedMonitor> = {}) {
  const seen: Observation[] = [];
  const rounds = startRounds({
    probe: 'p',
    table: checks,
    loop: calmLoop,
    isClockSure: () => true,
    seen: (observation) => void seen.push(observation),
  });
  const monitors = ids.map((id): AssignedMonitor => ({
    id,
    kind: 'http',
    intervalMs: hour,
    timeoutMs: 2_000,
    recheckAfterMs: 10,
    fall: 2,
    settings: {},
    target: { url, headers: {}, allowPrivate: true },
    ...more,
  }));
  const body = { chains: [], monitors, seed: '00' } as unknown as AssignmentBody;
  rounds.assigned(body, testHouse, { ask: () => Promise.resolve([]) });
  return { rounds, seen };
}

it('a look that another region asks for is made at once, as a recheck, of what is known', async () => {
  await using target = await serveHttp((_, response) => void response.end('ok'));
  const { rounds, seen } = roundsOf(target.url, ['s/a/http', 's/b/http']);
  rounds.look(['s/b/http', 'gone/b/http']);
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]).toMatchObject({ monitor: 's/b/http', recheck: true, outcome: 'ok' });
  await rounds.drain(1_000);
  rounds.look(['s/a/http']);
  expect(seen).toHaveLength(1);
});

it('of six that ask one address at once two are let in, and the next as these end', async () => {
  const open: (() => void)[] = [];
  await using target = await serveHttp((_, response) => void open.push(() => response.end('ok')));
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map((node) => `s/${node}/http`);
  const { rounds, seen } = roundsOf(target.url, ids);
  rounds.look(ids);
  for (let ended = 0; ended < ids.length; ended += 1) {
    await expect.poll(() => open.length).toBe(Math.min(ids.length, ended + 2));
    open[ended]?.();
    await expect.poll(() => seen.length).toBe(ended + 1);
  }
  expect(seen.every(({ outcome, recheck }) => outcome === 'ok' && recheck)).toBe(true);
  await rounds.drain(1_000);
});

it('the end of the program is not held up by a recheck that hangs', async () => {
  await using target = await serveHttp(() => undefined);
  const { rounds, seen } = roundsOf(target.url, ['s/a/http'], { timeoutMs: 600_000 });
  rounds.look(['s/a/http']);
  await rounds.drain(50);
  expect(seen).toEqual([]);
});
