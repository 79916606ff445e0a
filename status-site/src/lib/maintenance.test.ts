import { describe, expect, test } from 'vitest';
import { aMaintenance, aSnapshot, morning, underMaintenance } from '../../../test/fixtures/snapshots.ts';
import { calendar } from './calendar.ts';
import { serviceDetail } from './detail.ts';
import { atom, rss } from './feed.ts';
import type { Frame } from './frame.ts';
import { maintenanceGroups, maintenanceView, notices, spanText, stateOf, stepsOf } from './maintenance.ts';
import { groupViews, overall, serviceMark } from './view.ts';

const now = morning;
const frame = (over: Partial<Frame> = {}): Frame => ({
  now,
  receivedAt: now,
  snapshot: underMaintenance(now),
  ...over,
});

describe('what is active', () => {
  const one = aMaintenance(now, { state: 'planned' });
  test.each([
    [one.startsAt - 1, 'planned'],
    [one.startsAt, 'active'],
    [one.endsAt - 1, 'active'],
    [one.endsAt, 'over'],
  ])('is told by the clock of the page, at %i %s', (at, state) => {
    expect(stateOf(one, at)).toBe(state);
    expect(stateOf({ ...one, state: 'cancelled' }, at)).toBe('cancelled');
  });

  test('notices are what is active and what begins within a week', () => {
    expect(notices(frame()).map(({ title, note }) => [title, note])).toEqual([
      ['New disks for the Ethereum nodes', 'another 1\u00a0h 39\u00a0min'],
      ['dot-1 is taken to a new home', 'begins in 8\u00a0h 45\u00a0min, for 1\u00a0day'],
    ]);
  });

  test('the list has all, and says what became of them', () => {
    const { active, planned, past } = maintenanceGroups(frame());
    expect([active.length, planned.length]).toEqual([1, 2]);
    expect(past.map(({ note }) => note)).toEqual([
      'took 2\u00a0h',
      'did not take place',
      'ended early, after 40\u00a0min',
    ]);
  });

  test('a service is under maintenance since that began, and not since its checks said something', () => {
    const service = frame().snapshot?.services.find(({ id }) => id === 'ethereum-rpc');
    const hour = Math.floor(now / 3_600_000) * 3_600_000;
    const [active] = maintenanceGroups(frame()).active;
    expect(serviceDetail('ethereum-rpc', frame())?.since).toBe(active?.startsAt);
    expect(service?.since).toBeLessThan(hour - 86_400_000);
    // Of one whose maintenance the page's clock has seen end, nothing is said until the collector says what is.
    const over = underMaintenance(now).maintenance.filter(({ id }) => id !== active?.id);
    const after = frame({ snapshot: { ...underMaintenance(now), maintenance: over } });
    expect(serviceDetail('ethereum-rpc', after)?.since).toBeUndefined();
    expect(serviceDetail('polkadot-rpc', frame())?.since).toBe(
      frame().snapshot?.services.find(({ id }) => id === 'polkadot-rpc')?.since,
    );
  });

  test('a service has its own and those of its nodes', () => {
    const titles = (id: string) => serviceDetail(id, frame())?.maintenance.map(({ title }) => title);
    expect(titles('polkadot-rpc')).toEqual([
      'dot-1 is taken to a new home',
      'Yearly test of the emergency power',
    ]);
    expect(titles('ethereum-rpc')).toHaveLength(2);
  });

  test('what is covered says so, and goes on saying what is seen', () => {
    const service = groupViews(frame())
      .flatMap(({ services }) => services)
      .find(({ id }) => id === 'ethereum-rpc');
    expect(service?.mark.word).toBe('Under maintenance');
    expect(service?.nodes.map(({ mark }) => mark)).toEqual([
      { tone: 'maintenance', word: 'Down, under maintenance' },
      { tone: 'maintenance', word: 'Down, under maintenance' },
    ]);
    expect(overall(frame()).sentence).toBe('Maintenance: Ethereum RPC');
  });

  test('under maintenance is known without answers, but not on stale data', () => {
    const service = frame().snapshot?.services.find(({ id }) => id === 'ethereum-rpc');
    if (!service) throw new Error('the fixture has it');
    expect(serviceMark({ ...service, status: 'unknown' }, false).tone).toBe('maintenance');
    expect(serviceMark(service, true).tone).toBe('unknown');
  });

  test('of a service that is gone no link is left', () => {
    const snapshot = aSnapshot(now, { maintenance: [aMaintenance(now, { of: ['gone', 'gone/a'] })] });
    const [one] = snapshot.maintenance;
    if (!one) throw new Error('there is one');
    expect(maintenanceView(one, { now, snapshot })).toMatchObject({ covers: [] });
  });
});

test.each([
  [Date.UTC(2026, 10, 22, 2), Date.UTC(2026, 10, 22, 4), '22 Nov 2026, 02:00 to 04:00\u00a0UTC'],
  [
    Date.UTC(2026, 10, 22, 23),
    Date.UTC(2026, 10, 23),
    '22 Nov 2026, 23:00\u00a0UTC to 23 Nov 2026, 00:00\u00a0UTC',
  ],
])('a span names one day once', (startsAt, endsAt, text) => {
  expect(spanText(startsAt, endsAt)).toBe(text);
});

describe('what happened to one', () => {
  const one = aMaintenance(now);
  const words = (over: object, at = now) => stepsOf({ ...one, ...over }, at).map(({ status }) => status);
  test('is told when it has happened, oldest first', () => {
    expect(words({}, one.startsAt - 1)).toEqual(['scheduled']);
    expect(words({})).toEqual(['scheduled', 'in_progress']);
    expect(words({}, one.endsAt)).toEqual(['scheduled', 'in_progress', 'completed']);
    expect(words({ state: 'cancelled', cancelledAt: now })).toEqual(['scheduled', 'completed']);
  });
});

describe('feeds', () => {
  test('have an entry each, dated by what happened last', () => {
    const xml = atom(frame());
    expect(xml).toContain('<id>tag:status.example.com,2005:Maintenance/5f0c2ab1c3d4e5f6</id>');
    expect(xml).toContain('https://status.example.com/maintenance#m-5f0c2ab1c3d4e5f6');
    expect(xml).toContain(`<updated>${new Date(aMaintenance(now).startsAt).toISOString()}</updated>`);
    const items = rss(frame());
    expect(items).toContain('maintenance-5f0c2ab1c3d4e5f6-5f0c2ab1c3d4e5f6.in_progress');
    expect(items).toContain('[Maintenance] New disks for the Ethereum nodes');
    expect(items).not.toContain(
      '[Maintenance] Yearly test of the emergency power (11 Dec 2026, 06:00 to 07:30 UTC): in',
    );
  });
});

describe('the calendar', () => {
  /** Unfolded content lines (RFC 5545 section 3.1), an object an event. */
  function events(ics: string): Record<string, string>[] {
    const lines = ics.replaceAll('\r\n ', '').split('\r\n');
    const found: Record<string, string>[] = [];
    for (const line of lines) {
      if (line === 'BEGIN:VEVENT') found.push({});
      const [name = '', value = ''] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)];
      const last = found.at(-1);
      if (last) last[name] = value;
    }
    return found;
  }

  test('has an event each, in UTC, that keeps its UID', () => {
    const ics = calendar(frame());
    expect(ics.startsWith('BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:')).toBe(true);
    const all = events(ics);
    expect(all).toHaveLength(6);
    const one = all.find(({ UID }) => UID === '5f0c2ab1c3d4e5f6@status.example.com');
    expect(one).toMatchObject({
      DTSTART: '20261121T055400Z',
      DTEND: '20261121T075400Z',
      SUMMARY: 'New disks for the Ethereum nodes',
      STATUS: 'CONFIRMED',
      SEQUENCE: '0',
    });
    expect(one?.['DESCRIPTION']).toBe(
      'Both nodes restart\\, one after the other.\\nRequests may fail for some minutes.\\n\\nCovers Ethereum RPC.',
    );
    const cancelled = all.find(({ UID }) => UID?.startsWith('aa00000000000003'));
    expect(cancelled).toMatchObject({ STATUS: 'CANCELLED', SEQUENCE: '1' });
  });

  test('is the same for the same frame, and folds at 75 octets', () => {
    const title = `${'Ü'.repeat(200)};,\\ BEGIN:VEVENT\u0000\u2028`;
    const of = frame({ snapshot: aSnapshot(now, { maintenance: [aMaintenance(now, { title })] }) });
    const ics = calendar(of);
    expect(calendar(of)).toBe(ics);
    for (const line of ics.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(events(ics)).toHaveLength(1);
    expect(events(ics)[0]?.['SUMMARY']).toContain('\\;\\,\\\\ BEGIN:VEVENT');
  });

  test('is there without any data', () => {
    expect(calendar({ now })).toContain('END:VCALENDAR');
  });
});
