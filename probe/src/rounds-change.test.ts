import { expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Reading } from '@highwater/config/kinds.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import type { AssignedMonitor, AssignmentBody } from '@highwater/config/wire.ts';
import { testHouse } from '../testing/check.ts';
import { calmLoop, toldBy } from '../testing/rounds.ts';
import { faultError } from './fault.ts';
import { startRounds } from './rounds.ts';
import type { ControlReport } from './self.ts';

const seed = '00112233445566778899aabbccddeeff';
const hour = 3_600_000;
const ok: Reading = { outcome: 'ok', latencyTenths: 1, facts: {} };
/** Half an hour before `s/a/c` is due. */
const from = 500_000 * hour + phaseMs(seed, 's/a/c', 'p', hour, sha256) - hour / 2;

/** Rounds whose checks end when the test says so; `events` has what happened, in order. */
function roundsOf(ids: readonly string[]) {
  const seen: Observation[] = [];
  const runs: PromiseWithResolvers<Reading>[] = [];
  const controls: PromiseWithResolvers<readonly ControlReport[]>[] = [];
  const events: string[] = [];
  const time = { now: from };
  const run = () => {
    const one = Promise.withResolvers<Reading>();
    runs.push(one);
    events.push('run');
    return one.promise;
  };
  const rounds = startRounds({
    probe: 'p',
    table: toldBy(run),
    loop: { ...calmLoop, look: () => void events.push('look') },
    isClockSure: () => true,
    seen: (observation) => void seen.push(observation),
  });
  const assign = (now: readonly string[], url = 'http://192.0.2.1') => {
    const monitors = now.map((id): AssignedMonitor => ({
      id,
      kind: 'told',
      intervalMs: hour,
      timeoutMs: 60_000,
      recheckAfterMs: 10,
      fall: 2,
      settings: {},
      target: { url, headers: {}, allowPrivate: true },
    }));
    const ask = () => {
      const one = Promise.withResolvers<readonly ControlReport[]>();
      controls.push(one);
      return one.promise;
    };
    const house = { ...testHouse, now: () => time.now };
    rounds.assigned({ chains: [], monitors, seed } as unknown as AssignmentBody, house, { ask });
  };
  assign(ids);
  return { rounds, assign, seen, runs, controls, events, time };
}

it('what the old target of a changed monitor answers is told of nobody', async () => {
  const { rounds, assign, seen, runs } = roundsOf(['s/a/c']);
  rounds.look(['s/a/c']);
  assign(['s/a/c'], 'http://192.0.2.2');
  runs[0]?.resolve({ ...ok, latencyTenths: 7 });
  await expect
    .poll(() => {
      rounds.look(['s/a/c']);
      return runs.length;
    })
    .toBe(2);
  runs[1]?.resolve({ ...ok, latencyTenths: 8 });
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]?.latencyTenths).toBe(8);
  await rounds.drain(1_000);
});

it('what is taken away while it runs is not told, and leaves its place to the next', async () => {
  const { rounds, assign, seen, runs } = roundsOf(['s/a/c', 's/b/c', 's/d/c']);
  for (const id of ['s/a/c', 's/b/c', 's/d/c']) rounds.look([id]);
  expect(runs).toHaveLength(2);
  assign(['s/b/c', 's/d/c']);
  runs[0]?.resolve(ok);
  await expect.poll(() => runs.length).toBe(3);
  runs[1]?.resolve(ok);
  runs[2]?.resolve(ok);
  await expect.poll(() => seen.map(({ monitor }) => monitor)).toEqual(['s/b/c', 's/d/c']);
  await rounds.drain(1_000);
});

it('a place is free when its check has ended, though controls are still asked whose fault it was', async () => {
  const { rounds, seen, runs, controls } = roundsOf(['s/a/c', 's/b/c', 's/d/c']);
  for (const id of ['s/a/c', 's/b/c', 's/d/c']) rounds.look([id]);
  for (const run of runs.slice(0, 2)) run.reject(faultError('target.connect.timeout'));
  await expect.poll(() => runs.length).toBe(3);
  expect(controls).toHaveLength(2);
  expect(seen).toEqual([]);
  runs[2]?.resolve(ok);
  await expect.poll(() => seen.length).toBe(1);
  for (const control of controls) control.resolve([]);
  await expect.poll(() => seen.map(({ monitor }) => monitor)).toEqual(['s/d/c', 's/a/c', 's/b/c']);
  await rounds.drain(1_000);
});

it('a recheck that made room for the scheduled check is not told, whatever it answers', async () => {
  const { rounds, assign, seen, runs, time } = roundsOf(['s/a/c']);
  rounds.look(['s/a/c']);
  time.now += hour / 2;
  assign(['s/a/c']);
  await expect.poll(() => runs.length).toBe(2);
  runs[0]?.resolve(ok);
  runs[1]?.resolve(ok);
  await rounds.drain(1_000);
  expect(seen.map(({ recheck }) => recheck)).toEqual([false]);
});

it('the loop is looked at before anything begins', async () => {
  const { rounds, runs, events } = roundsOf(['s/a/c']);
  rounds.look(['s/a/c']);
  expect(events).toEqual(['look', 'run']);
  runs[0]?.resolve(ok);
  await rounds.drain(1_000);
});

it('the end of the program is not held up by a check that never ends, nor by controls that never answer', async () => {
  const { rounds, seen, runs, controls } = roundsOf(['s/a/c', 's/b/c']);
  for (const id of ['s/a/c', 's/b/c']) rounds.look([id]);
  runs[0]?.reject(faultError('target.connect.timeout'));
  await expect.poll(() => controls.length).toBe(1);
  await rounds.drain(10);
  expect(seen).toEqual([]);
});
