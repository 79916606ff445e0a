/** Sentences that page, README, Markdown, terminal and browser share: what a figure means, what is proven, what is not. Pure. */
import { noWitnesses } from '../no-witnesses.ts';
import type { Counts } from '../proof/rule/totals.ts';
import type { CountedProbe } from './counted.ts';
import type { Report } from './report.ts';

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** `October 2026` of `2026-10`; anything else stays as it is. */
export function monthName(month: string): string {
  const name = months[Number(month.slice(5)) - 1];
  return name === undefined ? month : `${name} ${month.slice(0, 4)}`;
}

export const draftWords =
  'DRAFT: unsigned, in no log, and not the report. The month is not settled; its figures may change.';

export const figureMeaning: readonly string[] = [
  'Uptime is the minutes that were up, of those that were up or down; it is rounded down, so that 100.0000 % is written only where no minute was down.',
  'Known is the share of minutes of which the probes say something. Below 99.9 % a figure is marked incomplete; below 90 % there is none, and the bounds stand alone.',
  'The bounds are the uptime had all unknown minutes been down (rounded down), and had all of them been up (rounded up).',
  "An objective is the operator's word. It is met where the lower bound reaches it, and not met where the upper bound does not; in between it is open, and what is known decides only as far as it goes.",
  'Minutes in announced maintenance are counted apart, and so are those in which the chain itself stood still. Degraded minutes are up, and are told beside.',
  'There is no average over services.',
];

export interface UnknownCauseWords {
  readonly key: keyof Pick<Counts, 'unknownNoData' | 'unknownSplit' | 'unknownProbe' | 'unknownClock'>;
  readonly name: string;
  readonly says: string;
}

/** In the order of the totals; their minutes add up to `unknown`. */
export const unknownCauses: readonly UnknownCauseWords[] = [
  {
    key: 'unknownNoData',
    name: 'no data',
    says: 'too few regions have a line of that minute: a probe was away, or what it sent is lost',
  },
  {
    key: 'unknownSplit',
    name: 'split vote',
    says: 'enough regions spoke, and not enough of them said the same',
  },
  {
    key: 'unknownProbe',
    name: 'probe at fault',
    says: 'the probes had no network, processor or memory of their own, so what they saw says nothing about the service',
  },
  {
    key: 'unknownClock',
    name: 'clock',
    says: 'the probes could not show that their clocks were right to two seconds',
  },
];

/** What a check of the bundle that ends well proves. */
export const provenWords: readonly string[] = [
  'The figures follow from what the probes signed, by rule/v1, and by nothing else: whoever has the bundle can count every integer again.',
  'Within the part of the log that is here nothing was changed, left out or put in afterwards: all of it hashes into the root that the log signed.',
  'Silence is counted: which checks were due is in the logged configuration, and a minute without enough answers is unknown and lowers what is known.',
  'Maintenance counts only from the first minute after it was logged; configurations and keys count from when they were in the log.',
];

/** facts of the report that decide how much the rest is worth. */
export function notProvenWords(probes: Pick<ProbesByOthers, 'byOthers' | 'all'>): readonly string[] {
  return [
    `That the probes really measured: whoever runs all of them can sign lies. ${probesText(probes)}`,
    'That nothing was left out before it was logged: a missing batch number is shown as a gap, but a probe that never ran leaves only its silence.',
    'That all that was logged earlier is here: entries before that part were not looked at. The configurations, keys and maintenance of before that still matter are those that the bundle brings; the report of the month before has them too.',
    'Which report this one supersedes, where that one lies before the part of the log that is here: that is the word of the operator.',
    'The exact time: a batch is not older than the tree that its probe had seen and not newer than the witnesses that signed after it. In between the clock of the probe is believed.',
    'That two readers are shown the same log: that takes a witness of the policy that is independent of the operator, or the root of the log in a place that the operator cannot rewrite.',
    'That the services were of use to their users: only what the checks check, from where the probes are.',
    'That no key was stolen: what is signed with a stolen key is good until its revocation is logged.',
    'That what is measured is chosen well: every change of a setting is in the log, and none is prevented.',
    'What the operator tells in its own words: names, objectives, incidents with their times and what was written about them, the months before, where the anchor stands.',
  ];
}

export interface ProbesByOthers {
  readonly byOthers: number;
  readonly all: number;
}

/** Probes are told by key in a report: one with two keys is one probe here. */
export function probesByOthers(probes: readonly Pick<CountedProbe, 'id' | 'isByOthers'>[]): ProbesByOthers {
  const ids = new Set(probes.map(({ id }) => id));
  const others = new Set(probes.filter(({ isByOthers }) => isByOthers).map(({ id }) => id));
  return { byOthers: others.size, all: ids.size };
}

export function probesText({ byOthers, all }: ProbesByOthers): string {
  if (all === 0) return 'No probe took part.';
  if (all === 1)
    return `The only probe is run by ${byOthers === 0 ? 'the operator' : 'another than the operator'}.`;
  if (byOthers === 0) return `None of the ${all} probes is run by others than the operator.`;
  return `${byOthers} of ${all} probes ${byOthers === 1 ? 'is' : 'are'} run by others than the operator.`;
}

/** Who vouches that all are shown one history. */
export function witnessesText({ signed, all }: Report['witnesses']): string {
  if (all === 0) return noWitnesses;
  const many = `${all} ${all === 1 ? 'witness' : 'witnesses'}`;
  return `${signed === 0 ? 'None' : signed} of the ${many} of its policy cosigned the end of the log.`;
}

export const operatorKeyWords =
  'Of the operator, who signs configurations and the report. It proves nothing as long as you have it from here alone: compare it with one from elsewhere, and give that one to the command.';

export const programWords =
  'highwater is bin/highwater in the sources of Highwater, with which this site is run. Take them from somebody other than its operator: from whoever makes them, or from whoever runs a probe, a witness or a site of their own with them.';

/**
 * Where a report of a site is; placeholders where address or month are none that are safe to be shown, linked and pasted into a
 * shell.
 */
export function reportPlaces(url: string, month: string) {
  const site = isPlainAddress(url) ? url.replace(/\/+$/, '') : 'SITE';
  const name = /^\d{4}-\d{2}$/.test(month) ? month : 'YYYY-MM';
  const page = `${site}/reports/${name}`;
  return { page, file: `report-${name}.tar.gz`, bundle: `${page}.tar.gz`, verify: `${site}/verify` };
}

/** An address of nothing but what needs no quotes anywhere. */
export function isPlainAddress(url: string): boolean {
  return url.length <= 500 && /^https?:\/\/[\w.:/[\]~-]+$/.test(url);
}

/** `1,234,567`: the same in every place. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Where a draft is: with whoever had it made. It has no page and no address. */
export function draftFile(month: string): string {
  return reportPlaces('', month).file.replace(/\.tar\.gz$/, '-draft.tar.gz');
}
