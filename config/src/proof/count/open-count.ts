/** The rule over a month as a stream over days (count.ts says what it is for). */
import type { Counted } from '../../report/counted.ts';
import { MINUTES_PER_DAY, MINUTE_MS, dayOfMinute, formatDay } from '../../time.ts';
import { Answers } from './answers.ts';
import { readLines } from './body-lines.ts';
import type { Count, CountBatch, CountInput } from './count.ts';
import { type Ground, TWIN, groundOf, publicMinutes, publishing, serviceOf } from './ground.ts';
import { judgeDay } from './judge-day.ts';
import { MonitorSlots } from './monitor-slots.ts';
import { Probes } from './probes.ts';
import { type Rows, ServiceRows, WIDTH } from './rows.ts';
import { type Span, type Stretch, spansOf, stretchesOf } from './spans.ts';
import { Stands } from './standing.ts';
import { Tallies } from './tallies.ts';
import { Told, countedService } from './told.ts';
import { REFERENCE_PREFIX } from '../rule/stalled.ts';

class DayCount implements Count {
  readonly isPublished: Count['isPublished'];
  readonly isPublicIn: Count['isPublicIn'];
  private readonly input: CountInput;
  private readonly ground: Ground;
  private readonly keys: ReadonlyMap<string, number>;
  private readonly services = new Map<string, ServiceRows>();
  private readonly slots = new Map<string, MonitorSlots>();
  private readonly told: Told;
  private readonly answers: Answers;
  private readonly probes: Probes;
  private readonly missing = new Map<string, number>();
  private readonly firstDay: number;
  private readonly lastDay: number;
  private tallies = new Tallies();
  private nextDay: number;
  /** Of which lines were added. */
  private openDay: number | undefined;

  constructor(input: CountInput) {
    this.input = input;
    this.ground = groundOf(input);
    this.isPublished = publishing(input);
    this.isPublicIn = publicMinutes(this.ground.timeline);
    this.keys = new Map(this.ground.keys.map((key, place) => [key, place]));
    this.firstDay = dayOfMinute(input.range.first);
    this.lastDay = dayOfMinute(input.range.last);
    this.nextDay = this.firstDay;
    this.told = new Told(this.lastDay - this.firstDay + 1);
    this.answers = new Answers(this.told, input.range);
    this.probes = new Probes(this.ground);
    // Many leaves may name one projection.
    const monitors = new Set<string>();
    const configs = new Set(input.configs.map(({ hash }) => this.ground.timeline.configOf(hash)?.config));
    for (const config of configs) for (const { id } of config?.monitors ?? []) monitors.add(id);
    for (const [id, own] of Map.groupBy(monitors, serviceOf)) this.services.set(id, new ServiceRows(id, own));
  }

  needs(day: number): ReadonlySet<string> {
    const stretches = stretchesOf(this.ground.timeline, day);
    return new Set(stretches.flatMap(({ under }) => [...under.monitors.keys()].map(serviceOf)));
  }

  views(day: number): number {
    const regions = new Map<string, Set<string>>();
    for (const { under, speaking } of stretchesOf(this.ground.timeline, day)) {
      const here = new Set(speaking.map(({ region }) => region));
      for (const monitor of under.config.monitors) {
        const own = regions.get(monitor.id) ?? new Set<string>();
        regions.set(monitor.id, own);
        for (const region of monitor.regions) if (here.has(region)) own.add(region);
      }
    }
    return [...regions.values()].reduce((sum, { size }) => sum + size + 1, 0);
  }

  add(batch: CountBatch, service: string, body: Uint8Array, lines: number): string | undefined {
    const place = this.ground.placeOf.get(batch);
    if (place === undefined) throw new RangeError(`batch ${batch.index} is none of those that are counted`);
    const day = dayOfMinute(batch.minutes.first);
    if (this.openDay !== day) this.turnTo(day);
    const known = this.services.get(service) ?? new ServiceRows(service, []);
    this.services.set(service, known);
    const of = {
      service: known,
      batch: place,
      key: this.ground.keyOf[place] ?? 0,
      minutes: batch.minutes,
      isTwin: ((this.ground.bits[place] ?? 0) & TWIN) !== 0,
    };
    const wrong = readLines(of, body, lines);
    if (wrong !== undefined) return `the body of ${service} ${wrong}`;
    this.probes.add(place, lines);
    return undefined;
  }

  private turnTo(day: number): void {
    if (day < (this.openDay ?? this.nextDay) || day > this.lastDay)
      throw new RangeError(`${formatDay(day)} is closed, or not of the days that are counted`);
    this.close(day - 1);
    this.openDay = day;
  }

  miss(day: number, service: string): void {
    const key = `${service} ${day}`;
    this.missing.set(key, (this.missing.get(key) ?? 0) + 1);
  }

  close(day: number): void {
    for (; this.nextDay <= Math.min(day, this.lastDay); this.nextDay += 1) this.closeOne(this.nextDay);
    if (this.openDay !== undefined && this.openDay < this.nextDay) this.openDay = undefined;
  }

  private closeOne(day: number): void {
    const { timeline, input } = this.ground;
    const stretches = stretchesOf(timeline, day);
    this.probes.expect(stretches);
    if (this.tallies.isFull) this.tallies = new Tallies();
    const stands = new Stands(this.ground, this.tallies);
    const slots = new Map<string, MonitorSlots>();
    for (const service of this.services.values()) {
      const methods = [...service.methods.keys()];
      for (const rows of service.monitors) {
        const spans = spansOf(rows.id, stretches);
        const own = this.slots.get(rows.id) ?? new MonitorSlots(rows);
        // Nothing is kept for those of other days.
        if (spans.length === 0) this.slots.delete(rows.id);
        else this.slots.set(rows.id, own);
        own.spans = spans;
        for (const [key, ofKey] of rows.byKey.entries()) {
          if (ofKey !== undefined && ofKey.rows > 0) this.stand(stands, own, key, ofKey, day, methods);
        }
        own.judge(this.tallies, this.keys, day);
        if (own.spans.length > 0) slots.set(rows.id, own);
        rows.clear();
      }
    }
    this.tellServices(stretches);
    judgeDay({
      day,
      minutes: input.range,
      place: day - this.firstDay,
      timeline,
      stretches,
      slots,
      isTold: (service) => this.isTold(service),
      into: this.told,
    });
    this.answers.heads.closeDay();
    for (const told of this.told.services.values()) told.closeDay(day - this.firstDay);
  }

  private stand(
    stands: Stands,
    { rows: monitor, spans }: { readonly rows: MonitorSlots['rows']; readonly spans: readonly Span[] },
    key: number,
    rows: Rows,
    day: number,
    methods: readonly string[],
  ): void {
    const vkey = this.ground.keys[key] ?? '';
    const standing = stands.judge(rows, vkey, day, spans);
    this.hear(rows, vkey, day);
    const isTold = this.isTold(monitor.service);
    this.answers.read({ monitor, key: vkey, rows, standing, spans, isTold, methods }, day);
  }

  /** Whatever it says: the probe spoke. */
  private hear({ rows, words }: Rows, key: string, day: number): void {
    let last = -1;
    for (let row = 0; row < rows; row += 1) {
      const minute = Math.floor((words[row * WIDTH] ?? 0) / MINUTE_MS);
      if (minute === last) continue;
      last = minute;
      this.probes.heard(key, day * MINUTES_PER_DAY + minute);
    }
  }

  private isTold(service: string): boolean {
    if (service.startsWith(REFERENCE_PREFIX)) return false;
    return this.input.service === undefined || this.input.service === service;
  }

  private tellServices(stretches: readonly Stretch[]): void {
    const { first, last } = this.input.range;
    for (const stretch of stretches) {
      const minutes = Math.min(stretch.last, last) - Math.max(stretch.first, first) + 1;
      if (minutes <= 0) continue;
      for (const { id, chain } of stretch.under.config.services) {
        if (!this.isTold(id)) continue;
        const told = this.told.of(id);
        told.minutes += minutes;
        told.chain = chain;
      }
    }
  }

  result(): Counted {
    this.close(this.lastDay);
    const inOrder = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
      a < b ? -1 : 1;
    return {
      services: [...this.told.services].sort(inOrder).flatMap(([id, told]) =>
        countedService(id, told, {
          hasMethods: this.services.get(id)?.hasTooManyMethods !== true,
          heads: this.answers.heads.result(id),
          certificates: this.answers.certificatesOf(id),
        }),
      ),
      probes: this.probes.result(),
      later: this.probes.later(),
      missing: [...this.missing].sort(inOrder).map(([key, bodies]) => {
        const [service = '', day = ''] = key.split(' ');
        return { service, date: formatDay(Number(day)), bodies };
      }),
    };
  }
}

export function openCount(input: CountInput): Count {
  return new DayCount(input);
}
