/** One check now, by the same code as in a probe: for `highwater check`. */
import { join } from 'node:path';
import type { Observation } from '@highwater/config/domain.ts';
import type { Assertion } from '@highwater/config/kinds.ts';
import type { AssignmentBody, AssignedMonitor } from '@highwater/config/wire.ts';
import { checks } from './checks/index.ts';
import { parseConsent } from './io/reach.ts';
import { makeResolve } from './io/resolve.ts';
import { observe, prepare, type Prepared } from './observe.ts';
import { type SecretShelf, secretShelf } from './secrets.ts';
import { type Call, listening } from './told.ts';
import { userAgent } from './user-agent.ts';

export interface OnceOptions {
  readonly kind: string;
  /** As the operator writes them. */
  readonly settings: unknown;
  readonly target: AssignedMonitor['target'];
  readonly chain?: AssignmentBody['chains'][number];
  readonly timeoutMs: number;
  readonly refusals?: 'skip';
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

/** What one check says, and what a person wants to know beside it. What comes from outside is not yet cleaned. */
export interface Told {
  readonly observation: Observation;
  /** What the target's host stood for; undefined where nothing was connected to, and for name servers. */
  readonly address: string | undefined;
  /** In the order in which they ended. */
  readonly calls: readonly Call[];
  /** In the order in which they were judged. */
  readonly assertions: readonly Assertion[];
}

/** The observation alone. Never rejects for anything that the target does. */
export async function runOnce(options: OnceOptions): Promise<Observation> {
  return (await tellOnce(options)).observation;
}

/** As `runOnce`, with all that can be told. */
export async function tellOnce(options: OnceOptions): Promise<Told> {
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
    ...(options.refusals === undefined ? {} : { refusals: options.refusals }),
  };
  const house = {
    outside,
    secrets: options.secrets ?? secretShelf(join(options.dataDir ?? '.', 'secrets')),
    now: () => Date.now(),
    clockBoundMs: () => 0,
    broke: () => undefined,
  };
  const prepared = prepare(monitor, chain ? [chain] : [], checks);
  const { run } = prepared;
  const book = { calls: [], assertions: [] };
  const begunAt = performance.now();
  const elapsed = () => Math.round((performance.now() - begunAt) * 10);
  const told: Prepared = {
    ...prepared,
    run: typeof run === 'function' ? (ctx) => run(listening(ctx, book, elapsed)) : run,
  };
  const at = { dueAt: Date.now(), recheck: false };
  try {
    const { observation, address } = await observe(told, at, house, new AbortController().signal);
    return { observation, address, ...book };
  } finally {
    prepared.lasting[Symbol.dispose]();
  }
}
