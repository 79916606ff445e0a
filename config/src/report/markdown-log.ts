/** The part of a report's Markdown that says what happened and what was changed: incidents, maintenance, keys, probes. Pure. */
import type { CountedProbe } from './counted.ts';
import { bounded } from './markdown-figures.ts';
import { markdownTable } from './markdown-table.ts';
import { bodiesText, missingDays, servicesText } from './missing.ts';
import { markdownCode, markdownProse, markdownText } from './outside.ts';
import type { Report, Told } from './report.ts';
import { grouped, probesByOthers, probesText } from './words.ts';

/** Lines of a configuration that changed, of each change. */
const MAX_LINES = 12;
/** Of one probe. */
const MAX_GAPS = 12;

/** `2026-10-03 06:40:07 UTC`; what is out of range says so. */
export function instantText(at: number): string {
  if (at > 8_640_000_000_000_000) return 'a time out of range';
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2026-10-03 06:40 UTC` */
export function minuteText(minute: number): string {
  return instantText(minute * 60_000).replace(/:\d\d UTC$/, ' UTC');
}

/** `2026-10-03` */
export function dayText(at: number): string {
  return instantText(at).replace(/ [\d:]+ UTC$/, '');
}

/** `31 s`, `5 min 3 s`, `4 h 35 min`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  if (seconds < 60) return `${seconds} s`;
  const [whole, rest, units] =
    minutes < 60
      ? [minutes, seconds % 60, ['min', 's'] as const]
      : [Math.floor(minutes / 60), minutes % 60, ['h', 'min'] as const];
  return rest === 0 ? `${whole} ${units[0]}` : `${whole} ${units[0]} ${rest} ${units[1]}`;
}

export function incidentsSection({ told }: Report): string[] {
  const { shown, more } = bounded(told.incidents, 'incidents');
  return [
    '## Incidents',
    '',
    "In the operator's words; what the figures count is above.",
    '',
    ...(told.incidents.length === 0 ? ['None.'] : shown.flatMap(incident)),
    ...more,
    '',
  ];
}

function incident(one: Told['incidents'][number], index: number): string[] {
  const since = (at: number | undefined, none: string) =>
    at === undefined ? none : `after ${spanText(at - one.startedAt)}`;
  const subjects = [...one.services, ...one.nodes].slice(0, 12).map(markdownCode).join(', ');
  const { shown, more } = bounded(one.updates, 'remarks');
  return [
    ...(index === 0 ? [] : ['']),
    `**${markdownText(one.title)}** (${markdownText(one.impact)}) on ${subjects === '' ? 'no service' : subjects}`,
    '',
    `- began ${instantText(one.startedAt)}`,
    `- detected ${since(one.openedAt, '')}`,
    `- acknowledged ${since(one.acknowledgedAt, 'by nobody')}`,
    `- recovered ${since(one.resolvedAt, 'not in this month')}`,
    ...shown.map(
      ({ at, phase, body }) => `- ${instantText(at)}, ${markdownText(phase)}: ${markdownProse(body)}`,
    ),
    ...more,
  ];
}

export function maintenanceSection({ logged }: Report): string[] {
  const { shown, more } = bounded(logged.maintenance, 'maintenances');
  if (logged.maintenance.length === 0) return ['## Maintenance', '', 'None was logged.', ''];
  const rows = shown.map((one) => {
    const counts = one.countsTo < one.countsFrom;
    return [
      one.subjects.slice(0, 12).map(markdownCode).join(', '),
      `${minuteText(one.from)} to ${minuteText(one.last)}`,
      `${one.isLate ? 'late' : 'before it began'}${aheadText(one)}`,
      counts ? 'nothing' : `${minuteText(one.countsFrom)} to ${minuteText(one.countsTo)}`,
      one.isCancelled ? 'yes' : 'no',
      `${one.year}/${one.index}`,
    ];
  });
  return [
    '## Maintenance',
    '',
    'Announced late: it was logged after it had begun, and counts from the first minute after that. First and last minutes are both within.',
    '',
    markdownTable(['Subject', 'Declared', 'Announced', 'Counts', 'Cancelled', 'Entry'], rows, 6),
    ...more,
    '',
  ];
}

export function changesSection({ logged }: Report): string[] {
  const configs = bounded(logged.configs, 'configurations');
  const keys = bounded(logged.keys, 'changes of keys');
  const actions = bounded(logged.actions, 'actions');
  const remarks = bounded(logged.annotations, 'remarks');
  const list = (title: string, lines: readonly string[], more: readonly string[]) =>
    lines.length === 0 ? [] : [`### ${title}`, '', ...lines, ...more, ''];
  const all = [
    ...list('Configurations', configs.shown.flatMap(changed), configs.more),
    ...list(
      'Keys',
      keys.shown.map(
        ({ act, probe, region, operator, key, inForceFrom, regionsAhead, year, index }) =>
          `- ${act === 'enrol' ? 'enrolled' : 'revoked'}: probe ${markdownCode(probe)} in ${markdownCode(region)}, run by ${markdownText(operator)}, from ${minuteText(inForceFrom)} on (entry ${year}/${index}${aheadText({ regionsAhead })}): ${markdownCode(key)}`,
      ),
      keys.more,
    ),
    ...list(
      'Actions',
      actions.shown.map(
        ({ at, by, what, subject, note, year, index }) =>
          `- ${instantText(at)}: ${markdownCode(what)} ${markdownCode(subject)} by ${markdownText(by)} (entry ${year}/${index})${note === undefined ? '' : `: ${markdownProse(note)}`}`,
      ),
      actions.more,
    ),
    ...list(
      'Remarks',
      remarks.shown.map(
        ({ at, of, text, year, index }) =>
          `- ${instantText(at)} about ${markdownCode(of)} (entry ${year}/${index}): ${markdownProse(text)}`,
      ),
      remarks.more,
    ),
  ];
  return ['## What was changed', '', ...(all.length === 0 ? ['Nothing.', ''] : all)];
}

function changed(config: Report['logged']['configs'][number]): string[] {
  const signs = [
    ...config.added.lines.slice(0, MAX_LINES).map((line) => `  - added ${markdownCode(line)}`),
    ...config.removed.lines.slice(0, MAX_LINES).map((line) => `  - removed ${markdownCode(line)}`),
  ];
  const { added, removed } = config;
  const what =
    config.index === 0
      ? 'the first of all'
      : added.count + removed.count === 0
        ? 'nothing that is public differs from the one before'
        : `${grouped(added.count)} lines added, ${grouped(removed.count)} removed`;
  return [
    `- in force from ${minuteText(config.inForceFrom)} (entry ${config.year}/${config.index}${aheadText(config)}): ${what}`,
    ...signs,
  ];
}

export function probesSection({ counted }: Report): string[] {
  const { shown, more } = bounded(counted.probes, 'probes');
  const gaps = bounded(counted.probes.flatMap(gapsOf), 'gaps');
  const later = bounded(counted.later, 'rows');
  const missing = bounded(missingDays(counted.missing), 'days');
  return [
    '## Probes',
    '',
    probesText(probesByOthers(counted.probes)),
    '',
    markdownTable(
      ['Probe', 'Region', 'Run by', 'By others', 'Batches', 'Lines'],
      shown.map(({ id, region, operator, isByOthers, batches, lines }) => [
        markdownCode(id),
        markdownCode(region),
        markdownText(operator),
        isByOthers ? 'yes' : 'no',
        grouped(batches),
        grouped(lines),
      ]),
      4,
    ),
    ...more,
    '',
    '### Gaps',
    '',
    ...(gaps.shown.length === 0 ? ['None.'] : gaps.shown),
    ...gaps.more,
    '',
    ...(counted.missing.length === 0
      ? []
      : [
          '### Observations that are gone',
          '',
          ...missing.shown.map(
            ({ services, date, bodies }) =>
              `- ${markdownText(date)}: ${bodiesText(bodies)} of ${servicesText(services, markdownCode)} that batches commit to; their lines count for nothing`,
          ),
          ...missing.more,
          '',
        ]),
    '## What came later',
    '',
    ...(counted.later.length === 0
      ? ['Nothing of an earlier month came after its report had been counted.']
      : later.shown.map(
          ({ month, probe, batches, lines, firstMinute, lastMinute }) =>
            `- of ${markdownText(month)}, by ${markdownCode(probe)}: ${grouped(batches)} ${batches === 1 ? 'batch' : 'batches'} with ${grouped(lines)} lines, from ${minuteText(firstMinute)} to ${minuteText(lastMinute)}`,
        )),
    ...later.more,
    '',
  ];
}

function gapsOf({ id, silent, gaps, voided }: CountedProbe): string[] {
  const probe = markdownCode(id);
  const all = [
    ...silent.map(
      ({ firstMinute, minutes }) =>
        `- ${probe}: no line from ${minuteText(firstMinute)} on for ${spanText(minutes * 60_000)}`,
    ),
    ...gaps.map(
      ({ epoch, first, last, why }) =>
        `- ${probe}: ${first === last ? `batch ${first}` : `batches ${first} to ${last}`} of epoch ${epoch} ${why === 'dropped' ? 'dropped by its full spool' : 'in no log'}`,
    ),
    ...voided.map(
      ({ epoch, from }) =>
        `- ${probe}: epoch ${epoch} counts for nothing from batch ${from} on: two texts were signed under one number`,
    ),
  ];
  return all.length <= MAX_GAPS
    ? all
    : [...all.slice(0, MAX_GAPS), `- ${probe}: ${grouped(all.length - MAX_GAPS)} more`];
}

/** What was logged when its first minute was known already. */
function aheadText({ regionsAhead }: { readonly regionsAhead?: number | undefined }): string {
  if (regionsAhead === undefined) return '';
  return `; it counts from a minute that ${regionsAhead} ${regionsAhead === 1 ? 'region' : 'regions'} had already reported`;
}
