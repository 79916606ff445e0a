/** A report's figures as texts, for whatever shows them. Pure; every number by the rules of "Printed". */
import { budgetOf, printedObjective } from '../proof/rule/budget.ts';
import { type Printed, printedShare, printedUptime } from '../proof/rule/printed.ts';
import { withMaintenance } from '../proof/rule/totals.ts';
import type { CountedService, ReportTotals } from './counted.ts';
import type { Report } from './report.ts';

export interface Objective {
  /** `99.9 %` */
  readonly text: string;
  /** By the bounds: met or missed whatever the unknown minutes were; else open. */
  readonly result: 'met' | 'missed' | 'open';
  /** By the figure; left out where the rule gives none: too little is known. */
  readonly asKnown?: 'met' | 'missed';
  /** Minutes that may be down, of those that are known. */
  readonly allowedMinutes: number;
}

export interface ServiceFigure {
  readonly id: string;
  /** From outside. */
  readonly name: string;
  readonly service: CountedService;
  readonly totals: ReportTotals;
  readonly printed: Printed;
  /** Those minutes put back by their slot. */
  readonly withMaintenance: Printed;
  readonly share?: string;
  readonly objective?: Objective;
}

/** Of a subject as the regions agreed, or as one of them saw it. */
export function totalsOf(
  service: CountedService,
  subject: string,
  region?: string,
): ReportTotals | undefined {
  return service.subjects.find((one) => one.subject === subject && one.region === region)?.totals;
}

/** @param objective millionths */
export function objectiveOf(
  totals: Pick<ReportTotals, 'up' | 'down' | 'unknown'>,
  objective: number,
): Objective {
  const { allowed, left, leftAtLeast, leftAtMost } = budgetOf(totals, objective);
  const { figure, coverage } = printedUptime(totals);
  const decided = leftAtMost < 0 ? 'missed' : leftAtLeast < 0 ? 'open' : 'met';
  return {
    text: printedObjective(objective),
    result: coverage === undefined ? 'open' : decided,
    ...(figure === undefined ? {} : { asKnown: left < 0 ? 'missed' : 'met' }),
    allowedMinutes: allowed,
  };
}

/** In the order of the report. A service without minutes of its own has no figure and is left out. */
export function serviceFigures({ counted, told }: Pick<Report, 'counted' | 'told'>): ServiceFigure[] {
  return counted.services.flatMap((service) => {
    const totals = totalsOf(service, service.id);
    if (totals === undefined) return [];
    const words = told.services.find(({ id }) => id === service.id);
    const share = printedShare(totals);
    const objective = words?.objectiveMillionths;
    return {
      id: service.id,
      name: words?.name ?? service.id,
      service,
      totals,
      printed: printedUptime(totals),
      withMaintenance: printedUptime(withMaintenance(totals)),
      ...(share === undefined ? {} : { share }),
      ...(objective === undefined ? {} : { objective: objectiveOf(totals, objective) }),
    };
  });
}

/** `99.9484 %`, `99.9484 % (incomplete)`, `none`. */
export function figureText({ figure, incomplete }: Printed): string {
  if (figure === undefined) return 'none';
  return incomplete ? `${figure} (incomplete)` : figure;
}

/** `met`, `not met`, `met as far as known`, `not met as far as known`, `too little known`. */
export function resultText({ result, asKnown }: Pick<Objective, 'result' | 'asKnown'>): string {
  const word = { met: 'met', missed: 'not met' } as const;
  if (result !== 'open') return word[result];
  return asKnown === undefined ? 'too little known' : `${word[asKnown]} as far as known`;
}

/** `99.9 % met`, `99.9 %: too little known`, `none`. */
export function objectiveText(objective: Objective | undefined): string {
  if (objective === undefined) return 'none';
  return `${objective.text}${objective.result === 'open' ? ':' : ''} ${resultText(objective)}`;
}

/** `142.1 ms` of tenths. */
export function tenthsText(tenths: number): string {
  return `${Math.floor(tenths / 10)}.${tenths % 10} ms`;
}
