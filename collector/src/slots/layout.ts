/** One shard's part of a configuration as it is judged: its heads by chain, its nodes, its services. */
import { monitorParts } from '@highwater/config/domain.ts';
import type { RuleMonitor, RuleService } from '@highwater/config/proof/projection.ts';
import { operatorOf } from '@highwater/config/proof/rule/evaluate.ts';
import { PUBLIC_NODE } from '@highwater/config/proof/rule/service.ts';
import { REFERENCE_PREFIX } from '@highwater/config/proof/rule/stalled.ts';
import type { ConfigInForce, Timeline } from '@highwater/config/proof/rule/timeline.ts';
import { windowMinutesOf } from '@highwater/config/proof/rule/window.ts';
import { partOf } from './part.ts';

export interface LaidNode {
  readonly id: string;
  readonly service: string;
  /** Its monitors that count. */
  readonly monitors: readonly string[];
}

export interface LaidService {
  readonly service: RuleService;
  /** What it is judged by where it has any. */
  readonly open: readonly string[];
  /** Those with monitors that count. */
  readonly nodes: readonly LaidNode[];
}

export interface LaidChain {
  /** All heads of the chain. */
  readonly heads: readonly string[];
  /** Those that tell whether it stands still, and who runs them. */
  readonly judging: readonly { readonly id: string; readonly operator: string }[];
}

export interface Layout {
  readonly monitors: readonly RuleMonitor[];
  readonly chains: readonly LaidChain[];
  readonly services: readonly LaidService[];
  /** Lengths of its monitors' windows, minutes. */
  readonly windows: ReadonlySet<number>;
  readonly longest: number;
  /** Monitors whose windows are longer than a minute. */
  readonly slow: readonly string[];
  isSlow(monitor: string): boolean;
  /** Whether a monitor is one of this shard. */
  has(monitor: string): boolean;
}

const known = new WeakMap<ConfigInForce, Map<string, Layout>>();

function lay(under: ConfigInForce, shard: string): Layout {
  const { config } = under;
  const part = partOf(under, shard);
  const counted = part.monitors.filter(
    ({ id, counts }) => counts && !monitorParts(id).service.startsWith(REFERENCE_PREFIX),
  );
  const byNode = Map.groupBy(
    counted.map(({ id }) => id),
    (id) => id.slice(0, id.lastIndexOf('/')),
  );
  const windows = new Set(part.monitors.map(({ intervalMs }) => windowMinutesOf(intervalMs)));
  const slow = new Set(
    part.monitors.flatMap(({ id, intervalMs }) => (windowMinutesOf(intervalMs) > 1 ? [id] : [])),
  );
  const own = new Set(part.monitors.map(({ id }) => id));
  return {
    monitors: part.monitors,
    has: (monitor) => own.has(monitor),
    slow: [...slow],
    isSlow: (monitor) => slow.has(monitor),
    longest: Math.max(1, ...windows),
    chains: part.chains.map((chain) => {
      const heads = part.monitors.filter((each) => each.kind === 'head' && each.chain === chain.name);
      return {
        heads: heads.map(({ id }) => id),
        judging: heads.flatMap(({ id }) => {
          const operator = operatorOf(config, chain, id);
          return operator === undefined ? [] : [{ id, operator }];
        }),
      };
    }),
    services: part.services.map((service) => ({
      service,
      open: byNode.get(`${service.id}/${PUBLIC_NODE}`) ?? [],
      nodes: service.nodes.flatMap((node) => {
        const id = `${service.id}/${node.id}`;
        const monitors = byNode.get(id);
        return monitors === undefined ? [] : [{ id, service: service.id, monitors }];
      }),
    })),
    windows,
  };
}

export function layoutOf(under: ConfigInForce, shard: string): Layout {
  const own = known.get(under) ?? new Map<string, Layout>();
  known.set(under, own);
  const had = own.get(shard) ?? lay(under, shard);
  own.set(shard, had);
  return had;
}

/** Undefined before the first configuration. */
export function layoutIn(
  timeline: Pick<Timeline, 'configAt'>,
  shard: string,
  minute: number,
): Layout | undefined {
  const under = timeline.configAt(minute);
  return under === undefined ? undefined : layoutOf(under, shard);
}
