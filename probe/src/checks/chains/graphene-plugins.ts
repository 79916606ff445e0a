/** What a BitShares node lacks of what its users need: API sets that are not open to them, plugins not loaded. */
import type { Ask } from '../ask.ts';
import { isRecord } from '../json.ts';
import { type Api, call, optionalCall } from './graphene-call.ts';

/** Wallets ask for these three when they connect (bitsharesjs-ws: ApiInstances.js); every node opens them by default. */
const needed = ['database_api', 'history_api', 'network_broadcast_api'];

/** API sets that a node can open without having the plugin behind them, and the shortest call that needs it. */
const behind: readonly { readonly set: string; readonly plugin: string; readonly call: [Api, string] }[] = [
  { set: 'custom_operations_api', plugin: 'custom_operations', call: [1, 'custom_operations'] },
  { set: 'orders_api', plugin: 'grouped_orders', call: ['orders', 'get_tracked_groups'] },
];

/** A node's own words for a plugin that it does not have: a sentence, or the failed assertion `plugin`. */
const notLoaded = /\bplugin is not enabled|\bplugin:/i;

export interface Missing {
  /** Names of API sets and plugins, in a fixed order. */
  readonly plugins: readonly string[];
  /** The API sets open to this session; undefined where the node does not say (before 6.1). */
  readonly sets?: ReadonlySet<string>;
}

export async function missing(ask: Ask): Promise<Missing> {
  const sets = await openSets(ask);
  const plugins = sets ? needed.filter((name) => !sets.has(name)) : [];
  const options = await optionalCall(ask, 1, 'get_config');
  // Without it no wallet shows prices or trades.
  if (isRecord(options) && options['has_market_history_plugin'] === false) plugins.push('market_history');
  for (const one of behind) {
    if (!sets?.has(one.set)) continue;
    const { error } = await call(ask, ...one.call);
    if (error && notLoaded.test(error.fault.detail ?? '')) plugins.push(one.plugin);
  }
  return { plugins, ...(sets ? { sets } : {}) };
}

/** An empty list is that of a session that is not logged in, which says nothing about the node. */
async function openSets(ask: Ask): Promise<ReadonlySet<string> | undefined> {
  const said = await optionalCall(ask, 1, 'get_available_api_sets');
  if (!Array.isArray(said)) return undefined;
  const names = said.filter((name): name is string => typeof name === 'string');
  return names.length === 0 ? undefined : new Set(names);
}
