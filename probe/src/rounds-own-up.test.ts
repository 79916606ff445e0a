import { expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import { faultId } from '@highwater/config/faults.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { calmLoop, toldBy } from '../testing/rounds.ts';
import { faultError } from './fault.ts';
import { parseConsent } from './io/reach.ts';
import type { LoopWatch } from './loop-watch.ts';
import type { House } from './observe.ts';
import { startRounds } from './rounds.ts';
import { secretShelf } from './secrets.ts';

const start = 1_795_000_000_000;
const seed = '00112233445566778899aabbccddeeff';
const intervalMs = 60_000;
const monitor = {
  id: 's/n/c',
  kind: 'told',
  intervalMs,
  timeoutMs: 900,
  recheckAfterMs: 1_000,
  fall: 2,
  settings: {},
  target: { url: 'http://127.0.0.1:9', headers: {}, allowPrivate: true },
};
const dueAt = start + intervalMs - (start % intervalMs) + phaseMs(seed, monitor.id, 'p', intervalMs, sha256);

/** The first observation of one round; the loop says that the process was stopped for so long while it ran. */
async function seen(
  run: () => Promise<{ outcome: 'ok'; latencyTenths: number; facts: Record<string, string> }>,
  loop: Partial<LoopWatch>,
  more: { isClockSure?: boolean; lateMs?: number; asked?: () => void } = {},
): Promise<Observation> {
  let now = dueAt - 1;
  const first = Promise.withResolvers<Observation>();
  const rounds = startRounds({
    probe: 'p',
    table: toldBy(run),
    loop: { ...calmLoop, ...loop },
    isClockSure: () => more.isClockSure ?? true,
    seen: first.resolve,
  });
  const house: House = {
    outside: {
      resolve: () => Promise.resolve(['127.0.0.1']),
      consent: parseConsent(['config']),
      userAgent: 'Highwater/test',
      monotonic: () => performance.now(),
    },
    secrets: secretShelf('.'),
    now: () => now,
    clockBoundMs: () => 0,
    broke: (_, thrown) => first.reject(thrown),
  };
  const controls = {
    ask() {
      more.asked?.();
      return Promise.resolve([]);
    },
  };
  rounds.assigned(
    { chains: [], monitors: [monitor], seed } as unknown as Parameters<typeof rounds.assigned>[0],
    house,
    controls,
  );
  now = dueAt + (more.lateMs ?? 0);
  const observation = await first.promise;
  await rounds.drain(1_000);
  return observation;
}

const good = () => Promise.resolve({ outcome: 'ok' as const, latencyTenths: 3_000_000, facts: { h: '7' } });
const failing = (id: string) => () => Promise.reject(faultError(id));

it.each([
  ['a good answer', good],
  ['a bad one', failing('target.http.timeout')],
])('%s that came across a stop is nothing seen', async (_, run) => {
  const { outcome, latencyTenths, facts, fault } = await seen(run, { stoppedBetween: () => 300_000 });
  expect([outcome, latencyTenths, facts, fault && faultId(fault)]).toEqual([
    'skipped',
    0,
    {},
    'probe.loop.suspended',
  ]);
});

it.each([
  ['while the process was stopped', true, 'probe.loop.suspended'],
  ['for any other reason', false, 'probe.schedule.late'],
])('a round that was missed %s is written as that', async (_, wasStopped, expected) => {
  const observation = await seen(good, { wasStoppedAt: () => wasStopped }, { lateMs: 40_000 });
  expect([observation.outcome, observation.dueAt, observation.lateMs]).toEqual(['skipped', dueAt, 40_000]);
  expect(observation.fault && faultId(observation.fault)).toBe(expected);
});

it('an old head is the node’s by a clock that is known, and the probe’s by one that is not', async () => {
  const old = failing('target.head.old');
  const id = async (isClockSure: boolean) => (await seen(old, {}, { isClockSure })).fault?.source;
  expect([await id(true), await id(false)]).toEqual(['target', 'probe']);
});

it('a timeout while the loop stood still is the probe’s', async () => {
  const late = await seen(failing('target.http.timeout'), { lateBetween: () => 300 });
  expect(late.fault && faultId(late.fault)).toBe('probe.loop.late');
});

it('controls are asked in a round in which the network failed, and not for an answer that came', async () => {
  let asked = 0;
  const counting = { asked: () => (asked += 1) };
  await seen(good, {}, counting);
  await seen(failing('target.http.status'), {}, counting);
  expect(asked).toBe(0);
  await seen(failing('target.connect.timeout'), {}, counting);
  expect(asked).toBe(1);
});
