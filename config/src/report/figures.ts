/** A report's figures as texts, for whatever shows them. Pure; every number by the rules of "Printed". */
import { budgetOf, printedObjective } from '../proof/rule/budget.ts';
import { type Printed, printedShare, printedUptime } from '../proof/rule/printed.ts';
import { withMaintenance } from '../proof/rule/totals.ts';
import type { CountedService, ReportTotals } from './counted.ts';
import type { Report } from './report.ts';

export interface Objective {
  /** `99.9 %` */
  readonly text: string;
  readonly result: 'met' | 'missed' | 'unknown';
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

/** `unknown` where the rule gives no figure: too little is known to say. @param objective millionths */
export function objectiveOf(
  totals: Pick<ReportTotals, 'up' | 'down' | 'unknown'>,
  objective: number,
): Objective {
  const { allowed, left } = budgetOf(totals, objective);
  const isKnown = printedUptime(totals).figure !== undefined;
  return {
    text: printedObjective(objective),
    result: isKnown ? (left < 0 ? 'missed' : 'met') : 'unknown',
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

/** `99.9 % met`, `99.9 % not met`, `99.9 %: too little known`, `none`. */
export function objectiveText(objective: Objective | undefined): string {
  if (objective === undefined) return 'none';
  const { text, result } = objective;
  if (result === 'unknown') return `${text}: too little known`;
  return `${text} ${result === 'met' ? 'met' : 'not met'}`;
}

/** `142.1 ms` of tenths. */
export function tenthsText(tenths: number): string {
  return `${Math.floor(tenths / 10)}.${tenths % 10} ms`;
}
