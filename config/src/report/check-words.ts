/** What a check of a bundle found, in sentences: the same ones in the terminal and in a reader's browser. Pure. */
import { MAX_PROBLEMS, type Evidence, type Problem } from '../bundle/check.ts';
import { minutesOfRange } from '../bundle/range.ts';
import { ANOTHER_KEY } from '../bundle/problems.ts';
import { noWitnesses } from '../no-witnesses.ts';
import { printedUptime } from '../proof/rule/printed.ts';
import { spanOf } from './counted-span.ts';
import { totalsOf } from './figures.ts';
import { bodiesText, missingDays, servicesText } from './missing.ts';
import { placed } from './places.ts';
import type { Report } from './report.ts';
import { grouped, notProvenWords, provenWords } from './words.ts';
import { formatInstantOfMinute, lastsText } from './minutes-text.ts';
import type { CountedProbe, CountedService, ReportTotals } from './counted.ts';

export type CheckVerdict = 'good' | 'mismatch' | 'incomplete';

export interface CheckedFigure {
  readonly service: string;
  /** `99.9950 %`, or why there is none. */
  readonly figure: string;
  /** `coverage 99.9 %; between … and …`, `12 min down`; last, where it differs, what the report says instead. */
  readonly details: readonly string[];
}

export interface ToldProblem extends Problem {
  /** Of report.json, where `says` begins with the words for it. */
  readonly path?: string;
}

export interface CheckWords {
  readonly verdict: CheckVerdict;
  /** A few words: `The report agrees with its evidence`. */
  readonly headline: string;
  readonly summary: string;
  readonly problems: readonly ToldProblem[];
  /** What the figures are: those of the report, or what the evidence gives instead. */
  readonly figuresTitle: string;
  readonly figures: readonly CheckedFigure[];
  /** Empty, as all below, where the bundle could not be read to its end. */
  readonly checked: readonly string[];
  readonly trust: readonly string[];
  /** `eu-1: no line from 2026-10-03 04:00 UTC on for 6 h`. */
  readonly gaps: readonly string[];
  readonly proves: readonly string[];
  readonly provesNot: readonly string[];
}

export interface CheckScope {
  /** The one service that was checked; left out for all of them. */
  readonly service?: string;
  /** What the bundle claims, where it could be read. */
  readonly report?: Report;
}

/** Gaps that are told one by one, of each probe. */
const MAX_GAPS = 20;

/** No problem is good; a mismatch weighs more than what is missing. */
export function verdictOf({ problems }: Pick<Evidence, 'problems'>): CheckVerdict {
  if (problems.length === 0) return 'good';
  return problems.some(({ kind }) => kind === 'mismatch') ? 'mismatch' : 'incomplete';
}

export function checkWords(evidence: Evidence, { service, report }: CheckScope = {}): CheckWords {
  const verdict = verdictOf(evidence);
  const isRead = evidence.range.origin !== '';
  const services = evidence.counted.services.filter(({ id }) => service === undefined || id === service);
  return {
    verdict,
    headline: headlineOf(evidence, verdict),
    summary: summaryText(evidence, verdict, service),
    problems: evidence.problems.map(toldProblem),
    figuresTitle: verdict === 'good' ? 'Figures' : 'What the evidence gives',
    figures: services.map((one) => figureOf(one, evidence, report)),
    checked: isRead ? checkedTexts(evidence) : [],
    trust: isRead ? trustTexts(evidence) : [],
    gaps: [
      ...evidence.counted.probes.flatMap(gapTexts),
      ...missingTexts(evidence),
      ...evidence.remarks.map(({ file, says }) => `${file}: ${says}`),
    ],
    proves: verdict === 'good' ? provesTexts(evidence) : [],
    provesNot: isRead ? provesNotTexts(evidence, service) : [],
  };
}

function toldProblem({ kind, file, says }: Problem): ToldProblem {
  const { words, says: what, path } = placed(says);
  return words === undefined ? { kind, file, says } : { kind, file, says: `${words}: ${what}`, path };
}

const headlines: Readonly<Record<CheckVerdict, string>> = {
  good: 'The report agrees with its evidence',
  mismatch: 'The report does not agree with its evidence',
  incomplete: "The report can't be confirmed: something is missing",
};

/** Of a draft nothing more can be said than that it agrees: nobody has signed it. */
function headlineOf({ range, problems }: Evidence, verdict: CheckVerdict): string {
  if (problems.some(({ says }) => says.startsWith(ANOTHER_KEY)))
    return 'It is signed by another key than yours';
  return range.last !== undefined && verdict !== 'mismatch'
    ? 'This is a draft: unsigned, in no log'
    : headlines[verdict];
}

function summaryText({ range, problems }: Evidence, verdict: CheckVerdict, service?: string): string {
  if (range.origin === '') return 'It could not be read to its end, so that nothing was counted.';
  const of =
    service === undefined ? `the report of ${range.month}` : `${service} in the report of ${range.month}`;
  if (verdict === 'good')
    return `Every counted figure of ${of} was counted again from signed observations, and is the same.`;
  const many =
    problems.length >= MAX_PROBLEMS ? `${MAX_PROBLEMS} problems or more` : plural(problems.length, 'problem');
  return verdict === 'mismatch'
    ? `${many} in ${of}: do not rely on its figures until each is explained.`
    : `${many} in ${of}: nothing that was found contradicts it, and not all that it takes to say so is here.`;
}

/** A service as the rule prints it, and beside it what the report says where that is something else. */
function figureOf(service: CountedService, { range }: Evidence, report: Report | undefined): CheckedFigure {
  const { id } = service;
  const totals = totalsOf(service, id);
  const claim = report?.counted.services.find((one) => one.id === id);
  const claims = claim && totalsOf(claim, id);
  const said = totals && totalsText(totals);
  const claimed = claims && totalsText(claims);
  const isSame = JSON.stringify(said) === JSON.stringify(claimed);
  const instead =
    report === undefined || isSame
      ? []
      : [
          `THE REPORT SAYS ${claimed === undefined ? 'nothing of it' : [claimed.figure, ...claimed.details].join(', ')}`,
        ];
  if (said === undefined)
    return { service: id, figure: 'no figure', details: ['it has no minutes of its own', ...instead] };
  const span = spanOf(service, minutesOfRange(range));
  return {
    service: id,
    figure: said.figure,
    details: [...(span === undefined ? [] : [span]), ...said.details, ...instead],
  };
}

function totalsText(totals: ReportTotals): { figure: string; details: readonly string[] } {
  const { figure, coverage, atLeast, atMost, incomplete } = printedUptime(totals);
  const range =
    atLeast === undefined || atMost === undefined ? undefined : `between ${atLeast} and ${atMost}`;
  const minutes: readonly (readonly [number, string])[] = [
    [totals.down, 'down'],
    [totals.unknown, 'unknown'],
    [totals.maintenance, 'in maintenance'],
    [totals.stalled, 'chain stalled'],
  ];
  return {
    figure: figure ?? 'no figure',
    details: [
      ...(coverage === undefined
        ? ['nothing was counted']
        : [`coverage ${coverage}${incomplete ? ', incomplete' : ''}`]),
      ...(range === undefined ? [] : [range]),
      ...minutes.flatMap(([count, what]) => (count === 0 ? [] : `${grouped(count)} min ${what}`)),
    ],
  };
}

function checkedTexts({ amount, range }: Evidence): string[] {
  const { entries, batches, signatures, bodies, lines, bytes } = amount;
  const logs = range.trees
    .map(({ year, size }) => `${range.origin}/${year} to entry ${grouped(size)}`)
    .join(', ');
  return [
    `Log: ${logs}; ${plural(amount.before, 'entry', 'entries')} before that part ${amount.before === 1 ? 'was' : 'were'} not looked at, but for those that the bundle brings.`,
    `${plural(entries, 'entry of the log', 'entries of the log')} hashed into the signed root, ${plural(batches, 'batch', 'batches')} of probes among them.`,
    `${plural(signatures, 'signature')} verified; each stands for all batches before it that name one another by hash.`,
    `${plural(bodies, 'body', 'bodies')} with ${plural(lines, 'observation')} compared with what the probes signed, and counted (${sizeText(bytes)} read).`,
  ];
}

function trustTexts({ trust }: Evidence): string[] {
  const { operatorKey, keysFrom, policyFrom, witnesses, probes, anchors } = trust;
  return [
    keysFrom === 'reader'
      ? `Operator's key: the one that you gave, ${operatorKey}.`
      : `Operator's key: ${operatorKey}. It is the one that the bundle itself names: compare it with one from elsewhere.`,
    policyFrom === 'reader'
      ? 'Policy: the one that you gave.'
      : "Policy: the bundle's own, so its operator chose the witnesses.",
    witnesses.all === 0
      ? noWitnesses
      : `Witnesses: ${witnesses.signed.length} of ${witnesses.all} cosigned the end of the log${witnesses.signed.length === 0 ? '' : ` (${witnesses.signed.join(', ')})`}; asked for: ${witnesses.quorum}.`,
    `Probes run by others than the operator: ${probes.byOthers} of ${probes.all}.`,
    ...anchors.map((anchor) => `Anchor: ${anchor} agrees.`),
  ];
}

function gapTexts({ id, gaps, silent, voided }: CountedProbe): string[] {
  const said = [
    ...silent.map(
      ({ firstMinute, minutes }) =>
        `${id}: no line from ${formatInstantOfMinute(firstMinute)} on for ${lastsText(minutes)}`,
    ),
    ...gaps.map(({ epoch, first, last, why }) => {
      const what = first === last ? `batch ${first}` : `batches ${first} to ${last}`;
      return `${id}: ${what} of epoch ${epoch} ${why === 'dropped' ? 'dropped by its full spool' : 'not in the log'}`;
    }),
    ...voided.map(
      ({ epoch, from }) =>
        `${id}: epoch ${epoch} counts for nothing from batch ${from} on: it signed two texts under one number`,
    ),
  ];
  if (said.length <= MAX_GAPS) return said;
  return [...said.slice(0, MAX_GAPS), `${id}: ${grouped(said.length - MAX_GAPS)} more`];
}

function missingTexts({ counted }: Evidence): string[] {
  const days = missingDays(counted.missing);
  const said = days
    .slice(0, MAX_GAPS)
    .map(
      ({ services, date, bodies }) =>
        `${date}: ${bodiesText(bodies)} of ${servicesText(services)} gone; what ${bodies === 1 ? 'it' : 'they'} held counts for nothing`,
    );
  const more = days.length - MAX_GAPS;
  return more > 0 ? [...said, `${plural(more, 'more day')} with bodies that are gone`] : said;
}

function provesTexts({ trust }: Evidence): string[] {
  return [
    ...provenWords,
    trust.witnesses.signed.length > 0
      ? 'The witnesses that signed were shown this same log: another history for somebody else would need them too.'
      : 'You hold one history of the log. Whether others are shown the same, no witness says.',
  ];
}

function provesNotTexts({ trust: { keysFrom, probes } }: Evidence, service?: string): string[] {
  return [
    ...(keysFrom === 'bundle' ? ["Whose report it is: the keys are the bundle's own word."] : []),
    ...(service === undefined
      ? []
      : [
          `The figures of other services than ${service}: their observations were not read.`,
          'What the report says of probes, of what came later and of what is missing: of one service alone it is not compared.',
        ]),
    ...notProvenWords(probes),
  ];
}

/** A name of a file in somebody's archive may have line feeds, and would say what it likes on a line of its own. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\v\f\u0085\u2028\u2029]/g, '\uFFFD');
}

/** As plain text, to be kept or passed on. @param unseen lines that come before all but verdict, problems and figures */
export function checkText(words: CheckWords, unseen: readonly string[] = []): string {
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${oneLine(line)}`)];
  return [
    `${words.headline.toUpperCase()}`,
    words.summary,
    ...list('Problems', words.problems.map(problemText)),
    ...list(
      words.figuresTitle,
      words.figures.map(({ service, figure, details }) => `${service}  ${figure}  (${details.join('; ')})`),
    ),
    ...unseen,
    ...list('Gaps', words.gaps),
    ...list('Who was believed', words.trust),
    ...list('This proves', words.proves),
    ...list('This does not prove', words.provesNot),
    ...list('Checked', words.checked),
    '',
  ].join('\n');
}

function problemText({ kind, file, says, path }: ToldProblem): string {
  return `${kind}: ${file === '' ? '' : `${file}: `}${says}${path === undefined ? '' : ` [${path}]`}`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

function sizeText(bytes: number): string {
  if (bytes < 1_000) return plural(bytes, 'byte');
  return bytes < 1_000_000
    ? `${(bytes / 1_000).toFixed(1)} kB`
    : `${grouped(Math.round(bytes / 1_000_000))} MB`;
}
