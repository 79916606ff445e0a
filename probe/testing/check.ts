/** Runs one round of a check as a probe does, against servers on loopback. */
import { faultId } from '@highwater/config/faults.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import type { Target } from '@highwater/config/model.ts';
import type { AssignmentBody } from '@highwater/config/wire.ts';
import { checks } from '../src/checks/index.ts';
import { parseConsent } from '../src/io/reach.ts';
import { makeResolve } from '../src/io/resolve.ts';
import { type House, observe, prepare, type Prepared } from '../src/observe.ts';
import { secretShelf } from '../src/secrets.ts';
import type { Observation } from '@highwater/config/domain.ts';

export const testHouse: House = {
  outside: {
    resolve: makeResolve(),
    consent: parseConsent(['config']),
    userAgent: 'Highwater/test',
    monotonic: () => performance.now(),
  },
  secrets: secretShelf('/nonexistent', {}),
  now: () => Date.now(),
  clockBoundMs: () => 0,
  broke: (monitor, thrown) => {
    throw new Error(`${monitor} broke`, { cause: thrown });
  },
};

export type TestChain = AssignmentBody['chains'][number];

export const quickChain: TestChain = {
  name: 'quick',
  family: 'evm',
  blockTimeMs: 20,
  maxLagBlocks: 5,
  maxAgeMs: 60_000,
};

export interface TestCheck extends Disposable {
  readonly prepared: Prepared;
  run(): Promise<Observation>;
}

/** One monitor; disposing it ends what lasts. */
export function testCheck(
  kind: string,
  url: string,
  settings: unknown = {},
  options: {
    readonly chain?: TestChain;
    readonly timeoutMs?: number;
    readonly house?: House;
    /** Beside its URL. */
    readonly target?: Partial<Target>;
  } = {},
): TestCheck {
  const { chain, timeoutMs = 2_000, house = testHouse, target = {} } = options;
  const monitor = {
    id: 's/n/c',
    kind,
    intervalMs: 10_000,
    timeoutMs,
    recheckAfterMs: 1_000,
    fall: 2,
    settings,
    target: { url, allowPrivate: true, ...target, headers: { ...target.headers } },
    ...(chain ? { chain: chain.name } : {}),
  };
  const prepared = prepare(monitor, chain ? [chain] : [], checks);
  const forever = new AbortController().signal;
  return {
    prepared,
    run: async () =>
      (await observe(prepared, { dueAt: Date.now(), recheck: false }, house, forever)).observation,
    [Symbol.dispose]: () => prepared.lasting[Symbol.dispose](),
  };
}

/** `ok`, or the outcome and the fault. */
export function verdictOf({ outcome, fault }: Observation): string {
  return fault ? `${outcome} ${faultId(fault)}` : outcome;
}

/** A clock that can be put forward. */
export function shiftedHouse() {
  let aheadMs = 0;
  const outside = { ...testHouse.outside, monotonic: () => performance.now() + aheadMs };
  return { house: { ...testHouse, outside }, forward: (ms: number) => (aheadMs += ms) };
}

/** Runs rounds until one says it. */
export async function until(check: TestCheck, wanted: (seen: Observation) => boolean): Promise<Observation> {
  for (let round = 0; round < 400; round += 1) {
    const seen = await check.run();
    formatLine(seen);
    if (wanted(seen)) return seen;
    await new Promise((resume) => setTimeout(resume, 10));
  }
  throw new Error('no round says it');
}
