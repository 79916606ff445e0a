/**
 * The rule in its plainest words (CONTRACTS "The number"): all lines are looked at at once, and anew for every minute.
 * It shares no code with what it is held against but the phase of a check.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import type { RuleMonitor } from '@highwater/config/proof/projection.ts';

/** The first minute of those that are played. */
export const FIRST = 20_000 * 1_440;
export const SEED = '000102030405060708090a0b0c0d0e0f';

export const probes = [
  { id: 'eu-1', region: 'eu' },
  { id: 'eu-2', region: 'eu' },
  { id: 'us-1', region: 'us' },
  { id: 'sg-1', region: 'sg' },
].map((probe) => ({ ...probe, operator: 'Example', vkey: `${probe.id}+key` }));

/** One is asked by two regions alone, one of them less often than each minute, one is not counted. */
export const monitors = (
  [
    ['rpc/a/head', 20_000, ['eu', 'us', 'sg']],
    ['rpc/a/http', 60_000, ['eu', 'us']],
    ['rpc/b/head', 90_000, ['eu', 'us', 'sg']],
    ['rpc/b/tls', 30_000, ['us']],
  ] as const
).map(([id, intervalMs, regions]): RuleMonitor => ({
  id,
  kind: id.endsWith('head') ? 'head' : 'http',
  intervalMs,
  timeoutMs: 1_000,
  ...(id.endsWith('head') ? { chain: 'devnet' } : {}),
  targetHash: '00'.repeat(32),
  settings: [],
  regions: [...regions],
  counts: !id.endsWith('tls'),
}));

/** The monitor that one configuration asks otherwise. */
export const OTHER = 'rpc/a/head';

export interface Sent {
  readonly probe: number;
  readonly epoch: number;
  readonly number: number;
  readonly from: number;
  readonly length: number;
  readonly ran: string;
  readonly boundMs: number;
  /** For each line in turn: a number of `said`, or of nothing. */
  readonly says: readonly number[];
}

/** Index of the leaf that enrols each probe's key, and of the one that revokes it. */
export interface Plan {
  readonly enrolled: readonly number[];
  readonly revoked: readonly number[];
}

export const phases = new Map(
  probes.flatMap(({ id }) =>
    monitors.map(
      (each) => [`${id} ${each.id}`, phaseMs(SEED, each.id, id, each.intervalMs, sha256)] as const,
    ),
  ),
);

export interface Played extends Sent {
  readonly index: number;
  readonly lines: readonly string[];
  /** The lines' words, with whose they are: rechecks are left out. */
  readonly claims: readonly Claim[];
}

interface Claim {
  readonly of: Played;
  readonly line: string;
  readonly words: readonly string[];
  readonly due: number;
  readonly minute: number;
}

export function played(sent: Sent, i: number, lines: readonly string[]): Played {
  const claims: Claim[] = [];
  const of = { ...sent, index: 10 + i, lines, claims };
  for (const line of of.lines) {
    const words = line.split(' ');
    const due = Number(words[1]);
    if (!words.includes('re=1')) claims.push({ of, line, words, due, minute: Math.floor(due / 60_000) });
  }
  return of;
}

/** Under one number of a key's epoch lie several texts: all from there on is void. */
export function voidFrom(all: readonly Played[], probe: number, epoch: number): number {
  const own = all.filter((each) => each.probe === probe && each.epoch === epoch);
  const twice = own.filter((a) => own.some((b) => a !== b && a.number === b.number));
  return Math.min(...twice.map(({ number }) => number));
}

export interface Told {
  readonly state: string;
  readonly degraded: boolean;
  readonly requests: number;
  readonly failed: number;
}

interface Count {
  ok: number;
  degraded: number;
  fail: number;
}

/** What one probe's lines of a monitor come to in some minutes: clause by clause of "None". */
function countOf(
  p: Plan,
  all: readonly Played[],
  probe: number,
  monitor: RuleMonitor,
  minutes: readonly number[],
): Count {
  const count: Count = { ok: 0, degraded: 0, fail: 0 };
  const claims = all
    .filter((each) => each.probe === probe)
    .flatMap((each) => each.claims)
    .filter(({ words, minute }) => words[0] === monitor.id && minutes.includes(minute));
  for (const at of new Set(claims.map(({ due }) => due))) {
    const ours = claims.filter(({ due }) => due === at);
    const rank = ({ of }: Claim): number => of.epoch * 100 + of.number;
    const lowest = Math.min(...ours.map(rank));
    const standing = ours.filter((each) => rank(each) === lowest);
    const [first] = standing;
    if (first === undefined || standing.some(({ line }) => line !== first.line)) continue;
    const { of, words, due } = first;
    const [, , outcome, , fault = '', ...facts] = words;
    const late = Number(facts.find((fact) => fact.startsWith('late='))?.slice('late='.length) ?? 0);
    if (outcome === 'skipped' || fault.startsWith('probe.')) continue;
    if (due % monitor.intervalMs !== phases.get(`${probes[probe]?.id} ${monitor.id}`)) continue;
    if (late > monitor.intervalMs / 2) continue;
    if (of.boundMs === -1 || of.boundMs > 2_000) continue;
    if (of.number >= voidFrom(all, probe, of.epoch)) continue;
    if (of.index < (p.enrolled[probe] ?? 0) || of.index > (p.revoked[probe] ?? 0)) continue;
    if (of.ran === 'none' || (of.ran === 'other' && monitor.id === OTHER)) continue;
    if (outcome === 'ok') count.ok += 1;
    if (outcome === 'degraded') count.degraded += 1;
    if (outcome === 'fail') count.fail += 1;
  }
  return count;
}

const isMuch = ({ ok, degraded }: Count): boolean => degraded > 0 && degraded * 2 >= ok + degraded;

function majority(up: number, down: number): string {
  if (up > down) return 'up';
  return down > up ? 'down' : 'unknown';
}

/** What is to be in the planes of one minute, by `SUBJECT PLANE`. */
export function plainly(p: Plan, all: readonly Played[], minute: number): Map<string, Told> {
  const told = new Map<string, Told>();
  for (const monitor of monitors) {
    const even = minute - (minute % 2);
    // 90 seconds: two minutes are told together.
    const window = monitor.intervalMs > 60_000 ? [even, even + 1] : [minute];
    const up: Count = { ok: 0, degraded: 0, fail: 0 };
    const says: string[] = [];
    for (const region of monitor.regions) {
      const own = [...probes.keys()].filter((probe) => probes[probe]?.region === region);
      const counts = own.map((probe) => countOf(p, all, probe, monitor, window));
      const isUp = ({ ok, degraded, fail }: Count): boolean => ok + degraded > fail;
      const isDown = ({ ok, degraded, fail }: Count): boolean => fail > 0 && fail >= ok + degraded;
      const state = majority(counts.filter(isUp).length, counts.filter(isDown).length);
      const sum: Count = { ok: 0, degraded: 0, fail: 0 };
      for (const count of counts) {
        sum.ok += count.ok;
        sum.degraded += count.degraded;
        if (state === 'up') up.ok += count.ok;
        if (state === 'up') up.degraded += count.degraded;
      }
      says.push(state);
      let [requests, failed] = [0, 0];
      for (const probe of own) {
        const asked = countOf(p, all, probe, monitor, [minute]);
        requests += asked.ok + asked.degraded + asked.fail;
        failed += asked.fail;
      }
      told.set(`${monitor.id} ${region}`, {
        state,
        degraded: state === 'up' && isMuch(sum),
        requests,
        failed,
      });
    }
    const times = (state: string): number => says.filter((say) => say === state).length;
    const enough = says.length / 2;
    const state = times('up') > enough ? 'up' : times('down') > enough ? 'down' : 'unknown';
    told.set(`${monitor.id} `, { state, degraded: state === 'up' && isMuch(up), requests: 0, failed: 0 });
  }
  const parts = { 'rpc/a': ['rpc/a/head', 'rpc/a/http'], 'rpc/b': ['rpc/b/head'] };
  for (const plane of ['', 'eu', 'us', 'sg']) {
    for (const [node, ids] of Object.entries(parts)) {
      const own = ids.flatMap((id) => told.get(`${id} ${plane}`) ?? []);
      const state = own.some((each) => each.state === 'down')
        ? 'down'
        : own.every((each) => each.state === 'up')
          ? 'up'
          : 'unknown';
      const degraded = state === 'up' && own.some((each) => each.degraded);
      told.set(`${node} ${plane}`, { state, degraded, ...asked(own) });
    }
    const nodes = Object.keys(parts).flatMap((node) => told.get(`${node} ${plane}`) ?? []);
    const state = nodes.some((each) => each.state === 'up')
      ? 'up'
      : nodes.every((each) => each.state === 'down')
        ? 'down'
        : 'unknown';
    const degraded = state === 'up' && !nodes.some((each) => each.state === 'up' && !each.degraded);
    told.set(`rpc ${plane}`, { state, degraded, ...asked(nodes) });
  }
  return told;
}

function asked(parts: readonly Told[]): { requests: number; failed: number } {
  let [requests, failed] = [0, 0];
  for (const part of parts) {
    requests += part.requests;
    failed += part.failed;
  }
  return { requests, failed };
}
