/** The services of the sample: one that met its objective, one that did not, one of which too little is known. */
import type { CountedLatency, CountedService } from '../counted.ts';
import { DAYS, sampleMinutes, type Stretch } from './sample-month.ts';

const regions = ['eu', 'us', 'sg'] as const;

interface Part {
  readonly subject: string;
  readonly stretches: readonly Stretch[];
  readonly perMinute: number;
}

function subjectsOf(parts: readonly Part[]): Pick<CountedService, 'subjects' | 'days' | 'outages'> {
  const counted = parts.map(({ subject, stretches, perMinute }) => ({
    subject,
    perMinute,
    stretches,
    own: sampleMinutes(stretches, perMinute),
  }));
  const agreed = counted.filter(({ subject }) => subject.split('/').length < 3);
  return {
    subjects: counted.flatMap(({ subject, own, stretches, perMinute }) => [
      { subject, totals: own.totals() },
      ...regions.map((region) => ({
        subject,
        region,
        totals: sampleMinutes([...stretches, ...seenFrom(region)], perMinute / 3).totals(),
      })),
    ]),
    days: agreed.map(({ subject, own }) => ({ subject, days: own.days() })),
    outages: agreed.flatMap(({ subject, own }) => own.outages(subject)),
  };
}

/** The region of the probe that was away for six hours knows less than all together. */
function seenFrom(region: string): readonly Stretch[] {
  return region === 'sg' ? [{ is: 'noData', at: [14, 120], minutes: 360 }] : [];
}

function latencies(subject: string, method: string, count: number, p50Tenths: number): CountedLatency[] {
  const own = (part: number, share: number, region?: string): CountedLatency => ({
    subject,
    ...(region === undefined ? {} : { region }),
    method,
    count: Math.floor(count / share),
    p50Tenths: p50Tenths + part,
    p95Tenths: 2 * p50Tenths + part,
    p99Tenths: 5 * p50Tenths + part,
  });
  return [own(0, 1), own(-120, 3, 'eu'), own(310, 3, 'us'), own(1_240, 3, 'sg')];
}

function latencyDays(subject: string, perDay: number, p50: number): CountedService['latencyDays'] {
  const days = Array.from({ length: DAYS }, (_, day): [number, number, number, number] => {
    const high = p50 + (day % 7) * 11 + (day === 16 ? 900 : 0);
    return [perDay, high, 2 * high, 5 * high];
  });
  return [{ subject, days }];
}

function rpc(): CountedService {
  const late: Stretch[] = [{ is: 'maintenance', at: [22, 615], minutes: 105 }];
  const shared: Stretch[] = [
    { is: 'noData', at: [9, 30], minutes: 6 },
    { is: 'split', at: [17, 842], minutes: 3 },
    { is: 'probe', at: [25, 100], minutes: 2 },
    { is: 'stalled', at: [28, 1_200], minutes: 9 },
    { is: 'down', at: [17, 845], minutes: 23 },
  ];
  const eu: Stretch[] = [
    ...shared,
    { is: 'down', at: [17, 830], minutes: 38 },
    { is: 'down', at: [6, 125], minutes: 40 },
    { is: 'maintenance', at: [6, 120], minutes: 60 },
    { is: 'degraded', at: [18, 0], minutes: 75 },
    ...late,
  ];
  const us: Stretch[] = [...shared, ...late, { is: 'down', at: [22, 600], minutes: 41 }];
  const all: Stretch[] = [...shared, ...late, { is: 'degraded', at: [22, 600], minutes: 15 }];
  return {
    id: 'rpc',
    chain: 'ethereum',
    minutes: sampleMinutes(all, 1).minutes,
    ...subjectsOf([
      { subject: 'rpc', stretches: all, perMinute: 24 },
      { subject: 'rpc/eu', stretches: eu, perMinute: 12 },
      { subject: 'rpc/eu/calls', stretches: eu, perMinute: 6 },
      { subject: 'rpc/eu/head', stretches: eu, perMinute: 6 },
      { subject: 'rpc/us', stretches: us, perMinute: 12 },
      { subject: 'rpc/us/calls', stretches: us, perMinute: 6 },
      { subject: 'rpc/us/head', stretches: us, perMinute: 6 },
    ]),
    latency: [
      ...latencies('rpc', '*', 1_069_920, 1_421),
      ...latencies('rpc', 'eth_blockNumber', 267_480, 480),
      ...latencies('rpc', 'eth_getBlockByNumber', 267_480, 612),
      ...latencies('rpc/eu', '*', 534_960, 1_302),
      ...latencies('rpc/us', '*', 534_960, 1_537),
    ],
    latencyDays: latencyDays('rpc', 34_560, 1_421),
    heads: [
      {
        subject: 'rpc/eu',
        chain: 'ethereum',
        stretches: 8_921,
        level: 8_871,
        lagP50Blocks: 0,
        lagP95Blocks: 1,
        lagMaxBlocks: 27,
        highest: 23_904_112,
      },
      {
        subject: 'rpc/us',
        chain: 'ethereum',
        stretches: 8_920,
        level: 8_902,
        lagP50Blocks: 0,
        lagP95Blocks: 0,
        lagMaxBlocks: 4,
        highest: 23_904_112,
      },
    ],
    certificates: [
      { monitor: 'rpc/eu/tls', expiresAt: Date.UTC(2026, 11, 24, 9, 12, 5), daysLeft: 53 },
      { monitor: 'rpc/us/tls', expiresAt: Date.UTC(2026, 10, 10, 0, 0, 0), daysLeft: 9 },
    ],
  };
}

function explorer(): CountedService {
  const stretches: Stretch[] = [
    { is: 'noData', at: [9, 30], minutes: 6 },
    { is: 'down', at: [3, 400], minutes: 275 },
    { is: 'down', at: [29, 15], minutes: 4 },
  ];
  return {
    id: 'explorer',
    minutes: sampleMinutes(stretches, 1).minutes,
    ...subjectsOf([
      { subject: 'explorer', stretches, perMinute: 3 },
      { subject: 'explorer/main', stretches, perMinute: 3 },
      { subject: 'explorer/main/http', stretches, perMinute: 3 },
    ]),
    latency: latencies('explorer', '*', 133_062, 2_207),
    latencyDays: latencyDays('explorer', 4_320, 2_207),
    heads: [],
    certificates: [
      { monitor: 'explorer/main/tls', expiresAt: Date.UTC(2026, 9, 31, 12, 0, 0), daysLeft: -1 },
    ],
  };
}

/** Added on the 12th; a clock that nobody could trust cost three days. */
function archive(): CountedService {
  const stretches: Stretch[] = [
    { is: 'absent', at: [1, 0], minutes: 11 * 1_440 },
    { is: 'clock', at: [20, 0], minutes: 3 * 1_440 },
    { is: 'down', at: [13, 700], minutes: 12 },
  ];
  return {
    id: 'archive',
    chain: 'ethereum',
    minutes: sampleMinutes(stretches, 1).minutes,
    ...subjectsOf([
      { subject: 'archive', stretches, perMinute: 3 },
      { subject: 'archive/old', stretches, perMinute: 3 },
      { subject: 'archive/old/head', stretches, perMinute: 3 },
    ]),
    latency: [],
    latencyDays: [],
    heads: [
      {
        subject: 'archive/old',
        chain: 'ethereum',
        stretches: 4_894,
        level: 4_102,
        lagP50Blocks: 0,
        lagP95Blocks: 12,
        lagMaxBlocks: 1_204,
        highest: 23_904_104,
      },
    ],
    certificates: [],
  };
}

export function sampleServices(): CountedService[] {
  return [archive(), explorer(), rpc()];
}
