/** One check now, by the same code as in a probe: for `highwater check`. */
import { join } from 'node:path';
import type { Observation } from '@highwater/config/domain.ts';
import type { AssignmentBody, AssignedMonitor } from '@highwater/config/wire.ts';
import { checks } from './checks/index.ts';
import { parseConsent } from './io/reach.ts';
import { makeResolve } from './io/resolve.ts';
import { observe, prepare } from './observe.ts';
import { type SecretShelf, secretShelf } from './secrets.ts';
import { userAgent } from './user-agent.ts';

export interface OnceOptions {
  readonly kind: string;
  /** As the operator writes them. */
  readonly settings: unknown;
  readonly target: AssignedMonitor['target'];
  readonly chain?: AssignmentBody['chains'][number];
  readonly timeoutMs: number;
  /** As ProbeOptions.allowPrivate. */
  readonly allowPrivate: readonly string[];
  /** What the observation is called; default `check/now/KIND`. */
  readonly monitor?: string;
  /** Where secrets/ lies; without it only those of the environment are known. */
  readonly dataDir?: string;
  /** In place of all those: what the caller has. */
  readonly secrets?: SecretShelf;
  readonly origin?: string;
}

/** Never rejects for anything that the target does. */
export async function runOnce(options: OnceOptions): Promise<Observation> {
  const { kind, settings, target, chain, timeoutMs } = options;
  const outside = {
    resolve: makeResolve(),
    consent: parseConsent(options.allowPrivate),
    userAgent: userAgent(options.origin),
    monotonic: () => performance.now(),
  };
  const monitor: AssignedMonitor = {
    id: options.monitor ?? `check/now/${kind}`,
    kind,
    settings,
    target,
    timeoutMs,
    intervalMs: timeoutMs * 2,
    recheckAfterMs: timeoutMs,
    fall: 1,
    ...(chain ? { chain: chain.name } : {}),
  };
  const house = {
    outside,
    secrets: options.secrets ?? secretShelf(join(options.dataDir ?? '.', 'secrets')),
    now: () => Date.now(),
    clockBoundMs: () => 0,
    broke: () => undefined,
  };
  const prepared = prepare(monitor, chain ? [chain] : [], checks);
  const at = { dueAt: Date.now(), recheck: false };
  try {
    return (await observe(prepared, at, house, new AbortController().signal)).observation;
  } finally {
    prepared.lasting[Symbol.dispose]();
  }
}
