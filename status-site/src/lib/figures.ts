/** What the page of a service shows of its numbers and charts. Pure; absent as long as they never came. */
import type { PublicServiceDetail } from '@highwater/config/public-detail.ts';
import { budgetView, type BudgetView } from './budget.ts';
import type { ChartView } from './charts/chart.ts';
import { latencyCharts, type LatencyCharts } from './charts/latency.ts';
import { nodeCharts } from './charts/node.ts';
import { checkRows, periodRows, regionRows, type CountedRow } from './numbers.ts';
import type { Selection } from './selection.ts';

/** The period by which regions and checks are compared. */
const COMPARED = '30d';

export interface FiguresView {
  /** By the collector's clock. */
  readonly madeAt: number;
  readonly periods: readonly CountedRow[];
  readonly regions: readonly CountedRow[];
  /** Absent without an objective. */
  readonly budget?: BudgetView;
  readonly latency: LatencyCharts;
}

/** Undefined when the selection names a method or region that was not measured. */
export function figuresView(
  detail: PublicServiceDetail,
  selection: Selection,
  regionName: (id: string) => string,
): FiguresView | undefined {
  const { service, numbers, charts } = detail;
  const latency = latencyCharts(charts.latency, selection, regionName, service, detail);
  if (latency === undefined) return undefined;
  return {
    madeAt: detail.generatedAt,
    periods: periodRows(numbers, service),
    regions: regionRows(numbers, service, COMPARED, regionName),
    ...(numbers.budget === undefined ? {} : { budget: budgetView(numbers.budget) }),
    latency,
  };
}

export interface NodeFigures {
  readonly periods: readonly CountedRow[];
  readonly checks: readonly CountedRow[];
  readonly charts: readonly ChartView[];
}

export function nodeFigures(
  { service, numbers, charts, generatedAt, startedAt }: PublicServiceDetail,
  node: string,
): NodeFigures {
  const subject = `${service}/${node}`;
  const own = charts.nodes.find((one) => one.node === node);
  return {
    periods: periodRows(numbers, subject),
    checks: checkRows(numbers, subject, COMPARED),
    charts: own === undefined ? [] : nodeCharts(own, generatedAt, startedAt),
  };
}
