/** Judging only what answers and deadlines touch must come to the same as judging everything each time. */
import type { Flip } from '@highwater/config/domain.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../decide/types.ts';
import { staleAt } from '../decide/votes.ts';
import { regions, testHouse } from '../testing/config.ts';
import { watch } from '../watched.ts';
import { judgeShard } from './judge.ts';
import { newShard, type Shard } from './shard.ts';

const { config: house } = testHouse();
// Each node its own operator, so that the chain can stand still; a method is compared across nodes.
const config = {
  ...house,
  services: house.services.map((service) => ({
    ...service,
    nodes: service.nodes.map((node) => ({ ...node, operator: node.id })),
  })),
  monitors: house.monitors.map((monitor) =>
    monitor.kind === 'jsonrpc'
      ? { ...monitor, settings: { methods: [{ method: 'm', equal: true }] } }
      : monitor,
  ),
};
const watched = watch(config);
const name = 'chain:devnet';
const services = watched.shards.get(name) ?? [];
const monitors = config.monitors.filter((monitor) => watched.shardOf.get(monitor.service) === name);

const turn = fc.record({
  afterMs: fc.constantFrom(1, 300, 1_000, 4_000, 9_000),
  said: fc.array(
    fc.record({
      // Heads twice as often: they touch each other through the head that they agree on.
      monitor: fc.constantFrom(
        ...monitors.keys(),
        ...[...monitors.keys()].filter((i) => monitors[i]?.kind === 'head'),
      ),
      region: fc.constantFrom(...regions),
      outcome: fc.constantFrom(
        'ok' as const,
        'ok' as const,
        'fail' as const,
        'fail' as const,
        'degraded' as const,
      ),
      behind: fc.constantFrom(0, 0, 7, 20, -12, -30),
      isOld: fc.boolean(),
      fork: fc.constantFrom('aaaaaaaa', 'aaaaaaaa', 'bbbbbbbb'),
    }),
    { maxLength: 12 },
  ),
});

function answersAt(
  now: number,
  said: readonly {
    monitor: number;
    region: string;
    outcome: Answer['outcome'];
    behind: number;
    isOld: boolean;
    fork: string;
  }[],
): Answer[] {
  return said.flatMap(({ monitor, region, outcome, behind, isOld, fork }, i): Answer[] => {
    const declared = monitors[monitor];
    if (declared === undefined) return [];
    const fails = outcome === 'fail';
    const isHead = declared.kind === 'head' && (!fails || isOld);
    const fault = isHead ? ('target.head.old' as const) : ('target.connect.refused' as const);
    const height = Math.floor(now / 1_000) - behind;
    return [
      {
        monitor: declared.id,
        probe: `${region}-1`,
        region,
        dueAt: now - 12 + i,
        receivedAt: now,
        outcome,
        latencyTenths: 10,
        recheck: false,
        ...(fails ? { fault } : {}),
        ...(declared.kind === 'jsonrpc' && { equal: { m: `0000000${now % 2}.${fork}` } }),
        ...(isHead && {
          height,
          genesis: 'aaaaaaaa',
          blockAt: height * 900,
          checkpoint: { height: 16 * Math.floor(height / 16), id: fork },
        }),
      },
    ];
  });
}

/** The monitors whose answers have gone stale since the last look, as the store's wake rows would say. */
function due(shard: Shard, last: number, now: number): Set<string> {
  return new Set(
    [...shard.monitors.entries()].flatMap(([id, row]) => {
      const policy = watched.policies.get(id);
      const at = policy === undefined ? null : staleAt(policy, Object.values(row.streaks), last);
      return at !== null && at <= now ? [id] : [];
    }),
  );
}

const told = (shard: Shard): unknown => ({
  monitors: [...shard.monitors.entries()]
    .map(([id, { verdict }]) => [id, verdict.status, verdict.since])
    .sort(),
  nodes: [...shard.nodes.entries()]
    .map(([id, { verdict, beside }]) => [id, verdict.status, verdict.since, beside?.fork])
    .sort(),
  services: [...shard.services.entries()]
    .map(([id, row]) => [id, row.verdict.status, row.component.word])
    .sort(),
  chains: [...shard.chains.entries()],
});
const byId = (flips: readonly Flip[]): string[] =>
  flips.map((flip) => `${flip.id} ${flip.at} ${flip.from}`).sort();

describe('judging what is touched', () => {
  it('comes to the same as judging everything', () => {
    let flipped = 0;
    const chain = new Set<string>();
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 25 }), (turns) => {
        const [touched, all] = [newShard(name), newShard(name)];
        let now = 1_000_000_000;
        for (const shard of [touched, all]) {
          judgeShard(watched, services, shard, { answers: [], woken: 'all' }, now, now);
        }
        for (const { afterMs, said } of turns) {
          const woken = due(touched, now, now + afterMs);
          now += afterMs;
          const answers = answersAt(now, said);
          const some = judgeShard(watched, services, touched, { answers, woken }, 0, now);
          const every = judgeShard(watched, services, all, { answers, woken: 'all' }, 0, now);
          expect(byId(some)).toEqual(byId(every));
          expect(told(touched)).toEqual(told(all));
          flipped += some.length;
          for (const { subject, to } of some) if (subject.startsWith('chain:')) chain.add(to);
        }
      }),
      { numRuns: 500 },
    );
    expect(flipped).toBeGreaterThan(100);
    expect([...chain]).toContain('degraded');
  });
});

describe('what keeps probes from an answer', () => {
  it('is told of a monitor that nobody answers for, and until it is stale', () => {
    const shard = newShard(name);
    const monitor = monitors[0]?.id ?? '';
    const said = (): unknown => {
      const row = shard.monitors.get(monitor);
      return [
        row?.verdict.status,
        row?.verdict.because,
        row?.verdict.votes.map(({ fault }) => fault?.source),
      ];
    };
    const now = 1_000_000_000;
    const troubles = regions.map((region) => ({
      monitor,
      probe: `${region}-1`,
      region,
      receivedAt: now,
      fault: 'probe.control.failed' as const,
    }));
    judgeShard(watched, services, shard, { answers: [], troubles, woken: new Set() }, 0, now);
    const because = "no answer that counts from 3 of 3 regions: the probe's controls failed too";
    expect(said()).toEqual(['unknown', because, ['probe', 'probe', 'probe']]);
    const later = now + (watched.policies.get(monitor)?.freshMs ?? 0);
    expect(shard.monitors.due(later - 1)).toEqual([]);
    expect(shard.monitors.due(later)).toEqual([monitor]);
    judgeShard(watched, services, shard, { answers: [], woken: new Set([monitor]) }, 0, later);
    expect(said()).toEqual([
      'unknown',
      'no fresh answer from any of 3 regions',
      [undefined, undefined, undefined],
    ]);
  });
});
