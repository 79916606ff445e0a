/** A plausible report of one month, made up: for tests of what shows a report. No log stands behind it. */
import { encodeBase64 } from '../../proof/bytes.ts';
import type { Report } from '../report.ts';
import { DAYS, FIRST_MINUTE, minuteAt } from './sample-month.ts';
import { sampleServices } from './sample-services.ts';

/** 32 bytes that are told apart by eye. */
export function sampleHash(of: number): string {
  return encodeBase64(Uint8Array.from({ length: 32 }, (_, i) => (i * 7 + of * 31) % 256));
}

function sampleKey(name: string, of: number): string {
  return `${name}+${(0x1a2b3c00 + of).toString(16)}+${encodeBase64(
    Uint8Array.from({ length: 33 }, (_, i) => (i === 0 ? 1 : (i * 5 + of * 17) % 256)),
  )}`;
}

const at = (day: number, minute: number, second = 0): number =>
  minuteAt([day, minute]) * 60_000 + second * 1_000;

function counted(): Report['counted'] {
  const probe = (id: string, region: string, of: number) => ({
    id,
    key: sampleKey(id, of),
    region,
    operator: 'Example Ltd',
    isByOthers: false,
    batches: 44_640,
    lines: 1_205_280,
    gaps: [],
    silent: [],
    voided: [],
  });
  return {
    services: sampleServices(),
    probes: [
      probe('eu-1', 'eu', 1),
      {
        ...probe('sg-1', 'sg', 2),
        operator: 'A community member',
        isByOthers: true,
        batches: 44_280,
        lines: 1_195_560,
        gaps: [{ epoch: 1_790_000_000, first: 18_840, last: 19_199, why: 'dropped' }],
        silent: [{ firstMinute: minuteAt([14, 120]), minutes: 360 }],
      },
      {
        ...probe('us-1', 'us', 3),
        batches: 28_800,
        lines: 777_600,
        voided: [{ epoch: 1_790_000_100, from: 30_000 }],
      },
      {
        ...probe('us-1', 'us', 4),
        batches: 15_839,
        lines: 427_653,
        gaps: [{ epoch: 1_791_728_000, first: 4_010, last: 4_010, why: 'missing' }],
      },
    ],
    later: [
      {
        month: '2026-09',
        probe: 'sg-1',
        batches: 3,
        lines: 81,
        firstMinute: FIRST_MINUTE - 95,
        lastMinute: FIRST_MINUTE - 93,
      },
    ],
    missing: [{ service: 'explorer', date: '2026-10-30', bodies: 2 }],
  };
}

function logged(): Report['logged'] {
  return {
    configs: [
      {
        year: 2026,
        index: 201_344,
        leaf: sampleHash(11),
        from: FIRST_MINUTE - 20_000,
        inForceFrom: FIRST_MINUTE - 20_000,
        added: { count: 0, lines: [] },
        removed: { count: 0, lines: [] },
      },
      {
        year: 2026,
        index: 268_110,
        leaf: sampleHash(12),
        from: minuteAt([12, 0]),
        inForceFrom: minuteAt([12, 1]),
        added: {
          count: 3,
          lines: [
            'monitor archive/old/head head 30000 10000 chain=ethereum',
            'node archive old zone=home',
            'service archive 1 public chain=ethereum',
          ],
        },
        removed: { count: 0, lines: [] },
      },
    ],
    keys: [
      {
        year: 2026,
        index: 290_001,
        act: 'enrol',
        probe: 'us-1',
        region: 'us',
        operator: 'Example Ltd',
        key: sampleKey('us-1', 4),
        from: minuteAt([21, 0]),
        inForceFrom: minuteAt([21, 0]),
      },
      {
        year: 2026,
        index: 290_002,
        act: 'revoke',
        probe: 'us-1',
        region: 'us',
        operator: 'Example Ltd',
        key: sampleKey('us-1', 3),
        from: minuteAt([21, 0]),
        inForceFrom: minuteAt([21, 1]),
      },
    ],
    maintenance: [
      {
        year: 2026,
        index: 241_900,
        subjects: ['rpc/eu'],
        from: minuteAt([6, 120]),
        last: minuteAt([6, 179]),
        countsFrom: minuteAt([6, 120]),
        countsTo: minuteAt([6, 179]),
        isLate: false,
        isCancelled: false,
      },
      {
        year: 2026,
        index: 262_004,
        subjects: ['explorer'],
        from: minuteAt([11, 600]),
        last: minuteAt([11, 659]),
        countsFrom: minuteAt([11, 600]),
        countsTo: minuteAt([11, 600]) - 1,
        isLate: false,
        isCancelled: true,
      },
      {
        year: 2026,
        index: 291_450,
        subjects: ['rpc'],
        from: minuteAt([22, 600]),
        last: minuteAt([22, 719]),
        countsFrom: minuteAt([22, 615]),
        countsTo: minuteAt([22, 719]),
        isLate: true,
        isCancelled: false,
      },
    ],
    actions: [
      {
        year: 2026,
        index: 283_771,
        by: 'operator',
        what: 'acknowledge',
        subject: 'i-20261017-1',
        at: at(17, 850, 12),
      },
      {
        year: 2026,
        index: 268_111,
        by: 'operator',
        what: 'config-apply',
        subject: 'highwater',
        at: at(11, 1_438),
        note: 'adds the archive node',
      },
    ],
    annotations: [
      {
        year: 2026,
        index: 291_451,
        of: sampleHash(21),
        at: at(22, 614),
        text: 'Disk replaced in the second machine; announced a quarter of an hour too late.',
      },
    ],
    files: { range: sampleHash(31), keys: sampleHash(32), policy: sampleHash(33) },
  };
}

function told(): Report['told'] {
  const before = (month: string, up: number, down: number, unknown: number) => ({
    month,
    revision: 1,
    services: [
      { id: 'explorer', up: up - 90, down: down + 90, unknown, maintenance: 0 },
      { id: 'rpc', up, down, unknown, maintenance: 60 },
    ],
  });
  return {
    site: { name: 'Example Nodes', url: 'https://status.example.com' },
    operator: 'Example Ltd',
    madeAt: Date.UTC(2026, 10, 3, 0, 0, 12),
    services: [
      { id: 'archive', name: 'Archive node', group: 'Mainnet' },
      { id: 'explorer', name: 'Block explorer', objectiveMillionths: 995_000 },
      { id: 'rpc', name: 'Public RPC', group: 'Mainnet', objectiveMillionths: 999_000 },
    ],
    incidents: [
      {
        id: 'i-20261003-1',
        title: 'Block explorer is down',
        impact: 'major',
        startedAt: at(3, 400, 7),
        openedAt: at(3, 400, 41),
        resolvedAt: at(3, 675, 30),
        services: ['explorer'],
        nodes: ['explorer/main'],
        updates: [
          { at: at(3, 400, 41), phase: 'investigating', body: 'Answers with status 502 in all regions.' },
          { at: at(3, 675, 30), phase: 'resolved', body: 'The database was restarted on a larger disk.' },
        ],
      },
      {
        id: 'i-20261017-1',
        title: 'Public RPC is down',
        impact: 'major',
        startedAt: at(17, 845, 3),
        openedAt: at(17, 845, 38),
        acknowledgedAt: at(17, 850, 12),
        resolvedAt: at(17, 868, 20),
        services: ['rpc'],
        nodes: ['rpc/eu', 'rpc/us'],
        updates: [
          { at: at(17, 845, 38), phase: 'investigating', body: 'Both nodes refuse connections.' },
          { at: at(17, 856), phase: 'identified', body: 'A firewall rule of the provider was to blame.' },
          { at: at(17, 868, 20), phase: 'resolved', body: 'All monitors are up again.' },
        ],
      },
    ],
    before: [before('2026-09', 43_126, 11, 3), before('2026-08', 44_580, 0, 0)],
    anchor: 'a memo in block 23904200 of the main network',
  };
}

export function sampleReport(): Report {
  return {
    version: 1,
    rule: 'rule/v1',
    month: '2026-10',
    revision: 2,
    minutes: { first: FIRST_MINUTE, last: FIRST_MINUTE + DAYS * 1_440 - 1 },
    origin: 'status.example.com/log',
    operatorKey: sampleKey('status.example.com/log', 8),
    witnesses: { signed: 2, all: 3 },
    logs: [
      {
        year: 2026,
        start: 240_112,
        size: 312_408,
        root: sampleHash(1),
        key: sampleKey('status.example.com/log/2026', 9),
      },
    ],
    supersedes: {
      revision: 1,
      leaf: sampleHash(2),
      differences: [
        'counted.services.rpc.subjects.rpc.totals.down: 25 -> 23',
        'counted.services.rpc.subjects.rpc.totals.up: 44495 -> 44497',
      ],
      more: 0,
    },
    counted: counted(),
    logged: logged(),
    told: told(),
  };
}
