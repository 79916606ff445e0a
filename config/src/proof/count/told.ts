/** All that is added up over the days, by service. */
import type { CountedService } from '../../report/counted.ts';
import type { Into } from './judge-day.ts';
import { LatencyCounts } from './latency-bins.ts';
import { Course, Sums } from './sums.ts';

interface SubjectTold {
  readonly subject: string;
  readonly region: string;
  readonly sums: Sums;
}

/** Of one service. */
export class ServiceTold {
  minutes = 0;
  chain: string | undefined;
  readonly subjects = new Map<string, SubjectTold>();
  readonly courses = new Map<string, Course>();
  /** By subject, region and method: `*` is the whole check. */
  readonly latency = new Map<string, LatencyCounts>();
  /** Of the day that is open; and of all, by place: count, p50, p95, p99. */
  readonly latencyOfDay = new LatencyCounts();
  readonly latencyDays: [number, number, number, number][];

  constructor(days: number) {
    this.latencyDays = Array.from({ length: days }, () => [0, 0, 0, 0]);
  }

  latencyOf(subject: string, region: string, method: string): LatencyCounts {
    const key = `${subject} ${region} ${method}`;
    const known = this.latency.get(key) ?? new LatencyCounts();
    this.latency.set(key, known);
    return known;
  }

  closeDay(place: number): void {
    const day = this.latencyOfDay;
    if (day.count === 0) return;
    const { p50Tenths, p95Tenths, p99Tenths } = percentiles(day);
    this.latencyDays[place] = [day.count, p50Tenths, p95Tenths, p99Tenths];
    day.clear();
  }
}

function percentiles(counts: LatencyCounts): {
  count: number;
  p50Tenths: number;
  p95Tenths: number;
  p99Tenths: number;
} {
  return {
    count: counts.count,
    p50Tenths: counts.percentileTenths(50),
    p95Tenths: counts.percentileTenths(95),
    p99Tenths: counts.percentileTenths(99),
  };
}

export class Told implements Into {
  readonly services = new Map<string, ServiceTold>();
  private readonly days: number;

  constructor(days: number) {
    this.days = days;
  }

  of(service: string): ServiceTold {
    const known = this.services.get(service) ?? new ServiceTold(this.days);
    this.services.set(service, known);
    return known;
  }

  sumsOf(service: string, subject: string, region: string): Sums {
    const { subjects } = this.of(service);
    const key = `${subject} ${region}`;
    const known = subjects.get(key) ?? { subject, region, sums: new Sums() };
    subjects.set(key, known);
    return known.sums;
  }

  courseOf(service: string, subject: string): Course {
    const { courses } = this.of(service);
    const known = courses.get(subject) ?? new Course(this.days);
    courses.set(subject, known);
    return known;
  }
}

const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] => [...map].sort(([a], [b]) => inOrder(a, b));

interface Rest extends Pick<CountedService, 'heads' | 'certificates'> {
  readonly hasMethods: boolean;
}

/** Of the subjects those that had a slot; in the order of their ids, as agreed first. None for what was never configured. */
export function countedService(
  id: string,
  told: ServiceTold,
  { hasMethods, heads, certificates }: Rest,
): CountedService[] {
  if (told.minutes === 0) return [];
  const { minutes, chain, subjects, courses, latencyDays } = told;
  const shown = [...subjects.values()]
    .filter(({ sums }) => sums.minutes > 0)
    .sort((a, b) => inOrder(a.subject, b.subject) || inOrder(a.region, b.region));
  const has = new Set(shown.flatMap(({ subject, region }) => (region === '' ? [subject] : [])));
  const ran = sorted(courses).filter(([subject]) => has.has(subject));
  const service = {
    id,
    ...(chain === undefined ? {} : { chain }),
    minutes,
    subjects: shown.map(({ subject, region, sums }) => ({
      subject,
      ...(region === '' ? {} : { region }),
      totals: sums.totals(),
    })),
    days: ran.map(([subject, course]) => ({ subject, days: course.days })),
    outages: ran.flatMap(([subject, course]) => course.outages.map((outage) => ({ subject, ...outage }))),
    latency: sorted(told.latency)
      .filter(([key, counts]) => counts.count > 0 && (hasMethods || key.endsWith(' *')))
      .map(([key, counts]) => {
        const [subject = '', region = '', method = ''] = key.split(' ');
        return { subject, ...(region === '' ? {} : { region }), method, ...percentiles(counts) };
      }),
    latencyDays: [{ subject: id, days: latencyDays }],
    heads,
    certificates,
  };
  return [service];
}
