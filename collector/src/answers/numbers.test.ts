/** The numbers must be what counting every minute by hand gives, over any stretch of days and months. */
import { countSlots, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { minutesOfDays, monthOfDay, parseDay } from '@highwater/config/proof/rule/period.ts';
import type { MinuteRange } from '@highwater/config/proof/rule/evaluate.ts';
import { publicNumbers, type PublicPeriod, uptimeAnswer } from '@highwater/config/public-detail.ts';
import { type Clock, dayOfMinute, MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotOfByte } from '../slots/byte.ts';
import { type DayPlane, encodeDay, totalsOfPlane } from '../slots/day.ts';
import { encodeMonth } from '../slots/month.ts';
import { CLOSE_AFTER_MS, lastClosed } from '../slots/slots.ts';
import type { View } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { watch } from '../watched.ts';
import { type BlockReader, openLedger } from './ledger.ts';
import { numbersOf, subjectsOf } from './numbers.ts';
import { isRegionOf, uptimeOf } from './uptime.ts';

/** By subject, plane and day. */
type Facts = Map<string, Map<string, Map<number, DayPlane>>>;

const today = parseDay('2026-11-21') ?? 0;
/** 06:14 is the last closed minute. */
const last = today * MINUTES_PER_DAY + 374;
const clock: Clock = { now: () => (last + 1) * MINUTE_MS + CLOSE_AFTER_MS, monotonic: () => 0 };

const house = testHouse();
const services = house.config.services.map((service) =>
  service.id === 'rpc' ? { ...service, objectiveMillionths: 999_000 } : service,
);
const watched = watch({ ...house.config, services });
const [rpc, web] = services;
if (rpc === undefined || web === undefined) throw new Error('the test house has two services');

/** A repeatable plane: mostly `byte`, with runs of others where the seed says, nothing after the last closed minute. */
function plane(day: number, seed: number): DayPlane {
  const [slots, requests, succeeded] = [
    new Uint8Array(MINUTES_PER_DAY),
    new Uint32Array(MINUTES_PER_DAY),
    new Uint32Array(MINUTES_PER_DAY),
  ];
  // Up, degraded, down, unknown by each cause, in maintenance, stalled, not configured.
  const bytes = [1, 5, 2, 3, 35, 67, 99, 9, 10, 11, 17, 18, 0];
  for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
    if (day * MINUTES_PER_DAY + minute > last) break;
    const drawn = Math.imul(seed + day * 31 + Math.floor(minute / 7), 2_654_435_761) >>> 0;
    slots[minute] = drawn % 3 === 0 ? (bytes[(drawn >>> 8) % bytes.length] ?? 1) : 1;
    requests[minute] = slots[minute] === 0 ? 0 : drawn % 5;
    succeeded[minute] = Math.min(requests[minute] ?? 0, drawn % 4);
  }
  return { slots, requests, succeeded };
}

function readerOf(facts: Facts): BlockReader {
  return {
    shardsOf: async () => ['chain:devnet'],
    closed: async () => undefined,
    async blocks(_shard, view: View, from, to, subject = '') {
      const planes = facts.get(subject) ?? new Map<string, Map<number, DayPlane>>();
      const days = [...new Set([...planes.values()].flatMap((own) => [...own.keys()]))].sort((a, b) => a - b);
      const of = (day: number) =>
        new Map(
          [...planes].flatMap(([name, own]) => (own.has(day) ? [[name, own.get(day) as DayPlane]] : [])),
        );
      if (view === 'slots') {
        const own = days.filter((day) => from <= day && day <= to);
        return own.map((period) => ({ period, subject, block: encodeDay(of(period)) }));
      }
      const months = Map.groupBy(days, monthOfDay);
      return [...months].flatMap(([period, own]) => {
        const totals = new Map(
          own.map((day) => [
            day,
            new Map([...of(day)].map(([name, each]): [string, RuleTotals] => [name, totalsOfPlane(each)])),
          ]),
        );
        return from <= period && period <= to ? [{ period, subject, block: encodeMonth(totals) }] : [];
      });
    },
  };
}

/** What the rule counts in a stretch, minute by minute. */
function byHand(
  planes: ReadonlyMap<number, DayPlane> | undefined,
  { first, last: end }: MinuteRange,
): RuleTotals {
  const minutes = Array.from({ length: end - first + 1 }, (_, i) => first + i);
  const at = (minute: number) => planes?.get(dayOfMinute(minute));
  const slots = minutes.map((minute) => slotOfByte(at(minute)?.slots[minute % MINUTES_PER_DAY] ?? 0));
  return countSlots(slots, (i) => {
    const minute = first + i;
    return {
      requests: at(minute)?.requests[minute % MINUTES_PER_DAY] ?? 0,
      succeeded: at(minute)?.succeeded[minute % MINUTES_PER_DAY] ?? 0,
    };
  });
}

function factsOf(subjects: readonly string[], planes: readonly string[], days: number, seed: number): Facts {
  return new Map(
    subjects.map((subject, i) => [
      subject,
      new Map(
        planes.map((name, j) => [
          name,
          new Map(
            Array.from({ length: days }, (_, k) => [today - k, plane(today - k, seed + i * 97 + j * 13)]),
          ),
        ]),
      ),
    ]),
  );
}

const subjects = subjectsOf(rpc, watched.config.monitors);
const partsOf = (facts: Facts) => ({ watched, clock, ledger: openLedger(readerOf(facts)) });

describe('the numbers of a service', () => {
  it('are of the service, its nodes and their checks, as the regions agreed and as each saw it', async () => {
    expect(lastClosed(clock.now())).toBe(last);
    const facts = factsOf(subjects, ['', 'eu', 'gone'], 3, 1);
    const numbers = publicNumbers.parse(await numbersOf(partsOf(facts), rpc));
    expect(numbers.subjects.map(({ subject, region = '' }) => `${subject} ${region}`.trim())).toEqual(
      ['rpc', 'rpc eu', 'rpc/a', 'rpc/a eu', 'rpc/a/head', 'rpc/a/jsonrpc', 'rpc/b', 'rpc/b eu', 'rpc/b/head', 'rpc/b/jsonrpc'], // prettier-ignore
    );
    const all = ['24h', '7d', '30d', '90d', '2026-11', '2026-10'];
    for (const { subject, region, periods } of numbers.subjects) {
      const isCompared = subject.split('/').length === 3 || (subject.includes('/') && region !== undefined);
      expect(periods.map(({ period }) => period)).toEqual(isCompared ? ['30d'] : all);
    }
  });

  it('are what counting each minute by hand gives, in every period', async () => {
    const facts = factsOf(['rpc', 'rpc/a/head'], ['', 'us'], 100, 7);
    const { subjects: told } = await numbersOf(partsOf(facts), rpc);
    const seen = told.filter(({ subject }) => facts.has(subject));
    expect(seen).toHaveLength(3);
    for (const { subject, region = '', periods } of seen) {
      for (const period of periods) {
        const { firstMinute: first, lastMinute } = period;
        const hand = byHand(facts.get(subject)?.get(region), { first, last: lastMinute });
        expect([period.period, countsIn(period)]).toEqual([period.period, countsOf(hand)]);
        expect(period.uptime).toEqual(printedUptime(hand));
      }
    }
    const span = (i: number) => [told[0]?.periods[i]?.firstMinute, told[0]?.periods[i]?.lastMinute];
    expect(span(0)).toEqual([last - 1_439, last]);
    expect(span(1)).toEqual([(today - 6) * MINUTES_PER_DAY, last]);
    expect(span(5)).toEqual(Object.values(minutesOfDays({ first: today - 51, last: today - 21 })));
  });

  it('that were asked for before are those of who asks for the first time, whichever day changed meanwhile', async () => {
    const facts = factsOf(['rpc'], ['', 'eu'], 95, 5);
    const parts = partsOf(facts);
    await numbersOf(parts, rpc);
    for (const [region, ago] of [
      ['', 0],
      ['', 1],
      ['eu', 0],
      ['eu', 20],
      ['', 21],
      ['', 40],
      ['', 89],
    ] as const) {
      const before = JSON.stringify(await numbersOf(parts, rpc));
      facts
        .get('rpc')
        ?.get(region)
        ?.set(today - ago, plane(today - ago, 1_000 + ago));
      const [kept, fresh] = [await numbersOf(parts, rpc), await numbersOf(partsOf(facts), rpc)];
      expect(kept).toEqual(fresh);
      expect(JSON.stringify(kept)).not.toBe(before);
    }
    facts.get('rpc')?.set('us', new Map([[today, plane(today, 3)]]));
    facts.get('rpc')?.get('eu')?.delete(today);
    expect(await numbersOf(parts, rpc)).toEqual(await numbersOf(partsOf(facts), rpc));
  });

  it('go over midnight and over the end of a month with nothing kept of the day before', async () => {
    const facts = factsOf(['rpc'], [''], 60, 9);
    const start = parseDay('2026-11-01') ?? 0;
    let at = (start - 1) * MINUTES_PER_DAY + 1_439;
    const moving: Clock = { now: () => (at + 1) * MINUTE_MS + CLOSE_AFTER_MS, monotonic: () => 0 };
    const parts = { ...partsOf(facts), clock: moving };
    for (const step of [0, 1, 1, 1_438, 1, 1_440]) {
      at += step;
      const fresh = { ...partsOf(facts), clock: moving };
      expect(await numbersOf(parts, rpc)).toEqual(await numbersOf(fresh, rpc));
    }
  });

  it('tell the budget of 30 days and how fast it goes; none without an objective', async () => {
    const facts = factsOf(['rpc', 'web'], [''], 40, 3);
    const { budget } = await numbersOf(partsOf(facts), rpc);
    const own = facts.get('rpc')?.get('');
    const month = byHand(own, { first: (today - 29) * MINUTES_PER_DAY, last });
    const allowed = Math.floor((month.up + month.down) / 1_000);
    expect(budget).toMatchObject({
      objective: '99.9 %',
      period: '30d',
      allowedMinutes: allowed,
      spentMinutes: month.down,
      leftMinutes: allowed - month.down,
    });
    const hour = byHand(own, { first: last - 59, last });
    const rate = Math.ceil((hour.down * 1_000_000 * 100) / (hour.up + hour.down) / 1_000) / 100;
    expect(budget?.burn.map(({ window }) => window)).toEqual(['1h', '6h', '1d', '3d']);
    expect(Number(budget?.burn[0]?.rate)).toBe(rate);
    expect(await numbersOf(partsOf(facts), web)).not.toHaveProperty('budget');
  });

  it('of a service that was never seen are zeros without a figure, and nothing burns', async () => {
    const { subjects: told, budget } = await numbersOf(partsOf(new Map()), rpc);
    expect(told).toHaveLength(subjects.length);
    expect(told[0]?.periods[0]).toMatchObject({ uptime: { incomplete: false }, requests: 0 });
    expect(told[0]?.periods[0]).not.toHaveProperty('share');
    expect(budget?.burn).toContainEqual({ window: '1h', none: 'no-data' });
  });
});

function countsIn(period: Pick<PublicPeriod, 'totals' | 'unknown' | 'requests' | 'succeeded'>): unknown {
  const { totals, unknown, requests, succeeded } = period;
  return { totals, unknown, requests, succeeded };
}

function countsOf(hand: RuleTotals): unknown {
  const { up, down, unknown, maintenance, stalled, degraded, requests, succeeded } = hand;
  const causes = {
    noData: hand.unknownNoData,
    split: hand.unknownSplit,
    probe: hand.unknownProbe,
    clock: hand.unknownClock,
  };
  return {
    totals: { up, down, unknown, maintenance, stalled, degraded },
    unknown: causes,
    requests,
    succeeded,
  };
}

describe('the uptime of a range', () => {
  const facts = factsOf(['rpc'], ['', 'eu'], 70, 11);
  const parts = partsOf(facts);

  it('is the sum of its days, whichever they are, and that of the minutes by hand', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(75), fc.nat(75), fc.constantFrom(undefined, 'eu'), async (a, b, region) => {
        const range = { first: today - Math.max(a, b), last: today - Math.min(a, b) };
        const answer = uptimeAnswer.parse(
          await uptimeOf(parts, { subject: 'rpc', range, ...(region === undefined ? {} : { region }) }),
        );
        const hand = byHand(facts.get('rpc')?.get(region ?? ''), minutesOfDays(range));
        expect(countsIn(answer)).toEqual(countsOf(hand));
        expect(answer.days.reduce((sum, day) => sum + day.totals.down, 0)).toBe(answer.totals.down);
        expect(answer.days.map(({ date }) => date)).toEqual(answer.days.map(({ date }) => date).sort());
        expect(answer.budget?.spentMinutes).toBe(region === undefined ? hand.down : undefined);
      }),
      { numRuns: 60 },
    );
  });

  it('of 24h is that of the last closed minutes, and has no days', async () => {
    const answer = await uptimeOf(parts, { subject: 'rpc', range: { period: '24h' } });
    const hand = byHand(facts.get('rpc')?.get(''), { first: last - 1_439, last });
    expect(answer && countsIn(answer)).toEqual(countsOf(hand));
    expect(answer).toMatchObject({ period: '24h', days: [], firstMinute: last - 1_439, lastMinute: last });
  });

  it.each(['gone', 'gone/a', 'rpc/old', 'rpc/a/old'])(
    'of %s, which was taken out of the configuration, is still told, without a budget',
    async (subject) => {
      const former = factsOf([subject], ['', 'eu'], 40, 17);
      const answer = await uptimeOf(partsOf(former), { subject, range: { period: '2026-10' } });
      const hand = byHand(
        former.get(subject)?.get(''),
        minutesOfDays({ first: today - 51, last: today - 21 }),
      );
      expect(answer && countsIn(answer)).toEqual(countsOf(hand));
      expect(hand.up).toBeGreaterThan(0);
      expect(answer).not.toHaveProperty('budget');
    },
  );

  it('is that of a region which is gone, and of none that never was', async () => {
    const moved = partsOf(factsOf(['rpc'], ['', 'mars'], 40, 23));
    expect(moved.watched.config.regions.map(({ id }) => id)).not.toContain('mars');
    const regions = ['eu', 'mars', 'venus', ''].map((region) => isRegionOf(moved, 'rpc', region));
    expect(await Promise.all(regions)).toEqual([true, true, false, false]);
    expect(await isRegionOf(moved, 'rpc/a', 'mars')).toBe(false);
    const answer = await uptimeOf(moved, { subject: 'rpc', region: 'mars', range: { period: '30d' } });
    expect(answer?.totals.up).toBeGreaterThan(0);
  });

  it.each(['', 'rpc/', 'rpc/c', 'rpc/a/none', 'rpc/a/head/x', 'nobody', 'chain.devnet/x/head'])(
    'of %j there is none',
    async (subject) => {
      expect(await uptimeOf(parts, { subject, range: { period: '7d' } })).toBeUndefined();
    },
  );
});
