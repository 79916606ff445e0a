/** One run of one check: from a monitor to an observation. */
import { isIP } from 'node:net';
import type { Observation } from '@highwater/config/domain.ts';
import type { Fault } from '@highwater/config/faults.ts';
import { type AnyCheckKind, type CheckContext, FaultError, type Reading } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import type { AssignedMonitor, AssignmentBody } from '@highwater/config/wire.ts';
import type { Instant } from '@highwater/config/time.ts';
import { type Deadline, deadline } from './deadline.ts';
import { type Echoes, echoesOf } from './echoes.ts';
import { cleanDetail, fault, isTimeout, timeoutFault } from './fault.ts';
import { openDns } from './io/dns.ts';
import { openWay } from './io/exchange.ts';
import { shakeHands } from './io/handshake.ts';
import { openLink } from './io/link.ts';
import type { Outside } from './io/outside.ts';
import { openSocket } from './io/socket.ts';
import { noPhases, totalTenths } from './io/stopwatch.ts';
import { lastingShelf, type LastingShelf } from './lasting.ts';
import { outcomeOf } from './refusal.ts';
import { openTarget, type SecretShelf } from './secrets.ts';
import type { Family } from './self.ts';

/** A monitor whose settings have been decoded, or why they can't be. */
export interface Prepared {
  readonly monitor: AssignedMonitor;
  readonly run: ((ctx: CheckContext) => Promise<Reading>) | Fault;
  readonly chain?: Chain;
  readonly memory: Map<string, unknown>;
  /** To be disposed with it. */
  readonly lasting: LastingShelf;
}

/** What the runs of one probe share. */
export interface House {
  readonly outside: Outside;
  readonly secrets: SecretShelf;
  now(): Instant;
  /** The clock bound now known, ms; 0 before any. */
  clockBoundMs(): number;
  /** Told of a check that broke: a bug. */
  broke(monitor: string, thrown: unknown): void;
}

export interface Seen {
  readonly observation: Observation;
  readonly family: Family;
  readonly loopback: boolean;
  /** What the target's host stood for in this run; undefined where nothing was connected to, and for name servers. */
  readonly address?: string | undefined;
}

/** The chain that it is about. */
export function chainOf(monitor: AssignedMonitor, chains: AssignmentBody['chains']): Chain | undefined {
  const found = chains.find((each) => each.name === monitor.chain);
  return found && ({ ...found, references: [] } as Chain);
}

/** Decodes once; an unknown kind or bad settings are the probe's fault and told in each round. */
export function prepare(
  monitor: AssignedMonitor,
  chains: AssignmentBody['chains'],
  table: Readonly<Record<string, AnyCheckKind>>,
): Prepared {
  const kept = { memory: new Map<string, unknown>(), lasting: lastingShelf(monitor) };
  const known = chainOf(monitor, chains);
  const chain = known ? { chain: known } : {};
  const kind = Object.hasOwn(table, monitor.kind) ? table[monitor.kind] : undefined;
  if (!kind) return { monitor, run: fault('probe.config.kind', monitor.kind), ...kept };
  try {
    return { monitor, run: kind.prepare(monitor.settings), ...kept, ...chain };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { monitor, run: fault('probe.config.kind', `settings of ${monitor.kind}: ${why}`), ...kept };
  }
}

/**
 * Runs the check within its deadline. Always gives an observation, apart from one case: it rejects with the
 * reason of `ending` when the program ends first.
 */
export async function observe(
  prepared: Prepared,
  at: { readonly dueAt: Instant; readonly recheck: boolean },
  house: House,
  ending: AbortSignal,
): Promise<Seen> {
  const { monitor } = prepared;
  const lateMs = Math.max(0, house.now() - at.dueAt);
  const written = (reading: Reading): Observation => ({
    monitor: monitor.id,
    dueAt: at.dueAt,
    outcome: outcomeOf(reading, monitor.refusals),
    latencyTenths: reading.latencyTenths,
    facts: reading.facts ?? {},
    lateMs,
    recheck: at.recheck,
    ...(reading.fault ? { fault: tidy(reading.fault) } : {}),
    ...(reading.phases ? { phases: reading.phases } : {}),
  });
  if (typeof prepared.run !== 'function') {
    return { observation: written(skipped(prepared.run)), family: 'name', loopback: false };
  }
  const limit = deadline(monitor.timeoutMs, ending);
  const startedAt = house.outside.monotonic();
  let way: ReturnType<typeof openWay> | undefined;
  let echoes: Echoes | undefined;
  const links: Disposable[] = [];
  /** The last that something other than HTTP tried. */
  let dialled: string | undefined;
  /** The first of these: what a redirect leads to is somebody else. */
  let own: string | undefined;
  const told = (at: string) => {
    dialled = at;
    own ??= at;
  };
  const kept = <T extends Disposable>(link: T): T => {
    links.push(link);
    return link;
  };
  try {
    const target = openTarget(monitor.target, house.secrets);
    if (target !== monitor.target) echoes = echoesOf(target);
    const overHttp = () => (way ??= openWay(target, house.outside, limit));
    const ctx: CheckContext = {
      signal: limit,
      target: monitor.target as CheckContext['target'],
      now: () => house.now(),
      clockBoundMs: house.clockBoundMs(),
      exchange: (request) => overHttp().exchange(request),
      socket: async (request) => kept(await openSocket(target, house.outside, request, limit, told)),
      connect: async (request) => kept(await openLink(target, house.outside, request, limit, told)),
      handshake: (request) => shakeHands(target, house.outside, request, limit, told),
      get dns() {
        const run = { signal: limit, timeoutMs: monitor.timeoutMs };
        return openDns(target, house.outside, run, (at) => (dialled = at));
      },
      lasting: (name, open) => prepared.lasting.take(name, open, house),
      round: Math.floor(at.dueAt / monitor.intervalMs),
      memory: prepared.memory,
      ...(prepared.chain ? { chain: prepared.chain } : {}),
    };
    const reading = await within(prepared.run(echoes ? echoes.around(ctx) : ctx), limit);
    return {
      observation: written(echoes ? echoes.reading(reading) : reading),
      ...whereOf(dialled ?? way?.address),
      address: own ?? way?.ownAddress,
    };
  } catch (thrown) {
    if (ending.aborted && !(thrown instanceof FaultError)) throw thrown;
    const tenths = Math.round((house.outside.monotonic() - startedAt) * 10);
    const reading = failed(thrown, tenths, (bug) => house.broke(monitor.id, bug));
    return {
      observation: written(echoes ? echoes.reading(reading) : reading),
      ...whereOf(dialled ?? way?.address),
      address: own ?? way?.ownAddress,
    };
  } finally {
    limit.done();
    way?.close();
    for (const link of links) link[Symbol.dispose]();
  }
}

/** A check that heeds its limit has this long to say where it was; one that does not is left behind. */
const graceMs = 50;

function within<T>(run: Promise<T>, limit: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const end = () => {
      grace = setTimeout(() => reject(limit.reason as Error), graceMs);
    };
    const settled = () => {
      clearTimeout(grace);
      limit.removeEventListener('abort', end);
    };
    if (limit.aborted) end();
    else limit.addEventListener('abort', end);
    run.then(
      (reading) => {
        settled();
        resolve(reading);
      },
      (thrown: Error) => {
        settled();
        reject(thrown);
      },
    );
  });
}

function failed(thrown: unknown, tenths: number, broke: (bug: unknown) => void): Reading {
  if (thrown instanceof FaultError) {
    if (thrown.fault.operation === 'config') return skipped(thrown.fault);
    const phases = thrown.phases ?? { ...noPhases, firstByte: tenths };
    return { outcome: 'fail', fault: thrown.fault, latencyTenths: totalTenths(phases), phases };
  }
  if (isTimeout(thrown)) return { outcome: 'fail', fault: timeoutFault('firstByte'), latencyTenths: tenths };
  broke(thrown);
  return skipped(fault('probe.check.failed', thrown instanceof Error ? thrown.message : String(thrown)));
}

/** Nothing was asked, so nothing is said of the target. */
function skipped(found: Fault): Reading {
  return { outcome: 'skipped', fault: found, latencyTenths: 0 };
}

function tidy(found: Fault): Fault {
  return found.detail === undefined ? found : { ...found, detail: cleanDetail(found.detail) };
}

function whereOf(address: string | undefined): { family: Family; loopback: boolean } {
  if (address === undefined) return { family: 'name', loopback: false };
  const loopback = /^(127\.|::1$|::ffff:127\.)/.test(address);
  return { family: isIP(address) === 6 ? '6' : '4', loopback };
}
