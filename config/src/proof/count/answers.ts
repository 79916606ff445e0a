/** What lines tell beside slots: latencies, heights, certificates, and that a probe spoke at all. Of lines that count alone. */
import { DAY_MS, MINUTES_PER_DAY, MINUTE_MS } from '../../time.ts';
import type { CountedCertificate } from '../../report/counted.ts';
import type { MinuteRange } from '../rule/evaluate.ts';
import { type Heights, Heads, STRETCH_MINUTES } from './heads.ts';
import type { LatencyCounts } from './latency-bins.ts';
import { CERTIFICATE, LATENCY, METHODS, type MonitorRows, type Rows, WIDTH } from './rows.ts';
import type { Span } from './spans.ts';
import { COUNTS_DEGRADED, COUNTS_OLD, NONE, type Standing } from './standing.ts';
import type { Told } from './told.ts';

interface Seen {
  readonly dueAt: number;
  readonly key: string;
  readonly expiresAt: number;
}

export interface AnswersOf {
  readonly monitor: MonitorRows;
  readonly key: string;
  readonly rows: Rows;
  readonly standing: Standing;
  readonly spans: readonly Span[];
  readonly isTold: boolean;
  /** Names of methods by place. */
  readonly methods: readonly string[];
}

export class Answers {
  readonly heads = new Heads();
  private readonly told: Told;
  private readonly range: MinuteRange;
  private readonly certificates = new Map<string, Seen>();

  constructor(told: Told, range: MinuteRange) {
    this.told = told;
    this.range = range;
  }

  /** Of one monitor and key, in one day. */
  read(of: AnswersOf, day: number): void {
    const startMs = day * DAY_MS;
    const firstDue = this.range.first * MINUTE_MS - startMs;
    const endDue = (this.range.last + 1) * MINUTE_MS - startMs;
    const counts = (row: number, upTo: number): boolean => {
      const own = of.standing.classes[row] ?? NONE;
      const due = of.rows.words[row * WIDTH] ?? 0;
      return own !== NONE && own <= upTo && due >= firstDue && due < endDue;
    };
    if (of.isTold) this.readLatencies(of, (row) => counts(row, COUNTS_DEGRADED));
    const heights = this.heightsAt(of, day);
    for (let i = 0; i < of.rows.facts; i += 1) {
      const what = of.rows.factWhat[i] ?? 0;
      if (what >= METHODS) continue;
      const row = of.rows.factRow[i] ?? 0;
      const value = of.rows.factValue[i] ?? 0;
      const due = of.rows.words[row * WIDTH] ?? 0;
      if (what === CERTIFICATE) {
        if (of.isTold && counts(row, COUNTS_OLD)) this.readCertificate(of, startMs + due, value);
        continue;
      }
      const own = counts(row, COUNTS_DEGRADED) ? heights(due) : undefined;
      const at = Math.floor(due / (STRETCH_MINUTES * MINUTE_MS));
      if (own !== undefined && value > (own[at] ?? -1)) own[at] = value;
    }
  }

  /** Where the height of a line that is due at a ms of the day belongs; undefined where the monitor is no head then. */
  private heightsAt({ monitor, spans }: AnswersOf, day: number): (due: number) => Heights | undefined {
    let from = 0;
    let to = -1;
    let heights: Heights | undefined;
    return (due) => {
      if (due >= from && due <= to) return heights;
      const minute = day * MINUTES_PER_DAY + Math.floor(due / MINUTE_MS);
      const span = spans.find(({ first, last }) => first <= minute && minute <= last);
      if (span === undefined) return undefined;
      from = (span.first - day * MINUTES_PER_DAY) * MINUTE_MS;
      to = (span.last - day * MINUTES_PER_DAY + 1) * MINUTE_MS - 1;
      const { kind, chain } = span.monitor;
      heights =
        kind === 'head' && chain !== undefined ? this.heads.heightsOf(monitor.node, chain) : undefined;
      return heights;
    };
  }

  private readLatencies(of: AnswersOf, counts: (row: number) => boolean): void {
    const { monitor, rows, standing, methods } = of;
    const { regionOf, regions } = standing;
    const service = this.told.of(monitor.service);
    const ofNode = service.latencyOf(monitor.node, '', '*');
    const ofService = service.latencyOf(monitor.service, '', '*');
    const ofRegion = regions.map((region) => service.latencyOf(monitor.service, region, '*'));
    for (let row = 0; row < rows.rows; row += 1) {
      if (!counts(row)) continue;
      const tenths = rows.words[row * WIDTH + LATENCY] ?? 0;
      ofNode.add(tenths);
      ofService.add(tenths);
      ofRegion[regionOf[row] ?? 0]?.add(tenths);
      service.latencyOfDay.add(tenths);
    }
    const byMethod: (LatencyCounts | undefined)[] = [];
    for (let i = 0; i < rows.facts; i += 1) {
      const place = (rows.factWhat[i] ?? 0) - METHODS;
      const row = rows.factRow[i] ?? 0;
      if (place < 0 || !counts(row)) continue;
      const region = regionOf[row] ?? 0;
      const at = region * METHODS_STEP + place;
      const own = (byMethod[at] ??= service.latencyOf(
        monitor.service,
        regions[region] ?? '',
        methods[place] ?? '',
      ));
      own.add(rows.factValue[i] ?? 0);
    }
  }

  private readCertificate({ monitor, key }: AnswersOf, dueAt: number, expiresAt: number): void {
    const before = this.certificates.get(monitor.id);
    const isLater =
      before === undefined || dueAt > before.dueAt || (dueAt === before.dueAt && key > before.key);
    if (isLater) this.certificates.set(monitor.id, { dueAt, key, expiresAt });
  }

  certificatesOf(service: string): CountedCertificate[] {
    const endMs = (this.range.last + 1) * MINUTE_MS;
    return [...this.certificates]
      .filter(([monitor]) => monitor.startsWith(`${service}/`))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([monitor, { expiresAt }]) => ({
        monitor,
        expiresAt,
        daysLeft: Math.floor((expiresAt - endMs) / DAY_MS),
      }));
  }
}

/** Above any place of a method. */
const METHODS_STEP = 1_024;
