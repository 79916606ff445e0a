/** The driver of the schedule: starts what is due, asks whether a fault is the probe's own, hands on what was seen. */
import { setMaxListeners } from 'node:events';
import type { Observation } from '@highwater/config/domain.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { AnyCheckKind } from '@highwater/config/kinds.ts';
import type { AssignedMonitor, AssignmentBody } from '@highwater/config/wire.ts';
import type { Controls } from './controls.ts';
import { pause } from './deadline.ts';
import { isOutOfDescriptors } from './descriptors.ts';
import { fault } from './fault.ts';
import type { LoopWatch } from './loop-watch.ts';
import { chainOf, type House, observe, prepare, type Prepared } from './observe.ts';
import { placeAsked } from './place-asked.ts';
import {
  answered,
  asked,
  ended,
  makeSchedule,
  type Missed,
  type Schedule,
  type Start,
  type Timed,
  turn,
  wakeAt,
} from './schedule.ts';
import { acrossStop, ownUp, wantsControls } from './self.ts';

export interface RoundsOptions {
  readonly probe: string;
  readonly table: Readonly<Record<string, AnyCheckKind>>;
  readonly loop: LoopWatch;
  /** Whether the clock is known to be right. */
  readonly isClockSure: () => boolean;
  /** Each observation as it ends. */
  seen: (observation: Observation) => void;
}

export interface Rounds {
  /** Takes up new work; what stays the same goes on undisturbed. */
  assigned(body: AssignmentBody, house: House, controls: Controls): void;
  readonly monitors: number;
  /** Another region asks to look at these now. Ids that are not known are passed over. */
  look(ids: readonly string[]): void;
  /** Starts nothing more and waits for what runs, up to a limit. */
  drain(maxMs: number): Promise<void>;
}

/** The wall clock may step while a timer waits, so no wait is longer than this. */
const longestWaitMs = 1_000;

/** What is told to end has this long for it: a question to the controls may still wait for its answer. */
const longestEndMs = 3_000;

interface Work {
  readonly body: AssignmentBody;
  readonly house: House;
  readonly controls: Controls;
  readonly prepared: ReadonlyMap<string, Prepared>;
}

const givenUp = new Error('a scheduled check needs the place of this recheck');

export function startRounds({ probe, table, loop, isClockSure, seen }: RoundsOptions): Rounds {
  const ending = new AbortController();
  // Each check that runs listens: many at once are no leak.
  setMaxListeners(0, ending.signal);
  const running = new Set<Promise<void>>();
  /** Rechecks that run, by monitor: they make room for scheduled checks. */
  const rechecks = new Map<string, AbortController>();
  ending.signal.addEventListener('abort', () => {
    for (const own of rechecks.values()) own.abort(ending.signal.reason);
  });
  let work: Work | undefined;
  let schedule: Schedule | undefined;
  let timer: NodeJS.Timeout | undefined;
  let restsUntil = Infinity;

  const tick = () => {
    if (!work || !schedule || ending.signal.aborted) return;
    // What begins now ran across no stop that is over.
    loop.look();
    const now = work.house.now();
    const { giveUp, start, missed } = turn(schedule, now);
    for (const id of giveUp) rechecks.get(id)?.abort(givenUp);
    for (const each of missed) seen(missedAt(each, now, loop.wasStoppedAt(each.dueAt)));
    for (const each of start) begin(each, work);
    rest(work);
  };

  const rest = ({ house }: Work) => {
    clearTimeout(timer);
    restsUntil = Infinity;
    const at = schedule ? wakeAt(schedule) : undefined;
    if (at === undefined) return;
    restsUntil = at;
    timer = setTimeout(tick, Math.min(longestWaitMs, Math.max(0, at - house.now())));
  };

  /** Something came up outside a turn. */
  const stir = () => {
    const at = schedule && wakeAt(schedule);
    if (!work || at === undefined || at >= restsUntil || ending.signal.aborted) return;
    if (at <= work.house.now()) tick();
    else rest(work);
  };

  const begin = (start: Start, now: Work) => {
    const { id } = start;
    const prepared = now.prepared.get(id);
    const own = start.recheck ? new AbortController() : undefined;
    // To a monitor that was changed or taken away meanwhile what its old target says is nothing.
    const isCurrent = () => work?.prepared.get(id) === prepared;
    const left = (address?: string) => {
      // One that was given up has no place any more; its monitor may have another.
      if (schedule && !own?.signal.aborted) ended(schedule, id, isCurrent() ? address : undefined);
      stir();
    };
    if (!prepared) return left();
    if (own) rechecks.set(id, own);
    const run = look(prepared, start, now, own?.signal ?? ending.signal, left)
      .then((observation) => {
        if (own?.signal.aborted || !isCurrent()) return;
        seen(observation);
        if (schedule && work) answered(schedule, id, saysOf(observation), work.house.now());
        stir();
      })
      .catch((thrown: unknown) => {
        if (!own?.signal.aborted && !ending.signal.aborted) now.house.broke(id, thrown);
      })
      .finally(() => {
        running.delete(run);
        if (rechecks.get(id) === own) rechecks.delete(id);
      });
    running.add(run);
  };

  /** `left` is told when the target is no longer asked; whose fault it was may take longer to say. */
  const look = async (
    prepared: Prepared,
    start: Start,
    { house, controls }: Work,
    until: AbortSignal,
    left: (address?: string) => void,
  ): Promise<Observation> => {
    const { monotonic } = house.outside;
    const from = monotonic();
    const wallFrom = house.now();
    const met = await observe(prepared, start, house, until).catch((thrown: unknown) => {
      left();
      throw thrown;
    });
    const to = monotonic();
    const wallTo = house.now();
    left(met.address);
    const { observation, family, loopback } = met;
    const found = observation.fault;
    if (found?.source === 'probe') return observation;
    const stoppedMs = loop.stoppedBetween(from, to);
    if (stoppedMs > 0) return acrossStop(observation, stoppedMs);
    if (!found) return observation;
    const evidence = {
      family,
      loopback,
      loopLateMs: loop.lateBetween(from, to),
      isClockSure: isClockSure(),
      isOutOfDescriptors: found.operation === 'resolve' && isOutOfDescriptors(),
      clockStepMs: wallTo - wallFrom - (to - from),
      timeoutMs: prepared.monitor.timeoutMs,
      controls: wantsControls(found, loopback) ? await controls.ask() : [],
    };
    return { ...observation, fault: ownUp(found, evidence) };
  };

  return {
    get monitors() {
      return work?.prepared.size ?? 0;
    },
    assigned(body, house, controls) {
      const before = work?.prepared;
      const prepared = new Map(
        body.monitors.map((monitor) => {
          const old = before?.get(monitor.id);
          const same = old && isSame(old, monitor, body.chains) ? old : undefined;
          return [monitor.id, same ?? prepare(monitor, body.chains, table)];
        }),
      );
      for (const [id, old] of before ?? []) {
        if (prepared.get(id) !== old) old.lasting[Symbol.dispose]();
      }
      work = { body, house, controls, prepared };
      const timed = body.monitors.map(timedOf);
      schedule = makeSchedule(timed, body.seed, probe, house.now(), sha256, schedule);
      rest(work);
    },
    look(ids) {
      if (!schedule || !work) return;
      asked(schedule, ids, work.house.now());
      stir();
    },
    async drain(maxMs) {
      clearTimeout(timer);
      schedule = undefined;
      const allEnded = new AbortController();
      const all = async () => {
        // All at once: to wait for the next of five thousand, five thousand times, took the whole heap.
        while (running.size > 0) await Promise.all(running);
        allEnded.abort();
      };
      void all();
      await pause(maxMs, allEnded.signal);
      ending.abort(new Error('the probe is ending'));
      await pause(longestEndMs, allEnded.signal);
      for (const prepared of work?.prepared.values() ?? []) prepared.lasting[Symbol.dispose]();
    },
  };
}

function timedOf({ settings, target, ...monitor }: AssignedMonitor): Timed {
  return { ...monitor, ...placeAsked({ settings, target }) };
}

function isSame(old: Prepared, monitor: AssignedMonitor, chains: AssignmentBody['chains']): boolean {
  const chain = chainOf(monitor, chains);
  return JSON.stringify([old.monitor, old.chain]) === JSON.stringify([monitor, chain]);
}

function missedAt({ id, dueAt, busy }: Missed, now: number, wasStopped: boolean): Observation {
  const late = busy ? 'probe.schedule.busy' : 'probe.schedule.late';
  const found = fault(wasStopped ? 'probe.loop.suspended' : late);
  return {
    monitor: id,
    dueAt,
    outcome: 'skipped',
    latencyTenths: 0,
    fault: found,
    facts: {},
    lateMs: now - dueAt,
    recheck: false,
  };
}

/** What an answer says of the target; undefined when it says nothing. */
function saysOf({ outcome, fault: found }: Observation): 'ok' | 'fail' | undefined {
  if (outcome === 'skipped' || found?.source === 'probe') return undefined;
  return outcome === 'fail' ? 'fail' : 'ok';
}
