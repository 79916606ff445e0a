import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  allUp,
  anIncident,
  aResolved,
  aService,
  aSnapshot,
  everyStatus,
  firstMinute,
  morning,
  oneDown,
  staleData,
  underMaintenance,
  without,
} from '../../../test/fixtures/snapshots.ts';
import type { Frame } from './frame.ts';
import { opaqueId, statuspageAnswers } from './statuspage.ts';

const now = morning;
const frame = (snapshot: Frame['snapshot']): Frame => ({
  now,
  ...(snapshot ? { snapshot, receivedAt: now } : {}),
});
const answer = (name: string, of: Frame) => (statuspageAnswers[name] as (frame: Frame) => object)(of);

/** The shapes that readers of Statuspage's API v2 rely on; a key more or less is a failure. */
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const page = z.strictObject({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  time_zone: z.literal('Etc/UTC'),
  updated_at: time,
});
const status = z.strictObject({
  indicator: z.enum(['none', 'minor', 'major', 'critical', 'maintenance']),
  description: z.string().min(1),
});
const component = z.strictObject({
  id: z.string().min(1),
  name: z.string(),
  status: z.enum([
    'operational',
    'degraded_performance',
    'partial_outage',
    'major_outage',
    'under_maintenance',
  ]),
  created_at: time,
  updated_at: time,
  position: z.int().min(1),
  description: z.string().nullable(),
  showcase: z.boolean(),
  start_date: z.null(),
  group_id: z.string().nullable(),
  page_id: z.string(),
  group: z.boolean(),
  only_show_if_degraded: z.boolean(),
  components: z.array(z.string()).optional(),
});
const update = z.strictObject({
  id: z.string(),
  status: z.enum(['investigating', 'identified', 'monitoring', 'resolved']),
  body: z.string(),
  incident_id: z.string(),
  created_at: time,
  updated_at: time,
  display_at: time,
  affected_components: z.null(),
  deliver_notifications: z.boolean(),
  custom_tweet: z.null(),
  tweet_id: z.null(),
});
const incident = z.strictObject({
  id: z.string(),
  name: z.string(),
  status: z.enum(['investigating', 'identified', 'monitoring', 'resolved', 'postmortem']),
  created_at: time,
  updated_at: time,
  monitoring_at: time.nullable(),
  resolved_at: time.nullable(),
  impact: z.enum(['none', 'minor', 'major', 'critical']),
  shortlink: z.string(),
  started_at: time,
  page_id: z.string(),
  incident_updates: z.array(update),
  components: z.array(component),
});
const maintenance = z.strictObject({
  ...incident.shape,
  status: z.enum(['scheduled', 'in_progress', 'verifying', 'completed']),
  impact: z.literal('maintenance'),
  incident_updates: z
    .array(
      z.strictObject({
        ...update.shape,
        status: z.enum(['scheduled', 'in_progress', 'verifying', 'completed']),
      }),
    )
    .min(1),
  scheduled_for: time,
  scheduled_until: time,
});
const maintenances = z.array(maintenance);
const shapes: Record<string, z.ZodType> = {
  summary: z.strictObject({
    page,
    components: z.array(component),
    incidents: z.array(incident),
    scheduled_maintenances: maintenances,
    status,
  }),
  status: z.strictObject({ page, status }),
  components: z.strictObject({ page, components: z.array(component) }),
  incidents: z.strictObject({ page, incidents: z.array(incident) }),
  'incidents/unresolved': z.strictObject({ page, incidents: z.array(incident) }),
  'scheduled-maintenances': z.strictObject({ page, scheduled_maintenances: maintenances }),
  'scheduled-maintenances/upcoming': z.strictObject({ page, scheduled_maintenances: maintenances }),
  'scheduled-maintenances/active': z.strictObject({ page, scheduled_maintenances: maintenances }),
};

const worlds = {
  'all up': allUp(now),
  'one down': oneDown(now),
  'every status': everyStatus(now),
  'first minute': firstMinute(now),
  stale: staleData(now),
  'under maintenance': underMaintenance(now),
  'nothing watched': aSnapshot(now, { services: [] }),
  'no snapshot': undefined,
};

describe.each(Object.entries(worlds))('%s', (_, snapshot) => {
  test.each(Object.keys(shapes))('%s.json has the exact shape', (name) => {
    const said: unknown = JSON.parse(JSON.stringify(answer(name, frame(snapshot))));
    expect(() => shapes[name]?.parse(said)).not.toThrow();
  });
});

describe('maintenance', () => {
  const of = (name: string) =>
    z.object({ scheduled_maintenances: maintenances }).parse(answer(name, frame(underMaintenance(now))))
      .scheduled_maintenances;

  test.each([
    [
      'scheduled-maintenances',
      ['scheduled', 'scheduled', 'in_progress', 'completed', 'completed', 'completed'],
    ],
    ['scheduled-maintenances/upcoming', ['scheduled', 'scheduled']],
    ['scheduled-maintenances/active', ['in_progress']],
    ['summary', ['scheduled', 'scheduled', 'in_progress']],
  ])('%s has %j, the last to begin first', (name, statuses) => {
    expect(of(name).map((one) => one.status)).toEqual(statuses);
  });

  test('names its components, of a node its service, and what happened, newest first', () => {
    const [one] = of('scheduled-maintenances/active');
    expect(one?.components.map(({ name, status }) => [name, status])).toEqual([
      ['Ethereum RPC', 'under_maintenance'],
    ]);
    expect(one?.incident_updates.map((each) => each.status)).toEqual(['in_progress', 'scheduled']);
    expect(of('scheduled-maintenances/upcoming')[1]?.components.map(({ name }) => name)).toEqual([
      'Polkadot RPC',
    ]);
  });

  test('is the indicator when nothing is worse, and no word for silence', () => {
    const snapshot = underMaintenance(now);
    const silent = snapshot.services.map((service) =>
      service.id === 'ethereum-rpc'
        ? { ...service, status: 'unknown' as const, since: now - 3_600_000 }
        : service,
    );
    for (const services of [snapshot.services, silent])
      expect(answer('status', frame({ ...snapshot, services }))).toMatchObject({
        status: { indicator: 'maintenance', description: 'Service Under Maintenance' },
      });
  });
});

test('every answer has a shape here', () => {
  expect(Object.keys(statuspageAnswers).toSorted()).toEqual(Object.keys(shapes).toSorted());
});

interface Summary {
  page: { updated_at: string };
  status: { indicator: string; description: string };
  components: {
    id: string;
    name: string;
    status: string;
    description: string | null;
    group: boolean;
    components?: string[];
  }[];
  incidents: { id: string }[];
}
const summary = (snapshot: Frame['snapshot']) => answer('summary', frame(snapshot)) as Summary;
const words = (snapshot: Frame['snapshot']) =>
  summary(snapshot)
    .components.filter((row) => !row.group)
    .map((row) => row.status);

describe('indicator and description', () => {
  const only = (id: string) => ({
    ...everyStatus(now),
    services: everyStatus(now).services.filter((s) => s.id === id || s.id === 'up'),
  });
  test.each([
    ['all up', allUp(now), 'none', 'All Systems Operational'],
    ['one down', oneDown(now), 'major', 'Partial System Outage'],
    [
      'all down',
      aSnapshot(now, { services: [aService(now, { status: 'down', component: 'major_outage' })] }),
      'major',
      'Major Service Outage',
    ],
    ['one degraded', only('degraded'), 'minor', 'Partially Degraded Service'],
    ['one partial', only('partial'), 'minor', 'Partial System Outage'],
    ['one in maintenance', only('maintenance'), 'maintenance', 'Service Under Maintenance'],
    ['one unknown for long', only('unknown'), 'minor', 'No current data for 1 of 2 services'],
    [
      'a minor incident, all operational',
      { ...allUp(now), incidents: [anIncident(now, { impact: 'minor' })] },
      'minor',
      'Partially Degraded Service',
    ],
    [
      'a critical incident',
      { ...oneDown(now), incidents: [anIncident(now, { impact: 'critical' })] },
      'critical',
      'Partial System Outage',
    ],
    [
      'a resolved incident',
      { ...allUp(now), incidents: [aResolved(now, 'x', 1)] },
      'none',
      'All Systems Operational',
    ],
    ['first minute', firstMinute(now), 'minor', 'Waiting for the first answers'],
    ['stale', staleData(now), 'minor', 'No current data since 21 Nov 2026, 05:57 UTC'],
    ['no snapshot', undefined, 'minor', 'No data yet'],
  ])('%s', (_, snapshot, indicator, description) => {
    const said = summary(snapshot).status;
    expect({ ...said, description: said.description.replaceAll('\u00a0', ' ') }).toEqual({
      indicator,
      description,
    });
  });
});

describe('unknown and stale', () => {
  const unknown = (since: number | undefined) => {
    const service = without(aService(now, { status: 'unknown' }), 'since');
    return aSnapshot(now, { services: [{ ...service, ...(since === undefined ? {} : { since }) }] });
  };

  test('unknown keeps the last word until it is stale', () => {
    expect(words(unknown(now - 120_000))).toEqual(['operational']);
    expect(summary(unknown(now - 120_000)).status.indicator).toBe('none');
  });

  test('then it is degraded, and says since when there is no data', () => {
    expect(words(unknown(now - 120_001))).toEqual(['degraded_performance']);
    expect(summary(unknown(now - 120_001)).components[0]?.description).toMatch(
      /^No current data since 21 Nov 2026, 06:12/,
    );
    expect(summary(unknown(now - 120_001)).status.indicator).toBe('minor');
  });

  test('so it is before the first verdict', () => {
    expect(words(unknown(undefined))).toEqual(['degraded_performance']);
    expect(words(firstMinute(now)).every((word) => word === 'degraded_performance')).toBe(true);
  });

  test('and so it is at once when the collector itself gives up the last word', () => {
    const service = aService(now, {
      status: 'unknown',
      component: 'degraded_performance',
      since: now - 5_000,
    });
    const said = summary(aSnapshot(now, { services: [service] }));
    expect(said.components[0]?.description).toMatch(/^No current data since 21 Nov 2026, 06:13/);
    expect(said.status.description).toBe('No current data for 1 of 1 services');
  });

  test('nothing is operational on stale data, whatever it was', () => {
    const stale = { ...everyStatus(now), observedAt: now - 200_000 };
    expect(new Set(words(stale))).toEqual(new Set(['degraded_performance']));
    expect(summary(stale).status.indicator).toBe('minor');
  });
});

describe('groups', () => {
  test('are rows of their own, with the worst word of their members', () => {
    const groups = summary(oneDown(now)).components.filter((row) => row.group);
    expect(groups.map((row) => [row.name, row.status, row.components?.length])).toEqual([
      ['Ethereum', 'operational', 2],
      ['Polkadot', 'major_outage', 1],
    ]);
  });
});

describe('ids and times', () => {
  test('ids stay as they are, and differ by kind', () => {
    expect(opaqueId('component', 'ethereum-rpc')).toBe('617f9e272393');
    expect(opaqueId('group', 'ethereum-rpc')).not.toBe(opaqueId('component', 'ethereum-rpc'));
    expect(summary(oneDown(now)).components.map((row) => row.id)).toEqual(
      summary(allUp(now)).components.map((row) => row.id),
    );
  });

  test('the same state a second later is the same answer, so that its ETag holds', () => {
    const first = allUp(now);
    const later = {
      ...first,
      generatedAt: first.generatedAt + 1_000,
      observedAt: (first.observedAt ?? 0) + 1_000,
    };
    expect(answer('summary', { now: now + 1_000, snapshot: later })).toEqual(answer('summary', frame(first)));
  });
});

describe('the life of an incident', () => {
  const unresolved = (snapshot: Frame['snapshot']) =>
    (answer('incidents/unresolved', frame(snapshot)) as Summary).incidents;
  const all = (snapshot: Frame['snapshot']) => (answer('incidents', frame(snapshot)) as Summary).incidents;

  test('open: unresolved, with its components, updates newest first', () => {
    expect(unresolved(oneDown(now))).toMatchObject([
      {
        status: 'investigating',
        resolved_at: null,
        monitoring_at: null,
        shortlink: 'https://status.example.com/incidents/01K9ZC0INCIDENT1',
        components: [{ name: 'Polkadot RPC', status: 'major_outage' }],
        incident_updates: [{ id: 'u2' }, { id: 'u1' }],
      },
    ]);
  });

  test('monitoring: still unresolved, and since when', () => {
    const updates = [{ id: 'm', at: now - 1_000, phase: 'monitoring' as const, body: 'Back.' }];
    const snapshot = { ...oneDown(now), incidents: [anIncident(now, { phase: 'monitoring', updates })] };
    expect(unresolved(snapshot)).toMatchObject([
      { status: 'monitoring', monitoring_at: '2026-11-21T06:14:02.000Z' },
    ]);
  });

  test('resolved: history, not in the summary', () => {
    const snapshot = { ...allUp(now), incidents: [aResolved(now, 'x', 1)] };
    expect(unresolved(snapshot)).toEqual([]);
    expect(summary(snapshot).incidents).toEqual([]);
    expect(all(snapshot)).toMatchObject([
      { id: 'x', status: 'resolved', resolved_at: '2026-11-20T06:41:03.000Z' },
    ]);
  });

  test('history ends at the fifty newest', () => {
    const incidents = Array.from({ length: 70 }, (_, index) => aResolved(now, `i${index}`, index + 1));
    expect(all({ ...allUp(now), incidents: incidents.toReversed() }).map((one) => one.id)).toEqual(
      incidents.slice(0, 50).map((one) => one.id),
    );
  });
});
