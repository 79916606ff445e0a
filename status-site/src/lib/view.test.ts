import { describe, expect, test } from 'vitest';
import {
  allUp,
  anIncident,
  aResolved,
  aService,
  aSnapshot,
  everyStatus,
  firstMinute,
  goodUptime,
  morning,
  oneDown,
  staleData,
  unwellRegions,
  without,
  chainTrouble,
} from '../../../test/fixtures/snapshots.ts';
import { freshness, type Frame } from './frame.ts';
import {
  groupViews,
  incidentView,
  lagText,
  list,
  months,
  overall,
  overview,
  regionViews,
  uptimeView,
} from './view.ts';

const now = morning;
const frame = (snapshot: Frame['snapshot'], over: Partial<Frame> = {}): Frame => ({
  now,
  ...(snapshot ? { snapshot, receivedAt: now } : {}),
  ...over,
});
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
const tones = (of: Frame) =>
  groupViews(of).flatMap((group) => group.services.map((service) => service.mark.tone));

describe('freshness', () => {
  test('the newest observation counts, not the snapshot', () => {
    const snapshot = aSnapshot(now, { generatedAt: now, observedAt: now - 120_001 });
    expect(freshness(frame(snapshot))).toEqual({ kind: 'stale', since: now - 120_001, ageMs: 120_001 });
    expect(freshness(frame(aSnapshot(now, { observedAt: now - 120_000 }))).kind).toBe('fresh');
  });

  test('a collector whose clock runs ahead does not keep old data fresh', () => {
    const ahead = aSnapshot(now, { generatedAt: now + 600_000, observedAt: now + 599_000 });
    expect(freshness(frame(ahead, { receivedAt: now - 60_000 })).kind).toBe('fresh');
    expect(freshness(frame(ahead, { receivedAt: now - 130_000 })).kind).toBe('stale');
  });

  test('before the first observation it waits, unless the collector has gone', () => {
    expect(freshness(frame(firstMinute(now)))).toEqual({ kind: 'waiting', since: now - 20_000 });
    const unheard = without(aSnapshot(now, { generatedAt: now - 300_000 }), 'observedAt');
    expect(freshness(frame(unheard)).kind).toBe('stale');
  });

  test('without a snapshot there is no data', () => {
    expect(freshness({ now })).toEqual({ kind: 'none' });
  });
});

describe('the sentence at the top', () => {
  test.each([
    ['all up', allUp(now), 'up', 'All systems operational', ''],
    [
      'one down',
      oneDown(now),
      'down',
      'Outage: Polkadot RPC',
      '3 of 4 services operational, 1 open incident',
    ],
    [
      'first minute',
      firstMinute(now),
      'unknown',
      'Waiting for the first answers',
      'Watching began 20 s ago; no probe has reported yet.',
    ],
    [
      'nothing watched',
      aSnapshot(now, { services: [] }),
      'unknown',
      'Nothing is watched yet',
      'No service is public.',
    ],
  ] as const)('%s', (_, snapshot, tone, sentence, details) => {
    const top = overall(frame(snapshot));
    expect({ tone: top.mark.tone, sentence: top.sentence, details: plain(top.details) }).toEqual({
      tone,
      sentence,
      details,
    });
  });

  test.each([
    ['up', 'All systems operational'],
    ['degraded', 'Degraded performance: Service degraded'],
    ['partial', 'Partial outage: Service partial'],
    ['down', 'Outage: Service down'],
    ['maintenance', 'Maintenance: Service maintenance'],
    ['unknown', 'No current data for Service unknown'],
  ])('with one service %s beside one that is up', (id, sentence) => {
    const services = everyStatus(now).services.filter((service) => service.id === id || service.id === 'up');
    expect(overall(frame(aSnapshot(now, { services }))).sentence).toBe(sentence);
  });

  test('when nobody can tell of any, it does not read as if all were down', () => {
    const services = everyStatus(now).services.filter((service) => service.id === 'unknown');
    expect(overall(frame(aSnapshot(now, { services })))).toMatchObject({
      sentence: 'No current data',
      details: 'Nobody can tell whether they are up; each service below says why.',
    });
  });

  test('an open incident is told even if all services are operational', () => {
    const snapshot = { ...allUp(now), incidents: [anIncident(now, { impact: 'minor' })] };
    expect(overall(frame(snapshot)).details).toBe('1 open incident');
  });

  test('many names are cut short', () => {
    expect(list(['A'])).toBe('A');
    expect(list(['A', 'B', 'C'])).toBe('A, B and C');
    expect(list(['A', 'B', 'C', 'D', 'E'])).toBe('A, B and 3 more');
  });
});

describe('stale data', () => {
  const stale = frame(staleData(now), { lostAt: now - 16 * 60_000 });

  test('is never green, and says how old it is and why', () => {
    expect(new Set(tones(stale))).toEqual(new Set(['unknown']));
    expect(
      groupViews(stale).flatMap((group) =>
        group.services.flatMap((service) => service.nodes.map((node) => node.mark.tone)),
      ),
    ).not.toContain('up');
    const top = overall(stale);
    expect(top.mark.tone).toBe('unknown');
    expect(plain(top.sentence)).toBe('No current data since 21 Nov 2026, 05:57 UTC');
    expect(plain(top.details)).toContain(
      'The collector has not answered for 16 min. What is shown below is 17 min old',
    );
  });

  test('keeps the last word apart', () => {
    expect(groupViews(stale)[0]?.services[0]?.because).toBe('Last known: operational.');
  });

  test('a silent collector with fresh enough data changes nothing yet', () => {
    expect(overall(frame(allUp(now), { lostAt: now - 10_000 })).sentence).toBe('All systems operational');
  });
});

test('without any snapshot the page says so and names the silent collector', () => {
  expect(overview({ now, lostAt: now - 5_000 })).toMatchObject({
    overall: { sentence: 'No data yet', details: expect.stringContaining('has not answered for 5') },
    open: [],
    groups: [],
  });
});

test('services without a group come first, groups in the order of their first service', () => {
  expect(groupViews(frame(allUp(now))).map((group) => [group.name, group.services.length])).toEqual([
    ['', 1],
    ['Ethereum', 2],
    ['Polkadot', 1],
  ]);
});

test('every component has its own tone and word', () => {
  const views = groupViews(frame(everyStatus(now))).flatMap((group) => group.services);
  expect(views.map((view) => [view.mark.tone, view.mark.word])).toEqual([
    ['up', 'Operational'],
    ['degraded', 'Degraded performance'],
    ['partial', 'Partial outage'],
    ['down', 'Major outage'],
    ['maintenance', 'Under maintenance'],
    ['unknown', 'No current data'],
  ]);
});

test.each([
  [
    goodUptime,
    {
      figure: '99.9871 %',
      details: '99.9412 % of minutes known; between 99.9283 % and 99.9871 %',
      incomplete: false,
    },
  ],
  [
    { figure: '100.0000 %', coverage: '100.0000 %', incomplete: false },
    { figure: '100.0000 %', details: '100.0000 % of minutes known', incomplete: false },
  ],
  [
    { coverage: '71.0000 %', atLeast: '70.0000 %', atMost: '99.0000 %', incomplete: true },
    { figure: 'between 70.0000 % and 99.0000 %', details: '71.0000 % of minutes known', incomplete: true },
  ],
  [
    { coverage: '0.0000 %', atLeast: '0.0000 %', atMost: '100.0000 %', incomplete: true },
    { figure: 'no figure yet', details: '0.0000 % of minutes known', incomplete: false },
  ],
  [{ incomplete: true }, { figure: 'no figure yet', details: '', incomplete: false }],
])('uptime %j', (uptime, view) => {
  expect(uptimeView(uptime)).toEqual(view);
});

test.each([
  [undefined, ''],
  [0, ''],
  [1, '1 block behind'],
  [-1_200, '1 200 blocks ahead'],
])('a lag of %s reads "%s"', (lag, text) => {
  expect(plain(lagText(lag === undefined ? {} : { lagBlocks: lag }))).toBe(text);
});

test.each([
  [{ lagBlocks: 2, lagMs: 24_000 }, '2 blocks (24 s) behind'],
  [{ lagBlocks: -1, lagMs: -12_000 }, '1 block (12 s) ahead'],
  [{ lagBlocks: 1, lagMs: 400 }, '1 block behind'],
  [{ lagBlocks: 0, lagMs: 3_000 }, ''],
])('the lag %j reads "%s"', (lag, text) => {
  expect(plain(lagText(lag))).toBe(text);
});

test('a chain in trouble is told in words, at the top and on the cards of its services; not on stale data', () => {
  const snapshot = chainTrouble(now);
  const { overall, groups } = overview({ now, snapshot });
  const said = groups.flatMap((group) => group.services.flatMap((one) => one.chainTrouble ?? []));
  expect(said).toEqual([
    {
      mark: { tone: 'down', word: 'The chain bitshares stands still' },
      because: '4 of 5 heads are older than 1 min',
    },
    {
      mark: { tone: 'degraded', word: 'The chain ethereum is forked' },
      because: '1 node with another block than others at one height',
    },
  ]);
  expect(overall.details).toContain('the chain bitshares stands still, the chain ethereum is forked');
  const later = overview({ now: now + 3_600_000, snapshot });
  expect(JSON.stringify(later)).not.toMatch(/stands still|is forked/);
  expect(JSON.stringify(overview({ now, snapshot: aSnapshot(now) }))).not.toMatch(/The chain/);
});

test('a region is silent when it was heard longer ago than data may be', () => {
  const regions = [
    { id: 'a', name: 'A', probes: 1, heardAt: now - 120_000, state: 'well' as const },
    { id: 'b', name: 'B', probes: 1, heardAt: now - 120_001, state: 'well' as const },
    { id: 'c', name: 'C', probes: 1, state: 'well' as const },
  ];
  expect(regionViews(frame(aSnapshot(now, { regions }))).map((region) => region.silent)).toEqual([
    false,
    true,
    false,
  ]);
});

test('a region that is unwell is said to be so while the data is fresh, and not on data that may be over', () => {
  const fresh = frame(unwellRegions(now));
  const words = (of: Frame) => regionViews(of).map(({ unwell }) => unwell?.mark.word);
  expect(words(fresh)).toEqual(['Controls fail', undefined, 'Sees it otherwise']);
  expect(words({ ...fresh, lostAt: now - 1_000 })).toEqual([undefined, undefined, undefined]);
  expect(words({ ...fresh, now: now + 600_000 })).toEqual([undefined, undefined, undefined]);
});

test('no region falls silent because the collector did; who is heard now is not known', () => {
  const regions = [{ id: 'a', name: 'A', probes: 1, heardAt: now - 600_000, state: 'well' as const }];
  const lost = { ...frame(aSnapshot(now, { regions })), lostAt: now - 599_000 };
  expect(regionViews(lost)).toEqual([expect.objectContaining({ silent: false, unsure: true })]);
});

describe('incidents', () => {
  test('an open one has no length, its updates are newest first', () => {
    const view = incidentView(anIncident(now), frame(oneDown(now)));
    expect(view).toMatchObject({
      open: true,
      length: '',
      phase: 'Investigating',
      services: [{ id: 'polkadot-rpc', name: 'Polkadot RPC' }],
    });
    expect(view.updates.map((update) => update.id)).toEqual(['u2', 'u1']);
    expect(view.latest?.id).toBe('u2');
  });

  test('a resolved one says how long it took', () => {
    const view = incidentView(aResolved(now, 'x', 2), frame(allUp(now)));
    expect(plain(view.length)).toBe(', resolved after 27 min');
    expect(view.open).toBe(false);
  });

  test('a service that is no longer watched leads nowhere', () => {
    const snapshot = aSnapshot(now, { services: [aService(now)] });
    expect(incidentView(anIncident(now), frame(snapshot)).services).toEqual([]);
  });

  test('history goes by the month in which they began', () => {
    expect(months(frame(allUp(now))).map((month) => [month.name, month.incidents.length])).toEqual([
      ['November 2026', 2],
      ['October 2026', 1],
    ]);
  });
});
