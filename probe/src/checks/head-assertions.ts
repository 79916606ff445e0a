/** What a head check asks of a node, in sentences, for a person. Pure. */
import { type Fault, faultId } from '@highwater/config/faults.ts';
import type { CheckContext } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { formatDuration, type Instant } from '@highwater/config/time.ts';
import type { About, Condition, Tip } from './chains/family.ts';

type Asserted = NonNullable<CheckContext['asserted']>;

/** What the node told. */
interface Heard {
  readonly tip: Tip;
  readonly answeredAt: Instant;
  readonly said: Condition;
  readonly about: About;
  /** The slowest answer. */
  readonly calledTenths: number;
}

interface Limits {
  readonly maxAgeMs: number;
  readonly maxAheadMs: number;
  readonly slow: number | undefined;
}

export function assertHead(
  asserted: Asserted,
  { tip, answeredAt, said, about, calledTenths }: Heard,
  chain: Chain,
  { maxAgeMs, maxAheadMs, slow }: Limits,
): void {
  const { height, blockAt } = tip;
  if (isKnown(chain)) asserted({ what: itServes(chain), held: true });
  asserted({ what: newest, held: true, found: `block ${height}` });
  if (blockAt !== undefined) {
    const ageMs = answeredAt - blockAt;
    const found = `${Math.floor(Math.abs(ageMs) / 1_000)} s ${ageMs < 0 ? 'ahead' : 'old'}`;
    asserted({ what: `it is at most ${formatDuration(maxAgeMs)} old`, held: ageMs <= maxAgeMs, found });
    const ahead = `it is dated at most ${formatDuration(maxAheadMs)} ahead`;
    asserted({ what: ahead, held: -ageMs <= maxAheadMs, found });
  }
  if (said.syncing !== undefined) asserted({ what: 'the node is not syncing', held: !said.syncing });
  const { maxFinalityLagBlocks: most } = chain;
  if (most !== undefined && said.finalizedHeight !== undefined) {
    const behind = height - said.finalizedHeight;
    // One answer alone is not yet a fault: the check waits some minutes.
    const what = `the finalized block is at most ${most} behind (some minutes of more are a fault)`;
    asserted({ what, held: behind <= most, found: `${behind} behind` });
  }
  for (const trouble of [said.trouble, about.trouble])
    if (trouble) asserted({ what: 'the node tells of no trouble', held: false, found: textOf(trouble) });
  if (slow !== undefined) {
    const found = `${calledTenths / 10} ms`;
    asserted({ what: `it answers within ${formatDuration(slow)}`, held: calledTenths <= slow * 10, found });
  }
}

/** Why there is no head. */
export function assertFault(asserted: Asserted, fault: Fault, chain: Chain): void {
  const isOther = fault.operation === 'head' && ['chain', 'genesis'].includes(fault.code);
  asserted({ what: isOther ? itServes(chain) : newest, held: false, found: textOf(fault) });
}

const newest = 'it tells its newest block';

/** Without either no node can be told from another chain's. */
function isKnown({ chainId, genesis }: Chain): boolean {
  return chainId !== undefined || genesis !== undefined;
}

function itServes({ name, chainId, genesis }: Chain): string {
  const by = chainId === undefined ? (genesis === undefined ? '' : ' (by its genesis)') : ` (${chainId})`;
  return `it serves the chain ${name}${by}`;
}

function textOf(fault: Fault): string {
  return fault.detail ?? faultId(fault);
}
