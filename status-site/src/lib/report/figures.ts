/** Counts of a report as texts, by the rule's own printing. Pure. */
import { budgetOf } from '@highwater/config/proof/rule/budget.ts';
import { printedShare, printedUptime } from '@highwater/config/proof/rule/printed.ts';
import type { ReportTotals } from '@highwater/config/report/counted.ts';
import { objectiveOf, objectiveText, resultText, type Objective } from '@highwater/config/report/figures.ts';
import { unknownCauses } from '@highwater/config/report/words.ts';
import { formatCount, formatInstant, formatShortInstant, plural } from '../format.ts';

const MINUTE_MS = 60_000;
/** What a date can be. */
const MAX_MS = 8_640_000_000_000_000;

export interface Minutes {
  readonly up: number;
  readonly down: number;
  readonly unknown: number;
}

export interface FigureTexts {
  /** `99.9871 %`; `no figure` below 90 % coverage. */
  readonly figure: string;
  readonly hasFigure: boolean;
  /** `99.9123 %`, `–` */
  readonly coverage: string;
  /** `99.9 % to 99.95 %`; `–` where nothing is unknown. */
  readonly bounds: string;
  readonly incomplete: boolean;
}

export function figureTexts(minutes: Minutes): FigureTexts {
  const { figure, coverage, atLeast, atMost, incomplete } = printedUptime(minutes);
  return {
    figure: figure === undefined ? (coverage === undefined ? 'nothing counted' : 'no figure') : kept(figure),
    hasFigure: figure !== undefined,
    coverage: coverage === undefined ? '–' : kept(coverage),
    bounds: atLeast === undefined || atMost === undefined ? '–' : `${kept(atLeast)} to ${kept(atMost)}`,
    incomplete,
  };
}

/** With its sign on one line. */
function kept(percentage: string): string {
  return percentage.replace(' %', '\u00a0%');
}

/** The figure as a cell: with the word, where it is incomplete. */
export function figureCell(minutes: Minutes): string {
  const { figure, hasFigure, incomplete } = figureTexts(minutes);
  return incomplete && hasFigure ? `${figure} (incomplete)` : figure;
}

export type Verdict = Objective['result'];

/** As figureCell; where there is no figure with the bounds, which then say all that is certain. */
export function headlineCell(minutes: Minutes): string {
  const { hasFigure, bounds } = figureTexts(minutes);
  return hasFigure || bounds === '–' ? figureCell(minutes) : `no figure: ${bounds}`;
}

/** `objective met`, `objective met as far as known`; undefined without an objective. */
export function verdictText(minutes: Minutes, objective: number | undefined): string | undefined {
  if (objective === undefined) return undefined;
  const text = resultText(objectiveOf(minutes, objective));
  return text === 'too little known' ? text : `objective ${text}`;
}

/** Undefined without an objective. */
export function verdictOf(minutes: Minutes, objective: number | undefined): Verdict | undefined {
  return objective === undefined ? undefined : objectiveOf(minutes, objective).result;
}

/** `99.9 % met`; `none`. */
export function objectiveCell(minutes: Minutes, objective: number | undefined): string {
  return kept(objectiveText(objective === undefined ? undefined : objectiveOf(minutes, objective)));
}

/** `23 of 44 minutes of being down that it allows`. */
export function budgetText(minutes: Minutes, objective: number): string {
  const { allowed, spent } = budgetOf(minutes, objective);
  return `${formatCount(spent)} of ${plural(allowed, 'minute')} that it allows`;
}

/** `no data 6, split vote 3`; `0` without any. */
export function causesText(totals: ReportTotals): string {
  const parts = unknownCauses
    .filter(({ key }) => totals[key] > 0)
    .map(({ key, name }) => `${name} ${formatCount(totals[key])}`);
  return parts.length === 0 ? '–' : parts.join(', ');
}

/** `99.9812 % of 1 069 920`; `–` without any. */
export function shareText(totals: Pick<ReportTotals, 'requests' | 'succeeded'>): string {
  const share = printedShare(totals);
  return share === undefined ? '–' : `${kept(share)} of ${formatCount(totals.requests)}`;
}

/** `17 Oct, 14:05` of a minute. */
export function minuteText(minute: number): string {
  return minute * MINUTE_MS <= MAX_MS ? formatShortInstant(minute * MINUTE_MS) : '–';
}

/** `17 Oct 2026, 14:05 UTC`; `–` for what no date can be. */
export function timeText(at: number): string {
  return Math.abs(at) <= MAX_MS ? formatInstant(at) : '–';
}

/** `so many, and 4 more` where a list is cut. */
export function listed(all: readonly string[], most: number): string {
  const more = all.length - most;
  return more > 0 ? `${all.slice(0, most).join('; ')}; and ${more} more` : all.join('; ');
}
