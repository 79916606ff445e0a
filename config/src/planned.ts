/**
 * Names of the contract that are not built yet. They are refused by name, so that nobody takes a promise for a
 * typing error. An entry leaves this file when its feature comes.
 */
export const notYet = 'not in this version';

/** Keys, by their path with list indexes and free names left out. */
export const plannedKeys: Readonly<Record<string, readonly string[]>> = {
  '': ['pools', 'healthz', 'maintenance', 'kpis', 'oncall'],
  'services[].nodes[]': ['drain'],
  'services[].checks[]': ['labels'],
  'services[].public.checks[]': ['labels'],
};

export const plannedKinds: readonly string[] = [
  'http',
  'jsonrpc',
  'websocket',
  'head',
  'tls',
  'dns',
  'tcp',
  'elasticsearch',
  'snapshot',
  'ipfs',
  'registry',
  'faucet',
  'metric',
  'heartbeat',
  'metadata',
];

export const plannedChannels: readonly string[] = [
  'discord',
  'email',
  'webhook',
  'slack',
  'telegram',
  'ntfy',
  'alertmanager',
  'pagerduty',
];
