import { describe, expect, it } from 'vitest';
import {
  type Condition,
  conditionOfProbe,
  conditionOfRegion,
  type Conditions,
  kept,
  look,
  type ProbeSight,
  type RegionSight,
  UNWELL_AFTER_MS,
  WELL_AFTER_MS,
  wellSoFar,
} from './region.ts';

const start = 1_795_000_000_000;
const minute = 60_000;
const none = { count: 0, since: 0 };
const sight = (more: Partial<ProbeSight> = {}): ProbeSight => ({
  probe: 'eu-1',
  words: 10,
  offline: none,
  clockFaults: none,
  late: none,
  ...more,
});
const region = (downAlone: number, nodes: number): RegionSight => ({ region: 'eu', nodes, downAlone });

/** What is told of the one region after it has looked the same for two minutes. */
function toldOf(probes: readonly ProbeSight[], regions: readonly RegionSight[] = []): Condition | undefined {
  let conditions = wellSoFar;
  for (let at = start; at <= start + 2 * minute; at += 5_000)
    conditions = look(conditions, { probes, regions }, at);
  return conditionOfRegion(
    conditions,
    'eu',
    probes.map(({ probe }) => probe),
  );
}
const some = (count: number) => ({ count, since: start - 4_000 });
const clock = (boundMs: number, closedAgoMs = 2_000, at = start) => ({
  at,
  boundMs,
  closedAt: at - closedAgoMs,
});

describe('a region with one probe is', () => {
  it.each<[string, Partial<ProbeSight>, Condition['state'] | 'well']>([
    ['well when all answers count', {}, 'well'],
    ['well before the first word', { words: 0 }, 'well'],
    ['silent', { silentSince: start }, 'silent'],
    ['silent first of all', { silentSince: start, clock: clock(9_000), offline: some(10) }, 'silent'],
    ['offline when most answers say so', { offline: some(6) }, 'offline'],
    [
      'offline when half of them do: the others are on loopback, or of the other family',
      { offline: some(5) },
      'offline',
    ],
    ['late when most checks were missed or ran across a stop', { late: some(6) }, 'late'],
    ['off by the clock of its lines', { clockFaults: some(6) }, 'clock'],
    ['off by the clock bound of its batches', { clock: clock(2_001) }, 'clock'],
    ['well within what the rule takes', { clock: clock(2_000) }, 'well'],
    ['off with a clock that is never compared', { clock: clock(-1) }, 'clock'],
    ['well though an old batch, long spooled, was not compared', { clock: clock(-1, 4 * minute) }, 'well'],
    ['off with a batch that was refused as an hour ahead', { clock: clock(3, -60 * minute) }, 'clock'],
    ['well with a batch of the minute that runs', { clock: clock(3, -60_000) }, 'well'],
    [
      'well when what was wrong was told ten minutes ago',
      { clock: clock(9_000, 0, start - 10 * minute) },
      'well',
    ],
    ['offline and not late when it is both', { offline: some(6), late: some(4) }, 'offline'],
  ])('%s', (_, seen, state) => {
    expect(toldOf([sight(seen)])?.state ?? 'well').toBe(state);
  });
});

it('whose controls fail says how many checks do not count, while the others do', () => {
  const because = (count: number) => toldOf([sight({ offline: some(count) })])?.because;
  expect(because(1)).toBe('the controls of its probe fail; 1 of 10 checks does not count');
  expect(because(5)).toBe('the controls of its probe fail; 5 of 10 checks do not count');
  expect(because(6)).toBe('its probe is offline; its answers do not count');
  const both = [sight({ offline: some(1) }), sight({ probe: 'eu-2', offline: some(9) })];
  expect(toldOf(both)?.because).toBe('its probes are not well; some of their answers do not count');
});

describe('a region that is apart', () => {
  it.each([
    [1, 1, false],
    [2, 2, true],
    [2, 3, true],
    [1, 2, false],
    [2, 4, false],
    [0, 3, false],
    [0, 0, false],
  ])('sees %i of %i nodes down alone: %o', (downAlone, nodes, isApart) => {
    const told = toldOf([sight()], [region(downAlone, nodes)]);
    expect(told?.state).toBe(isApart ? 'apart' : undefined);
  });

  it('says how many, with the newest count, since it began', () => {
    let conditions = look(wellSoFar, { probes: [sight()], regions: [region(2, 3)] }, start);
    conditions = look(conditions, { probes: [sight()], regions: [region(2, 3)] }, start + UNWELL_AFTER_MS);
    conditions = look(conditions, { probes: [sight()], regions: [region(3, 3)] }, start + minute);
    expect(conditionOfRegion(conditions, 'eu', ['eu-1'])).toEqual({
      state: 'apart',
      since: start,
      because: 'it sees 3 of 3 nodes as down that the other regions see up',
    });
  });
});

it('of two probes one that is well is enough', () => {
  const bad = sight({ offline: some(10) });
  expect(toldOf([bad, sight({ probe: 'eu-2' })])).toBeUndefined();
  const told = toldOf([bad, sight({ probe: 'eu-2', late: { count: 9, since: start + 1_000 } })]);
  expect(told).toEqual({
    state: 'late',
    since: start + 1_000,
    because: 'its probes are late, stopped or too busy; what was missed does not count',
  });
});

describe('in time', () => {
  const at = (conditions: Conditions, seen: Partial<ProbeSight>, now: number) =>
    look(conditions, { probes: [sight(seen)], regions: [] }, now);
  const state = (conditions: Conditions) => conditionOfProbe(conditions, 'eu-1')?.state;
  const offline = { offline: some(9) };

  it('a trouble is told once it lasts, dated from its first word; that it is over, after a minute', () => {
    let conditions = at(wellSoFar, offline, start);
    expect(state(conditions)).toBeUndefined();
    conditions = at(conditions, offline, start + UNWELL_AFTER_MS - 1);
    expect(state(conditions)).toBeUndefined();
    conditions = at(conditions, offline, start + UNWELL_AFTER_MS);
    expect(conditionOfProbe(conditions, 'eu-1')).toMatchObject({ state: 'offline', since: start - 4_000 });
    const wellAt = start + 5 * minute;
    conditions = at(conditions, {}, wellAt);
    conditions = at(conditions, {}, wellAt + WELL_AFTER_MS - 1);
    expect(state(conditions)).toBe('offline');
    conditions = at(conditions, {}, wellAt + WELL_AFTER_MS);
    expect(state(conditions)).toBeUndefined();
  });

  it('what comes and goes faster than that is not told, in either direction', () => {
    let conditions = wellSoFar;
    for (let now = start; now < start + 10 * minute; now += 10_000) {
      conditions = at(conditions, (now / 10_000) % 2 === 0 ? offline : {}, now);
      expect(state(conditions)).toBeUndefined();
    }
    conditions = at(at(conditions, offline, start), offline, start + UNWELL_AFTER_MS);
    for (let now = start + minute; now < start + 10 * minute; now += 10_000) {
      conditions = at(conditions, (now / 10_000) % 2 === 0 ? offline : {}, now);
      expect(state(conditions)).toBe('offline');
    }
  });

  it('silence is told at once, as it has waited already, and is over with the first word', () => {
    let conditions = at(wellSoFar, { silentSince: start - 120_000 }, start);
    expect(conditionOfProbe(conditions, 'eu-1')).toMatchObject({ state: 'silent', since: start - 120_000 });
    conditions = at(conditions, {}, start + 5_000);
    expect(state(conditions)).toBeUndefined();
  });

  it('a probe that was stopped is silent, then late, then well', () => {
    let conditions = at(wellSoFar, { silentSince: start }, start + 120_000);
    const late = { late: { count: 10, since: start + 300_000 } };
    const told: (string | undefined)[] = [];
    for (let now = start + 300_000; now < start + 500_000; now += 5_000) {
      conditions = at(conditions, now < start + 340_000 ? late : {}, now);
      if (told.at(-1) !== state(conditions)) told.push(state(conditions));
    }
    expect(told).toEqual(['silent', 'late', undefined]);
  });

  it('a restart keeps what was told and its time, and forgets probes that are gone', () => {
    let conditions = at(at(wellSoFar, offline, start), offline, start + UNWELL_AFTER_MS);
    conditions = JSON.parse(JSON.stringify(kept(conditions))) as Conditions;
    conditions = at(conditions, offline, start + minute);
    expect(conditionOfProbe(conditions, 'eu-1')).toMatchObject({ state: 'offline', since: start - 4_000 });
    expect(look(conditions, { probes: [], regions: [] }, start)).toEqual({});
  });
});
