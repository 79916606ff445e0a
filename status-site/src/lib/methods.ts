/** Latency and faults by method, method by method, so that nodes can be compared. Pure. */
import { faultMeanings } from '@highwater/config/faults.ts';
import type { PublicMethod, PublicNode } from '@highwater/config/public.ts';
import { highestOf } from './charts/draw.ts';
import { sparkline } from './charts/sparkline.ts';
import { formatCount, formatTenths, plural } from './format.ts';

export interface FaultCount {
  readonly count: string;
  /** A sentence; empty for a fault that this version does not know. */
  readonly means: string;
  readonly fault: string;
}

export interface MethodRow {
  readonly node: string;
  /** `1 440 calls`: those that were answered, and those that gave a fault. */
  readonly calls: string;
  /** `1.2 % failed`; empty without a fault. */
  readonly failed: string;
  /** Empty without an answer. */
  readonly median: string;
  readonly p95: string;
  readonly path: string;
  readonly text: string;
  readonly faults: readonly FaultCount[];
  /** `2 faults of other kinds`; empty when all are named. */
  readonly more: string;
}

export interface MethodView {
  /** Of check and method. */
  readonly key: string;
  readonly method: string;
  /** The check, where several have a method of this name. */
  readonly check: string;
  /** What the top of its charts is. */
  readonly highest: string;
  readonly rows: readonly MethodRow[];
}

/** Kinds of faults that are named; the others are counted together. */
const NAMED = 2;

interface Measured {
  readonly node: string;
  readonly said: PublicMethod;
}

/** In the order in which the nodes have them. */
export function methodViews(nodes: readonly PublicNode[]): readonly MethodView[] {
  const all = nodes.flatMap((node) => node.methods.map((said): Measured => ({ node: node.id, said })));
  const checksOf = new Map<string, Set<string>>();
  for (const { said } of all) {
    checksOf.set(said.method, (checksOf.get(said.method) ?? new Set()).add(said.check));
  }
  return [...Map.groupBy(all, ({ said }) => `${said.check}/${said.method}`)].map(([key, own]) => {
    const { check = '', method = '' } = own[0]?.said ?? {};
    const highest = highestOf(own.map(({ said }) => said.hourlyP50Tenths));
    return {
      key,
      method,
      check: (checksOf.get(method)?.size ?? 0) > 1 ? check : '',
      highest: own.some(({ said }) => said.calls > 0) ? formatTenths(highest) : '',
      rows: own.map(({ node, said }) => rowOf(node, said, highest)),
    };
  });
}

function rowOf(node: string, said: PublicMethod, highest: number): MethodRow {
  const faults = said.faults.reduce((sum, { count }) => sum + count, 0);
  const others = said.faults.slice(NAMED).reduce((sum, { count }) => sum + count, 0);
  const words = {
    median: said.p50Tenths === undefined ? '' : formatTenths(said.p50Tenths),
    p95: said.p95Tenths === undefined ? '' : formatTenths(said.p95Tenths),
  };
  return {
    node,
    calls: plural(said.calls + faults, 'call'),
    failed: faults === 0 ? '' : `${shareText(faults, said.calls + faults)} failed`,
    ...words,
    path: sparkline(said.hourlyP50Tenths, highest),
    text: chartText(node, said),
    faults: said.faults.slice(0, NAMED).map(({ fault, count }) => ({
      count: formatCount(count),
      means: faultMeanings[fault]?.means ?? '',
      fault,
    })),
    more: others === 0 ? '' : `${plural(others, 'fault')} of other kinds`,
  };
}

/** `1.2 %`; never 0 % for what has happened, nor 100 % while one was answered. */
function shareText(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  if (percent < 0.1) return 'under 0.1\u00a0%';
  if (part < whole && percent > 99.9) return 'over 99.9\u00a0%';
  return `${Number(percent.toFixed(1))}\u00a0%`;
}

function chartText(node: string, { hourlyP50Tenths }: PublicMethod): string {
  const measured = hourlyP50Tenths.filter((value) => value !== null);
  const gaps = hourlyP50Tenths.length - measured.length;
  const hours = plural(hourlyP50Tenths.length, 'hour');
  if (measured.length === 0) return `${node}: no answer in ${hours}.`;
  const range = `lowest ${formatTenths(Math.min(...measured))}, highest ${formatTenths(Math.max(...measured))}`;
  return (
    `${node}, hourly medians of the last ${hours}: ${range}` +
    (gaps > 0 ? `, no answer in ${plural(gaps, 'hour')}.` : '.')
  );
}
