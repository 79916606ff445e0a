/** What a report tells besides its services: incidents, maintenance, changes, probes, what came late. Pure. */
import { orderOf } from '@highwater/config/bundle/files.ts';
import type { CountedProbe } from '@highwater/config/report/counted.ts';
import { missingDays, servicesText } from '@highwater/config/report/missing.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { monthName } from '@highwater/config/report/words.ts';
import { formatCount, formatSpan, plural } from '../format.ts';
import type { Fact } from '../view.ts';
import { listed, minuteText, timeText } from './figures.ts';
import { columnsOf, tableOf, type Table } from './table.ts';

/** Of gaps and silent stretches in one cell; all are in report.json. */
const MOST_IN_CELL = 12;
export interface IncidentReport {
  readonly id: string;
  readonly title: string;
  readonly impact: string;
  readonly covers: string;
  readonly facts: readonly Fact[];
  readonly updates: readonly { readonly at: string; readonly phase: string; readonly body: string }[];
}

export function incidentsOf(report: Report): readonly IncidentReport[] {
  return [...report.told.incidents]
    .sort((a, b) => a.startedAt - b.startedAt)
    .map((one) => ({
      id: one.id,
      title: one.title,
      impact: one.impact,
      covers: [...one.services, ...one.nodes].join(', '),
      facts: [
        { name: 'Began', value: timeText(one.startedAt) },
        { name: 'Detected after', value: formatSpan(one.openedAt - one.startedAt) },
        {
          name: 'Acknowledged after',
          value:
            one.acknowledgedAt === undefined
              ? 'not acknowledged'
              : formatSpan(one.acknowledgedAt - one.openedAt),
        },
        {
          name: 'Recovered after',
          value:
            one.resolvedAt === undefined
              ? 'not resolved when this was made'
              : formatSpan(one.resolvedAt - one.startedAt),
        },
        ...(one.resolvedAt === undefined ? [] : [{ name: 'Resolved', value: timeText(one.resolvedAt) }]),
      ],
      updates: one.updates.map(({ at, phase, body }) => ({ at: timeText(at), phase, body })),
    }));
}

export function maintenanceTable({ logged }: Report): Table | undefined {
  return tableOf(
    'maintenance-windows',
    'Windows that were declared',
    columnsOf('Of', 'From', 'To', 'What counts of it', 'Log entry'),
    inOrder(logged.maintenance).map((one) => [
      one.subjects.join(', '),
      minuteText(one.from),
      minuteText(one.last + 1),
      countsText(one),
      entryText(one),
    ]),
  );
}

/** `announced before it began`, or from when on it counts. */
function countsText(one: Report['logged']['maintenance'][number]): string {
  const said = one.isCancelled ? ['cancelled'] : [];
  const minutes = one.countsTo - one.countsFrom + 1;
  if (minutes <= 0)
    return [...said, one.isLate ? 'announced too late' : '', 'counts for nothing'].filter(Boolean).join(', ');
  if (one.isLate) said.push(`announced too late: counts from ${minuteText(one.countsFrom)}`);
  else said.push('announced before it began');
  return `${said.join(', ')} (${plural(minutes, 'minute')})`;
}

interface Placed {
  readonly year: number;
  readonly index: number;
}

function inOrder<T extends Placed>(all: readonly T[]): readonly T[] {
  return [...all].sort((a, b) => orderOf(a.year, a.index) - orderOf(b.year, b.index));
}

function entryText({ year, index }: Placed): string {
  return `${year}/${index}`;
}

export interface ConfigReport {
  readonly key: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly more: string;
}

/** Configurations that came into force or were logged in the month, with the lines that came and went. */
export function configsOf({ logged, minutes }: Report): readonly ConfigReport[] {
  return inOrder(logged.configs).map((one) => {
    const more = one.added.count - one.added.lines.length + one.removed.count - one.removed.lines.length;
    const changed =
      one.added.count + one.removed.count === 0
        ? ''
        : `: ${plural(one.added.count, 'line')} came, ${formatCount(one.removed.count)} went`;
    return {
      key: entryText(one),
      title: `Log entry ${entryText(one)}, ${one.inForceFrom <= minutes.first ? 'in force when the month began' : `in force from ${timeText(one.inForceFrom * 60_000)}`}${changed}`,
      lines: [...one.removed.lines.map((line) => `- ${line}`), ...one.added.lines.map((line) => `+ ${line}`)],
      more: more > 0 ? `and ${plural(more, 'more line')}` : '',
    };
  });
}

export function keysTable({ logged }: Report): Table | undefined {
  return tableOf(
    'keys',
    'Keys of probes that were enrolled or revoked',
    columnsOf('Probe', 'What', 'Region', 'Run by', 'In force from', 'Key', 'Log entry'),
    inOrder(logged.keys).map((one) => [
      one.probe,
      one.act === 'enrol' ? 'enrolled' : 'revoked',
      one.region,
      one.operator,
      minuteText(one.inForceFrom),
      keyText(one.key),
      entryText(one),
    ]),
  );
}

/** `…+1a2b3c01`: by what two keys of a probe are told apart. The whole key is in report.json. */
function keyText(key: string): string {
  return key.split('+')[1] ?? key.slice(0, 16);
}

export function actionsTable({ logged }: Report): Table | undefined {
  return tableOf(
    'actions',
    'What was done',
    columnsOf('When', 'What', 'Of', 'By', 'Note', 'Log entry'),
    inOrder(logged.actions).map((one) => [
      timeText(one.at),
      one.what,
      one.subject,
      one.by,
      one.note ?? '–',
      entryText(one),
    ]),
  );
}

export function annotationsTable({ logged }: Report): Table | undefined {
  return tableOf(
    'annotations',
    'What was noted in the log afterwards',
    columnsOf('When', 'Text', 'Log entry'),
    inOrder(logged.annotations).map((one) => [timeText(one.at), one.text, entryText(one)]),
  );
}

export function probesTable({ counted }: Report): Table | undefined {
  const twice = new Set(
    counted.probes.map(({ id }) => id).filter((id, index, all) => all.indexOf(id) !== index),
  );
  return tableOf(
    'probes',
    'Probes that took part',
    columnsOf('Probe', 'Region', 'Run by', '*Batches', '*Lines', 'Missing batches', 'Silent'),
    counted.probes.map((one) => [
      twice.has(one.id) ? `${one.id} (key ${keyText(one.key)})` : one.id,
      one.region,
      one.isByOthers ? `${one.operator} (not the operator)` : one.operator,
      formatCount(one.batches),
      formatCount(one.lines),
      gapsText(one),
      silentText(one),
    ]),
  );
}

function gapsText({ gaps, voided }: CountedProbe): string {
  const said = [
    ...gaps.map(({ first, last, why }) => {
      const which = first === last ? `number ${first}` : `numbers ${first} to ${last}`;
      return `${plural(last - first + 1, 'batch', 'batches')}, ${which}: ${why === 'dropped' ? 'dropped from a full spool' : 'in no log'}`;
    }),
    ...voided.map(
      ({ from }) => `two texts were signed as number ${from}: it counts for nothing from there on`,
    ),
  ];
  return said.length === 0 ? 'none' : listed(said, MOST_IN_CELL);
}

function silentText({ silent }: CountedProbe): string {
  if (silent.length === 0) return 'never';
  const minutes = silent.reduce((sum, one) => sum + one.minutes, 0);
  const stretches = silent.map(
    ({ firstMinute, minutes: long }) => `from ${minuteText(firstMinute)} for ${plural(long, 'minute')}`,
  );
  const all = silent.length > 1 ? `${plural(minutes, 'minute')} in all: ` : '';
  return `${all}${listed(stretches, MOST_IN_CELL)}`;
}

export function laterTable({ counted }: Report): Table | undefined {
  return tableOf(
    'later',
    'What came for earlier months after their report had been counted',
    columnsOf('Month', 'Probe', '*Batches', '*Lines', 'First minute', 'Last minute'),
    counted.later.map((one) => [
      monthName(one.month),
      one.probe,
      formatCount(one.batches),
      formatCount(one.lines),
      minuteText(one.firstMinute),
      minuteText(one.lastMinute),
    ]),
  );
}

export function missingTable({ counted }: Report): Table | undefined {
  return tableOf(
    'missing',
    'Observations that the log commits to and that could not be had: they count for nothing',
    columnsOf('Day', 'Of', '*Bodies'),
    missingDays(counted.missing).map(({ date, services, bodies }) => [
      date,
      servicesText(services),
      formatCount(bodies),
    ]),
  );
}
