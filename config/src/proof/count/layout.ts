/** A configuration as a day is judged: its chains with their heads, its services with their nodes and monitors. */
import type { RuleConfig, RuleMonitor, RuleService } from '../projection.ts';
import { operatorOf } from '../rule/evaluate.ts';
import { PUBLIC_NODE } from '../rule/service.ts';
import { REFERENCE_PREFIX } from '../rule/stalled.ts';
import type { ConfigInForce } from '../rule/timeline.ts';

export interface LaidNode {
  readonly id: string;
  /** Its monitors that count. */
  readonly monitors: readonly string[];
}

export interface LaidService {
  readonly service: RuleService;
  readonly monitors: readonly RuleMonitor[];
  /** Of its public name; it is judged by them where there are any. */
  readonly open: readonly string[];
  readonly nodes: readonly LaidNode[];
}

export interface LaidChain {
  readonly name: string;
  /** Heads that tell whether it stands still, and who runs what they are asked of. */
  readonly judging: readonly { readonly id: string; readonly operator: string }[];
}

export interface Layout {
  readonly chains: readonly LaidChain[];
  readonly services: readonly LaidService[];
}

/** By configuration: many leaves may name one. */
const layouts = new WeakMap<RuleConfig, Layout>();

export const nodeOfMonitor = (id: string): string => id.slice(0, id.lastIndexOf('/'));

function lay({ config }: ConfigInForce): Layout {
  const { monitors } = config;
  const byService = Map.groupBy(monitors, ({ id }) => id.slice(0, id.indexOf('/')));
  const counted = monitors.filter(({ id, counts }) => counts && !id.startsWith(REFERENCE_PREFIX));
  const byNode = Map.groupBy(
    counted.map(({ id }) => id),
    nodeOfMonitor,
  );
  const heads = Map.groupBy(
    monitors.filter(({ kind }) => kind === 'head'),
    ({ chain }) => chain ?? '',
  );
  return {
    chains: config.chains.map((chain) => ({
      name: chain.name,
      judging: (heads.get(chain.name) ?? []).flatMap(({ id }) => {
        const operator = operatorOf(config, chain, id);
        return operator === undefined ? [] : [{ id, operator }];
      }),
    })),
    services: config.services.map((service) => ({
      service,
      monitors: byService.get(service.id) ?? [],
      open: byNode.get(`${service.id}/${PUBLIC_NODE}`) ?? [],
      nodes: service.nodes.flatMap((node) => {
        const id = `${service.id}/${node.id}`;
        const own = byNode.get(id);
        return own === undefined ? [] : [{ id, monitors: own }];
      }),
    })),
  };
}

export function layoutOf(under: ConfigInForce): Layout {
  const known = layouts.get(under.config) ?? lay(under);
  layouts.set(under.config, known);
  return known;
}
