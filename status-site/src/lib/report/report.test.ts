/** What the page of a report says, held against the figures of the report itself. */
import { describe, expect, test } from 'vitest';
import { withMaintenance } from '@highwater/config/proof/rule/totals.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { sampleReport } from '@highwater/config/report/testing/sample.ts';
import { monthsBefore, listOf, publishedOf } from '../../../../test/fixtures/reports.ts';
import type { Frame } from '../frame.ts';
import { figureCell, headlineCell, objectiveCell, verdictOf } from './figures.ts';
import { bytesText, reportsAnswer, reportsOfService, reportsView } from './list.ts';
import { reportView } from './report.ts';
import type { Table } from './table.ts';

const report = sampleReport();
const view = reportView(report, publishedOf(report));
/** NBSP and narrow spaces as plain ones. */
const plain = (text: string | undefined) => (text ?? '').replace(/[\u00a0\u202f]/g, ' ');
const row = (table: Table | undefined, name: string) => {
  const found = table?.rows.find(([first]) => first === name);
  return Object.fromEntries(
    (table?.columns ?? []).map((column, index) => [column.name, plain(found?.[index])]),
  );
};

describe('figures', () => {
  test.each([
    [{ up: 100, down: 0, unknown: 0 }, '100.0000 %'],
    [{ up: 99_999, down: 1, unknown: 0 }, '99.9990 %'],
    [{ up: 1_000_000, down: 1, unknown: 0 }, '99.9999 %'],
    [{ up: 998, down: 0, unknown: 2 }, '100.0000 % (incomplete)'],
    [{ up: 900, down: 0, unknown: 100 }, '100.0000 % (incomplete)'],
    [{ up: 899, down: 0, unknown: 101 }, 'no figure: 89.9000 % to 100.0000 %'],
    [{ up: 0, down: 0, unknown: 5 }, 'no figure: 0.0000 % to 100.0000 %'],
    [{ up: 0, down: 0, unknown: 0 }, 'nothing counted'],
  ])('%j is %s', (minutes, text) => {
    expect(plain(headlineCell(minutes))).toBe(text);
    if (!text.startsWith('no figure')) expect(plain(figureCell(minutes))).toBe(text);
  });

  test.each([
    [{ up: 999, down: 1, unknown: 0 }, 999_000, 'met'],
    [{ up: 998, down: 2, unknown: 0 }, 999_000, 'missed'],
    [{ up: 0, down: 0, unknown: 9 }, 999_000, 'open'],
    [{ up: 950, down: 0, unknown: 50 }, 999_000, 'open'],
    [{ up: 9, down: 0, unknown: 0 }, undefined, undefined],
  ])('%j against %s is %s', (minutes, objective, verdict) => {
    expect(verdictOf(minutes, objective)).toBe(verdict);
    if (objective === undefined) expect(objectiveCell(minutes, objective)).toBe('none');
  });
});

describe('the report', () => {
  test('of each service figure, coverage and bounds, with and without maintenance', () => {
    expect(row(view.uptime, 'Public RPC')).toEqual({
      Service: 'Public RPC',
      Objective: '99.9 % met',
      Uptime: '99.9483 %',
      Known: '99.9752 %',
      Bounds: '99.9236 % to 99.9484 %',
      'Uptime with maintenance': '99.9484 %',
      'Minutes counted': '44 640 of 44 640',
    });
    expect(row(view.uptime, 'Block explorer')['Objective']).toBe('99.5 % not met');
    expect(row(view.uptime, 'Archive node')).toMatchObject({ Uptime: 'no figure', Objective: 'none' });
    expect(row(view.uptime, 'Archive node')['Minutes counted']).toBe('28 800 of 44 640');
    expect(view.uptime?.fold).toBeUndefined();
  });

  test('an objective that the bounds leave open is not said to be met', () => {
    const half: Report = structuredClone(report);
    for (const { id, subjects } of half.counted.services)
      for (const { subject, region, totals } of subjects)
        if (subject === id && region === undefined)
          Object.assign(totals, { up: 42_000, down: 0, unknown: 2_640 });
    const open = reportView(half, undefined);
    expect(row(open.uptime, 'Public RPC')['Objective']).toBe('99.9 %: met as far as known');
    expect(plain(open.summary)).toContain('0 of 2 with an objective met it.');
    expect(plain(open.summary)).toContain('the unknown minutes leave it open: Block explorer (99.5 %: met');
    expect(open.services.map(({ verdict }) => verdict?.text)).toEqual([
      undefined,
      'objective met as far as known',
      'objective met as far as known',
    ]);
  });

  test('of days, those with trouble are a table, and the others a sentence', () => {
    const days = new Map(view.services.map((one) => [one.id, one]));
    const rpc = days.get('rpc');
    expect(rpc?.daysTable?.rows.every((cells) => plain(cells[1]) !== '1 440' || cells[6] !== '0')).toBe(true);
    const told = (rpc?.daysTable?.rows.length ?? 0) + Number(/^\d+/.exec(rpc?.otherDays ?? '')?.[0]);
    expect(told).toBe(31);
    expect(days.get('archive')?.otherDays).toContain('11 days were not counted.');
    expect(days.get('archive')?.daysTable?.rows.flat()).not.toContain('–');
  });

  test('a bar of trouble is to scale, and never too thin to be seen', () => {
    const first = report.counted.services.find(({ id }) => id === 'explorer');
    const bar = reportView(report, undefined).services.find(({ id }) => id === 'explorer');
    const down = (first?.days[0]?.days ?? []).map(([, minutes]) => minutes);
    for (const [index, { parts }] of (bar?.days.bars ?? []).entries()) {
      const share = parts.find(({ layer }) => layer === 'down')?.share ?? 0;
      const minutes = down[index] ?? 0;
      expect(share).toBeCloseTo(minutes === 0 ? 0 : Math.max(0.05, minutes / 1_440), 1);
    }
  });

  test('whose key it is, which witnesses signed, and what differs in words', () => {
    expect(view.trust.key).toBe(report.operatorKey);
    expect(view.trust.witnesses).toBe('2 of the 3 witnesses of its policy cosigned the end of the log.');
    expect(view.trust.commands.map(({ line }) => line).join('\n')).not.toContain(report.operatorKey);
    expect(view.supersedes?.differences[0]).toMatch(/^rpc, minutes down: 25 -> 23 \(counted\./);
  });

  test('minutes, and why some are unknown', () => {
    expect(row(view.minutes, 'Public RPC')).toMatchObject({
      Down: '23',
      Unknown: '11',
      'Why unknown': 'no data 6, split vote 3, probe at fault 2',
      Maintenance: '105',
      'Chain stalled': '9',
    });
  });

  test('there is no row over all services', () => {
    for (const table of [view.uptime, view.minutes, view.before])
      expect(table?.rows.map(([name]) => name)).toEqual(['Archive node', 'Block explorer', 'Public RPC']);
  });

  test('the summary names what was missed and what is not known', () => {
    const said = plain(view.summary);
    expect(said).toContain('1 of 2 with an objective met it.');
    expect(said).toContain('Block explorer missed it with 99.3749 % (279 minutes down).');
    expect(said).toContain('Archive node: counted from 2026-10-12 on (28 800 of 44 640 minutes).');
    expect(said).toContain('Too little is known of Archive node');
    expect(said).toContain('1 of 3 probes is run by others than the operator.');
    expect(said).not.toMatch(/average/i);
  });

  test('maintenance that was logged too late says from when on it counts', () => {
    expect(view.maintenance?.rows.map(([of, , , counts]) => [of, counts])).toEqual([
      ['rpc/eu', 'announced before it began (60 minutes)'],
      ['explorer', 'cancelled, counts for nothing'],
      ['rpc', 'announced too late: counts from 22\u00a0Oct, 10:15 (105 minutes)'],
    ]);
  });

  test('every outage of the report is told, with its minutes', () => {
    for (const { id, counted } of view.services.map((service) => ({
      id: service.id,
      counted: report.counted.services.find((one) => one.id === service.id),
    }))) {
      const table = view.services
        .find((one) => one.id === id)
        ?.tables.find(({ key }) => key === `${id}-outages`);
      expect(table?.rows.length).toBe(counted?.outages.length);
      const sum = (table?.rows ?? []).reduce((all, cells) => all + Number(plain(cells[3])), 0);
      expect(sum).toBe(counted?.outages.reduce((all, { minutes }) => all + minutes, 0));
    }
  });

  test('the days of a service add up to its minutes', () => {
    for (const service of view.services) {
      const days = service.days.bars.flatMap(({ day }) => day ?? []);
      const totals = report.counted.services
        .find(({ id }) => id === service.id)
        ?.subjects.find(({ subject, region }) => subject === service.id && !region)?.totals;
      for (const key of ['up', 'down', 'unknown', 'maintenance'] as const)
        expect(days.reduce((sum, day) => sum + day[key], 0)).toBe(totals?.[key]);
      expect(service.days.bars).toHaveLength(31);
    }
  });

  test('incidents: how long it took to see, to answer, to mend', () => {
    expect(
      view.incidents.map(({ facts }) =>
        facts.filter(({ name }) => name.endsWith('after')).map(({ value }) => plain(value)),
      ),
    ).toEqual([
      ['34 s', 'not acknowledged', '4 h 35 min'],
      ['35 s', '4 min', '23 min'],
    ]);
  });

  test('probes: who runs them, what is missing, when they were silent', () => {
    const [, sg, voided] = view.probes?.rows ?? [];
    expect(sg?.[2]).toBe('A community member (not the operator)');
    expect(sg?.[5]).toContain('360 batches, numbers 18840 to 19199: dropped from a full spool');
    expect(sg?.[6]).toContain('for 360 minutes');
    expect(voided?.[0]).toBe('us-1 (key 1a2b3c03)');
    expect(voided?.[5]).toContain('two texts were signed as number 30000');
  });

  test('origin, size and root of the log in one line', () => {
    expect(view.trust.anchor).toContain(
      `${report.origin}/2026 ${report.logs[0]?.size} ${report.logs[0]?.root}`,
    );
  });

  test('numbers of hostile size break nothing', () => {
    const huge = Number.MAX_SAFE_INTEGER;
    const worst: Report = {
      ...report,
      told: {
        ...report.told,
        madeAt: huge,
        incidents: report.told.incidents.map((one) => ({ ...one, startedAt: huge, openedAt: 0 })),
      },
      counted: {
        ...report.counted,
        services: report.counted.services.map((service) => ({
          ...service,
          certificates: [{ monitor: 'x', expiresAt: huge, daysLeft: 0 }],
          outages: [{ subject: service.id, firstMinute: huge, minutes: huge }],
        })),
        probes: report.counted.probes.map((one) => ({
          ...one,
          silent: Array.from({ length: 500 }, () => ({ firstMinute: huge, minutes: 1 })),
        })),
      },
      logged: {
        ...report.logged,
        configs: report.logged.configs.map((one) => ({ ...one, inForceFrom: huge })),
        maintenance: report.logged.maintenance.map((one) => ({ ...one, from: huge, last: huge })),
      },
      minutes: { first: 0, last: huge },
    };
    const shown = reportView(worst, undefined);
    expect(shown.probes?.rows[0]?.[6]).toContain('and 488 more');
    expect(reportView({ ...worst, minutes: { first: huge, last: huge } }, undefined).title).toBe(
      'October 2026',
    );
  });
});

describe('the list', () => {
  const months = [report, ...monthsBefore(report, 3)];
  const frameOf = (over: Partial<Frame> = {}): Frame => ({
    now: Date.UTC(2026, 10, 21),
    reports: {
      list: listOf(months),
      isAnswered: true,
      revisionOf: (month) => (month === '2026-08' ? undefined : 1),
      read: () => Promise.resolve(undefined),
    },
    ...over,
  });

  test('newest first, with a trend of all months for each service', () => {
    const { months: listed, trends } = reportsView(frameOf());
    expect(listed.map(({ title }) => title)).toEqual([
      'October 2026',
      'September 2026',
      'August 2026',
      'July 2026',
    ]);
    expect(listed.map(({ isHere }) => isHere)).toEqual([true, true, false, true]);
    expect(trends.map(({ title }) => title)).toEqual(['Archive node', 'Block explorer', 'Public RPC']);
    expect(trends[2]?.table.rows.map(([month]) => month)).toEqual(listed.map(({ title }) => title));
    expect(trends[2]?.drawing.lines[0]?.d).toMatch(/^M[\d.,L]+$/);
  });

  test('of a month only its newest revision, whatever the order', () => {
    const older = { ...publishedOf(report), revision: 1 };
    const list = { ...listOf([]), reports: [older, publishedOf(report)] };
    const shown = reportsView({
      now: Date.UTC(2026, 10, 21),
      reports: { list, isAnswered: true, revisionOf: () => 2, read: () => Promise.resolve(undefined) },
    });
    expect(shown.months.map(({ revision }) => revision)).toEqual([
      'Revision 2, 2 differences to the one before',
    ]);
    expect(shown.trends).toEqual([]);
  });

  test('a service names the newest three that are kept here', () => {
    expect(reportsOfService('rpc', frameOf()).map(({ month }) => month)).toEqual([
      '2026-10',
      '2026-09',
      '2026-07',
    ]);
    expect(reportsOfService('nope', frameOf())).toEqual([]);
  });

  test.each([
    [Date.UTC(2026, 10, 21), 'The report of November 2026 is due on 3 Dec 2026'],
    [Date.UTC(2026, 11, 31, 23, 59), 'The report of December 2026 is due on 3 Jan 2027'],
  ])('without a word of the collector the next is due after the default', (now, said) => {
    expect(reportsView({ now }).next).toContain(said);
  });

  test('what only the operator needs is in no answer', () => {
    const list = {
      ...listOf(months),
      failed: { month: '2026-11', because: 'secret', tries: 1 },
      drafts: [{ month: '2026-11', madeAt: 1, until: 2, bytes: 3 }],
    };
    const answer = reportsAnswer({
      now: 0,
      reports: { list, isAnswered: true, revisionOf: () => 1, read: () => Promise.resolve(undefined) },
    });
    expect(JSON.stringify(answer)).not.toMatch(/secret|drafts|failed/);
    expect(answer).toMatchObject({ reports: [{ month: '2026-10', page: '/reports/2026-10' }, {}, {}, {}] });
  });

  test.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [84_210_000, '84.2 MB'],
    [443_000_000, '443 MB'],
    [3e15, '3 000 TB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(plain(bytesText(bytes))).toBe(text);
  });
});

test('with maintenance is what the rule says', () => {
  const totals = report.counted.services.find(({ id }) => id === 'rpc')?.subjects[0]?.totals;
  if (totals === undefined) throw new Error('no totals');
  expect(withMaintenance(totals).up).toBe(totals.up + totals.inMaintenance.up);
});
